"""Equations and inequalities in several variables: equal up to a nonzero constant factor."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.exact import Value
from zoo_harp.checker.algebra.values import Decision, compare_values, is_multiple
from zoo_harp.checker.limits import Budget, Undefined, Unsupported
from zoo_harp.checker.tree import Node, Relation

_REVERSED: Final = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def equal_relations(gold: Relation, response: Relation, budget: Budget) -> Decision:
    """Compare two equations, inequalities or congruences.

    Raises:
        LimitExceeded: a number would be too long, or the work too much.
        Timeout: the deadline has passed.
    """
    if gold.ops == ("mod",) and response.ops == ("mod",):
        return _congruences(gold, response, budget)
    if len(gold.ops) != len(response.ops):
        return Decision(False, "equation", "chains of different lengths")
    if len(gold.ops) > 1:
        return _chains(gold, response, budget)
    one, other = gold.ops[0], response.ops[0]
    if one not in _REVERSED or other not in _REVERSED:
        same = one == other and all(
            compare_values(a, b, budget).correct for a, b in zip(gold.terms, response.terms, strict=True)
        )
        return Decision(same, "relation", "the same relation" if same else "different relations")
    field = Evaluator(budget)
    try:
        factor = is_multiple(_difference(gold, field), _difference(response, field), field)
        if factor is None:
            return Decision(False, "equation", "not multiples of each other")
        kept = one in ("=", "!=") or field.sign(factor) > 0
        same = other == (one if kept else _REVERSED[one])
    except (Unsupported, Undefined) as error:
        return Decision(False, "equation", f"cannot be compared: {error}")
    return Decision(same, "equation", "equal up to a constant factor" if same else "different directions")


def _difference(node: Relation, field: Evaluator) -> Value:
    return field.add(field.value(node.terms[0]), field.value(node.terms[1]), -1)


def _chains(gold: Relation, response: Relation, budget: Budget) -> Decision:
    """``a < b < c`` term by term, forwards or reversed."""

    def same(ops: tuple[str, ...], terms: tuple[Node, ...]) -> bool:
        return gold.ops == ops and all(
            compare_values(a, b, budget).correct for a, b in zip(gold.terms, terms, strict=True)
        )

    reversed_ops = tuple(_REVERSED.get(op, op) for op in reversed(response.ops))
    same_chain = same(response.ops, response.terms) or same(reversed_ops, response.terms[::-1])
    return Decision(same_chain, "relation", "the same chain" if same_chain else "different chains")


def _congruences(gold: Relation, response: Relation, budget: Budget) -> Decision:
    """Whether the moduli are the same, and the sides differ by a multiple of them."""
    if len(gold.terms) != 3 or len(response.terms) != 3:
        return Decision(False, "congruence", "a congruence without its modulus")
    if gold.terms[0] != response.terms[0] or not compare_values(gold.terms[2], response.terms[2], budget).correct:
        return Decision(False, "congruence", "different variables or moduli")
    field = Evaluator(budget)
    try:
        gap = field.div(field.add(field.value(gold.terms[1]), field.value(response.terms[1]), -1),
                        field.value(gold.terms[2]))  # fmt: skip
    except (Unsupported, Undefined) as error:
        return Decision(False, "congruence", f"cannot be compared: {error}")
    same = isinstance(gap, Fraction) and gap.denominator == 1
    return Decision(same, "congruence", "congruent" if same else "not congruent")
