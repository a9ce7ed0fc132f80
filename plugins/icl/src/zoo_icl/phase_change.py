"""Why subcircuits that depend on one another make a phase change: a product of three vectors (Singh et al. 2024).

Gradient descent fits the outer product of a, b and c to a target of the same form. From small values every factor's
gradient is small until the others have grown, so that the loss stays on a plateau and then drops. With one factor given
the plateau is shorter; with two there is none, and the loss decays exponentially.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FACTORS", "Fit", "fit"]

FACTORS = ("a", "b", "c")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """One run of gradient descent.

    Attributes:
        clamped: the factors that had their final value from the start.
        loss: float64[steps+1], half the mean squared error, before each step and after the last.
    """

    clamped: tuple[str, ...]
    loss: Floats

    def steps_to(self, share: float) -> int | None:
        """First step at which the loss is below ``share`` of its first value; None if it never is."""
        below = np.flatnonzero(self.loss < share * self.loss[0])
        return int(below[0]) if below.size else None

    @property
    def plateau(self) -> float:
        """Steps until the loss is at 90 %, over the steps from there to 10 %: large for a plateau and a drop.

        An exponential decay has log(1/.9) / log(9) = .048; NaN if 10 % is not reached.
        """
        start, end = self.steps_to(0.9), self.steps_to(0.1)
        return float("nan") if start is None or end is None else start / max(end - start, 1)


def fit(
    clamped: Sequence[str] = (), *, dim: int = 20, steps: int = 1000, lr: float = 1.0, scale: float = 0.1, seed: int = 0
) -> Fit:
    """Fit the product by gradient descent on half the mean squared error.

    Args:
        clamped: factors held at their target, of "a", "b" and "c".
        dim: length of each factor.
        steps: how many.
        lr: step size.
        scale: standard deviation of the initial factors; the target's have 1.
        seed: of target and initial values.

    Raises:
        ValueError: a clamped name is not a factor.
    """
    unknown = sorted(set(clamped) - set(FACTORS))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a factor: expected some of {', '.join(FACTORS)}.")
    rng = np.random.default_rng(seed)
    target = rng.standard_normal((3, dim))
    factors = scale * rng.standard_normal((3, dim))
    free = np.array([name not in clamped for name in FACTORS])
    factors[~free] = target[~free]
    truth = np.einsum("i,j,k->ijk", *target)
    loss = np.empty(steps + 1)
    for step in range(steps + 1):
        a, b, c = factors
        error = np.einsum("i,j,k->ijk", a, b, c) - truth
        loss[step] = 0.5 * np.mean(error**2)
        without_c = error @ c
        gradient = np.stack([without_c @ b, a @ without_c, np.einsum("ijk,i,j->k", error, a, b)])
        factors[free] -= lr * gradient[free] / dim**3
    return Fit(tuple(clamped), loss)
