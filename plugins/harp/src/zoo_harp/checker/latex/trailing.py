"""Text around an answer: the steps before its arrow, and clauses such as "for all real x" after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zoo_harp.checker.latex.cursor import ParseError
from zoo_harp.checker.latex.tokens import Token
from zoo_harp.checker.vocabulary import names

_ALL: Final = frozenset(names("all any every each"))
_CLAUSE: Final = frozenset(
    names(
        "for all any every each real reals rational integer integers number numbers positive negative nonnegative non "
        "natural nonzero complex values value of where with is are an a and in"
    )
)
_SIGNS: Final = frozenset(names("in , ( ) { } $ and <= >= < > != - + _ ^ * ..."))


def without_clause(tokens: Sequence[Token]) -> list[Token]:
    """The tokens of an equation or family without a clause at the end that names a range; as they are elsewhere."""
    if len(tokens) < 2:
        return list(tokens)
    start = next((position for position in range(1, len(tokens)) if _begins(tokens, position)), None)
    stray = tokens[-1][0] == "num" and tokens[-2][1] in (",", "and")
    if start is None or stray or not all(_belongs(token) for token in tokens[start:]):
        return list(tokens)
    while start > 1 and tokens[start - 1][1] in (",", "(", ";"):
        start -= 1
    kept = list(tokens[:start])
    return kept if any(value == "=" or value == "pi" or kind == "let" for kind, value, _ in kept) else list(tokens)


def integer_letters(clause: Sequence[Token]) -> frozenset[str]:
    """Letters that a clause at the end lets run through the integers, as in "k in Z" or "for all integers k"."""
    if not clause:
        return frozenset()
    integers = any(token[:2] == ("set", "Z") or token[1].lower() in ("integer", "integers") for token in clause)
    return frozenset(value for kind, value, _ in clause if kind == "let") if integers else frozenset()


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
    """Whether a clause begins here: "for all", a universal quantifier, "where k is", or a letter in the integers."""
    kind, value, _ = tokens[position]
    after = [token[1].lower() for token in tokens[position + 1 : position + 4]]
    if kind == "word" and value.lower() == "for":
        return after[:1] != [] and after[0] in _ALL
    if kind == "word" and value == "forall":
        return True
    if kind == "word" and value.lower() in ("where", "with"):
        return after[1:2] in (["is"], ["in"], ["are"])
    letter = kind == "let" and tokens[position - 1][1] in (",", "(", ";") and after[:1] == ["in"]
    return (
        letter
        and tokens[position + 2 : position + 3] != []
        and tokens[position + 2][:2] in (("set", "Z"), ("set", "N"))
    )


def _belongs(token: Token) -> bool:
    kind, value, _ = token
    if kind == "word":
        return value.lower() in _CLAUSE or value == "forall"
    return kind in ("let", "set", "num") or value in _SIGNS
