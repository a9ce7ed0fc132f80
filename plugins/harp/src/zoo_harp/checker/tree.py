"""The typed tree of an answer. Nodes are immutable and compare by structure.

An expression is a ``Number``, ``Symbol``, ``Constant`` or ``Apply``; the other nodes occur in answers: lists, tuples,
relations, quantities with units and so on. ``show`` writes a tree as nested calls, ``to_data`` and ``from_data`` carry
it to a worker process and back as plain JSON data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, TypeAlias

from zoo_harp.checker.limits import Unsupported


@dataclass(frozen=True, slots=True)
class Number:
    """A numeral. ``decimals`` are those written (None: none, or a repeating decimal, which is exact)."""

    value: Fraction
    decimals: int | None = None
    digits: int = 0
    """significant digits written, where there are ``decimals``"""
    cut: bool = False
    """whether dots followed, so that more digits are meant"""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """``pi``, ``e``, ``i`` or ``oo``."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation or function with its arguments; ``op`` is one of the names that ``evaluate`` knows."""

    op: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Based:
    """A numeral with a base, such as 312 in base 4: digits as written, and the base."""

    digits: str
    base: int


@dataclass(frozen=True, slots=True)
class Quantity:
    """An expression with a unit; the unit is None for words that no unit is known for."""

    value: Node
    unit: tuple[tuple[str, int], ...] | None


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day; ``half`` is "am", "pm" or None."""

    hours: int
    minutes: int
    half: str | None


@dataclass(frozen=True, slots=True)
class Tuple:
    """Two or more items in round or square brackets: a point, or an interval."""

    left: str
    items: tuple[Node, ...]
    right: str


@dataclass(frozen=True, slots=True)
class Set:
    """Items in braces."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Builder:
    """The set of all values of ``variable`` with ``conditions``."""

    variable: Node
    conditions: Node


@dataclass(frozen=True, slots=True)
class Quantified:
    """A statement about all ("forall") or some ("exists") values; ``domain`` is the variable, or a relation with it."""

    quantifier: str
    domain: Node
    statement: Node


@dataclass(frozen=True, slots=True)
class Listing:
    """Items without brackets; ``joiner`` is ",", "and" or "or"."""

    items: tuple[Node, ...]
    joiner: str


@dataclass(frozen=True, slots=True)
class SetOp:
    """``union``, ``intersection`` or ``difference`` of two sets."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Named:
    """A set with a name of its own: ``empty``, ``R``, ``Z``, ``N``, ``Q`` or ``C``."""

    name: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A chain ``terms[0] ops[0] terms[1] ...`` of =, <, <=, >, >=, !=, in, ~ (about) and mod (congruent)."""

    ops: tuple[str, ...]
    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of equal length."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """``a : b : ...``."""

    parts: tuple[Node, ...]
    time: bool = False
    """whether it is written as a time of day may be, such as 7:30"""


@dataclass(frozen=True, slots=True)
class Cases:
    """Values with their conditions; the condition None means otherwise."""

    pieces: tuple[tuple[Node, Node | None], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Words, in lower case."""

    words: tuple[str, ...]


Node: TypeAlias = (
    Number | Symbol | Constant | Apply | Based | Quantity | Clock | Tuple | Set | Builder | Quantified | Listing | SetOp
    | Named | Relation | Matrix | Ratio | Cases | Text
)  # fmt: skip

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (Number, Symbol, Constant, Apply, Based, Quantity, Clock, Tuple, Set, Builder, Quantified, Listing,
                 SetOp, Named, Relation, Matrix, Ratio, Cases, Text)
}  # fmt: skip

_FIELDS: dict[type[Any], tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind)) for kind in _KINDS.values()
}
_LEAVES = (Number, Symbol, Constant)
EXPRESSIONS = (Number, Symbol, Constant, Apply)


def number(value: int) -> Number:
    """An exact integer."""
    return Number(Fraction(value))


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below."""
    for name in _FIELDS[type(node)]:
        yield from _nodes(getattr(node, name))


def _nodes(value: object) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)
    elif type(value) in _FIELDS:
        yield value


def walk(node: Node) -> Iterator[Node]:
    """``node`` and all below it, without recursion."""
    waiting = [node]
    while waiting:
        match = waiting.pop()
        yield match
        if isinstance(match, Apply):
            waiting.extend(match.args)
        elif not isinstance(match, _LEAVES):
            waiting.extend(children(match))


def rebuilt(node: Any, change: Callable[[Node], Node | None]) -> Any:
    """``node`` with every part for which ``change`` gives another one replaced, from the top down."""
    if isinstance(node, tuple):
        return tuple(rebuilt(item, change) for item in node)
    if type(node) not in _FIELDS:
        return node
    match = change(node)
    if match is not None:
        return match
    if isinstance(node, _LEAVES):
        return node
    return replace(node, **{name: rebuilt(getattr(node, name), change) for name in _FIELDS[type(node)]})


def symbols(node: Node) -> frozenset[str]:
    """Names of the variables in it."""
    return frozenset(match.name for match in walk(node) if isinstance(match, Symbol))


def show(node: Any) -> str:
    """One line, such as ``add(1, sqrt(2))``; integers too long to read are cut."""
    if isinstance(node, Number):
        return _digits(node.value.numerator) + (
            "" if node.value.denominator == 1 else "/" + _digits(node.value.denominator)
        )
    if isinstance(node, Symbol | Constant | Named):
        return node.name
    if isinstance(node, Apply):
        return f"{node.op}({', '.join(map(show, node.args))})"
    if isinstance(node, tuple):
        return "[" + ", ".join(map(show, node)) + "]"
    if type(node).__name__ in _KINDS:
        return f"{type(node).__name__}({', '.join(show(getattr(node, field.name)) for field in fields(node))})"
    return str(node)


def _digits(value: int) -> str:
    """Decimal digits; beyond 60 only their approximate count, as Python refuses to print very long integers."""
    if value.bit_length() > 200:
        return f"<integer of {value.bit_length()} bits>"
    return str(value)


def to_data(node: Any) -> Any:
    """Plain lists, strings and numbers for JSON; the inverse of ``from_data``."""
    if isinstance(node, Fraction):
        return {"q": [f"{node.numerator:x}", f"{node.denominator:x}"]}
    if isinstance(node, tuple):
        return [to_data(item) for item in node]
    if type(node).__name__ in _KINDS:
        return {"k": type(node).__name__, "a": [to_data(getattr(node, field.name)) for field in fields(node)]}
    return node


def from_data(data: Any) -> Any:
    """The tree that ``to_data`` was given.

    Raises:
        Unsupported: the data names no kind of node.
    """
    if isinstance(data, list):
        return tuple(from_data(item) for item in data)
    if isinstance(data, dict):
        if "q" in data:
            return Fraction(int(data["q"][0], 16), int(data["q"][1], 16))
        if data.get("k") not in _KINDS:
            raise Unsupported(f"no kind of node called {data.get('k')!r}")
        return _KINDS[data["k"]](*(from_data(item) for item in data["a"]))
    return data
