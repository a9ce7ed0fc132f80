"""How far off a claim's effect may be: by the spread between seeds, and by what each run's evaluator sampled.

**Between seeds** it is the bootstrap of ``zoo.stats``. A share of runs above a number has instead the interval of
Clopper and Pearson (1934), whose ends miss the truth in at most 2.5 % of cases each, whatever the share and the number
of runs.

**Within runs**: values with intervals of their own are moved by normal errors, as wide on each side as these intervals
say, and the statistic is computed anew. Seeds are judged by draws of their own, so that the spread between seeds holds
this noise already; of the two, the wider counts, since few runs may agree by chance. Where runs are known not to
differ, it is the only one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from zoo.stats import FEWEST, LEVEL, UNKNOWN, Floats, Spread, combined_interval, equal, iqm, mean, median, spread
from zoo_bench.schema import level_of

Statistic = Callable[[Floats, int], Floats]
"""Of an array and the axis of its runs."""
STATISTICS: Mapping[str, Statistic] = {"iqm": iqm, "mean": mean, "median": median}
_RESAMPLES = 4000  # as many as those of a Spread
_CERTAIN = 10**9
"""stands for the number of runs behind an interval that needs no widening for few of them"""
_Z = NormalDist().inv_cdf(0.5 + 0.5 * LEVEL)


@dataclass(frozen=True, kw_only=True)
class Side:
    """Values of one term of a claim on one environment, on the scale where an effect is a difference.

    Attributes:
        sign: 1 or -1: how it enters the effect.
        values: ``[n]``.
        fixed: runs of this kind do not vary, but for what is sampled when they are judged.
        ends: intervals of the values by themselves, ``[2, n]``; None where nothing was sampled, NaN where sampled
            values have none.
    """

    sign: float
    values: Floats
    fixed: bool = False
    ends: Floats | None = None

    @property
    def exact(self) -> bool:
        """Whether another run would have the same value."""
        return self.fixed and self.ends is None

    @property
    def bounded(self) -> bool:
        """Whether each sampled value has an interval."""
        return self.ends is not None and bool(np.isfinite(self.ends).all())


def statistic_of(name: str) -> Statistic:
    """The function of an array and the axis of its runs that a claim's statistic is."""
    level = level_of(name)
    if level is None:
        return STATISTICS[name]
    return lambda x, axis: np.asarray((x > level).mean(axis=axis))


def effect_spread(
    sides: Sequence[Side], name: str, rng: np.random.Generator, *, constant: float = 0.0, paired: bool = False
) -> Spread:
    """The effect ``constant + sum of sign * statistic(values)``, or that of paired differences, and how it varies.

    Args:
        sides: one or two.
        name: of the statistic.
        rng: where resamples are drawn from.
        constant: what is added.
        paired: whether runs are compared one by one; both sides have the same seeds then.

    Returns:
        ``UNKNOWN`` deviations where the runs are too few, or equal numbers were sampled and have no intervals.
    """
    statistic = statistic_of(name)
    # Seeds are judged by draws of their own: of runs that do not vary, the spread between seeds is that of the draws.
    sides = [replace(side, fixed=side.fixed and (side.ends is None or side.bounded)) for side in sides]
    for side in sides:
        if side.ends is not None and not side.bounded and equal(side.values):
            centre = constant + sum(one.sign * float(statistic(one.values, 0)) for one in sides)
            return replace(UNKNOWN, centre=centre, sizes=tuple(len(one.values) for one in sides))
    varying = [side for side in sides if not side.fixed]
    constant += sum(side.sign * float(statistic(side.values, 0)) for side in sides if side.fixed)
    fixed = _noise([side for side in sides if side.fixed and side.bounded], statistic, rng)
    if level_of(name) is not None:
        between = _shares(varying, statistic, rng, constant)
    elif paired:
        difference = np.asarray(sum(side.sign * side.values for side in varying))
        between = spread([difference], [1.0], rng, constant=constant, statistic=statistic)
    else:
        samples, signs = [side.values for side in varying], [side.sign for side in varying]
        between = spread(samples, signs, rng, constant=constant, statistic=statistic)
    if between.deviations is None:
        return between
    between = _with_rows(between, fixed)
    sampled = [side for side in varying if side.bounded]
    if not sampled:
        return between
    rows = _paired_noise(varying, statistic, rng) if paired else _noise(sampled, statistic, rng)
    within = _with_rows(Spread(between.centre, np.zeros((0, _RESAMPLES))), np.concatenate([rows, fixed]))
    return max(between, within, key=_width)


def _width(found: Spread) -> float:
    low, high = combined_interval([found])
    return high - low


def _with_rows(found: Spread, rows: Floats) -> Spread:
    """A spread with further deviations, of intervals that are no estimates from few runs."""
    if found.deviations is None:
        return found
    return Spread(found.centre, np.concatenate([found.deviations, rows]), (*found.sizes, *[_CERTAIN] * len(rows)))


def _errors(side: Side, rng: np.random.Generator) -> Floats:
    """Normal errors of a side's values ``[resamples, n]``, as wide on each side as their intervals."""
    z = rng.standard_normal((_RESAMPLES, len(side.values))) / _Z
    if side.ends is None or not side.bounded:
        return np.zeros_like(z)
    low, high = side.ends
    return np.asarray(z * np.where(z > 0, high - side.values, side.values - low))


def _noise(sides: Sequence[Side], statistic: Statistic, rng: np.random.Generator) -> Floats:
    """For each side how the errors of its values move the statistic, ``[sides, resamples]``."""
    rows = [
        side.sign * (statistic(side.values + _errors(side, rng), 1) - float(statistic(side.values, 0)))
        for side in sides
    ]
    return np.array(rows).reshape(len(rows), _RESAMPLES)


def _paired_noise(sides: Sequence[Side], statistic: Statistic, rng: np.random.Generator) -> Floats:
    """How the errors of both sides move the statistic of the differences, ``[1, resamples]``."""
    difference = sum(side.sign * side.values for side in sides)
    moved = difference + sum(side.sign * _errors(side, rng) for side in sides)
    return np.asarray(statistic(np.asarray(moved), 1) - float(statistic(np.asarray(difference), 0)))[None]


def _shares(sides: Sequence[Side], statistic: Statistic, rng: np.random.Generator, constant: float) -> Spread:
    """Shares with the intervals of Clopper and Pearson, as deviations that are half a normal on each side."""
    centre, rows = constant, []
    quantiles = np.array([NormalDist().inv_cdf((i + 0.5) / _RESAMPLES) for i in range(_RESAMPLES)]) / _Z
    for side in sides:
        if len(side.values) < FEWEST:
            return Spread(math.nan, None)
        share = float(statistic(side.values, 0))
        low, high = clopper_pearson(round(share * len(side.values)), len(side.values))
        z = rng.permutation(quantiles)  # so that two sides are independent of one another
        rows.append(side.sign * z * np.where(z > 0, high - share, share - low))
        centre += side.sign * share
    return _with_rows(Spread(centre, np.zeros((0, _RESAMPLES))), np.array(rows).reshape(len(rows), _RESAMPLES))


def clopper_pearson(successes: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a probability whose ends miss it in at most ``(1 - level) / 2`` of cases each.

    Clopper and Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the binomial".
    """
    from scipy.special import betaincinv  # scipy.stats would take half a second to import

    tail = (1.0 - level) / 2.0
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1.0 - tail)) if successes < trials else 1.0
    return low, high
