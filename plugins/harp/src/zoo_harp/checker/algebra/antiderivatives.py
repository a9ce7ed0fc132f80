"""Indefinite integrals: two are the same if they differ by a constant."""

from __future__ import annotations

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.values import Decision, compare_values
from zoo_harp.checker.limits import Budget, LimitExceeded, Undefined, Unsupported
from zoo_harp.checker.tree import Apply, Node, Number, Symbol, number, rebuilt, symbols, walk
from zoo_harp.checker.workers.symbolic import prove_equal

_NAMES = ("C", "K", "c", "C_1")
_VARIABLES = frozenset("xytuvwzrsθ") | {"theta"}
"""what an antiderivative is a function of, where no integral says so"""


def compare_antiderivatives(gold: Node, response: Node, budget: Budget) -> Decision | None:
    """Compare up to a constant where the gold names one, or either side is an indefinite integral; None elsewhere.

    A response without a constant of its own must equal the gold answer without its constant.

    Raises:
        LimitExceeded: a number would be too long, or the work too much.
        Timeout: the deadline has passed.
    """
    if isinstance(gold, Number) or not any(map(_may_vary, walk(gold))):
        return None
    variables = [_variable(side) for side in (gold, response)]
    constants = [_constant(side) for side in (gold, response)]
    variable = variables[0] or variables[1]
    if variables[0] is None and constants[0] is None:
        return None  # the gold answer is a single value
    left, right = (
        _without(side, name) if name else side for side, name in zip((gold, response), constants, strict=True)
    )
    if variable is not None:
        proved = prove_equal(left, right, budget, variable=variable)
        if proved is None:
            return Decision(False, "undecided", "neither proved equal nor different up to a constant")
        return Decision(proved, "integral", "equal up to a constant" if proved else "different derivatives")
    if constants[1] is None or constants[0] == "c":
        return compare_values(left, right, budget)
    field = Evaluator(budget.half())
    try:
        gap = field.add(field.value(left), field.value(right), -1)
        same = not field.is_variable(gap)
    except (Unsupported, Undefined, LimitExceeded):
        return compare_values(left, right, budget)
    return Decision(same, "integral", "equal up to a constant" if same else "not equal up to a constant")


def _may_vary(part: Node) -> bool:
    """Whether it is an indefinite integral, or a letter that may be a constant of integration."""
    if isinstance(part, Apply):
        return part.op == "int" and len(part.args) == 2
    return isinstance(part, Symbol) and part.name in _NAMES


def _variable(node: Node) -> str | None:
    """The variable of an indefinite integral in it."""
    for part in walk(node):
        if isinstance(part, Apply) and part.op == "int" and len(part.args) == 2 and isinstance(part.args[0], Symbol):
            return part.args[0].name
    return None


def _constant(node: Node) -> str | None:
    """The name of the constant of integration: one term of a sum with something else that varies.

    A small c may as well be a coefficient: it needs one variable beside it, and then stands only for itself.
    """
    for name in _NAMES:
        occurrences = [part for part in walk(node) if part == Symbol(name)]
        others = symbols(node) - {name}
        plain = len(others) == 1 and others <= _VARIABLES if name == "c" else all(map(str.islower, others))
        if len(occurrences) == 1 and name in _terms(node) and others and plain:
            return name
    return None


def _terms(node: Node) -> list[str]:
    """Names of the variables that are terms of their own."""
    names: list[str] = []
    while isinstance(node, Apply) and node.op in ("add", "sub"):
        if isinstance(node.args[1], Symbol):
            names.append(node.args[1].name)
        node = node.args[0]
    return [*names, node.name] if isinstance(node, Symbol) else names


def _without(node: Node, name: str) -> Node:
    replaced: Node = rebuilt(node, lambda part: number(0) if part == Symbol(name) else None)
    return replaced
