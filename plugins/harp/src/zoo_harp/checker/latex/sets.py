r"""Named sets of numbers in words and with signs: positive integers, ``\\mathbb{Z}^+``, ``\\mathbb{R}_{>0}``.

The name of a ``Named`` is its kind (Z, N, Q, R, C, odd, even, "multiples of 3", "powers of 2", squares, cubes, primes
or "odd primes") with the sign of its elements, such as ``even>0``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
_KINDS: Final = {
    **{word: kind for name, kind in (("integer", "Z"), ("rational", "Q"), ("real", "R"), ("natural", "N"),
                                     ("complex", "C"), ("prime", "primes")) for word in (name, name + "s")},
    "natural numbers": "N", "rational numbers": "Q", "real numbers": "R", "complex numbers": "C",
    "prime numbers": "primes", "odd primes": "odd primes", "odd prime numbers": "odd primes",
    "perfect squares": "squares", "square numbers": "squares", "perfect cubes": "cubes", "cube numbers": "cubes",
    **{f"{kind} {noun}": kind for kind in ("odd", "even") for noun in ("integer", "integers", "numbers", "number")},
}  # fmt: skip
"""the words of a set without its sign"""
_FILLERS: Final = frozenset(("all", "every", "any", "the", "set", "of", "are", "is", "x", "values", "a", "an"))
"""words before a set's name that change nothing"""
SET_NOUNS: Final = frozenset(
    (
        "integers",
        "integer",
        "numbers",
        "primes",
        "squares",
        "cubes",
        "multiples",
        "powers",
        "naturals",
        "reals",
        "rationals",
    )
)
"""nouns of sets of numbers"""


def signed(name: str, sign: str) -> Node:
    """The elements of the set ``name`` that are ``sign`` (">", ">=", "<", "<=" or "!=") zero."""
    return _REALS[sign] if name == "R" else Named(f"{name}{sign}0")


def named_set(words: Sequence[str], of: int | None = None) -> Node | None:
    """The set that words (lower case) name, ``of`` being the number after "multiples of" or "powers of"; else None."""
    words = [word for word in words if word != "-"]
    while words and words[0] in _FILLERS:
        words = words[1:]
    sign = ""
    if words[:1] == ["non"]:
        words = ["".join(words[:2]), *words[2:]]
    for place in range(min(2, len(words))):  # positive even integers, odd positive integers
        if words[place] in _SIGNED:
            sign = _SIGNED[words[place]]
            words = [*words[:place], *words[place + 1 :]]
            break
    if of is not None:
        kind = f"{words[0]} of {of}" if words in (["multiples", "of"], ["powers", "of"]) else None
    else:
        kind = _KINDS.get(" ".join(words))
    if kind is None:
        return None
    return signed(kind, sign) if sign else Named(kind)
