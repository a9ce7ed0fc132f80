"""Are two answers the same? One method for each kind of answer; expressions go to ``values`` (section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zoo_harp.checker import compounds, labels
from zoo_harp.checker.answers import Answer
from zoo_harp.checker.equations import equal_relations
from zoo_harp.checker.evaluate import Evaluator
from zoo_harp.checker.intervals import Line, is_set_of_reals
from zoo_harp.checker.limits import Budget, Undefined, Unsupported
from zoo_harp.checker.readings import other_readings
from zoo_harp.checker.tree import (
    EXPRESSIONS,
    Apply,
    Based,
    Builder,
    Clock,
    Constant,
    Listing,
    Matrix,
    Named,
    Node,
    Number,
    Quantity,
    Ratio,
    Relation,
    Set,
    SetOp,
    Symbol,
    Text,
    Tuple,
    number,
)
from zoo_harp.checker.values import Decision, compare_values

_NOTHING: Final = frozenset(
    (("no", "solution"), ("no", "solutions"), ("none",), ("no", "real", "solutions"), ("no", "real", "solution"),
     ("empty", "set"), ("no", "such", "x"))
)  # fmt: skip


def compare_answers(gold: Answer, response: Answer, budget: Budget) -> Decision:
    """Compare two answers as read.

    Raises:
        LimitExceeded: a number would be too long, or the work too much.
        Timeout: the deadline has passed.
    """
    if gold.text == response.text or (gold.tokens and gold.written == response.written):
        return Decision(True, "identical", "the same as written")
    if gold.limit or response.limit:
        return Decision(False, "limit", "limit")
    comparison = Comparison(budget)
    decision = comparison.compare(gold.tree, response.tree)
    if decision.correct:
        return decision
    for one, other in other_readings(gold, response):
        again = comparison.compare(one, other)
        if again.correct:
            return again
    return decision


def _no(reason: str) -> Decision:
    return Decision(False, "structure", reason)


class Comparison:
    """The comparison of one pair; all numbers share one budget."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def compare(self, gold: Node, response: Node) -> Decision:
        """Compare two nodes of any kind."""
        self.budget.spend(1)
        if gold == response:
            return Decision(True, "identical", "the same tree")
        gold, response = labels.exact_part(gold), labels.exact_part(response)
        if isinstance(gold, EXPRESSIONS) and isinstance(response, EXPRESSIONS) and not labels.has_signs(gold, response):
            return self._expressions(gold, response)
        ways = compounds.sides(gold, response)
        if ways is not None:
            same = any(self._expressions(*way).correct for way in ways)
            return Decision(same, "unit", "the same quantity" if same else "different sums of quantities")
        if isinstance(gold, Quantity) or isinstance(response, Quantity):
            return self._quantities(gold, response)
        if isinstance(gold, Clock) or isinstance(response, Clock):
            return self._clocks(gold, response)
        if isinstance(gold, Text | Symbol) and isinstance(response, Text | Symbol):
            return self._texts(_words(gold), _words(response))
        unlabelled = self._without_labels(gold, response)
        if unlabelled is not None:
            return unlabelled
        if is_set_of_reals(gold) or is_set_of_reals(response):
            found = self._sets_of_reals(gold, response)
            if found is not None:
                return found
        if self._is_collection(gold) or self._is_collection(response):
            return self._collections(gold, response)
        if isinstance(gold, Tuple | Matrix) or isinstance(response, Tuple | Matrix):
            return self._arrays(gold, response)
        if isinstance(gold, Relation) and isinstance(response, Relation):
            return equal_relations(gold, response, self.budget)
        if isinstance(gold, Ratio) or isinstance(response, Ratio):
            return self._ratios(gold, response)
        if isinstance(gold, Based | Relation | Text | Named) or isinstance(response, Based | Relation | Text | Named):
            return _no("answers of different kinds")
        return _no(f"a {type(gold).__name__.lower()} and a {type(response).__name__.lower()}")

    def _all(self, gold: Sequence[Node], response: Sequence[Node], rule: str) -> Decision:
        """Item by item, in order."""
        if len(gold) != len(response):
            return Decision(False, rule, f"{len(gold)} items and {len(response)}")
        for k, (one, other) in enumerate(zip(gold, response, strict=True), start=1):
            found = self.compare(one, other)
            if not found.correct:
                return Decision(False, rule, f"item {k}: {found.reason}")
        return Decision(True, rule, "equal item by item")

    # Numbers

    def _expressions(self, gold: Node, response: Node) -> Decision:
        for mark in ("percent", "deg"):
            one, other = _inside(gold, mark), _inside(response, mark)
            if one is None and other is None:
                continue
            if one is not None and other is not None:
                return compare_values(one, other, self.budget)
            bare, marked = (gold, other) if one is None else (response, one)
            if marked is None:
                continue
            radians = Apply("mul", (marked, Apply("div", (Constant("pi"), number(180)))))
            ways = [Apply("percent", (marked,)), marked] if mark == "percent" else [marked, radians]
            if mark == "percent" and one is None and self._below_one(bare):
                ways.pop()
            for way in ways:
                found = compare_values(*((bare, way) if one is None else (way, bare)), self.budget)
                if found.correct:
                    return Decision(True, mark, found.reason)
            return found
        return compare_values(gold, response, self.budget)

    def _below_one(self, node: Node) -> bool:
        """Whether a number is between -1 and 1, so that the same digits with a percent mark are another number."""
        field = Evaluator(self.budget)
        try:
            value = field.value(node)
            return not field.is_variable(value) and field.floor(field.absolute(value)) == 0
        except (Unsupported, Undefined):
            return False

    def _quantities(self, gold: Node, response: Node) -> Decision:
        units = [side.unit if isinstance(side, Quantity) else None for side in (gold, response)]
        gold, response = (side.value if isinstance(side, Quantity) else side for side in (gold, response))
        if units[0] and units[1] and units[0] != units[1]:
            return Decision(False, "unit", f"different units: {_unit_name(units[0])} and {_unit_name(units[1])}")
        return self.compare(gold, response)

    def _ratios(self, gold: Node, response: Node) -> Decision:
        if isinstance(gold, Ratio) and isinstance(response, Ratio):
            if len(gold.parts) != len(response.parts):
                return Decision(False, "ratio", f"{len(gold.parts)} parts and {len(response.parts)}")
            for one, other in zip(gold.parts[1:], response.parts[1:], strict=True):
                left, right = Apply("mul", (gold.parts[0], other)), Apply("mul", (response.parts[0], one))
                if not self.compare(left, right).correct:
                    return Decision(False, "ratio", "not in proportion")
            return Decision(True, "ratio", "in proportion")
        ways = [Apply("div", side.parts) if isinstance(side, Ratio) and len(side.parts) == 2 else side
                for side in (gold, response)]  # fmt: skip
        if all(isinstance(way, EXPRESSIONS) for way in ways):
            return self._expressions(*ways)
        return _no("a ratio and something else")

    # Words

    @staticmethod
    def _texts(gold: tuple[str, ...], response: tuple[str, ...]) -> Decision:
        same = gold == response or (gold in _NOTHING and response in _NOTHING)
        return Decision(same, "text", "the same words" if same else "different words")

    @staticmethod
    def _clocks(gold: Node, response: Node) -> Decision:
        times = []
        for side in (gold, response):
            if isinstance(side, Clock):
                times.append(side)
            elif isinstance(side, Ratio) and len(side.parts) == 2 and all(isinstance(p, Number) for p in side.parts):
                hours, minutes = (int(p.value) if isinstance(p, Number) else 0 for p in side.parts)
                times.append(Clock(hours, minutes, None))
            elif isinstance(side, Number):
                times.append(Clock(int(side.value), 0, None) if side.value.denominator == 1 else Clock(-1, 0, None))
            else:
                return _no("a time and something else")
        one, other = times
        same = one.hours == other.hours and one.minutes == other.minutes
        same = same and (one.half is None or other.half is None or one.half == other.half)
        return Decision(same, "time", "the same time" if same else "different times")

    # Labels

    def _without_labels(self, gold: Node, response: Node) -> Decision | None:
        """Take ``x =``, ``f(x) =``, ``(x, y) =`` and the like off, as far as both sides allow; None: there are none."""
        one, other = labels.labelled(gold), labels.labelled(response, combinations=not isinstance(gold, Relation))
        if one is None and other is None:
            return None
        if one is not None and other is not None:
            return self._both_labelled(gold, response, one, other)
        if one is not None:
            if isinstance(response, Relation):
                return None
            return self._values_of(one, response, gold_labelled=True)
        if other is not None and not isinstance(gold, Relation):
            return self._values_of(other, gold, gold_labelled=False)
        return None

    def _both_labelled(
        self, gold: Node, response: Node, one: labels.Labelled, other: labels.Labelled
    ) -> Decision | None:
        if sorted(map(str, one.names)) == sorted(map(str, other.names)) and len(one.names) > 1:
            by_name = dict(zip(other.names, other.values, strict=False))
            if len(one.values) == len(one.names) == len(by_name):
                return self._all(one.values, [by_name[name] for name in one.names], "labels")
        if one.names == other.names or labels.exchangeable(one, other):
            found = self.compare(one.whole, other.whole)
            if found.correct or not isinstance(gold, Relation):
                return found
        if isinstance(gold, Relation) and isinstance(response, Relation):
            return equal_relations(gold, response, self.budget)
        return _no("values of different variables")

    def _values_of(self, found: labels.Labelled, bare: Node, *, gold_labelled: bool) -> Decision:
        values = found.whole
        if len(found.names) > 1 and isinstance(bare, Listing) and isinstance(values, Tuple):
            values = Listing(values.items, ",")
        if len(found.names) > 1 and isinstance(bare, Tuple) and isinstance(values, Listing):
            values = Tuple(bare.left, values.items, bare.right)
        for value in found.same:
            if not self.compare(found.whole, value).correct:
                return Decision(False, "labels", "a chain of equations that does not hold")
        return self.compare(values, bare) if gold_labelled else self.compare(bare, values)

    # Collections

    @staticmethod
    def _is_collection(node: Node) -> bool:
        named = isinstance(node, Named) or (isinstance(node, Text) and node.words in _NOTHING)
        return isinstance(node, Listing | Set | SetOp | Builder) or named or labels.has_signs(node)

    def _sets_of_reals(self, gold: Node, response: Node) -> Decision | None:
        if isinstance(gold, Tuple) and isinstance(response, Tuple):
            return self._arrays(gold, response)
        if any(isinstance(side, Listing) and not is_set_of_reals(side) for side in (gold, response)):
            return None
        if isinstance(gold, Relation) and isinstance(response, Relation):
            found = equal_relations(gold, response, self.budget)
            if found.correct:
                return found
        line = Line(Evaluator(self.budget))
        gold, response = (
            Named("empty") if isinstance(s, Text) and s.words in _NOTHING else s for s in (gold, response)
        )
        try:
            same = line.equal(line.cells(gold), line.cells(response))
        except (Unsupported, Undefined):
            return None
        return Decision(same, "interval", "the same set of numbers" if same else "different sets of numbers")

    def _collections(self, gold: Node, response: Node) -> Decision:
        if isinstance(gold, Tuple) or isinstance(response, Tuple):
            if labels.has_signs(gold, response):
                return self._sets(_items(gold), _items(response), strict=True)
            return Decision(False, "set", "a tuple and a set or list")
        if any(
            (isinstance(side, Text) and side.words in _NOTHING) or side == Named("empty") for side in (gold, response)
        ):
            both = all((isinstance(s, Text) and s.words in _NOTHING) or s == Named("empty") for s in (gold, response))
            return Decision(both, "set", "both empty" if both else "one is empty")
        if any(isinstance(side, Named | SetOp | Builder) for side in (gold, response)):
            return self._set_expressions(gold, response)
        lists = isinstance(gold, Listing) and isinstance(response, Listing) and not labels.has_signs(gold, response)
        return self._sets(_items(gold), _items(response), strict=lists)

    def _set_expressions(self, gold: Node, response: Node) -> Decision:
        if isinstance(gold, SetOp) and isinstance(response, SetOp) and gold.op == response.op:
            pairs = [(gold.left, response.left), (gold.right, response.right)]
            if all(self.compare(a, b).correct for a, b in pairs):
                return Decision(True, "set", "the same parts")
        if isinstance(gold, Builder) and isinstance(response, Builder):
            return self._all((gold.variable, gold.conditions), (response.variable, response.conditions), "set")
        return Decision(False, "set", "different sets")

    def _sets(self, gold: Sequence[Node], response: Sequence[Node], *, strict: bool) -> Decision:
        """Every item has a partner on the other side; with ``strict`` one of its own."""
        if strict and len(gold) != len(response):
            return Decision(False, "set", f"{len(gold)} items and {len(response)}")
        free = list(range(len(response)))
        met: set[int] = set()
        for one in gold:
            partner = next((k for k in free if self.compare(one, response[k]).correct), None)
            if partner is None and not strict:
                partner = next((k for k in met if self.compare(one, response[k]).correct), None)
            if partner is None:
                return Decision(False, "set", "an item of the gold is missing")
            met.add(partner)
            if partner in free:
                free.remove(partner)
        for k in free:
            if strict or not any(self.compare(one, response[k]).correct for one in gold):
                return Decision(False, "set", "an item too many")
        return Decision(True, "set", "the same items in some order")

    def _arrays(self, gold: Node, response: Node) -> Decision:
        one, other = _rows(gold), _rows(response)
        if one is not None and other is not None:
            if [len(row) for row in one] != [len(row) for row in other]:
                return Decision(False, "matrix", "different shapes")
            return self._all([x for row in one for x in row], [x for row in other for x in row], "matrix")
        if isinstance(gold, Tuple) and isinstance(response, Tuple):
            if (gold.left, gold.right) != (response.left, response.right):
                return Decision(False, "tuple", "different brackets")
            return self._all(gold.items, response.items, "tuple")
        return _no("a tuple or matrix and something else")


def _words(node: Text | Symbol) -> tuple[str, ...]:
    return node.words if isinstance(node, Text) else (node.name.lower(),)


def _inside(node: Node, mark: str) -> Node | None:
    """The argument of a percent or degree mark, also below a minus sign; None if there is no mark."""
    if isinstance(node, Apply) and node.op == mark:
        return node.args[0]
    if isinstance(node, Apply) and node.op in ("neg", "mixed"):
        inner = _inside(node.args[-1], mark)
        return None if inner is None else Apply(node.op, (*node.args[:-1], inner))
    return None


def _items(node: Node) -> list[Node]:
    """Items of a list or set with signs expanded; the node alone otherwise."""
    items = node.items if isinstance(node, Listing | Set) else (node,)
    return [way for item in items for way in labels.expand(item)]


def _rows(node: Node) -> tuple[tuple[Node, ...], ...] | None:
    if isinstance(node, Matrix):
        return node.rows
    if isinstance(node, Tuple) and all(isinstance(item, Tuple) and item.left == "[" for item in node.items):
        return tuple(item.items for item in node.items if isinstance(item, Tuple))
    return None


def _unit_name(unit: tuple[tuple[str, int], ...]) -> str:
    return "*".join(base if power == 1 else f"{base}^{power}" for base, power in unit)
