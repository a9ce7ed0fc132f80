"""Seed batches, observers and trainable representations, each with a plugin from outside, through the command."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np

ENVS = "zoo-good-plain,zoo-good-batch,zoo-envs"
BATCH = ("train", "stacked", "CartPole-v1", "--eval-episodes", "0", "--checkpoint-every", "64", "--json")


def metrics(run: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "wall"} for row in rows]


def paths(done: Any, tmp_path: Path) -> list[Path]:
    assert done.status == 0, done.err
    return [tmp_path / run["path"] for run in done.json["runs"]]


def rewind(run: Path) -> None:
    """As if the run had been killed after its last checkpoint but one."""
    newest = max((run / "checkpoints").glob("step-*"))
    shutil.rmtree(newest)
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "state": "running"}))


def test_seeds_are_one_batch_that_writes_ordinary_runs(zoo: Any, tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    runs = paths(zoo(*BATCH, "--seeds", "0:4", ZOO_PLUGINS=ENVS, STACKED_TRACE=str(trace)), tmp_path)
    assert trace.read_text().split() == ["4"] * 4  # four updates of four members
    assert [run.name for run in runs] == ["seed-0", "seed-1", "seed-2", "seed-3"]
    straight = [metrics(run) for run in runs]
    assert len({json.dumps(rows) for rows in straight}) == 4

    # The first updates are those of a solo run.
    (solo,) = paths(zoo(*BATCH, "--seed", "2", "--dir", "solo", ZOO_PLUGINS=ENVS), tmp_path)
    for one, other in zip(metrics(solo), straight[2], strict=True):
        assert one.keys() == other.keys()
        assert all(math.isclose(one[name], other[name], rel_tol=1e-5, abs_tol=1e-5) for name in one)

    # Each is resumable alone: seed 2 goes on without the batch.
    rewind(runs[2])
    trace.unlink()
    (alone,) = paths(zoo(*BATCH, "--seed", "2", ZOO_PLUGINS=ENVS, STACKED_TRACE=str(trace)), tmp_path)
    assert alone == runs[2]
    assert not trace.exists()
    assert metrics(alone) == straight[2]
    assert (alone / "heard.txt").read_text().count("started 2") == 2

    # And together, from the newest step that all members have.
    for run in runs:
        rewind(run)
    again = paths(zoo(*BATCH, "--seeds", "0:4", ZOO_PLUGINS=ENVS, STACKED_TRACE=str(trace)), tmp_path)
    assert trace.read_text().split() == ["4"]
    assert [metrics(run) for run in again] == straight


def test_an_observer_hears_every_event_in_order(zoo: Any, tmp_path: Path) -> None:
    (run,) = paths(zoo(*BATCH, "--steps", "128", ZOO_PLUGINS=ENVS), tmp_path)
    heard = [line.split() for line in (run / "heard.txt").read_text().splitlines()]
    assert [line[0] for line in heard] == ["started", "metrics", "checkpoint", "metrics", "checkpoint", "ended"]
    assert [line[1] for line in heard if line[0] == "metrics"] == ["64", "128"]
    assert "value/0" in heard[1]
    assert heard[-1] == ["ended", "finished"]


def successor(policy: list[int] | None, gamma: float = 0.5) -> Any:
    """M of two-state in closed form: action 0 stays, 1 switches; None is the uniform policy."""
    swap = np.array([0.5, 0.5]) if policy is None else np.array(policy, dtype=float)
    P = np.array([[1 - swap[0], swap[0]], [swap[1], 1 - swap[1]]])
    return np.linalg.inv(np.eye(2) - gamma * P)


def learned(run: Path) -> Any:
    from zoo.training.storage import checkpoint
    from zoo.training.storage.run_dir import RunDir

    opened = RunDir.open(run)
    step = checkpoint.steps(opened.checkpoints)[-1]
    return checkpoint.load(opened.checkpoints, step)["member"]["algorithm"]["representation"]["M"]


def test_a_representation_trains_like_an_algorithm(zoo: Any, tmp_path: Path) -> None:
    command = ("train", "successor-rows", "two-state", "--eval-episodes", "0", "--json")
    done = zoo(*command, ZOO_PLUGINS=ENVS)
    (run,) = paths(done, tmp_path)
    M = learned(run)
    assert np.abs(M - successor(None)).max() < 0.05
    row = done.json["runs"][0]["metrics"]
    assert math.isclose(row["distance/max"], np.abs(M - successor(None)).max(), abs_tol=1e-12)
    assert metrics(run)[0]["distance/max"] > row["distance/max"]


def test_the_exact_solution_is_installed_and_its_distance_reported(zoo: Any, tmp_path: Path) -> None:
    done = zoo("train", "successor-rows", "two-state", "--exact", "--eval-episodes", "0", "--json", ZOO_PLUGINS=ENVS)
    (run,) = paths(done, tmp_path)
    np.testing.assert_allclose(learned(run), successor(None), atol=1e-12)
    row = done.json["runs"][0]["metrics"]
    assert row["distance/max"] <= 1e-12
    assert math.isclose(row["distance/max_before"], np.abs(np.eye(2) - successor(None)).max(), abs_tol=1e-12)


def test_a_representation_follows_the_policy_it_is_given(zoo: Any, tmp_path: Path) -> None:
    command = ("train", "successor-rows", "two-state", "--exact", "--eval-episodes", "0", "--json")
    (run,) = paths(zoo(*command, "--policy", "greedy:1", ZOO_PLUGINS=ENVS), tmp_path)
    np.testing.assert_allclose(learned(run), successor([1, 0]), atol=1e-12)  # switch to state 1, then stay
    wrong = zoo(*command, "--policy", "greedy:7", ZOO_PLUGINS=ENVS)
    assert wrong.status == 2
    assert "expected a state from 0 to 1" in wrong.err


def test_the_good_plugins_pass_the_conformance_kit(site: Path) -> None:
    import os
    import subprocess
    import sys

    code = "from zoo.testing import check_plugin; [check_plugin(f'zoo-good-{name}') for name in ('plain', 'batch')]"
    environ = {**os.environ, "PYTHONPATH": str(site), "ZOO_PLUGINS": ENVS}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr.splitlines()[-1]
