"""Weighted samples of an environment under a policy: states, transitions or trajectories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


LARGEST = 1e150
"""largest state; the squares of larger numbers, and of numbers below its inverse, leave the range of float64"""


@dataclass(frozen=True, eq=False)
class Samples:
    """n samples of T consecutive states each: T = 1 a state, 2 a transition, H + 1 a trajectory.

    Attributes:
        states: float64 [n, T, d], finite.
        actions: actions in all states but the last, [n, T - 1] or [n, T - 1, k]; [n, 1, ...] for T = 1; None where
            they are unknown. After the end of an episode, -1 or NaN.
        weights: float64 [n], positive, summing to 1.
    """

    states: Floats
    actions: NDArray[Any] | None
    weights: Floats

    @classmethod
    def of(cls, states: ArrayLike, actions: ArrayLike | None = None, name: str = "these samples") -> Samples:
        """Equally weighted samples.

        Raises:
            ValueError: there are none, a state is not finite or cannot be squared, or the shapes do not fit.
        """
        x = np.asarray(states, dtype=np.float64)
        if x.ndim != 3 or x.shape[2] == 0:
            raise ValueError(f"{name} have states of shape {list(x.shape)}: expected [n, T, d]")
        if not len(x):
            raise ValueError(f"{name} are empty: expected at least one")
        if not np.isfinite(x).all():
            sample, time, _ = np.argwhere(~np.isfinite(x))[0].tolist()
            raise ValueError(f"state {time} of sample {sample} of {name} is not finite: {x[sample, time].tolist()}")
        a = None if actions is None else np.asarray(actions)
        _check_size(x, name)
        steps = max(1, x.shape[1] - 1)
        if a is not None and a.shape[:2] != (len(x), steps):
            raise ValueError(f"{name} have actions of shape {list(a.shape)}: expected [{len(x)}, {steps}, ...]")
        return cls(x, a, np.full(len(x), 1.0 / len(x)))

    def __len__(self) -> int:
        return len(self.states)

    @property
    def d(self) -> int:
        """Number of coordinates of a state."""
        return int(self.states.shape[2])

    def merged(self) -> Samples:
        """The distinct samples, each with the sum of the weights of its repetitions, in the order of their values.

        On a finite state space this makes exact transport cheap, without the sampling error of a random subset.
        """
        flat = self.states.reshape(len(self), -1)
        if self.actions is not None:
            flat = np.concatenate([flat, self.actions.reshape(len(self), -1).astype(np.float64)], axis=1)
        # Samples are compared as bytes (after -0.0 became 0.0), far quicker than column by column.
        rows = np.ascontiguousarray(flat + 0.0)
        keys = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        weights = np.bincount(inverse.ravel(), weights=self.weights, minlength=len(first))
        actions = None if self.actions is None else self.actions[first]
        return Samples(self.states[first], actions, weights / weights.sum())

    def singles(self) -> Samples:
        """The first state of each sample, with its action."""
        actions = None if self.actions is None else self.actions[:, :1]
        return Samples(self.states[:, :1], actions, self.weights)

    def moments(self) -> tuple[Floats, Floats]:
        """Mean [d] and covariance [d, d] of all states in the samples."""
        T = self.states.shape[1]
        mean = self.weights @ self.states.mean(axis=1)
        centred = (self.states - mean).reshape(-1, self.d)
        weighted = centred * np.repeat(self.weights / T, T)[:, None]
        return mean, weighted.T @ centred


def _check_size(x: Floats, name: str) -> None:
    largest = float(np.abs(x).max())
    if largest > LARGEST:
        raise ValueError(f"{name} have states as large as {largest:g}: expected at most {LARGEST:g}, in another unit")
    spread = float(np.ptp(x, axis=(0, 1)).max())
    if 0 < spread < 1 / LARGEST:
        raise ValueError(f"the states of {name} differ by {spread:g} at most: expected at least {1 / LARGEST:g}, in "
                         "another unit")  # fmt: skip
