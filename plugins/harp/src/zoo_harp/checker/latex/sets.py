r"""Named sets of numbers in words and with signs: positive integers, ``\\mathbb{Z}^+``, ``\\mathbb{R}_{>0}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zoo_harp.checker.tree import Apply, Constant, Named, Node, Set, SetOp, Tuple, number

_OO: Final = Constant("oo")
_ZERO: Final = number(0)
_REALS: Final[Mapping[str, Node]] = {
    ">": Tuple("(", (_ZERO, _OO), ")"),
    ">=": Tuple("[", (_ZERO, _OO), ")"),
    "<": Tuple("(", (Apply("neg", (_OO,)), _ZERO), ")"),
    "<=": Tuple("(", (Apply("neg", (_OO,)), _ZERO), "]"),
    "!=": SetOp("difference", Named("R"), Set((_ZERO,))),
}
_SIGNED: Final = {"positive": ">", "negative": "<", "nonnegative": ">=", "nonpositive": "<=", "nonzero": "!="}
_KINDS: Final = {"integer": "Z", "rational": "Q", "real": "R", "natural": "N", "complex": "C"}
SET_FILLERS: Final = frozenset(("all", "every", "any", "numbers", "number", "set", "of", "are", "is", "x", "values"))
"""words of a set's name that change nothing"""


def signed(name: str, sign: str) -> Node:
    """The elements of the set ``name`` that are ``sign`` (">", ">=", "<", "<=" or "!=") zero."""
    return _REALS[sign] if name == "R" else Named(f"{name}{sign}0")


def _in_words() -> dict[frozenset[str], Node]:
    names: dict[frozenset[str], Node] = {}
    for word, name in _KINDS.items():
        for spelling in (word, word + "s"):
            names[frozenset((spelling,))] = Named(name)
            for adjective, sign in _SIGNED.items():
                spellings = (
                    [(adjective,), (adjective.removeprefix("non"), "non")] if adjective[:3] == "non" else [(adjective,)]
                )
                for words in spellings:
                    names[frozenset((*words, spelling))] = signed(name, sign)
    for parity in ("odd", "even"):
        for kind in ("integer", "integers"):
            names[frozenset((parity, kind))] = Named(parity)
    return names


NAMED_SETS: Final[Mapping[frozenset[str], Node]] = _in_words()
"""words without fillers to the set they name"""
