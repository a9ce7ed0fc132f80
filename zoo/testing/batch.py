"""Checks of a batch of seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from zoo.api import Batch, Metrics
from zoo.testing.compare import difference
from zoo.testing.global_generators import global_generators_unused
from zoo.testing.harness import Harness, metrics_difference
from zoo.testing.updates import Row, advance, checked_metrics
from zoo.training.build import Member

SEEDS = (0, 1, 2)
TOLERANCE = 1e-5


def check_batch(harness: Harness) -> None:
    """Members follow their solo runs at first, go on together bit for bit, and each goes on alone.

    Raises:
        AssertionError: naming the member and what is wrong.
    """
    contract = harness.contract
    solo: list[list[Row]] = []
    for seed in SEEDS:
        with harness.member(seed) as member:
            solo.append(advance(harness, member, 2))
    with harness.members(*SEEDS) as (members, batch):
        if batch is None:
            raise contract.fail("batch() is offered and was not used")
        contract.require(len(batch) == len(SEEDS), f"len() of a batch of {len(SEEDS)} seeds is {len(batch)}")
        rows = [_together(harness, members, batch)]
        saved = harness.round_trip(members)
        rows.append(_together(harness, members, batch))
        after = harness.round_trip(members)
    for index, seed in enumerate(SEEDS):
        for number, expected in enumerate(solo[index]):
            problem = _metric_difference(expected, rows[number][index])
            contract.require(
                not problem,
                f"member {index} (seed {seed}) of a batch leaves its solo run at update {number + 1}: {problem}",
            )
    with harness.members(*SEEDS) as (members, batch):
        for member, state in zip(members, saved, strict=True):
            harness.restore(member, state)
        repeated = _together(harness, members, batch) if batch is not None else []
        problem = metrics_difference(rows[1], repeated)
        for index, member in enumerate(members):
            problem = problem or difference(after[index], member.capture())
        contract.require(not problem, f"a batch resumed from its members' checkpoints is not exact: {problem}")
    for index, seed in enumerate(SEEDS):
        with harness.member(seed) as member:
            harness.restore(member, saved[index])
            problem = _metric_difference(rows[1][index], advance(harness, member, 1)[0])
        contract.require(not problem, f"member {index} (seed {seed}) resumed alone leaves the batch: {problem}")


def _together(harness: Harness, members: Sequence[Member], batch: Batch) -> list[Row]:
    before = [member.algorithm.env_steps for member in members]
    with (
        harness.contract.during("update() of a batch"),
        global_generators_unused(harness.contract, "update() of a batch"),
    ):
        metrics: Sequence[Metrics] = batch.update()
    harness.contract.require(
        len(metrics) == len(members), f"update() of a batch of {len(members)} returned {len(metrics)} rows of metrics"
    )
    for index, member in enumerate(members):
        member.env.drain()
        grew = member.algorithm.env_steps > before[index]
        final = member.algorithm.outcome is not None and member.algorithm.outcome.final
        harness.contract.require(grew or final, f"member {index} of a batch left its env_steps at {before[index]}")
    return [checked_metrics(harness.contract, row) for row in metrics]


def _metric_difference(expected: Mapping[str, float], actual: Mapping[str, float]) -> str:
    if expected.keys() != actual.keys():
        return f"it has the metrics {', '.join(actual)}, expected {', '.join(expected)}"
    for name, value in expected.items():
        if not math.isclose(value, actual[name], rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            return f"metric {name!r} is {actual[name]!r}, expected {value!r} to {TOLERANCE:g}"
    return ""
