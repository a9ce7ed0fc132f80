"""A cursor over tokens, and the methods that the parts of the parser call on one another."""

from __future__ import annotations

from typing import Final

from zoo_harp.checker.latex.tokens import Token
from zoo_harp.checker.tree import (
    Node,
)

END: Final[Token] = ("end", "", False)


SIGN: Final = 49
"""binding power of a sign"""


class ParseError(Exception):
    """The tokens cannot be read as mathematics."""


class Cursor:
    """Where the parser is in its tokens.

    ``letters_as_units`` reads a letter after a number as a unit where it can; ``functions`` are letters whose bracket
    holds an argument.
    """

    def __init__(
        self, tokens: list[Token], *, letters_as_units: bool = False, functions: frozenset[str] = frozenset()
    ) -> None:
        self.tokens = tokens
        self.position = 0
        self.letters_as_units = letters_as_units
        self.functions = functions
        self.bars = 0
        self.in_set = 0
        self.in_integral = 0

    def peek(self, ahead: int = 0) -> Token:
        """A token not yet taken."""
        position = self.position + ahead
        return self.tokens[position] if position < len(self.tokens) else END

    def take(self) -> Token:
        """The next token."""
        token = self.peek()
        self.position += 1
        return token

    def is_op(self, *values: str) -> bool:
        """Whether the next token is one of these signs."""
        kind, value, _ = self.peek()
        return kind == "op" and value in values

    def is_let(self, value: str) -> bool:
        """Whether the next token is this letter."""
        return self.peek()[:2] == ("let", value)

    def expect(self, value: str) -> None:
        """Take the sign ``value``, or fail."""
        if not self.is_op(value):
            raise ParseError(f"expected {value!r} before {self.peek()[1]!r}")
        self.position += 1

    def fail(self, reason: str) -> Node:
        """Raise ``ParseError``."""
        raise ParseError(reason)

    def expression(self, binding: int, left: Node | None = None) -> Node:
        """An expression whose operators bind tighter than ``binding``; ``left`` is its beginning if already taken."""
        raise NotImplementedError

    def prefix(self) -> Node:
        """What may stand at the beginning of an expression."""
        raise NotImplementedError

    def sequence(self, closers: tuple[str, ...]) -> Node:
        """Items up to a closing sign or the end."""
        raise NotImplementedError

    def infix(self, left: Node, value: str, strength: int) -> Node:
        """``left`` with the operator that comes next and what belongs to it."""
        raise NotImplementedError

    def argument(self) -> Node:
        """A group, or one sign."""
        raise NotImplementedError
