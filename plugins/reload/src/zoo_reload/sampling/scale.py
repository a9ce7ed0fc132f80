"""The unit in which a learner sees each constraint signal, so that no step size depends on the signal's own unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_reload.core import Floats


class Scale:
    """The largest |c_i| of the first rollout in which signal i is not 0; from then on it stays as it is.

    Until then the size of the threshold stands in, or 1 where that is 0, too: a signal that is 0 has no advantages
    that its unit could change.

    Args:
        members: S.
        thresholds: b, [N].
    """

    def __init__(self, members: int, thresholds: Floats) -> None:
        size = np.abs(thresholds)
        self._instead: Floats = np.where(size > 0, size, 1.0)
        self._seen: Floats = np.zeros((members, len(thresholds)))

    def see(self, signals: NDArray[np.floating]) -> None:
        """Look at the constraint signals of a rollout, [S, N, T, B]."""
        largest = np.abs(signals).max(axis=(2, 3), initial=0.0)
        self._seen = np.where(self._seen > 0, self._seen, largest)

    @property
    def unit(self) -> Floats:
        """C_i in the unit of signal i, above 0; [S, N]."""
        return np.where(self._seen > 0, self._seen, self._instead)

    def state(self, member: int) -> Floats:
        """The units of one member; 0 where nothing was seen yet."""
        return np.array(self._seen[member])

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member; runs stored before there were units kept every signal in its own."""
        self._seen[member] = state.get("scale", 1.0)
