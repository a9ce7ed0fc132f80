"""The interface of a source policy: actions for states of the source, and, where known, probabilities and scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class SourcePolicy(ABC):
    """A policy on states of the source, float64 [B, d]. It is never changed."""

    d: int
    """coordinates of a state"""

    @abstractmethod
    def act(self, states: Floats) -> NDArray[Any]:
        """Its greedy actions [B, ...] in the states [B, d]."""

    @abstractmethod
    def digest(self) -> str:
        """SHA-256 of the files or the table that the policy was read from, as they are now."""

    def probabilities(self, states: Floats) -> Floats | None:
        """pi(a | s), float64 [B, A]; None where they are not known."""
        return None

    def score(self, states: Floats, actions: NDArray[Any]) -> Floats | None:
        """The derivative of log pi(a | s) with respect to s, [B, d]; None where there is none."""
        return None
