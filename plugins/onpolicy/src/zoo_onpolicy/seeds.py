"""Several seeds as members of one learner, and states that are of another one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from zoo import Algorithm, Batch, InterfaceError, Metrics

__all__ = ["Seeds", "fitting"]

MemberT = TypeVar("MemberT", bound=Algorithm)  # type: ignore[type-arg]


class Learner(Protocol):
    """What advances all members at once."""

    def update(self) -> Sequence[Metrics]:
        """One update of every member."""


class Seeds(Batch, Generic[MemberT]):
    """Members of one learner."""

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
def fitting(owner: object) -> Iterator[None]:
    """Say of what is raised while ``owner`` takes up a state that the state is not of it.

    Raises:
        InterfaceError: in place of errors of keys, types, values and shapes.
    """
    try:
        yield
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InterfaceError(
            f"this state is not of {type(owner).__name__} with these options and this environment: {reason}"
        ) from error
