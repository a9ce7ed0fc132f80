"""The symbolic tier: sympy in a killable process, fed with our tree as data."""

from __future__ import annotations

from typing import Any

from zoo_harp.checker.limits import Timeout
from zoo_harp.checker.pool import WorkerDied, ask
from zoo_harp.checker.tree import Node, to_data


def prove_equal(one: Node, other: Node, seconds: float) -> bool | None:
    """Whether sympy shows that two expressions are equal, or different; None if it shows neither.

    Raises:
        Timeout: it took longer than ``seconds``.
    """
    request: dict[str, Any] = {"do": "prove", "trees": [to_data(one), to_data(other)]}
    try:
        answer = ask(request, seconds)
    except WorkerDied:
        return None
    if answer is None:
        raise Timeout
    found = answer.get("equal")
    return found if isinstance(found, bool) else None
