"""Are two answers the same? One method for each kind of answer; expressions go to ``values`` (docs/methods/harp.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from zoo_harp.checker.algebra.equations import equal_relations
from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.intervals import Line, is_set_of_reals
from zoo_harp.checker.algebra.values import Decision, compare_values
from zoo_harp.checker.answers import Answer
from zoo_harp.checker.compare import compounds, labels
from zoo_harp.checker.compare.bound import same_letters, with_bound_names
from zoo_harp.checker.compare.families import (
    PARAMETERS,
    Evidence,
    are_parameters,
    count_angles,
    families,
    replaced,
    same_families,
)
from zoo_harp.checker.compare.figures import are_of_different_figures
from zoo_harp.checker.compare.numbers import compare_expressions, compare_ratios, inside, radians
from zoo_harp.checker.compare.pieces import by_cases, same_pieces
from zoo_harp.checker.compare.ranges import changes, compare_ranges, ranges, substituted, written_out
from zoo_harp.checker.compare.readings import other_readings
from zoo_harp.checker.compare.sets import compare_collections, differently_joined, is_collection, items_of
from zoo_harp.checker.compare.vectors import components, in_units, is_vector, rows_of
from zoo_harp.checker.compare.wording import NOTHING, same_words, with_permutations
from zoo_harp.checker.limits import Budget, Undefined, Unsupported
from zoo_harp.checker.tree import (
    EXPRESSIONS,
    Based,
    Cases,
    Clock,
    Listing,
    Matrix,
    Named,
    Node,
    Quantified,
    Quantity,
    Ratio,
    Relation,
    Set,
    Symbol,
    Text,
    Tuple,
    number,
    symbols,
)


def compare_answers(gold: Answer, response: Answer, budget: Budget) -> Decision:
    """Compare two parsed answers.

    Raises:
        LimitExceeded: a number would be too long, or the work too much.
        Timeout: the deadline has passed.
    """
    if gold.text == response.text or (gold.tokens and gold.written == response.written):
        return Decision(True, "identical", "the same as written")
    if gold.limit or response.limit:
        return Decision(False, "limit", "limit")
    if are_of_different_figures(gold.text, response.text):
        return Decision(False, "labels", "values of different figures")
    known, trees = ranges(gold, response, same_letters(gold, response))
    integers = known.integers(known.gold), known.integers(known.response)
    comparison = Comparison(budget, Evidence(*integers, known.arguments))
    if gold.domains or response.domains or gold.unread or response.unread:
        decided = compare_ranges(gold, response, trees, known, comparison.unshifted, budget)
        if decided is not None:
            return decided
    trees = written_out(trees[0], gold), written_out(trees[1], response)
    decision = comparison.compare(*trees)
    if not decision.correct and integers[0] == integers[1] != frozenset():
        decision = comparison.shifted(*trees) or decision
    if decision.correct or gold.domains or response.domains:
        return decision
    for gold_part, response_part in other_readings(gold, response):
        again = comparison.compare(gold_part, response_part)
        if again.correct:
            return again
    return comparison.undecided or decision


def _no(reason: str) -> Decision:
    return Decision(False, "structure", reason)


_STERLING: Final = (("pound sterling", 1),)
_WEIGHT: Final = (("lb", 1),)
_RADIAN: Final = (("rad", 1),)


class Comparison:
    """The comparison of one pair; all numbers share one budget."""

    def __init__(self, budget: Budget, known: Evidence) -> None:
        self.budget = budget
        self.known = known
        self.together = False
        """whether a parameter has one value for all that is compared, as in the items of a tuple"""
        self.undecided: Decision | None = None
        """the first comparison of parts that was undecided"""

    def compare(self, gold: Node, response: Node) -> Decision:
        """Compare two nodes of any kind."""
        self.budget.spend(1)
        decision = self._compare(gold, response)
        if decision.undecided and self.undecided is None:
            self.undecided = decision
        return decision

    def _compare(self, gold: Node, response: Node) -> Decision:
        if gold == response:
            return Decision(True, "identical", "the same tree")
        gold, response = (_normalised(labels.exact_part(side)) for side in (gold, response))
        gold, response = with_bound_names(gold, response)
        if isinstance(gold, EXPRESSIONS) and isinstance(response, EXPRESSIONS) and not labels.has_signs(gold, response):
            decision = compare_expressions(gold, response, self.budget)
            return decision if decision.correct else self._families(gold, response) or decision
        as_cases = self._cases(gold, response) if Cases in (type(gold), type(response)) else None
        if as_cases is not None:
            return as_cases
        pairs = compounds.as_single_quantities(gold, response)
        if pairs is not None:
            same = any(compare_expressions(*pair, self.budget).correct for pair in pairs)
            return Decision(same, "unit", "the same quantity" if same else "different sums of quantities")
        if isinstance(gold, Quantity) or isinstance(response, Quantity):
            named = isinstance(gold, Relation) or isinstance(response, Relation)
            return (named and self._without_labels(gold, response)) or self._quantities(gold, response)
        if isinstance(gold, Quantified) and isinstance(response, Quantified):
            return self._quantified(gold, response)
        if isinstance(gold, Clock) or isinstance(response, Clock):
            return compare_ratios(gold, response, self.budget)
        if isinstance(gold, Text | Symbol) and isinstance(response, Text | Symbol):
            return self._texts(_words(gold), _words(response))
        if differently_joined(gold, response):
            return Decision(False, "logic", "statements that are joined differently")
        vectors = self._vectors(gold, response)
        if vectors is not None:
            return vectors
        unlabelled = self._without_labels(gold, response)
        if unlabelled is not None:
            return unlabelled
        if is_collection(gold) or is_collection(response):
            as_families = self._families(gold, response)
            if as_families is not None:
                return as_families
        if is_set_of_reals(gold) or is_set_of_reals(response):
            as_sets = self._sets_of_reals(gold, response)
            if as_sets is not None:
                return as_sets
        if is_collection(gold) or is_collection(response):
            return compare_collections(gold, response, self.same)
        if isinstance(gold, Tuple | Matrix) or isinstance(response, Tuple | Matrix):
            return self._arrays(gold, response)
        if isinstance(gold, Relation) and isinstance(response, Relation):
            return equal_relations(gold, response, self.budget)
        if isinstance(gold, Ratio) or isinstance(response, Ratio):
            return compare_ratios(gold, response, self.budget)
        if isinstance(gold, Based | Relation | Text | Named) or isinstance(response, Based | Relation | Text | Named):
            return _no("answers of different kinds")
        return _no(f"a {type(gold).__name__.lower()} and a {type(response).__name__.lower()}")

    def unshifted(self, gold: Node, response: Node) -> Decision:
        """Compare with one meaning of each letter on both sides: a parameter is a variable like any other."""
        before, self.together = self.together, True
        decision = self.compare(gold, response)
        self.together = before
        return decision

    def shifted(self, gold: Node, response: Node) -> Decision | None:
        """Compare two answers in one integer parameter, after one change of it for the whole answer; None without."""
        declared = self.known.gold & symbols(gold) & symbols(response)
        letters = [symbols(side) & PARAMETERS for side in (gold, response)]
        name = next(iter(declared or letters[0])) if len(declared or letters[0]) == 1 else None
        if name is None or (not declared and not count_angles(gold, response)):
            return None
        if not declared:  # n for k, where nothing says that they are integers
            if len(letters[1]) != 1 or name in self.known.arguments:
                return None
            response = replaced(response, next(iter(letters[1])), Symbol(name))
        for change in ((1, 0), *changes(gold, response, name, self.budget)):
            if self.unshifted(gold, substituted(response, name, *change)).correct:
                return Decision(True, "family", "the same for all integers")
        return None

    def same(self, gold: Node, response: Node) -> bool:
        """Whether two nodes are equal."""
        return self.compare(gold, response).correct

    def _all(self, gold: Sequence[Node], response: Sequence[Node], rule: str) -> Decision:
        """Item by item, in order; a parameter has one value for all of them."""
        if len(gold) != len(response):
            return Decision(False, rule, f"{len(gold)} items and {len(response)}")
        before, self.together = self.together, self.together or len(gold) > 1
        decision = self._each(gold, response, rule)
        self.together = before
        if decision.correct or before or len(gold) == 1:
            return decision
        return self.shifted(Tuple("(", tuple(gold), ")"), Tuple("(", tuple(response), ")")) or decision

    def _each(self, gold: Sequence[Node], response: Sequence[Node], rule: str) -> Decision:
        for k, (gold_part, response_part) in enumerate(zip(gold, response, strict=True), start=1):
            decision = self.compare(gold_part, response_part)
            if not decision.correct:
                return Decision(False, rule, f"item {k}: {decision.reason}")
        return Decision(True, rule, "equal item by item")

    def _cases(self, gold: Node, response: Node) -> Decision | None:
        """Values by cases, also beside an expression with absolute values; None beside anything else."""
        gold_cases, response_cases = by_cases(gold), by_cases(response)
        if gold_cases is None or response_cases is None:
            return None
        alike = same_pieces(gold_cases, response_cases, self.budget, self.same)
        return Decision(
            bool(alike), "cases", "the same on every stretch" if alike else "different values or conditions"
        )

    # Vectors and families

    def _vectors(self, gold: Node, response: Node) -> Decision | None:
        """Vectors in any notation; None where neither side is written as one."""
        if not (is_vector(gold) or is_vector(response)):
            return None
        sizes = [len(side.items) for side in (gold, response) if isinstance(side, Tuple)]
        sizes += [max(len(side.rows), len(side.rows[0])) for side in (gold, response) if isinstance(side, Matrix)]
        size = max(sizes) if sizes else max(in_units(gold), in_units(response))
        gold_part, response_part = components(gold, size), components(response, size)
        if gold_part is None or response_part is None:
            return None
        if isinstance(gold, Matrix) and isinstance(response, Matrix) and len(gold.rows) != len(response.rows):
            return Decision(False, "matrix", "different shapes")
        if size < max(in_units(gold), in_units(response)):
            return Decision(False, "vector", "vectors of different dimensions")
        return self._all(gold_part, response_part, "vector")

    def _families(self, gold: Node, response: Node, *, solved: bool = False) -> Decision | None:
        """Expressions with an integer parameter, compared as sets of numbers; None where they are not such families.

        With ``solved`` they are solutions for an unknown, so that the parameters' names may differ.
        """
        if self.together:
            return None
        field = Evaluator(self.budget.half())
        gold_part = families(gold, field)
        response_part = families(response, field) if gold_part else []
        if not gold_part or not response_part:
            return None
        known, angles = replace(self.known, solved=solved), count_angles(gold, response)
        if not are_parameters(gold_part, response_part, known, field, angles=angles):
            return None
        same = same_families(gold_part, response_part, field)
        return Decision(same, "family", "the same numbers for all integers" if same else "different families")

    # Numbers

    def _quantities(self, gold: Node, response: Node) -> Decision:
        units = [side.unit if isinstance(side, Quantity) else None for side in (gold, response)]
        gold, response = (side.value if isinstance(side, Quantity) else side for side in (gold, response))
        if units == [_STERLING, _WEIGHT]:
            units[1] = _STERLING  # "pounds" in words means the gold answer's currency sign
        # "Square units" names no unit that could differ from another.
        named = [any(base == "unit" for base, _ in unit or ()) for unit in units]
        if units[0] and units[1] and units[0] != units[1] and named[0] == named[1]:
            return Decision(
                False, "unit", f"different units: {compounds.unit_name(units[0])} and {compounds.unit_name(units[1])}"
            )
        degrees = inside(gold, "deg"), inside(response, "deg")
        if _RADIAN in units and any(degrees):
            angles = [radians(size) if size else side for size, side in zip(degrees, (gold, response), strict=True)]
            return compare_values(angles[0], angles[1], self.budget)
        return self.compare(gold, response)

    # Words

    def _quantified(self, gold: Quantified, response: Quantified) -> Decision:
        """Both say the same of the same values; the names of the variables are those of the gold by now."""
        said, other = gold.statement, response.statement
        alike = gold.quantifier == response.quantifier and type(said) is type(other)
        alike = alike and (gold.domain == response.domain or self.same(gold.domain, response.domain))
        if alike and isinstance(said, Relation) and isinstance(other, Relation):
            return equal_relations(
                said, other, self.budget
            )  # not by the numbers for which they hold: that is all of them
        alike = alike and self.same(said, other)
        return Decision(alike, "quantifier", "the same statement" if alike else "different statements")

    @staticmethod
    def _texts(gold: tuple[str, ...], response: tuple[str, ...]) -> Decision:
        same = same_words(gold, response)
        return Decision(same, "text", "the same words" if same else "different words")

    # Labels

    def _without_labels(self, gold: Node, response: Node) -> Decision | None:
        """Compare without ``x =``, ``f(x) =``, ``(x, y) =`` and the like, where both sides allow; None if none."""
        gold_part = labels.labelled(gold)
        response_part = labels.labelled(response, combinations=not isinstance(gold, Relation))
        if labels.are_of_different(response) and response_part is None and not isinstance(gold, Relation):
            return Decision(False, "labels", "values of different variables")
        if gold_part is None and response_part is None:
            return None
        if gold_part is not None and response_part is not None:
            return self._both_labelled(gold, response, gold_part, response_part)
        if gold_part is not None:
            if isinstance(response, Relation):
                return None
            return self._values_of(gold_part, response, gold_labelled=True)
        if response_part is not None and not isinstance(gold, Relation):
            return self._values_of(response_part, gold, gold_labelled=False)
        return None

    def _both_labelled(
        self, gold: Node, response: Node, gold_part: labels.Labelled, response_part: labels.Labelled
    ) -> Decision | None:
        if sorted(map(str, gold_part.names)) == sorted(map(str, response_part.names)) and len(gold_part.names) > 1:
            by_name = dict(zip(response_part.names, response_part.values, strict=False))
            if len(gold_part.values) == len(gold_part.names) == len(by_name):
                return self._all(gold_part.values, [by_name[name] for name in gold_part.names], "labels")
        if not response_part.names and not all(self.same(response_part.whole, value) for value in response_part.same):
            return Decision(False, "labels", "a chain of equations that does not hold")
        if gold_part.names == response_part.names or labels.exchangeable(gold_part, response_part):
            decision = self.compare(gold_part.whole, response_part.whole)
            if not decision.correct and gold_part.names == response_part.names and labels.is_unknown(gold_part):
                decision = self._families(gold_part.whole, response_part.whole, solved=True) or decision
            if decision.correct or not isinstance(gold, Relation):
                return decision
        if isinstance(gold, Relation) and isinstance(response, Relation):
            return equal_relations(gold, response, self.budget)
        return _no("values of different variables")

    def _values_of(self, labelled: labels.Labelled, bare: Node, *, gold_labelled: bool) -> Decision:
        values = labelled.whole
        if labelled.repeated and not isinstance(bare, Listing | Tuple | Set | Matrix):
            values = labelled.values[0]
        if len(labelled.names) > 1 and isinstance(bare, Listing) and isinstance(values, Tuple):
            values = Listing(values.items, ",")
        if len(labelled.names) > 1 and isinstance(bare, Tuple) and isinstance(values, Listing):
            if (bare.left, bare.right) in (("(", "]"), ("[", ")")):
                return Decision(False, "labels", "a point and an interval")
            values = Tuple(bare.left, values.items, bare.right)
        for value in labelled.same:
            if not self.compare(labelled.whole, value).correct:
                return Decision(False, "labels", "a chain of equations that does not hold")
        gold_part, response_part = (values, bare) if gold_labelled else (bare, values)
        if labels.is_ordered(labelled) and isinstance(values, Listing) and isinstance(bare, Listing):
            return self._all(items_of(gold_part), items_of(response_part), "labels")
        decision = self.compare(gold_part, response_part)
        if not decision.correct and gold_labelled and labels.is_unknown(labelled):
            return self._families(gold_part, response_part, solved=True) or decision
        return decision

    # Collections

    def _sets_of_reals(self, gold: Node, response: Node) -> Decision | None:
        if isinstance(gold, Tuple) and isinstance(response, Tuple):
            return self._arrays(gold, response)
        if any(isinstance(side, Listing) and not is_set_of_reals(side) for side in (gold, response)):
            return None
        if isinstance(gold, Relation) and isinstance(response, Relation):
            decision = equal_relations(gold, response, self.budget)
            if decision.correct:
                return decision
        line = Line(Evaluator(self.budget))
        gold, response = (Named("empty") if isinstance(s, Text) and s.words in NOTHING else s for s in (gold, response))
        try:
            same = line.equal(line.cells(gold), line.cells(response))
        except (Unsupported, Undefined):
            return None
        return Decision(same, "interval", "the same set of numbers" if same else "different sets of numbers")

    def _arrays(self, gold: Node, response: Node) -> Decision:
        gold_part, response_part = rows_of(gold), rows_of(response)
        if gold_part is not None and response_part is not None:
            if [len(row) for row in gold_part] != [len(row) for row in response_part]:
                return Decision(False, "matrix", "different shapes")
            return self._all([x for row in gold_part for x in row], [x for row in response_part for x in row], "matrix")
        if isinstance(gold, Tuple) and isinstance(response, Tuple):
            if (gold.left, gold.right) != (response.left, response.right):
                return Decision(False, "tuple", "different brackets")
            return self._all(gold.items, response.items, "tuple")
        return _no("a tuple or matrix and something else")


def _normalised(node: Node) -> Node:
    """``node`` with permutations written out, and numerals to base ten as numbers."""
    if isinstance(node, Based) and node.base == 10 and node.digits.isdigit():
        return number(int(node.digits))
    return with_permutations(node)


def _words(node: Text | Symbol) -> tuple[str, ...]:
    return node.words if isinstance(node, Text) else (node.name.lower(),)
