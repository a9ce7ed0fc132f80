"""Survivors decide no claim: seeds that failed or are missing leave it open, or count as the worst."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from zoo_bench.claims import judge
from zoo_bench.schema import Cell, Suite

from plugins.bench.tests.test_claims import HIGH, LOW, claim, records
from zoo.training import RunRequest


def study(left: Iterable[float | None], right: Iterable[float | None], **changes: Any) -> tuple[Suite, Any]:
    """A suite with five seeds of two cells and one claim, and records of those that are not None."""
    cells = tuple(
        Cell(
            label=label,
            environment="two",
            request=RunRequest(algorithm=label, environment="two"),
            seeds=(0, 1, 2, 3, 4),
        )
        for label in ("reload", "gda")
    )
    suite = Suite(name="s", title="s", path=Path("s.toml"), cells=cells, claims=(claim(**changes),))
    made = records({("reload", "two"): left, ("gda", "two"): right})
    return suite, {key: row for key, row in made.items() if row["err"] is not None}


def test_all_seeds_decide_as_before() -> None:
    (verdict,) = judge(*study(LOW, HIGH))
    assert (verdict.words, verdict.n, verdict.asked) == ("reproduced", 5, 5)


@pytest.mark.parametrize("lost", [(1,), (0, 3), (0, 1, 2, 3), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize("side", [0, 1])
def test_a_seed_that_failed_or_is_missing_leaves_the_verdict_incomplete(lost: tuple[int, ...], side: int) -> None:
    columns: list[list[float | None]] = [list(LOW), list(HIGH)]
    for seed in lost:
        columns[side][seed] = None
    (verdict,) = judge(*study(*columns))
    assert verdict.words == f"incomplete at {5 - len(lost)} of 5 seeds"
    assert f"{('reload', 'gda')[side]} on two has no value" in verdict.sentence and str(lost[0]) in verdict.sentence
    assert verdict.to_json()["verdict"].startswith("incomplete") and verdict.to_json()["asked"] == 5


def test_nan_is_no_value_and_infinity_is_one() -> None:
    assert judge(*study([*LOW[:4], math.nan], HIGH))[0].answer == "incomplete"
    assert judge(*study(LOW, [*HIGH[:4], math.inf]))[0].answer == "reproduced"


@pytest.mark.parametrize("scale", ["difference", "ratio"])
@pytest.mark.parametrize("relation", ["<", ">"])
def test_a_claim_may_count_failed_runs_as_the_worst(relation: str, scale: str) -> None:
    sides = (LOW, HIGH) if relation == "<" else (HIGH, LOW)
    for side, label in enumerate(("reload", "gda")):
        columns: list[list[float | None]] = [list(sides[0]), list(sides[1])]
        columns[side][:3] = [None] * 3
        suite, there = study(*columns, relation=relation, failed="worst", scale=scale, margin=float(scale == "ratio"))
        failed = {(label, "two", seed) for seed in range(3)}
        (verdict,) = judge(suite, there, failed)
        assert verdict.answer not in ("incomplete", "not reproduced" if label == "gda" else "reproduced")
        side = verdict.effects[0].right if label == "gda" else verdict.effects[0].left
        assert math.isinf(side) or (scale == "ratio" and side < 0.5)
        assert judge(suite, there, set(list(failed)[:2]))[0].answer == "incomplete"  # one was never run
