"""Runs that the code of 28 November 2026 began are found, and end as they would have.

``old_runs/half`` holds runs that were stopped half-way, ``old_runs/whole`` the same ones run through, both by the code
before the core was laid out anew.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import zoo
from tests.cli.command import zoo as command
from zoo.training import SPEC, RunRequest, resolve

OLD = Path(__file__).parent / "old_runs"
RUNS = sorted(spec.parent.relative_to(OLD / "half") for spec in (OLD / "half").rglob(SPEC))


def log(run: Path) -> list[dict[str, float]]:
    """The metrics of a run, without the clock."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "wall"} for row in rows]


def tensors(run: Path) -> bytes:
    """Those of the newest checkpoint."""
    return max(run.glob("checkpoints/step-*/tensors.safetensors")).read_bytes()


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.parts[1])
def test_the_same_options_are_the_same_run(run: Path) -> None:
    spec = json.loads((OLD / "half" / run / SPEC).read_text())
    request = RunRequest(
        algorithm=spec["algorithm"], environment=spec["environment"], options=spec["config"],
        env_options=spec["env_config"], steps=spec["steps"], num_envs=spec["num_envs"],
        eval_episodes=spec["eval_episodes"],
    )  # fmt: skip
    assert resolve(request, zoo.discover()).key == spec["key"] == run.parts[2]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.parts[1])
def test_a_run_of_the_code_before_goes_on_bit_for_bit(run: Path, tmp_path: Path) -> None:
    shutil.copytree(OLD / "half", tmp_path, dirs_exist_ok=True)
    before = len(log(tmp_path / run))
    done = command(
        "train", "--resume", str(tmp_path / run), "--quiet"
    )  # a process that has what it imports, and no more
    assert done.returncode in (0, 3), done.stderr
    whole, resumed = log(OLD / "whole" / run), log(tmp_path / run)
    assert 0 < before < len(resumed)
    assert resumed[:before] == whole[:before]
    for ours, theirs in zip(resumed, whole, strict=True):  # another processor may round otherwise
        assert {*ours} - {*theirs} <= {name for name in ours if name.startswith("eval/violation")}  # later metrics
        assert {name: ours[name] for name in theirs} == pytest.approx(theirs, rel=1e-3, abs=1e-6)
    if resumed == whole:
        assert tensors(tmp_path / run) == tensors(OLD / "whole" / run)
