"""The schedule of evaluations: log-spaced, and more often while the loss changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Schedule"]


@dataclass
class Schedule:
    """Due when sequences seen have grown by ``growth``, or the loss has changed by ``change``, since the last one.

    Around a phase change the loss changes quickly, so that evaluations are densest there.

    Attributes:
        growth: factor above 1.
        change: nats; 0 for never.
        sequences: at the last evaluation.
        loss: the training loss then.
    """

    growth: float
    change: float
    sequences: int = 0
    loss: float = math.inf

    def due(self, sequences: int, loss: float) -> bool:
        """Whether to evaluate now; if so, this becomes the last evaluation."""
        moved = self.change > 0 and abs(loss - self.loss) >= self.change
        if not moved and sequences < self.growth * self.sequences:
            return False
        self.sequences, self.loss = sequences, loss
        return True

    def state(self) -> dict[str, Any]:
        """The sequences and the loss at the last evaluation."""
        return {key: value for key, value in asdict(self).items() if key in ("sequences", "loss")}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state()``."""
        self.sequences, self.loss = int(state["sequences"]), float(state["loss"])
