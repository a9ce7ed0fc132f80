"""Statistics over runs and episodes (Agarwal et al. 2021, "Deep RL at the edge of the statistical precipice").

Scores of several tasks are arrays ``[..., seeds, tasks]``: the aggregates reduce the last two axes, so that they take
one set of runs and all resamples of it alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
"""Confidence of every interval the zoo prints."""

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, int], Floats]
"""Maps an array and the axis of the sample to the statistic along that axis."""
Aggregate = Callable[[Floats], Floats]
"""Maps scores ``[..., seeds, tasks]`` to an array ``[..., *shape of the statistic]``."""

_CHUNK = 4_000_000


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


# Aggregates over seeds and tasks


def aggregate_mean(scores: Floats) -> Floats:
    """Mean over tasks of the mean over seeds, ``[..., seeds, tasks]`` to ``[...]``."""
    return np.asarray(scores.mean(axis=(-2, -1)))


def aggregate_median(scores: Floats) -> Floats:
    """Median over tasks of the mean over seeds, ``[..., seeds, tasks]`` to ``[...]``."""
    return np.asarray(np.median(scores.mean(axis=-2), axis=-1))


def aggregate_iqm(scores: Floats) -> Floats:
    """Mean of the middle half of all runs of all tasks, ``[..., seeds, tasks]`` to ``[...]`` (section 4.3)."""
    return iqm(scores.reshape(*scores.shape[:-2], -1), axis=-1)


def optimality_gap(scores: Floats, target: float = 1.0) -> Floats:
    """How far runs stay below ``target`` on average, ``[..., seeds, tasks]`` to ``[...]``; more than it counts as it.

    ``mean(max(target - score, 0))``, in the unit of the scores (section 4.3).
    """
    return np.asarray(np.maximum(target - scores, 0.0).mean(axis=(-2, -1)))


def probability_of_improvement(x: Floats, y: Floats) -> Floats:
    """How likely a run of X beats one of Y on a random task, ``[..., m, tasks]`` and ``[..., n, tasks]`` to ``[...]``.

    The Mann-Whitney statistic over ``m n``, averaged over tasks; a tie counts one half (section 4.3).

    Raises:
        ValueError: the numbers of tasks differ.
    """
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(f"X has {x.shape[-1]} tasks and Y has {y.shape[-1]}: expected as many.")
    return np.asarray(0.5 + 0.5 * np.sign(x[..., :, None, :] - y[..., None, :, :]).mean(axis=(-3, -2, -1)))


def performance_profile(scores: Floats, thresholds: ArrayLike) -> Floats:
    """Share of runs above each threshold, ``[..., seeds, tasks]`` and ``[T]`` to ``[..., T]`` (section 4.2).

    Runs at the threshold itself do not count; it never rises with the threshold.
    """
    pooled = scores.reshape(*scores.shape[:-2], -1)
    limits = np.asarray(thresholds, dtype=np.float64)
    return np.asarray((pooled[..., None] > limits).mean(axis=-2))


# Intervals


def replicates(x: ArrayLike, statistic: Statistic, rng: np.random.Generator, *, resamples: int = 2000) -> Floats:
    """The statistic of each bootstrap resample of the first axis, ``[resamples, *shape of the statistic]``.

    Args:
        x: the sample, ``[n, ...]``.
        statistic: for example ``mean`` or ``iqm``.
        rng: where the resamples are drawn from.
        resamples: how many.

    Raises:
        ValueError: the sample is empty.
    """
    sample = np.asarray(x, dtype=np.float64)
    n = _counted(sample)
    found = [statistic(sample[rng.integers(n, size=(size, n))], 1) for size in _chunks(resamples, sample.size)]
    return np.concatenate(found)


def bootstrap(
    x: ArrayLike, statistic: Statistic, rng: np.random.Generator, *, resamples: int = 2000, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Percentile bootstrap interval of a statistic over the first axis.

    Args:
        x: the sample, ``[n, ...]``.
        statistic: for example ``mean`` or ``iqm``.
        rng: where the resamples are drawn from.
        resamples: how many.
        level: confidence, in (0, 1).

    Returns:
        Lower and upper end, each of the statistic's shape.

    Raises:
        ValueError: the sample is empty.
    """
    return percentiles(replicates(x, statistic, rng, resamples=resamples), level)


def stratified_bootstrap(
    scores: ArrayLike, aggregate: Aggregate, rng: np.random.Generator, *, resamples: int = 2000, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Percentile bootstrap interval of an aggregate: seeds are drawn anew for each task by itself (section 4.1).

    Args:
        scores: ``[seeds, tasks]``.
        aggregate: for example ``aggregate_iqm``; called with ``[size, seeds, tasks]``.
        rng: where the resamples are drawn from.
        resamples: how many.
        level: confidence, in (0, 1).

    Returns:
        Lower and upper end, each of the aggregate's shape.

    Raises:
        ValueError: there is no seed or no task, or ``scores`` has not two axes.
    """
    sample = _matrix(scores)
    found = [aggregate(_redrawn(sample, rng, size)) for size in _chunks(resamples, sample.size)]
    return percentiles(np.concatenate(found), level)


def stratified_bootstrap_pair(
    x: ArrayLike,
    y: ArrayLike,
    aggregate: Callable[[Floats, Floats], Floats],
    rng: np.random.Generator,
    *,
    resamples: int = 2000,
    level: float = LEVEL,
) -> tuple[Floats, Floats]:
    """As ``stratified_bootstrap`` for an aggregate of two independent sets of runs of the same tasks.

    ``aggregate`` may be ``probability_of_improvement``; ``x`` and ``y`` are ``[m, tasks]`` and ``[n, tasks]``.

    Raises:
        ValueError: as ``stratified_bootstrap``.
    """
    left, right = _matrix(x), _matrix(y)
    pairs = len(left) * right.size
    found = [aggregate(_redrawn(left, rng, size), _redrawn(right, rng, size)) for size in _chunks(resamples, pairs)]
    return percentiles(np.concatenate(found), level)


def percentiles(found: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Central interval of the first axis that holds ``level`` of it."""
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(found, [tail, 100.0 - tail], axis=0)
    return np.asarray(low), np.asarray(high)


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


def paired_differences(left: Mapping[int, float], right: Mapping[int, float]) -> tuple[tuple[int, ...], Floats]:
    """``left - right`` for the seeds that both have, in order: the seeds, and the differences ``[n]``.

    Runs with the same seed share what the seed decides, such as the environment's random numbers; their difference
    varies less than that of strangers if this matters, and no more if it does not.
    """
    seeds = tuple(sorted(left.keys() & right.keys()))
    return seeds, np.array([left[seed] - right[seed] for seed in seeds], dtype=np.float64)


def _chunks(resamples: int, size: int) -> Iterator[int]:
    """Numbers of resamples to hold at a time, so that long curves of many seeds stay small in memory."""
    most = max(1, _CHUNK // max(1, size))
    full, rest = divmod(resamples, most)
    yield from [most] * full
    if rest:
        yield rest


def _counted(sample: Floats) -> int:
    if not len(sample):
        raise ValueError("the sample is empty: expected at least one value.")
    return len(sample)


def _matrix(scores: ArrayLike) -> Floats:
    sample = np.asarray(scores, dtype=np.float64)
    if sample.ndim != 2 or not sample.size:
        raise ValueError(f"scores have the shape {sample.shape}: expected [seeds, tasks], neither of them 0.")
    return sample


def _redrawn(sample: Floats, rng: np.random.Generator, size: int) -> Floats:
    """Resamples ``[size, seeds, tasks]``; each task has seeds of its own."""
    drawn = rng.integers(len(sample), size=(size, *sample.shape))
    return np.asarray(np.take_along_axis(sample[None], drawn, axis=1))
