"""Several seeds as members of one learner, and the message for a saved state that does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from zoo import Algorithm, Batch, InterfaceError, Metrics

__all__ = ["SeedBatch", "explain_mismatch"]

MemberT = TypeVar("MemberT", bound=Algorithm)  # type: ignore[type-arg]


class Learner(Protocol):
    """What advances all members at once."""

    def update(self) -> Sequence[Metrics]:
        """One update of every member."""


class SeedBatch(Batch, Generic[MemberT]):
    """Several seeds that are members of one learner, which updates all of them at once.

    Args:
        members: the algorithms, one for each seed.
        learner: what updates all of them.
    """

    def __init__(self, members: Sequence[MemberT], learner: Learner) -> None:
        self._members, self._learner = tuple(members), learner

    def __len__(self) -> int:
        return len(self._members)

    def update(self) -> Sequence[Metrics]:
        """One update of every member."""
        return self._learner.update()

    def member(self, index: int) -> MemberT:
        """Member ``index``, to inspect, save or restore."""
        return self._members[index]


@contextmanager
def explain_mismatch(owner: object) -> Iterator[None]:
    """Turn errors raised while ``owner`` loads a state into one sentence: the state does not fit.

    Raises:
        InterfaceError: in place of KeyError, RuntimeError, TypeError and ValueError.
    """
    try:
        yield
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InterfaceError(
            f"this state was not saved by {type(owner).__name__} with these options in this environment: {reason}"
        ) from error
