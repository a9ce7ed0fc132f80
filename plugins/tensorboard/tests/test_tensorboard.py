"""Event files are read back with TensorBoard's own reader."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zoo_tensorboard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from zoo import discover


@dataclass(frozen=True)
class Run:
    path: Path
    seed: int = 0
    spec: Any = None


def scalars(run: Run) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(run.path / "tb"), size_guidance={"scalars": 0}).Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


@pytest.fixture
def hooks() -> Any:
    return discover(only=["zoo-tensorboard"], strict=True).manager.hook


def test_written_and_read_back(tmp_path: Path, hooks: Any) -> None:
    run = Run(tmp_path / "seed-0")
    run.path.mkdir()
    hooks.zoo_run_started(run=run)
    for step in (128, 256, 384):
        hooks.zoo_metrics(run=run, step=step, metrics={"loss/value": step / 128, "train/kl": 0.5})
    hooks.zoo_run_finished(run=run, status="finished")
    assert scalars(run) == {
        "loss/value": [(128, 1.0), (256, 2.0), (384, 3.0)],
        "train/kl": [(128, 0.5), (256, 0.5), (384, 0.5)],
    }


def test_runs_side_by_side_keep_apart(tmp_path: Path, hooks: Any) -> None:
    runs = [Run(tmp_path / f"seed-{seed}", seed) for seed in range(3)]
    for run in runs:
        run.path.mkdir()
        hooks.zoo_run_started(run=run)
    for step in (1, 2):
        for run in runs:
            hooks.zoo_metrics(run=run, step=step, metrics={"a/b": run.seed + step})
    for run in reversed(runs):
        hooks.zoo_run_finished(run=run, status="interrupted")
    for run in runs:
        assert scalars(run) == {"a/b": [(1, run.seed + 1.0), (2, run.seed + 2.0)]}


def test_resume_replaces_what_was_lost(tmp_path: Path, hooks: Any) -> None:
    run = Run(tmp_path)
    hooks.zoo_run_started(run=run)
    for step in (10, 20, 30, 40):
        hooks.zoo_metrics(run=run, step=step, metrics={"a/b": 1.0})
    hooks.zoo_run_finished(run=run, status="interrupted")
    hooks.zoo_run_started(run=run)
    for step in (30, 40, 50):
        hooks.zoo_metrics(run=run, step=step, metrics={"a/b": 2.0})
    hooks.zoo_run_finished(run=run, status="finished")
    assert scalars(run) == {"a/b": [(10, 1.0), (20, 1.0), (30, 2.0), (40, 2.0), (50, 2.0)]}


def test_a_checkpoint_brings_everything_to_the_disk(
    tmp_path: Path, hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo_tensorboard.FLUSH_SECONDS", 3600.0)  # nothing but the checkpoint may write
    run = Run(tmp_path)
    hooks.zoo_run_started(run=run)
    for step in range(10, 60, 10):  # the writer's thread may flush once when it starts, so one is not enough
        hooks.zoo_metrics(run=run, step=step, metrics={"a/b": 1.0})
    hooks.zoo_checkpoint(run=run, path=tmp_path)
    assert scalars(run) == {"a/b": [(step, 1.0) for step in range(10, 60, 10)]}
    hooks.zoo_run_finished(run=run, status="finished")


def test_finishing_a_run_that_never_started_is_no_error(tmp_path: Path, hooks: Any) -> None:
    hooks.zoo_run_finished(run=Run(tmp_path), status="failed")
    assert list(tmp_path.iterdir()) == []


def test_loading_the_plugin_imports_no_tensorboard() -> None:
    code = (
        "import sys; from zoo import discover; r = discover(only=['zoo-tensorboard'], strict=True);"
        "assert r.plugins[0].state == 'registered';"
        "bad = {'tensorboard', 'google.protobuf', 'numpy', 'torch'} & set(sys.modules);"
        "sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert zoo_tensorboard.FOLDER == "tb"
