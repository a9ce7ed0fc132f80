"""Transitions of one task, the oldest overwritten first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import State

__all__ = ["Replay"]

_NAMES = ("obs", "actions", "rewards", "following", "terminal")


class Replay:
    """A replay buffer of ``size`` transitions with observations [``width``], whose memory grows as it fills."""

    def __init__(self, size: int, width: int) -> None:
        self._size, self._width = size, width
        self.clear()

    def clear(self) -> None:
        """Remove all transitions."""
        self._position, self._count = 0, 0
        self._allocate(0)

    def _allocate(self, rows: int) -> None:
        self._arrays: dict[str, NDArray[Any]] = {
            "obs": np.zeros((rows, self._width), np.float32),
            "actions": np.zeros(rows, np.int64),
            "rewards": np.zeros(rows, np.float32),
            "following": np.zeros((rows, self._width), np.float32),
            "terminal": np.zeros(rows, np.float32),
        }

    def add(
        self,
        obs: NDArray[np.float32],
        actions: NDArray[np.int64],
        rewards: NDArray[Any],
        following: NDArray[np.float32],
        terminal: NDArray[np.bool_],
    ) -> None:
        """Add B transitions."""
        B = len(obs)
        room = len(self._arrays["actions"])
        if self._count + B > room and room < self._size:
            old = self._arrays
            self._allocate(min(max(2 * room, 1024, B), self._size))
            for name, array in old.items():
                self._arrays[name][: self._count] = array[: self._count]
            room = len(self._arrays["actions"])
        rows = (self._position + np.arange(B)) % room
        for name, values in zip(_NAMES, (obs, actions, rewards, following, terminal), strict=True):
            self._arrays[name][rows] = values
        self._position = (self._position + B) % self._size
        self._count = min(self._count + B, self._size)

    def sample(self, count: int, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
        """Draw transitions with replacement: obs, actions, rewards, following, terminal."""
        rows = rng.integers(0, self._count, count)
        return tuple(self._arrays[name][rows] for name in _NAMES)

    def state(self) -> State:
        """The stored transitions and the position of the next one."""
        kept = {name: array[: self._count].copy() for name, array in self._arrays.items()}
        return {"position": self._position, "count": self._count, "arrays": kept}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self._position, self._count = int(state["position"]), int(state["count"])
        self._allocate(self._count)
        for name, array in self._arrays.items():
            array[:] = state["arrays"][name]
