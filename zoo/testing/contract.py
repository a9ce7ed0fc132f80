"""Saying in one sentence whose contract is broken, and how."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from zoo.discovery.registration import Entry, describe


@dataclass(frozen=True)
class Contract:
    """The owner that every failure names first, such as "algorithm 'reload' of zoo-reload 0.1.0"."""

    owner: str

    @classmethod
    def of(cls, entry: Entry) -> Contract:
        """The contract of one registered component."""
        return cls(f"{entry.kind} {entry.name!r} of {entry.plugin} {entry.version}")

    def fail(self, sentence: str) -> AssertionError:
        """The error to raise."""
        return AssertionError(f"{self.owner}: {sentence}")

    def require(self, holds: object, sentence: str) -> None:
        """Raise unless ``holds``.

        Raises:
            AssertionError: with the owner and the sentence.
        """
        if not holds:
            raise self.fail(sentence)

    @contextmanager
    def during(self, what: str) -> Iterator[None]:
        """Name the owner of whatever is raised inside.

        Raises:
            AssertionError: in place of any exception; failed requirements pass unchanged.
        """
        try:
            yield
        except AssertionError as error:
            if str(error).startswith(self.owner):
                raise
            raise self.fail(f"{what} raised {describe(error)}") from error
        except (Exception, SystemExit) as error:
            raise self.fail(f"{what} raised {describe(error)}") from error
