"""Features of an observation that encode the goal, and irrelevant ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoo_envs.validation import integer

__all__ = ["GoalFeatures", "IrrelevantFeatures"]


@dataclass(frozen=True)
class IrrelevantFeatures:
    """k independent features, drawn anew in every step.

    Attributes:
        k: how many, at least 0.
        kind: "sign": -1 or +1 with equal probability; "normal": standard normal.

    Raises:
        ValueError: `k` is negative, or `kind` is unknown.
    """

    k: int
    kind: Literal["sign", "normal"] = "sign"

    def __post_init__(self) -> None:
        integer("features", self.k, 0)
        if self.kind not in ("sign", "normal"):
            raise ValueError(f"kind must be 'sign' or 'normal', got {self.kind!r}")

    def draw(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Return the features of n observations, [n, k]."""
        if self.kind == "normal":
            return rng.standard_normal((n, self.k))
        signs: NDArray[np.float64] = rng.integers(0, 2, (n, self.k), dtype=np.int8).astype(np.float64) * 2 - 1
        return signs


@dataclass(frozen=True)
class GoalFeatures:
    """The one-hot code of a goal.

    Attributes:
        n: number of goals, at least 1.

    Raises:
        ValueError: `n` is less than 1.
    """

    n: int

    def __post_init__(self) -> None:
        integer("n", self.n, 1)

    def encode(self, goals: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the codes [m, n] of goals [m] in [0, n)."""
        codes = np.zeros((len(goals), self.n), dtype=np.float32)
        codes[np.arange(len(goals)), goals] = 1.0
        return codes
