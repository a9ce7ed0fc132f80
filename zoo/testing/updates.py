"""Updates of an algorithm, with the checks that each update must pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from zoo.api import Metrics
from zoo.testing.compare import difference
from zoo.testing.contract import Contract
from zoo.testing.global_generators import global_generators_unused
from zoo.testing.harness import Harness, metrics_difference
from zoo.training.build import Member

Row = dict[str, float]


def advance(
    harness: Harness, member: Member, updates: int, between: Callable[[Member], None] | None = None
) -> list[Row]:
    """Up to ``updates`` checked updates (0: until the budget is used); fewer if the algorithm is final.

    Args:
        harness: what is checked.
        member: what is advanced.
        updates: how many.
        between: called after each update.
    """
    rows: list[Row] = []
    algorithm = member.algorithm
    while not updates or len(rows) < updates:
        before = algorithm.env_steps
        with harness.contract.during("update()"), global_generators_unused(harness.contract, "update()"):
            metrics = algorithm.update()
        member.env.drain()
        rows.append(checked_metrics(harness.contract, metrics))
        final = algorithm.outcome is not None and algorithm.outcome.final
        harness.contract.require(
            algorithm.env_steps > before or final,
            f"update() left env_steps at {before}: it must grow, because the budget is counted in it",
        )
        if between is not None:
            between(member)
        if final or algorithm.env_steps >= harness.components.spec.steps:
            break
    return rows


def checked_metrics(contract: Contract, metrics: Metrics) -> Row:
    """The metrics of one update as floats.

    Raises:
        AssertionError: they are no mapping of names to finite numbers.
    """
    contract.require(isinstance(metrics, Mapping), f"update() returned a {type(metrics).__name__}, expected a mapping")
    row: Row = {}
    for name, value in metrics.items():
        contract.require(isinstance(name, str) and name.strip(), f"metric name {name!r} is not a non-empty string")
        contract.require(_number(value), f"metric {name!r} is {value!r}, expected a float")
        contract.require(math.isfinite(value), f"metric {name!r} is {value}, expected a finite number")
        row[name] = float(value)
    return row


def _number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, Real) or getattr(value, "shape", None) == ()


def check_resume(harness: Harness, seed: int = 0) -> list[Row]:
    """Determinism, an exact round trip of the state, and exact resume through a checkpoint on disk.

    A straight run is the reference. A second one with the same seed is cut in the middle, saved, and loaded
    into a fresh object that goes on; both must agree in every metric and every bit of their final state.

    Returns:
        The metrics of the reference.

    Raises:
        AssertionError: saying which of the three is broken, and at which metric or part of the state.
    """
    contract = harness.contract
    with harness.member(seed) as straight:
        expected = advance(harness, straight, harness.limit)
        final = harness.round_trip([straight])[0]
    final_before_it = straight.algorithm.outcome is not None and straight.algorithm.outcome.final
    contract.require(
        len(expected) > 1 or final_before_it,
        f"steps={harness.components.spec.steps} is a single update, with nothing to resume: check with more steps",
    )
    middle = max(1, len(expected) // 2)
    with harness.member(seed) as first:
        rows = advance(harness, first, middle)
        problem = metrics_difference(expected[:middle], rows)
        contract.require(not problem, f"two runs with the same seed differ: {problem}")
        saved = harness.round_trip([first])[0]
        problem = difference(first.capture(), saved)
        contract.require(not problem, f"its state does not survive a checkpoint: {problem}")
    with harness.member(seed) as second:
        harness.restore(second, saved)
        problem = difference(saved, second.capture())
        contract.require(not problem, f"load_state() does not restore what state() gave: {problem}")
        if len(expected) > middle:
            rows += advance(harness, second, len(expected) - middle)
        problem = metrics_difference(expected, rows) or difference(final, second.capture())
    if problem:
        with harness.member(seed) as third:
            repeated = advance(harness, third, harness.limit)
            unequal = metrics_difference(expected, repeated) or difference(final, third.capture())
        contract.require(not unequal, f"two runs with the same seed differ: {unequal}")
        raise contract.fail(f"resuming after {middle} of {len(expected)} updates is not exact: {problem}")
    return expected
