"""What happens on a learning curve: a plateau and its end, a rise and a fall (docs/methods/icl.md, section 4)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

TRANSIENT_PEAK, TRANSIENT_DROP = 0.7, 0.15
"""By our definition a curve is transient if its peak is at least the first and its drop after it the second."""
_BAND = 0.1
"""nats around the floor that count as the plateau"""
_IN_A_ROW = 3
"""consecutive evaluations that make an onset"""
_HALF_WINDOW = 2
"""evaluations on either side that enter a running median"""


@dataclass(frozen=True)
class PhaseChange:
    """Events of a loss curve, in sequences seen; None: it did not happen.

    Where a curve crosses a threshold between two evaluations, the event is where the line between them does.

    Attributes:
        plateau: ends of the longest stretch of evaluations with ``|loss - floor| <= 0.1``; the first of several.
        onset: where the loss falls below ``0.9 floor`` for at least three consecutive evaluations.
        t_half: where it first falls below ``0.5 floor``.
        below_40_percent: where it first falls below ``0.4 floor``.
    """

    plateau: tuple[float, float] | None
    onset: float | None
    t_half: float | None
    below_40_percent: float | None


@dataclass(frozen=True)
class Transience:
    """A rise and a fall. Curves are smoothed first by medians over five evaluations, fewer at the ends.

    Attributes:
        peak: largest value.
        peak_at: sequences at the peak; the first of several.
        final: last value.
        drop: ``peak - final``, at least 0.
        t_cross: where ``flip`` first falls below 0.5 after its own peak, on the line between two evaluations; None if
            that peak is not above, or it never falls.
        transient: the peak is at least 0.7 and the drop at least 0.15.
    """

    peak: float
    peak_at: float
    final: float
    drop: float
    t_cross: float | None
    transient: bool


def phase_change(seqs: ArrayLike, loss: ArrayLike, floor: float = math.log(2.0)) -> PhaseChange:
    """When a loss leaves its plateau.

    Args:
        seqs: sequences seen at each evaluation, increasing, ``[n]``.
        loss: nats, ``[n]``; NaN counts as above every threshold.
        floor: the loss of guessing in nats, above 0; by default between two labels of the context.

    Raises:
        ValueError: the shapes do not fit, ``seqs`` does not increase, or the floor is not above 0.
    """
    if not (math.isfinite(floor) and floor > 0.0):
        raise ValueError(f"floor = {floor}: expected a number above 0.")
    steps, values = _check_curve(seqs, loss, "loss")
    low = values < 0.9 * floor
    onsets = low[: len(low) - _IN_A_ROW + 1].copy()
    for shift in range(1, _IN_A_ROW):
        onsets &= low[shift : shift + len(onsets)]
    return PhaseChange(
        plateau=_longest_stretch(steps, np.abs(values - floor) <= _BAND),
        onset=_crossing(steps, values, 0.9 * floor, onsets),
        t_half=_crossing(steps, values, 0.5 * floor),
        below_40_percent=_crossing(steps, values, 0.4 * floor),
    )


def transience(seqs: ArrayLike, icl: ArrayLike, flip: ArrayLike | None = None) -> Transience:
    """Whether in-context learning comes and goes.

    Noise about 0.5 before anything is learned is not a crossing: ``flip`` is followed from its peak.

    Args:
        seqs: sequences seen at each evaluation, increasing, ``[n]``, n >= 1.
        icl: accuracy that may be transient, ``[n]``.
        flip: accuracy under flipped labels, ``[n]``.

    Raises:
        ValueError: the shapes do not fit, there is no evaluation, or a value is not finite.
    """
    steps, values = _check_curve(seqs, icl, "icl")
    smooth = _running_medians(_check_finite(values, "icl"))
    peak_index = int(smooth.argmax())
    peak, final = float(smooth[peak_index]), float(smooth[-1])
    crossed = None
    if flip is not None:
        flip_smooth = _running_medians(_check_finite(_check_curve(seqs, flip, "flip")[1], "flip"))
        flip_peak = int(flip_smooth.argmax())
        if flip_smooth[flip_peak] > 0.5:
            crossed = _crossing(steps[flip_peak:], flip_smooth[flip_peak:], 0.5)
    drop = peak - final
    return Transience(
        peak,
        float(steps[peak_index]),
        final,
        drop,
        crossed,
        transient=peak >= TRANSIENT_PEAK and drop >= TRANSIENT_DROP,
    )


def opposition(falls: ArrayLike, rises: ArrayLike) -> float | None:
    """Whether one curve rises as another falls: Spearman's rank correlation from the peak of ``falls`` on.

    Args:
        falls: a curve, ``[n]``, not smoothed.
        rises: another at the same evaluations, ``[n]``.

    Returns:
        In [-1, 1]; None where fewer than three evaluations are left, or one of the curves does not move.

    Raises:
        ValueError: the shapes do not fit, there is no evaluation, or a value is not finite.
    """
    one, other = (_check_finite(np.asarray(curve, dtype=np.float64), "a curve") for curve in (falls, rises))
    if one.shape != other.shape:
        raise ValueError(f"curves of {one.shape} and {other.shape} evaluations: expected as many of both.")
    start = int(one.argmax())
    high, low = _ranks(one[start:]), _ranks(other[start:])
    if len(high) < 3 or not (np.ptp(high) > 0 and np.ptp(low) > 0):
        return None
    return float(np.corrcoef(high, low)[0, 1])


def _ranks(values: Floats) -> Floats:
    """Ranks from 0, the mean of them where values are equal."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count + 1) / 2)[place])


def _check_curve(seqs: ArrayLike, values: ArrayLike, name: str) -> tuple[Floats, Floats]:
    steps, curve = np.asarray(seqs, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if steps.ndim != 1 or steps.shape != curve.shape:
        raise ValueError(f"seqs {steps.shape} and {name} {curve.shape}: expected two curves of the same length.")
    if (np.diff(steps) <= 0.0).any():
        place = int(np.argmax(np.diff(steps) <= 0.0))
        raise ValueError(f"seqs goes from {steps[place]:g} to {steps[place + 1]:g}: expected it to increase.")
    return steps, curve


def _check_finite(values: Floats, name: str) -> Floats:
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"{name} of {len(values)} evaluations: expected at least one, and finite values.")
    return values


def _crossing(steps: Floats, values: Floats, threshold: float, below: NDArray[np.bool_] | None = None) -> float | None:
    """Where the line between evaluations first falls below ``threshold``; ``below`` says which evaluations count."""
    below = values < threshold if below is None else below
    if not below.any():
        return None
    after = int(below.argmax())
    if after == 0 or not values[after - 1] >= threshold:  # below from the start, or nothing is known before
        return float(steps[after])
    fallen = (values[after - 1] - threshold) / (values[after - 1] - values[after])
    return float(steps[after - 1] + fallen * (steps[after] - steps[after - 1]))


def _longest_stretch(steps: Floats, inside: NDArray[np.bool_]) -> tuple[float, float] | None:
    if not inside.any():
        return None
    edges = np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    longest = int((steps[last] - steps[first]).argmax())
    return float(steps[first[longest]]), float(steps[last[longest]])


def _running_medians(values: Floats) -> Floats:
    return np.array([np.median(values[max(i - _HALF_WINDOW, 0) : i + _HALF_WINDOW + 1]) for i in range(len(values))])
