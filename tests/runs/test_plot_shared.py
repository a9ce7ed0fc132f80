"""Over several environments one figure shows what all of them have, the return first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from zoo_bench.plots.curves import Group, make_groups, shared_metrics
from zoo_bench.plots.learning_curves import draw, make_panels

from zoo.runs.store import Run
from zoo.training.storage.spec import RunSpec

PLAN = ["kkt", "err", "value/reward", "multiplier/heat"]
LEARN = ["loss", "episode/length", "episode/return", "eval/return"]


def groups(folder: Path, *environments: list[str], points: int = 3) -> list[Group]:
    """One run on each environment, with these metrics."""
    made = []
    for number, names in enumerate(environments):
        spec = RunSpec(algorithm="a/it", kind="algorithm", plugin_version="1", environment=f"e/env-{number}", steps=9)
        path = folder / str(number)
        path.mkdir()
        rows: list[dict[str, Any]] = [
            {"step": step, "wall": 0.1 * step, **dict.fromkeys(names, 1.0 / step)} for step in range(1, points + 1)
        ]
        (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        made.append([Run(path, spec)])
    return make_groups(made)


@pytest.mark.parametrize(
    ("environments", "shown"),
    [
        ([LEARN, LEARN], ["episode/return", "eval/return"]),
        ([LEARN, ["loss", "eval/return"]], ["eval/return"]),
        ([[*PLAN, "eval/return"], LEARN], ["eval/return"]),
        ([[*PLAN, "episode/return"], [*PLAN, "episode/return"]],
         ["episode/return", "err", "value/reward", "multiplier/heat"]),
        ([PLAN, [*PLAN, "violation/heat"]], ["err", "value/reward", "multiplier/heat"]),
        ([["loss", "kl"], ["kl", "loss", "grad"]], ["loss", "kl"]),
        ([["a", "b", "c", "d"], ["d", "c", "b", "a"]], ["a", "b", "c", "d"]),
        ([["a"], ["b"]], []),
        ([LEARN, LEARN, ["episode/return"]], ["episode/return"]),
    ],
)  # fmt: skip
def test_what_all_have(environments: list[list[str]], shown: list[str], tmp_path: Path) -> None:
    made = groups(tmp_path, *environments)
    assert shared_metrics(made) == shown
    panels = make_panels(made, [], "steps", "auto")
    if shown:
        assert [(panel.environment, panel.metric) for panel in panels] == [
            (f"env-{number}", name) for number in range(len(environments)) for name in shown
        ]
    else:  # nothing in common: each shows its own
        assert {panel.environment for panel in panels} == {f"env-{n}" for n in range(len(environments))}
    draw(panels, "steps")


def test_single_points_are_shown_where_nothing_else_is_shared(tmp_path: Path) -> None:
    made = groups(tmp_path, ["kkt", "eval/return"], ["eval/return", "loss"], points=1)
    assert shared_metrics(made) == ["eval/return"]


def test_one_environment_is_as_before(tmp_path: Path) -> None:
    panels = make_panels(groups(tmp_path, [*PLAN, "eval/return"]), [], "steps", "auto")
    assert [panel.metric for panel in panels] == ["err", "value/reward", "multiplier/heat"]
