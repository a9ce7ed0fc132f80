"""Running sums of the episodes under way in many copies of an environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.api import Array, ConstraintSpec


@dataclass(frozen=True)
class Episode:
    """One finished episode: undiscounted return, length in steps, summed constraint signals float64[K]."""

    total: float
    length: int
    constraints: NDArray[np.float64]


def episode_metrics(episodes: Sequence[Episode], constraints: ConstraintSpec | None) -> dict[str, float]:
    """Metrics of the episodes that ended in one update: means, and their number; empty where none ended."""
    if not episodes:
        return {}
    row = {
        "episode/return": float(np.mean([episode.total for episode in episodes])),
        "episode/length": float(np.mean([episode.length for episode in episodes])),
        "episode/count": float(len(episodes)),
    }
    if constraints:
        sums = np.mean([episode.constraints for episode in episodes], axis=0)
        row |= {f"episode/{name}": float(total) for name, total in zip(constraints.names, sums, strict=True)}
    return row


@dataclass(frozen=True, eq=False)
class Tally:
    """Running sums of the episodes under way in n copies; every method changes the arrays in place.

    Attributes:
        returns: undiscounted sum of rewards, float64[n].
        lengths: steps, int64[n].
        signals: sums of the constraint signals, float64[n, K].
    """

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    signals: NDArray[np.float64]

    @classmethod
    def of(cls, copies: int, constraints: int) -> Tally:
        """Sums of episodes that have just begun, all zero."""
        return cls(np.zeros(copies), np.zeros(copies, dtype=np.int64), np.zeros((copies, constraints)))

    @classmethod
    def joined(cls, parts: list[Tally]) -> Tally:
        """The same numbers in arrays of their own, one part after the other."""
        return cls(
            np.concatenate([part.returns for part in parts]),
            np.concatenate([part.lengths for part in parts]),
            np.concatenate([part.signals for part in parts]),
        )

    def part(self, start: int, stop: int) -> Tally:
        """A view of the copies from ``start`` up to, not including, ``stop``."""
        return Tally(self.returns[start:stop], self.lengths[start:stop], self.signals[start:stop])

    def clear(self) -> None:
        """Forget the episodes under way."""
        self.returns[:] = 0.0
        self.lengths[:] = 0
        self.signals[:] = 0.0

    def put(self, other: Tally) -> None:
        """Take over the numbers of ``other``."""
        self.returns[:], self.lengths[:], self.signals[:] = other.returns, other.lengths, other.signals

    def add(self, rewards: Array, signals: Array | None, done: NDArray[np.bool_]) -> list[tuple[int, Episode]]:
        """Count one step of every copy.

        Args:
            rewards: of the step, [n].
            signals: its constraint signals, [n, K], or None where there are none.
            done: where an episode ended with it, bool[n].

        Returns:
            The finished episodes with the number of their copy, in order.
        """
        returns, lengths, sums = self.returns, self.lengths, self.signals
        returns += rewards  # in place: a slice would be written back onto itself
        lengths += 1
        if signals is not None:
            sums += signals
        where = done.nonzero()[0]
        if not where.size:
            return []
        ended = zip(where.tolist(), returns[where].tolist(), lengths[where].tolist(), sums[where], strict=True)
        returns[where] = 0.0
        lengths[where] = 0
        sums[where] = 0.0
        return [(copy, Episode(*totals)) for copy, *totals in ended]
