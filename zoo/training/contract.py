"""Checks of an algorithm after each update: metrics that can be logged, and steps that grow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.api import Outcome
from zoo.errors import TrainingFailed

RESERVED = ("step", "wall")
"""Fields that the loop itself writes into each line."""
PATIENCE = 10
"""Updates in a row without a step after which a run is stopped: its budget would never be used."""


class Contract:
    """Checks of one algorithm's metrics, steps and outcome.

    Args:
        owner: its name in messages.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._names: set[str] = set()
        self._idle = 0
        self.step = 0
        """the last whole number that ``env_steps`` was"""

    def steps(self, algorithm: Any) -> int:
        """``env_steps`` after an update.

        Raises:
            TrainingFailed: it is not a whole number, went back, or has not grown for ``PATIENCE`` updates.
        """
        now = algorithm.env_steps
        if isinstance(now, bool) or not isinstance(now, (int, np.integer)):
            raise TrainingFailed(f"env_steps of {self._owner} is {now!r}: expected a whole number.")
        if now < self.step:
            raise TrainingFailed(f"env_steps of {self._owner} went from {self.step} back to {now}.")
        self._idle = self._idle + 1 if now == self.step else 0
        self.step = int(now)
        if self._idle >= PATIENCE:
            raise TrainingFailed(
                f"env_steps of {self._owner} has stayed at {now} for {PATIENCE} updates: expected it to grow with "
                "each, because the budget counts it."
            )
        return self.step

    def metrics(self, values: Any) -> dict[str, float]:
        """The metrics of one update, as floats.

        Raises:
            TrainingFailed: one is not a finite number, or has a name that it may not have.
        """
        if not isinstance(values, Mapping):
            raise TrainingFailed(f"update() of {self._owner} returned {values!r:.80}: expected a mapping of metrics.")
        row = {}
        for name, value in values.items():
            if name not in self._names:
                self._admit(name)
            row[name] = value if type(value) is float else self._number(name, value)
            if not math.isfinite(row[name]):
                raise TrainingFailed(f"{self._owner}: metric {name!r} became {row[name]} at step {self.step}.")
        return row

    def outcome(self, algorithm: Any) -> Outcome | None:
        """The algorithm's outcome of its run.

        Raises:
            TrainingFailed: it is not an ``Outcome``.
        """
        outcome = algorithm.outcome
        if outcome is not None and not isinstance(outcome, Outcome):
            raise TrainingFailed(f"outcome of {self._owner} is {outcome!r:.80}: expected a zoo.Outcome or None.")
        return outcome

    def _admit(self, name: Any) -> None:
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise TrainingFailed(f"{self._owner} calls a metric {name!r}: expected a name of printable letters.")
        if name in RESERVED or name.startswith("$"):
            raise TrainingFailed(
                f"{self._owner} calls a metric {name!r}: expected another name; {' and '.join(RESERVED)} are the "
                "loop's, and '$' begins a mark of stored state."
            )
        self._names.add(name)

    def _number(self, name: str, value: Any) -> float:
        try:
            if isinstance(value, (str, bytes)) or np.ndim(value) > 0:
                raise TypeError
            return float(value)
        except (TypeError, ValueError, OverflowError):
            raise TrainingFailed(
                f"metric {name!r} of {self._owner} is {value!r:.80} at step {self.step}: expected one number."
            ) from None
