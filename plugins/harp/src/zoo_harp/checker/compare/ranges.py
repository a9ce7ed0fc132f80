r"""Answers with a letter and its range: the ranges have to be the same set, after a change of the letter if need be.

``5k+2`` for k >= 0 is ``5k-3`` for k >= 1, and ``(3t+1, 2t)`` is ``(1-3t, -2t)`` for all integers t: one change
t -> s t + c with s = 1 or -1 for the whole answer. The argument of a definition is no parameter: its range is compared,
and a response may leave it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.values import Decision
from zoo_harp.checker.answers import Answer
from zoo_harp.checker.compare import labels
from zoo_harp.checker.compare.bound import heads, renamed
from zoo_harp.checker.compare.families import PARAMETERS, count_angles, linear, replaced
from zoo_harp.checker.latex.domains import ALL_INTEGERS, MAX_WRITTEN, Domain, domains_of
from zoo_harp.checker.limits import Budget, LimitExceeded, Undefined, Unsupported
from zoo_harp.checker.tree import (
    EXPRESSIONS,
    Apply,
    Builder,
    Listing,
    Named,
    Node,
    Number,
    Relation,
    Set,
    Symbol,
    children,
    number,
    symbols,
)

Same = Callable[[Node, Node], Decision]
_INDEXES: Final = frozenset("nkmijlrsN")
"""letters that stand for integers as arguments, so that a range of integers says nothing new"""
_MAX_PARTS: Final = 12
_UNREAD: Final = Decision(False, "undecided", "a condition that is not read")


@dataclass(frozen=True, slots=True)
class Ranges:
    """The ranges of the letters on both sides, those of the response under the names of the gold's."""

    gold: Mapping[str, Domain]
    response: Mapping[str, Domain]
    arguments: frozenset[str]
    """letters that a definition binds"""

    def integers(self, side: Mapping[str, Domain]) -> frozenset[str]:
        """Parameters that run through all the integers."""
        if not side:
            return frozenset()
        return frozenset(name for name, domain in side.items() if domain == ALL_INTEGERS) - self.arguments


def ranges(gold: Answer, response: Answer, trees: tuple[Node, Node]) -> tuple[Ranges, tuple[Node, Node]]:
    """The ranges of both answers, and both trees, the response with the gold's names for its letters."""
    one, other = trees
    if not (gold.domains or response.domains):
        return Ranges({}, {}, frozenset((*heads(one), *heads(other)))), trees
    bound, others = heads(one), heads(other)
    known, told = (
        {(name or _only(names, tree)): domain for name, domain in side.domains}
        for side, names, tree in ((gold, bound, one), (response, others, other))
    )
    names = dict(zip(others, bound, strict=False)) if len(bound) == len(others) else {}
    free, instead = ([name for name in side if name not in within] for side, within in ((told, others), (known, bound)))
    present = symbols(other)
    if len(free) == len(instead) and set(free) != set(instead) and present.isdisjoint(set(instead) - set(free)):
        changed = dict(zip(free, instead, strict=True))
        other = renamed(other, changed)
        names.update(changed)
    elif {*map(_kind, (*known.values(), *told.values()))} <= {"", "R", "C"}:  # a constant that one side only declares
        mine, theirs = sorted(symbols(one) - present), sorted(present - symbols(one) - {*others})
        if len(mine) == len(theirs) == 1 and (mine[0] in known or theirs[0] in told):
            other = renamed(other, {theirs[0]: mine[0]})
            names[theirs[0]] = mine[0]
    told = {names.get(name, name): domain for name, domain in told.items()}
    return Ranges(known, told, frozenset((*bound, *(names.get(name, name) for name in others)))), (one, other)


def _kind(domain: Domain) -> str:
    return domain.kind


def _only(bound: list[str], tree: Node) -> str:
    """The letter that a range without one is about."""
    free = [*bound] or sorted(symbols(tree))
    return free[-1] if len(free) == 1 else ""


def compare_ranges(
    gold: Answer, response: Answer, trees: tuple[Node, Node], known: Ranges, same: Same, budget: Budget
) -> Decision | None:
    """What the ranges decide; None where they leave it to the answers themselves."""
    if gold.unread != response.unread:
        return _UNREAD
    running: dict[str, tuple[Domain, Domain]] = {}
    for name in dict.fromkeys((*known.gold, *known.response)):
        one, other = known.gold.get(name), known.response.get(name)
        if any(_is_solved(name, tree) for tree in trees):
            continue  # x = 5 and x in Z
        if _is_remark(name, trees, known) and not _is_shifted(name, trees[0], known, budget):
            if other is not None and one is None and _are_holes(other, name, trees[0], budget):
                other = None
            some = gold.exists != response.exists and name in known.arguments
            if some or not _alike(name, one, other):
                return Decision(False, "domain", f"different ranges of {name}")
            continue
        pair = tuple(ALL_INTEGERS if side is None or side == Domain() else side for side in (one, other))
        if "Z" not in {one.kind if one else "", other.kind if other else ""}:
            if not _reals(one).meets(_reals(other)):
                return Decision(False, "domain", f"different ranges of {name}")
        elif pair != (ALL_INTEGERS, ALL_INTEGERS):
            running[name] = (pair[0], pair[1])
    if not running:
        return None
    if len(running) > 1:
        alike = all(one.meets(other) for one, other in running.values())
        return None if alike else Decision(False, "domain", "different ranges")
    ((name, (one, other)),) = running.items()
    return _of_one_letter(name, one, other, trees, same, budget)


def _is_remark(name: str, trees: tuple[Node, Node], known: Ranges) -> bool:
    """Whether a letter is an argument, or the variable of a formula that is solved for nothing."""
    if name in known.arguments:
        return True
    if not any(name in symbols(tree) for tree in trees):
        return False
    gold = trees[0]
    solved = isinstance(gold, Relation) and labels.is_label(gold.terms[0]) and name not in symbols(gold.terms[0])
    if isinstance(gold, Relation):
        first = gold.terms[0]
        return not solved or (isinstance(first, Symbol) and first.name.isupper() and name not in known.gold)
    return isinstance(gold, Apply | Symbol) and name not in known.gold


def _is_shifted(name: str, gold: Node, known: Ranges, budget: Budget) -> bool:
    """Whether a gold without a clause is a family all the same: it counts in pi or degrees from something on."""
    if name in known.arguments or name not in PARAMETERS or not count_angles(gold):
        return False
    one = linear(gold, name, Evaluator(budget.half()))
    return one is not None and one.start != 0


def _alike(name: str, gold: Domain | None, response: Domain | None) -> bool:
    """Whether the range of an argument is the gold's; a response may leave it out, as the problem gives it."""
    if response is None or response == Domain():
        return True
    if gold is None or gold == Domain():
        if response.kind == "Z":
            usual = (ALL_INTEGERS, Domain("Z", natural=True))
            return name in _INDEXES and any(response.meets(one) for one in usual)
        return response.is_everything and response.kind in ("", "R", "C")
    if not gold.kind or not response.kind:
        gold, response = replace(gold, kind="Z"), replace(response, kind="Z")
    return gold.meets(response)


def _is_solved(name: str, tree: Node) -> bool:
    """Whether an answer says which number a letter is."""
    given = isinstance(tree, Relation) and tree.ops == ("=",) and tree.terms[0] == Symbol(name)
    return given and isinstance(tree, Relation) and not symbols(tree.terms[1])


def _reals(domain: Domain | None) -> Domain:
    """The range of a constant, all real numbers where nothing is said."""
    domain = domain or Domain()
    return domain if domain.kind else replace(domain, kind="R")


def _are_holes(domain: Domain, name: str, tree: Node, budget: Budget) -> bool:
    """Whether a range leaves out only numbers for which a definition has no value, as f(x) = 1/x for x != 0."""
    if domain.kind not in ("", "R") or replace(domain, kind="", without=frozenset()) != Domain():
        return False
    value = tree.terms[-1] if isinstance(tree, Relation) else tree
    for gap in domain.without:
        try:
            Evaluator(budget, {name: gap}).value(value)
        except Undefined:
            continue
        except (Unsupported, LimitExceeded):
            return False
        return False
    return bool(domain.without)


def _of_one_letter(
    name: str, gold: Domain, response: Domain, trees: tuple[Node, Node], same: Same, budget: Budget
) -> Decision:
    """Compare where one letter runs through integers, and not through all of them on both sides."""
    no = Decision(False, "domain", f"different ranges of {name}")
    if not all(name in symbols(tree) for tree in trees):
        return no if not gold.meets(response) else same(*trees)
    one, gold = _every(name, trees[0], gold)
    other, response = _every(name, trees[1], response)
    one_values, other_values = (side.settled().values for side in (gold, response))
    if one_values is not None and other_values is not None:
        return same(_listed(one, name, one_values), _listed(other, name, other_values))
    gold, response = (_of_size(name, *side, same) for side in ((one, gold), (other, response)))
    firsts = {
        int(first.low - second.low)
        for first in gold.readings()
        for second in response.readings()
        if first.low is not None and second.low is not None
    }
    for sign, shift in ((1, 0), *changes(one, other, name, budget), *((1, gap) for gap in sorted(firsts))):
        if response.mapped(sign, shift).meets(gold):
            changed = substituted(other, name, sign, shift)
            if same(one, changed).correct:
                return Decision(True, "family", "the same numbers for the same integers")
    return no


def _every(name: str, tree: Node, domain: Domain) -> tuple[Node, Domain]:
    """Every second integer, or another step, by a letter that runs through consecutive ones."""
    if domain.step == 1 or domain.values is not None:
        return tree, domain
    step, offset = domain.step, domain.offset
    place = Apply("add", (Apply("mul", (number(step), Symbol(name))), number(offset)))
    low, high = (None if end is None else (end - offset) / step for end in (domain.low, domain.high))
    without = frozenset((gap - offset) / step for gap in domain.without)
    return replaced(tree, name, place), replace(domain, low=low, high=high, without=without, step=1, offset=0)


def _listed(tree: Node, name: str, values: frozenset[Fraction]) -> Node:
    """The answers for a few values of the letter, as one list."""
    if isinstance(tree, Relation) and tree.ops == ("=",) and labels.is_label(tree.terms[0]):
        return Relation(("=",), (tree.terms[0], _listed(tree.terms[1], name, values)))
    return Set(tuple(replaced(tree, name, Number(value)) for value in sorted(values)))


def _of_size(name: str, tree: Node, domain: Domain, same: Same) -> Domain:
    """All integers as those from 0 on where the sign of the letter does not matter, as in k^2."""
    if domain == ALL_INTEGERS and same(tree, substituted(tree, name, -1, 0)).correct:
        return Domain("Z", low=Fraction(0))
    return domain


def substituted(tree: Node, name: str, sign: int, shift: int) -> Node:
    """``tree`` in the letter k with k = sign * m + shift, where it was in m."""
    if (sign, shift) == (1, 0):
        return tree
    moved: Node = Apply("sub", (Symbol(name), number(shift))) if shift else Symbol(name)
    return replaced(tree, name, moved if sign > 0 else Apply("neg", (moved,)))


def changes(gold: Node, response: Node, name: str, budget: Budget) -> Iterator[tuple[int, int]]:
    """The changes k = s m + c of a letter that may make one answer of the other, told by their linear parts."""
    yield (-1, 0)
    field = Evaluator(budget.half())
    for one, other in zip(_parts(gold), _parts(response), strict=False):
        left, right = (linear(side, name, field) for side in (one, other))
        if left is None or right is None:
            continue
        try:
            sign = field.div(right.step, left.step)
            shift = field.div(field.add(right.start, left.start, -1), left.step)
        except (Unsupported, Undefined, LimitExceeded):
            return
        whole = isinstance(shift, Fraction) and shift.denominator == 1
        if sign in (1, -1) and isinstance(sign, Fraction) and isinstance(shift, Fraction) and whole:
            yield (int(sign), int(shift))
        return


def _parts(node: Node) -> list[Node]:
    """The expressions of an answer in their order."""
    if isinstance(node, EXPRESSIONS):
        return [node]
    return [part for child in children(node) for part in _parts(child)][:_MAX_PARTS]


def written_out(node: Node, answer: Answer | None = None) -> Node:
    """A finite set of integers with its elements, where it is given by a condition; as it is otherwise."""
    term, conditions = node, None
    if isinstance(node, Builder):
        term, conditions = node.variable, node.conditions
        if isinstance(term, Relation) and term.ops == ("in",):
            conditions = Listing((term, *(conditions.items if isinstance(conditions, Listing) else (conditions,))), ",")
            term = term.terms[0]
    elif (
        answer is not None and isinstance(node, Relation) and set(node.ops) <= {"<", "<="} and len(answer.domains) == 1
    ):
        ((name, domain),) = answer.domains
        if domain == ALL_INTEGERS:
            term, conditions = Symbol(name), Listing((Relation(("in",), (Symbol(name), Named("Z"))), node), ",")
    if conditions is None:
        return node
    read = domains_of(conditions)
    if read is None or len(read) != 1 or read[0][0] not in symbols(term):
        return node
    ((name, domain),) = read
    if domain.natural and domain.high is not None:
        domain = replace(domain, natural=False, low=Fraction(1))
    values = domain.settled(MAX_WRITTEN).values if domain.kind == "Z" else None
    return node if values is None else Set(tuple(replaced(term, name, Number(value)) for value in sorted(values)))
