"""How far an estimate from few seeds may be off: bootstrap deviations, widened for small samples.

Percentiles of a bootstrap of few seeds are too narrow (measured for the interquartile mean of normal values: an end is
on the wrong side of the truth in 5 % of cases at five seeds and in 12 % at three, instead of 2.5 %). Each end is
therefore moved away from the estimate by ``sqrt(n / (n - 1)) t / z``: the bootstrap's own bias of the variance, and
Student's quantile over the normal one (both from Hesterberg 2015, "What teachers should know about the bootstrap"),
with Welch and Satterthwaite's degrees of freedom where several samples meet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from zoo.results.stats import Floats, Statistic, iqm, percentiles, replicates

FEWEST = 3
"""Fewer seeds than this show no spread."""
TIED = 5
"""So many equal values count as exact, without other evidence that they do not vary."""
_RESAMPLES = 4000
_ROUNDING = 1e-16


@dataclass(frozen=True, eq=False)
class Spread:
    """A combination of one statistic of independent samples, and how it varies.

    Attributes:
        centre: the estimate.
        deviations: from it, ``[samples, resamples]``; no rows where it is exact, None where runs are too few.
        sizes: number of runs in each sample.
    """

    centre: float
    deviations: Floats | None
    sizes: tuple[int, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether nothing varied, and the runs are enough to say so."""
        return self.deviations is not None and not self.deviations.any()


UNKNOWN = Spread(math.nan, None)
"""Where there are no runs."""


def spread(
    samples: Sequence[Floats],
    signs: Sequence[float],
    rng: np.random.Generator,
    *,
    constant: float = 0.0,
    statistic: Statistic = iqm,
) -> Spread:
    """The spread of ``constant + sum of sign * statistic(sample)``; samples are ``[n]`` with n >= 1."""
    centre, rows = constant, []
    enough = True
    for sample, sign in zip(samples, signs, strict=True):
        n, middle = len(sample), statistic(sample, 0)
        centre += sign * float(middle)
        tied = equal(sample)
        enough = enough and n >= (TIED if tied else FEWEST)
        if enough:
            drawn = middle if tied else replicates(sample, statistic, rng, resamples=_RESAMPLES)
            rows.append(sign * math.sqrt(n / max(n - 1, 1)) * np.broadcast_to(drawn - middle, (_RESAMPLES,)))
    deviations = np.stack(rows) if rows else np.zeros((0, _RESAMPLES))
    return Spread(centre, deviations if enough else None, tuple(map(len, samples)))


def interval(spreads: Sequence[Spread], level: float) -> tuple[float, float]:
    """Interval of the mean of several independent spreads' centres; NaN where one of them has too few runs.

    With one spread for each environment this is the stratified bootstrap: seeds are redrawn within each of them.
    """
    rows = [found.deviations for found in spreads if found.deviations is not None]
    if len(rows) < len(spreads):
        return math.nan, math.nan
    centre = float(np.mean([found.centre for found in spreads]))
    deviations = np.concatenate(rows) / len(spreads)
    if not deviations.any():
        return centre, centre
    low, high = percentiles(deviations.sum(axis=0), level)
    wider = _wider(deviations, [size for found in spreads for size in found.sizes], level)
    return centre + wider * min(float(low), 0.0), centre + wider * max(float(high), 0.0)


def equal(values: Floats) -> bool:
    """Whether all values are the same up to rounding."""
    return bool(np.allclose(values, values[0], rtol=1e-9, atol=_ROUNDING))


def _wider(deviations: Floats, sizes: Sequence[int], level: float) -> float:
    """Student's quantile over the normal one; degrees of freedom after Welch (1947) and Satterthwaite (1946)."""
    from scipy.special import stdtrit  # scipy.stats would take half a second to import

    variances = deviations.var(axis=1)
    share = variances / variances.sum()
    freedom = 1.0 / float((share**2 / (np.array(sizes) - 1.0)).sum())
    tail = 0.5 + 0.5 * level
    return float(stdtrit(freedom, tail)) / NormalDist().inv_cdf(tail)
