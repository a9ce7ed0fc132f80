r"""The range of a letter as a clause behind an answer names it: ``k\in\mathbb{Z}``, "for all positive integers n"."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from zoo_harp.checker.latex import dots
from zoo_harp.checker.latex.cursor import ParseError
from zoo_harp.checker.latex.parser import Parser
from zoo_harp.checker.latex.sets import named_set
from zoo_harp.checker.latex.tokens import Token
from zoo_harp.checker.limits import LimitExceeded
from zoo_harp.checker.tree import Apply, Constant, Listing, Named, Node, Relation, Set, SetOp, Symbol, Tuple
from zoo_harp.checker.vocabulary import names

INTEGERS: Final = frozenset("klmnj")
"""letters that are integers where a clause only bounds them"""
_IDLE: Final = frozenset(
    names("for all any every each some where with values value of is are be being a an the arbitrary constant "
          "constants fixed given free forall in parameter parameters")
)  # fmt: skip
_KINDS: Final = {"Z": "Z", "N": "N", "Q": "Q", "R": "R", "C": "C"}
_SIGNS: Final = (">=", "<=", "!=", ">", "<")
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "!=": "!="}
MAX_WRITTEN: Final = 1_000
"""elements of a set that are written out"""


@dataclass(frozen=True, slots=True)
class Domain:
    """Numbers of one kind between two bounds; those of kind Z may be every ``step``-th one, or a finite list."""

    kind: str = ""
    """Z, Q, R, C, the name of another set, or empty where nothing is said"""
    low: Fraction | None = None
    high: Fraction | None = None
    open_low: bool = False
    open_high: bool = False
    without: frozenset[Fraction] = frozenset()
    step: int = 1
    offset: int = 0
    natural: bool = False
    """whether it begins with 0 or 1, as the natural numbers do"""
    values: frozenset[Fraction] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing of its kind is left out."""
        return replace(self, kind="") == Domain()

    def settled(self, most: int = 60) -> Domain:
        """The same set with closed bounds for integers, and with its values where there are at most ``most``."""
        if self.kind != "Z" or self.values is not None:
            return self
        low, high = self.low, self.high
        if low is not None:
            low = Fraction(math.floor(low) + 1 if self.open_low else math.ceil(low))
        if high is not None:
            high = Fraction(math.ceil(high) - 1 if self.open_high else math.floor(high))
        if low is not None and high is not None and high - low < most:
            inside = frozenset(
                Fraction(k)
                for k in range(int(low), int(high) + 1)
                if (k - self.offset) % self.step == 0 and k not in self.without
            )
            return Domain("Z", values=inside)
        without = self.without
        while low is not None and low in without:
            without, low = without - {low}, low + 1
        inner = frozenset(
            gap for gap in without
            if gap.denominator == 1 and (low is None or gap > low) and (high is None or gap < high)
        )  # fmt: skip
        return Domain("Z", low, high, without=inner, step=self.step, offset=self.offset, natural=self.natural)

    def mapped(self, sign: int, shift: int) -> Domain:
        """The numbers ``sign * m + shift`` for all m in it."""
        ends = [None if end is None else sign * end + shift for end in (self.low, self.high)]
        low, high = ends if sign > 0 else ends[::-1]
        opened = (self.open_low, self.open_high) if sign > 0 else (self.open_high, self.open_low)
        values = None if self.values is None else frozenset(sign * value + shift for value in self.values)
        return replace(
            self, low=low, high=high, open_low=opened[0], open_high=opened[1], values=values,
            without=frozenset(sign * value + shift for value in self.without),
        )  # fmt: skip

    def readings(self) -> list[Domain]:
        """The sets that it may be: the natural numbers begin with 1 or with 0."""
        if not self.natural:
            return [self.settled()]
        return [replace(self, low=Fraction(low), natural=False).settled() for low in (0, 1)]

    def meets(self, other: Domain) -> bool:
        """Whether both may be the same set."""
        return any(one == another for one in self.readings() for another in other.readings())


ALL_INTEGERS: Final = Domain("Z")


def read_domains(clause: Sequence[Token]) -> tuple[tuple[str, Domain], ...] | None:
    """The letters that a clause ranges over and their domains, the letter empty where none is named; None if unread."""
    tokens = _bare(clause)
    tokens = [("let", value, spaced) if kind == "word" and len(value) == 1 and value != "a" else (kind, value, spaced)
              for kind, value, spaced in tokens]  # fmt: skip
    words = [value.lower() for kind, value, _ in tokens if kind == "word"]
    rest = [token for token in tokens if token[0] != "word"]
    while rest and rest[-1][1] in (",", ";", "and", "."):
        rest.pop()
    said = [word for word in words if word not in _IDLE]
    base = Domain()
    if said:
        named = _worded(said)
        read = _of_set(named) if named is not None else None
        if read is None:
            return None
        base = read
    if not rest:
        return (("", base),) if said else None
    try:
        node = Parser(rest).answer()
    except (ParseError, LimitExceeded, RecursionError):
        return None
    return domains_of(node, base)


def domains_of(node: Node, base: Domain | None = None) -> tuple[tuple[str, Domain], ...] | None:
    """The letters that conditions range over with their domains, within ``base``; None where one is not read."""
    base = base or Domain()
    found: dict[str, Domain] = {}
    said = sorted(_conditions(node), key=lambda pair: not _names_set(pair[1]))
    for letters, condition in said:
        if not letters:
            return None
        for letter in letters:
            before = found.get(letter, base)
            after = before if condition is None else _restricted(before, letter, condition)
            if after is None:
                return None
            found[letter] = after
    return tuple(
        (letter, replace(domain, kind="Z") if not domain.kind and domain != Domain() and letter in INTEGERS else domain)
        for letter, domain in found.items()
    )


def _bare(clause: Sequence[Token]) -> list[Token]:
    """The tokens without the separators and brackets around them."""
    tokens = [token for token in clause if token[1] != "forall"]
    for index in range(len(tokens) - 2, 0, -1):  # "is a", "is an" outside of formulas, where letters are variables
        if tokens[index][:2] == ("let", "a") and tokens[index - 1][1] in ("is", "are", "any"):
            del tokens[index : index + 1 + (tokens[index + 1] == ("let", "n", False))]
    while tokens and tokens[0][1] in (",", ";", "and"):
        tokens = tokens[1:]
    depth = sum({"(": 1, ")": -1}.get(value, 0) for _, value, _ in tokens)
    if tokens and tokens[0][1] == "(" and (depth == 1 or tokens[-1][1] == ")"):
        tokens = tokens[1:-1] if depth == 0 else tokens[1:]
    elif depth < 0 and tokens[-1][1] == ")":
        tokens = tokens[:-1]
    return tokens


def _worded(words: list[str]) -> Node | None:
    plain = [word for word in words if word not in ("number", "numbers")]
    if plain in (["odd"], ["even"]):
        return Named(plain[0])
    return (
        named_set(words)
        or named_set([*plain, "integers"] if plain[-1:] != ["integers"] else plain)
        or (named_set(plain) if plain else None)
    )


def _conditions(node: Node) -> Iterator[tuple[list[str], Relation | Listing | None]]:
    """Letters with what is said of them; ``k, m in Z`` says it of both."""
    items = list(node.items) if isinstance(node, Listing) else [node]
    waiting: list[str] = []
    index = 0
    while index < len(items):
        item = items[index]
        index += 1
        if isinstance(item, Symbol):
            waiting.append(item.name)
            continue
        if not isinstance(item, Relation):
            yield [], None
            return
        named = [term.name for term in item.terms if isinstance(term, Symbol) and len(term.name) == 1]
        if item.ops == ("in",):
            named = named[:1]
        condition: Relation | Listing = item
        if item.ops == ("=",):
            values = [item.terms[1]]
            while index < len(items) and (items[index] == dots.DOTS or not isinstance(items[index], Relation | Symbol)):
                values.append(items[index])
                index += 1
            condition = Listing(tuple(values), ",")
        yield ([*waiting, *named] if len(named) == 1 else []), condition
        waiting = []
    if waiting:
        yield waiting, None


def _names_set(condition: Relation | Listing | None) -> bool:
    return isinstance(condition, Relation) and condition.ops == ("in",)


def _restricted(domain: Domain, letter: str, condition: Relation | Listing) -> Domain | None:
    """The part of ``domain`` for which a condition on ``letter`` holds; None where it is not read."""
    if isinstance(condition, Listing):
        return _counted(condition)
    if condition.ops == ("in",):
        of = _of_set(condition.terms[1])
        return of if of is None or domain == Domain() else None
    if any(op not in _FLIPPED for op in condition.ops):
        return None
    place = next(k for k, term in enumerate(condition.terms) if term == Symbol(letter))
    for k, term in enumerate(condition.terms):
        if k == place:
            continue
        bound = dots.value_of(term)
        if bound is None or abs(k - place) != 1:
            return None
        op = condition.ops[place] if k > place else _FLIPPED[condition.ops[k]]
        if op == "!=":
            domain = replace(domain, without=domain.without | {bound})
        elif op[0] == ">":
            domain = replace(domain, low=bound, open_low=op == ">", natural=False)
        else:
            domain = replace(domain, high=bound, open_high=op == "<")
    return domain


def _counted(listed: Listing) -> Domain | None:
    """Integers that are listed, with dots also all of them or all from a first one on."""
    items = list(listed.items)
    endless = bool(items) and items[-1] == dots.DOTS
    signed = any(isinstance(item, Apply) and item.op == "pm" for item in items)
    values: list[Fraction] = []
    for item in items[: len(items) - endless]:
        inner = item.args[1] if isinstance(item, Apply) and item.op == "pm" else item
        value = dots.value_of(inner)
        if value is None:
            return None
        values += [value, -value] if inner is not item else [value]
    if not endless:
        return Domain("Z", values=frozenset(values)) if len(items) > 1 or signed else None
    ordered = sorted(values)
    if not signed and ordered[0] < 0 and len(ordered) > 2 and ordered == [k - ordered[-1] for k in range(len(ordered))]:
        return ALL_INTEGERS  # 0, 1, -1, 2, -2, ...
    counted = sorted({abs(value) for value in values} if signed else values)
    if len(counted) < 2 or counted != [counted[0] + k for k in range(len(counted))] or counted[0].denominator != 1:
        return None
    if signed:
        return (
            Domain("Z", without=frozenset() if counted[0] == 0 else frozenset({Fraction(0)}))
            if counted[0] <= 1
            else None
        )
    return Domain("Z", low=counted[0])


def _of_set(node: Node) -> Domain | None:
    """The domain that a set is; None for a set of another form."""
    if isinstance(node, Symbol) and node.name in _KINDS:
        node = Named(node.name)
    if isinstance(node, Set):
        values = [dots.value_of(item) for item in node.items]
        if dots.DOTS in node.items:
            both = node.items[0] == dots.DOTS == node.items[-1] and None not in values[1:-1]
            run = [value for value in values[1:-1] if value is not None] if both else []
            if len(run) > 1 and run == [run[0] + k for k in range(len(run))] and run[0].denominator == 1:
                return ALL_INTEGERS
            return _counted(Listing(node.items, ","))
        return Domain("Z", values=frozenset(v for v in values if v is not None)) if None not in values else None
    if isinstance(node, SetOp) and node.op == "difference" and isinstance(node.right, Set):
        whole, left_out = _of_set(node.left), [dots.value_of(item) for item in node.right.items]
        if whole is None or None in left_out:
            return None
        if whole.natural:
            whole = replace(whole, natural=False, low=Fraction(1))
        return replace(whole, without=whole.without | {v for v in left_out if v is not None})
    if isinstance(node, Tuple) and len(node.items) == 2:
        low, high = (_end(item) for item in node.items)
        if None in (low, high):
            return None
        return Domain(
            "R", low if isinstance(low, Fraction) else None, high if isinstance(high, Fraction) else None,
            open_low=isinstance(low, Fraction) and node.left == "(",
            open_high=isinstance(high, Fraction) and node.right == ")",
        )  # fmt: skip
    return _of_name(node.name) if isinstance(node, Named) else None


def _end(node: Node) -> Fraction | str | None:
    """The end of an interval as a number, or "oo" for either infinity; None for anything else."""
    if node in (Constant("oo"), Apply("neg", (Constant("oo"),))):
        return "oo"
    return dots.value_of(node)


def _of_name(name: str) -> Domain:
    kind = next((name.partition(sign)[0] for sign in _SIGNS if sign in name), name)
    sign = name[len(kind) : -1] if kind != name else ""
    domain = Domain(kind)
    if kind == "N":
        domain = Domain("Z", natural=not sign)
    elif kind in ("odd", "even"):
        domain = Domain("Z", step=2, offset=int(kind == "odd"))
    elif kind.startswith("multiples of ") and kind[13:].isdigit() and int(kind[13:]):
        domain = Domain("Z", step=int(kind[13:]))
    if sign == "!=":
        if kind == "N":
            return replace(domain, natural=False, low=Fraction(1))
        return replace(domain, without=frozenset({Fraction(0)}))
    if sign[:1] == ">":
        return replace(domain, low=Fraction(0), open_low=sign == ">")
    return replace(domain, high=Fraction(0), open_high=sign == "<") if sign else domain
