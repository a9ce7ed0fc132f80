"""Text around an answer: the steps before its arrow, and clauses such as "for all real x" after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zoo_harp.checker.latex.cursor import ParseError
from zoo_harp.checker.latex.tokens import Token
from zoo_harp.checker.vocabulary import names

_ALL: Final = frozenset(names("all any every each some"))
_CLAUSE: Final = frozenset(
    names(
        "for all any every each some real reals rational integer integers number numbers positive negative nonnegative "
        "nonpositive non natural complex nonzero values value of where with is are an a and in even odd constant "
        "constants arbitrary prime primes naturals fixed parameter"
    )
)
_SIGNS: Final = frozenset(names("in , ( ) { } $ and <= >= < > != - + _ ^ * ... = minus pm \\{ \\}"))
_BEFORE: Final = frozenset((",", "(", ";", "where", "with"))
_KIND_WORDS: Final = frozenset(names("even odd a an is integer"))
_SET_WORDS: Final = frozenset(
    names("integer integers natural naturals positive nonnegative negative real reals rational nonzero odd even non")
)
_RUNNING: Final = frozenset("klmnjtsN")
"""letters of parameters and indices, which a bound behind an answer may range over"""
_BOUNDS: Final = frozenset(names("<= >= < > !="))
_MAX_CLAUSE: Final = 40


def without_clause(tokens: Sequence[Token]) -> list[Token]:
    """The tokens of an equation or family without a clause at the end that names a range; as they are elsewhere."""
    if len(tokens) < 2:
        return list(tokens)
    start = next((position for position in range(1, len(tokens)) if _begins(tokens, position)), None)
    if start is None:
        return list(tokens)
    stray = tokens[-1][0] == "num" and tokens[-2][1] in (",", "and") and not _lists(tokens, start)
    if stray or _is_inside(tokens, start) or not all(_belongs(token) for token in tokens[start:]):
        return list(tokens)
    while start > 1 and tokens[start - 1][1] in (",", "(", ";"):
        start -= 1
    while start > 3 and tokens[start - 1][0] == "let" and tokens[start - 2][1] in (",", "(") and _among(tokens, start):
        start -= 2  # a, b in R
    kept = list(tokens[:start])
    return kept if any(value == "=" or value == "pi" or kind == "let" for kind, value, _ in kept) else list(tokens)


def conclusion(tokens: Sequence[Token]) -> list[Token]:
    r"""The part after the last arrow of a chain of equations, as in ``2x=10\Rightarrow x=5``, or the only arrow of all.

    Raises:
        ParseError: the arrow joins two statements of another kind, so that what follows it is not claimed.
    """
    arrows = [position for position, token in enumerate(tokens) if token[:2] in (("op", "=>"), ("op", "<=>"))]
    if not arrows:
        return list(tokens)
    parts = [
        tokens[start:end]
        for start, end in zip([0, *(position + 1 for position in arrows)], [*arrows, len(tokens)], strict=True)
    ]
    steps = [part for part in parts if part]
    if len(steps) > 1 and not all(any(value == "=" for _, value, _ in step) for step in steps):
        raise ParseError("an implication")
    return list(steps[-1]) if steps else []


def _begins(tokens: Sequence[Token], position: int) -> bool:
    """Whether a clause begins here: "for all", a universal quantifier, "where k is", or a letter and its range."""
    kind, value, _ = tokens[position]
    if kind != "word" and tokens[position - 1][1] not in _BEFORE:
        return False
    after = [token[1].lower() for token in tokens[position + 1 : position + 4]]
    if kind == "word" and value.lower() == "for":
        ranged = tokens[position + 1 : position + 2] != [] and tokens[position + 1][0] == "let"
        ranged = ranged and after[1:2] != [] and (after[1] in _BOUNDS or after[1] in ("in", "="))
        return after[:1] != [] and (after[0] in _ALL or after[0] in _SET_WORDS or ranged)
    if kind == "word" and value == "forall":
        return True
    if kind == "word" and value.lower() in ("where", "with"):
        return after[1:2] in (["is"], ["in"], ["are"])
    if tokens[position - 1][1] not in _BEFORE:
        return False
    if kind == "word" and value.lower() in _SET_WORDS:
        return tokens[-1][0] == "let" and _occurs(tokens, position, tokens[-1][1])
    if kind == "let" and after[:1] == ["in"] and tokens[position + 2 : position + 3] != []:
        named = tokens[position + 2]
        if named[:2] in (("set", "Z"), ("set", "N")):
            return True
        whole = named[0] == "set" or named[1] in ("\\{", "Z", "N", "R", "Q", "C")
        return whole and _occurs(tokens, position, value)
    return _ranges(tokens, position)


def _among(tokens: Sequence[Token], start: int) -> bool:
    """Whether the letter before ``start`` is one of several that share a range: a bare one that the answer has."""
    letter = tokens[start - 1][1]
    return tokens[start][1] == "," and letter in [value for _, value, _ in tokens[: start - 2]]


def _is_inside(tokens: Sequence[Token], start: int) -> bool:
    """Whether a set in braces is open there, whose condition is its own."""
    values = [value for _, value, _ in tokens[:start]]
    return values.count("\\{") > values.count("\\}")


def _ranges(tokens: Sequence[Token], position: int) -> bool:
    """Whether a letter is bounded, listed or described here: k >= 0, 0 <= k < 5, k = 1, 2, ..., k even."""
    ahead = tokens[position : position + 3]
    if len(ahead) < 2:
        return False
    between = ahead[0][0] == "num" and ahead[1][1] in ("<=", "<") and ahead[2:] and ahead[2][0] == "let"
    letter = ahead[2][1] if between else ahead[0][1]
    if ahead[0][0] != "let" and not between:
        return False
    defined = [token[1] for token in tokens[1:5]] == ["(", letter, ")", "="]
    if not (letter in _RUNNING or defined) or not _occurs(tokens, position, letter):
        return False
    if not any(value in ("=", "(") for _, value, _ in tokens[:position]):
        return False
    if ahead[1][0] == "word":
        return ahead[1][1].lower() in _KIND_WORDS
    return bool(between) or ahead[1][1] in _BOUNDS or _lists(tokens, position)


def _lists(tokens: Sequence[Token], position: int) -> bool:
    """Whether a letter is said to be one of several values here, as in k = 0, 1, 2."""
    while tokens[position][1] in (",", "(", ";") and position + 1 < len(tokens):
        position += 1
    values = [token[1] for token in tokens[position : position + _MAX_CLAUSE]]
    return values[1:2] == ["="] and values.count(",") >= 1 and values.count("=") == 1


def _occurs(tokens: Sequence[Token], position: int, letter: str) -> bool:
    """Whether the answer before ``position`` has a letter, and is not solved for it."""
    before = [value for kind, value, _ in tokens[:position] if kind in ("let", "op")]
    return letter in before and before[:2] != [letter, "="]


def _belongs(token: Token) -> bool:
    kind, value, _ = token
    if kind == "word":
        return value.lower() in _CLAUSE or value == "forall"
    return kind in ("let", "set", "num") or value in _SIGNS
