"""Statistics over runs and episodes: interquartile means, and one kind of 95 % interval for everything.

Every interval is a bootstrap, widened for small samples. Percentiles of a bootstrap of few seeds are too narrow
(measured for the interquartile mean of normal values: an end is on the wrong side of the truth in 5 % of cases at five
seeds and in 12 % at three, instead of 2.5 %; widened, in 1.5 to 3 %). Each end is therefore moved away from the
estimate by ``sqrt(n / (n - 1)) t / z``: the bootstrap's own bias of the variance, and Student's quantile over the
normal one (both from Hesterberg 2015, "What teachers should know about the bootstrap"), with Welch and Satterthwaite's
degrees of freedom where several samples meet. Fewer than three values show no spread: their interval is NaN.

Interquartile means follow Agarwal et al. 2021, "Deep RL at the edge of the statistical precipice", section 4.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
"""Confidence of every interval the zoo prints."""
FEWEST = 3
"""Fewer values than this show no spread."""
TIED = 5
"""This many equal values count as exact, without other evidence that they do not vary."""
NEVER = 1e150
"""Stands for infinity where numbers are added, so that differences and their squares stay finite."""

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, int], Floats]
"""Maps an array and the axis of the sample to the statistic along that axis."""

_RESAMPLES = 4000
_MAX_HELD = 4_000_000  # numbers of resamples in memory at a time
_ROUNDING = 1e-9  # relative


def mean(x: Floats, axis: int) -> Floats:
    """Arithmetic mean along ``axis``."""
    return np.asarray(x.mean(axis=axis))


def iqm(x: ArrayLike, axis: int = 0) -> Floats:
    """Interquartile mean along ``axis``: a quarter of the values, rounded down, is dropped at each end."""
    ordered = np.sort(np.asarray(x, dtype=np.float64), axis=axis)
    count = ordered.shape[axis]
    cut = count // 4
    return np.asarray(np.take(ordered, np.arange(cut, count - cut), axis=axis).mean(axis=axis))


def median(x: Floats, axis: int) -> Floats:
    """Median along ``axis``."""
    return np.asarray(np.median(x, axis=axis))


def finite(x: ArrayLike) -> Floats:
    """``x`` with infinity, which means "never reached", replaced by ``NEVER``."""
    return np.clip(np.asarray(x, dtype=np.float64), -NEVER, NEVER)


def infinite(x: ArrayLike) -> Floats:
    """Undoes ``finite``, also where ``NEVER`` was averaged with, or divided by, ordinary numbers."""
    values = np.asarray(x, dtype=np.float64)
    return np.where(np.abs(values) > 1e-20 * NEVER, np.copysign(np.inf, values), values)


def equal(values: Floats) -> bool:
    """Whether all values are the same up to rounding."""
    x = finite(values)
    return bool(np.ptp(x) <= _ROUNDING * np.abs(x).max())


# Intervals


def interval(
    x: ArrayLike,
    statistic: Statistic,
    rng: np.random.Generator,
    *,
    strata: Sequence[int] | None = None,
    level: float = LEVEL,
    resamples: int = _RESAMPLES,
) -> tuple[Floats, Floats]:
    """Interval of a statistic over the first axis.

    Args:
        x: the sample, ``[n, ...]``; infinity means "never".
        statistic: for example ``mean`` or ``iqm``.
        rng: where the resamples are drawn from.
        strata: sizes of the parts of the sample, one after the other, within each of which is resampled; unset: one.
        level: confidence, in (0, 1).
        resamples: how many.

    Returns:
        Lower and upper end, each of the statistic's shape; NaN where a stratum has fewer than ``FEWEST`` values.

    Raises:
        ValueError: the sample is empty.
    """
    sample = finite(x)
    if not len(sample):
        raise ValueError("the sample is empty: expected at least one value.")
    sizes = [len(sample)] if strata is None else list(strata)
    centre = np.asarray(statistic(sample, 0))
    if min(sizes) < FEWEST:
        return np.full(centre.shape, np.nan), np.full(centre.shape, np.nan)
    estimates = replicates(sample, statistic, rng, strata=sizes, resamples=resamples)
    factor = math.sqrt(min(sizes) / (min(sizes) - 1)) * _student(sum(sizes) - len(sizes), level)
    low, high = percentiles(estimates, level)
    return _widened(centre, np.minimum(low, centre), factor), _widened(centre, np.maximum(high, centre), factor)


def _widened(centre: Floats, end: Floats, factor: float) -> Floats:
    """``end`` moved away from ``centre``; where only one of them is infinite, there is no distance to widen."""
    apart = np.isinf(infinite(centre)) != np.isinf(infinite(end))
    return infinite(np.where(apart, end, centre + factor * (end - centre)))


def replicates(
    x: ArrayLike,
    statistic: Statistic,
    rng: np.random.Generator,
    *,
    strata: Sequence[int] | None = None,
    resamples: int = _RESAMPLES,
) -> Floats:
    """The statistic of each bootstrap resample of the first axis, ``[resamples, *shape of the statistic]``."""
    sample = np.asarray(x, dtype=np.float64)
    sizes = [len(sample)] if strata is None else strata
    starts = np.cumsum([0, *sizes[:-1]])
    draws = [start + rng.integers(n, size=(resamples, n)) for start, n in zip(starts, sizes, strict=True)]
    drawn = np.concatenate(draws, axis=1)
    step = max(1, _MAX_HELD // max(1, sample.size))
    parts = [statistic(sample[drawn[first : first + step]], 1) for first in range(0, resamples, step)]
    return np.concatenate(parts)


def percentiles(samples: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Central interval of the first axis that holds ``level`` of it."""
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(samples, [tail, 100.0 - tail], axis=0)
    return np.asarray(low), np.asarray(high)


def _student(freedom: float, level: float) -> float:
    """Student's quantile over the normal one."""
    from scipy.special import stdtrit  # scipy.stats would take half a second to import

    tail = 0.5 + 0.5 * level
    return float(stdtrit(freedom, tail)) / NormalDist().inv_cdf(tail)


def wilson(successes: ArrayLike, trials: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Wilson's score interval of a probability, element by element (Wilson 1927).

    Never empty and within [0, 1], also where all trials or none succeed. No trial leaves the whole of [0, 1].

    Raises:
        ValueError: there are fewer than 0 successes or more than trials.
    """
    k, n = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    if (k < 0).any() or (k > n).any():
        raise ValueError("expected between 0 successes and as many as trials.")
    z = NormalDist().inv_cdf(0.5 + 0.5 * level)
    at_least_one = np.maximum(n, 1.0)
    share = k / at_least_one
    middle = (share + z * z / (2.0 * at_least_one)) / (1.0 + z * z / at_least_one)
    spread = np.sqrt(share * (1.0 - share) / at_least_one + (z / (2.0 * at_least_one)) ** 2)
    half = z / (1.0 + z * z / at_least_one) * spread
    low, high = np.where(k == 0, 0.0, middle - half), np.where(k == n, 1.0, middle + half)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


# Sums and differences of independent samples


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
            drawn = middle if tied else replicates(sample, statistic, rng)
            rows.append(sign * math.sqrt(n / max(n - 1, 1)) * np.broadcast_to(drawn - middle, (_RESAMPLES,)))
    deviations = np.stack(rows) if rows else np.zeros((0, _RESAMPLES))
    return Spread(centre, deviations if enough else None, tuple(map(len, samples)))


def combined_interval(spreads: Sequence[Spread], level: float = LEVEL) -> tuple[float, float]:
    """Interval of the mean of several independent spreads' centres; NaN where one of them has too few runs.

    With one spread for each environment this is the stratified bootstrap: seeds are redrawn within each of them.
    Degrees of freedom after Welch (1947) and Satterthwaite (1946).
    """
    rows = [spread.deviations for spread in spreads if spread.deviations is not None]
    if len(rows) < len(spreads):
        return math.nan, math.nan
    centre = float(np.mean([spread.centre for spread in spreads]))
    deviations = np.concatenate(rows) / len(spreads)
    if not deviations.any():
        return centre, centre
    low, high = percentiles(deviations.sum(axis=0), level)
    variances = deviations.var(axis=1)
    sizes = np.array([size for spread in spreads for size in spread.sizes])
    share = variances / variances.sum()
    factor = _student(1.0 / float((share**2 / (sizes - 1.0)).sum()), level)
    return centre + factor * min(float(low), 0.0), centre + factor * max(float(high), 0.0)
