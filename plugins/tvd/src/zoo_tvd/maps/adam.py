"""Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1) on one vector of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Adam:
    """The moments of the gradients so far.

    Attributes:
        first, second: running means of the gradients and of their squares, [p].
        t: number of steps taken.
    """

    first: Floats
    second: Floats
    t: int = 0

    @classmethod
    def fresh(cls, size: int) -> Self:
        """The moments before the first step, for ``size`` parameters."""
        return cls(np.zeros(size), np.zeros(size))

    def step(self, parameters: Floats, gradient: Floats, rate: float) -> tuple[Floats, Self]:
        """The parameters after one step, and the moments."""
        t = self.t + 1
        first, second = 0.9 * self.first + 0.1 * gradient, 0.999 * self.second + 0.001 * gradient**2
        corrected = first / (1 - 0.9**t), second / (1 - 0.999**t)
        return parameters - rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-8), type(self)(first, second, t)

    def state(self) -> dict[str, Any]:
        """The moments and the step count, as plain data and arrays."""
        return {"first": self.first, "second": self.second, "t": self.t}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """The moments stored in ``state``."""
        return cls(np.array(state["first"]), np.array(state["second"]), int(state["t"]))
