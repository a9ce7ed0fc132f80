"""sympy in a killable process, which gets our tree as data."""

from __future__ import annotations

from typing import Any

from zoo_harp.checker.limits import Budget, Timeout
from zoo_harp.checker.tree import Apply, Node, to_data, walk
from zoo_harp.checker.workers.pool import WorkerDied, ask

_MIN_SECONDS: float = 0.01
"""sympy is not called for less than this time"""
_OWN_SHARE: float = 0.9
"""fraction of the wall time after which the worker stops itself; one that does not is killed at the end of it"""


def prove_equal(a: Node, b: Node, budget: Budget, *, variable: str = "") -> bool | None:
    """Whether sympy shows that two expressions are equal, or different; None if it shows neither.

    With ``variable`` they are equal if they differ by what does not depend on it, as antiderivatives do. Only the
    processor time of the proof counts, not waiting for a worker or for sympy to be loaded.

    Raises:
        Timeout: it would take longer than the budget allows.
    """
    budget.check_time()
    wall = budget.wall_left()
    if budget.symbolic < _MIN_SECONDS or wall < _MIN_SECONDS:
        raise Timeout
    request: dict[str, Any] = {
        "do": "prove", "trees": [to_data(a), to_data(b)], "variable": variable, "seconds": budget.symbolic,
        "wall": _OWN_SHARE * wall,
    }  # fmt: skip
    try:
        answer, waited = ask(request, wall, ("sympy", "sums") if _has_sums(a) or _has_sums(b) else ("sympy",))
    except WorkerDied:
        budget.symbolic = 0.0
        raise Timeout from None
    budget.began += waited
    if answer is None or answer.get("late"):
        budget.symbolic = 0.0
        raise Timeout
    budget.symbolic -= float(answer.get("used", 0.0))
    equal = answer.get("equal")
    return equal if isinstance(equal, bool) else None


def _has_sums(node: Node) -> bool:
    return any(isinstance(part, Apply) and part.op in ("sum", "prod") for part in walk(node))
