"""The sampler of the classes in a context (docs/methods/icl.md, section 1, steps 1 to 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo_envs.icl.batch import BURSTY, DISTRACTOR, OTHER, QUERY
from zoo_envs.icl.class_distribution import RankDistribution

__all__ = ["Sampler"]


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """The classes of N context slots and a query.

    Attributes:
        context: N, at least 1.
        burstiness: B, copies of the query's class in the context.
        distractor: whether B > 0 copies of one other class are there too.
        no_support: the remaining slots hold neither the query's class nor the distractor's.
        unique_rest: the remaining slots hold distinct classes, neither of those two among them.

    Raises:
        ValueError: the copies do not fit into the context.
    """

    context: int
    burstiness: int
    distractor: bool = True
    no_support: bool = False
    unique_rest: bool = False

    def __post_init__(self) -> None:
        """Check that the slots suffice."""
        if self.context < 1:
            raise ValueError(f"context must be at least 1 slot, got {self.context}")
        if self.burstiness < 0:
            raise ValueError(f"burstiness must be at least 0, got {self.burstiness}")
        if self.rest < 0:
            both = "2 x burstiness" if self.distractor else "burstiness"
            needed = self.context - self.rest
            raise ValueError(f"{both} = {needed} slots do not fit into a context of {self.context}")

    @property
    def rest(self) -> int:
        """Slots of kind OTHER."""
        return self.context - self.burstiness * (2 if self.distractor else 1)

    @property
    def needed(self) -> int:
        """The fewest classes there must be."""
        reserved = 1 + int(self.distractor and self.burstiness > 0)
        if self.unique_rest:
            return reserved + self.rest
        return reserved + int(self.no_support and self.rest > 0)

    def check(self, law: RankDistribution, name: str) -> None:
        """Refuse a law with too few classes.

        Raises:
            ValueError: the classes of `what` are fewer than a sequence needs.
        """
        if law.count < self.needed:
            why = "unique_rest " if self.unique_rest else "no_support " if self.no_support and self.rest else ""
            raise ValueError(
                f"{name} has {law.count} classes: {why}with context {self.context} and burstiness {self.burstiness} "
                f"needs at least {self.needed}"
            )

    def draw(
        self, law: RankDistribution, size: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        """Return ranks int64[size,N+1] and kinds int8[size,N+1] of `size` sequences, the query last."""
        ranks = np.empty((size, self.context + 1), dtype=np.int64)
        kinds = np.full((size, self.context + 1), OTHER, dtype=np.int8)
        B, start = self.burstiness, self.context - self.rest
        query = law.draw(size, rng)
        reserved = query[:, None]
        ranks[:, -1], kinds[:, -1] = query, QUERY
        ranks[:, :B], kinds[:, :B] = reserved, BURSTY
        if self.distractor and B:
            distractor = law.draw(size, rng, reserved)
            reserved = np.stack([query, distractor], axis=1)
            ranks[:, B:start], kinds[:, B:start] = distractor[:, None], DISTRACTOR
        if self.unique_rest:
            for slot in range(start, self.context):
                ranks[:, slot] = law.draw(size, rng, reserved)
                reserved = np.concatenate([reserved, ranks[:, slot, None]], axis=1)
        elif self.rest:
            without = np.repeat(reserved, self.rest, axis=0) if self.no_support else None
            ranks[:, start:-1] = law.draw(size * self.rest, rng, without).reshape(size, self.rest)
        order = rng.permuted(np.broadcast_to(np.arange(self.context), (size, self.context)), axis=1)
        rows = np.arange(size)[:, None]
        ranks[:, :-1], kinds[:, :-1] = ranks[rows, order], kinds[rows, order]
        return ranks, kinds
