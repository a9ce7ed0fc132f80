"""Runs are read back from what Weights & Biases and MLflow have stored, killed and resumed ones among them."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PLUGIN = '''
from dataclasses import dataclass
import os, pathlib
import numpy as np
from zoo import Algorithm, hookimpl

@hookimpl
def zoo_register(zoo):
    zoo.algorithm("counting", "counting:Counting", config="counting:Config", summary="counts", steps=60)

@dataclass(frozen=True, kw_only=True)
class Config:
    die: int = 0
    """step at which the process is killed, once; 0: never"""

class Counting(Algorithm):
    def __init__(self, ctx, config):
        super().__init__(ctx, config); ctx.env.reset()
    def update(self):
        self.env_steps += 10
        if self.env_steps == self.config.die and not pathlib.Path("died").exists():
            pathlib.Path("died").touch(); os._exit(9)
        return {"train/height": self.env_steps / 10}
    def act(self, obs, *, greedy=True): return np.zeros(len(obs), dtype=np.int64)
    def state(self): return {}
    def load_state(self, state): pass
'''
EXPECTED = [(step, step / 10) for step in range(10, 70, 10)]


def train(folder: Path, *args: str, **variables: str) -> Path:
    (folder / "counting.py").write_text(PLUGIN)
    command = [sys.executable, "-m", "zoo", "--plugin", "counting.py", "train", "counting", "cart-pole"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "MLFLOW_"))}
    done = subprocess.run(
        [*command, "--eval-episodes", "0", "--checkpoint-every", "20", *args], cwd=folder, text=True,
        capture_output=True, check=False, env=environment | {"HOME": str(folder)} | variables,
    )  # fmt: skip
    assert done.returncode in (0, 9), done.stderr
    assert "left out of this run" not in done.stderr
    (run,) = (path.parent for path in (folder / "runs").rglob("spec.json"))
    return run


BLOCK, HEADER = 32768, struct.Struct("<IHB")


def records(file: Path) -> Iterator[bytes]:
    """The records of an offline file: a log as LevelDB's, whose first seven bytes are W&B's own."""
    data, at, parts = file.read_bytes(), 7, []
    while at + HEADER.size <= len(data):
        if BLOCK - at % BLOCK < HEADER.size:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = HEADER.unpack_from(data, at)
        parts.append(data[at + HEADER.size : at + HEADER.size + length])
        at += HEADER.size + length
        if kind in (1, 4):  # whole, or the last part
            yield b"".join(parts)
            parts.clear()


def rows_in_wandb(run: Path) -> list[tuple[int, float]]:
    """What is in the offline files, oldest first."""
    from wandb.proto.wandb_internal_pb2 import Record

    rows = []
    for file in sorted(run.parent.glob("wandb/offline-run-*/*.wandb")):
        for data in records(file):
            record = Record.FromString(data)
            if record.WhichOneof("record_type") == "history":
                items = {"/".join(i.nested_key) or i.key: json.loads(i.value_json) for i in record.history.item}
                if "train/height" in items:
                    rows.append((int(items["step"]), items["train/height"]))
    return rows


def test_weights_and_biases_has_every_row_although_the_run_was_killed(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    variables = {"WANDB_PROJECT": "ours", "WANDB_MODE": "offline"}
    run = train(tmp_path, "--die", "40", **variables)
    first = json.loads((run / "wandb.json").read_text())["id"]
    train(tmp_path, "--die", "40", **variables)
    assert json.loads((run / "wandb.json").read_text())["id"] == first
    assert {file.stem for file in run.parent.glob("wandb/offline-run-*/*.wandb")} == {f"run-{first}"}
    assert sorted(set(rows_in_wandb(run))) == EXPECTED  # what the killed process had sent may be there twice


def test_without_a_key_training_waits_for_no_question(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    assert rows_in_wandb(train(tmp_path, WANDB_PROJECT="ours")) == EXPECTED


def test_mlflow_has_every_row_once_although_the_run_was_killed(tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    variables = {"MLFLOW_TRACKING_URI": (tmp_path / "ml").as_uri(), "MLFLOW_ALLOW_FILE_STORE": "true"}
    run = train(tmp_path, "--die", "40", **variables)
    train(tmp_path, "--die", "40", **variables)
    for name, value in variables.items():
        os.environ[name] = value
    try:
        client = _client()
        (experiment,) = [one for one in client.search_experiments() if one.name == "zoo"]
        (found,) = client.search_runs([experiment.experiment_id])
        history = client.get_metric_history(found.info.run_id, "train/height")
    finally:
        for name in variables:
            del os.environ[name]
    assert [(metric.step, metric.value) for metric in history] == EXPECTED
    assert found.info.status == "FINISHED"
    assert found.data.params["die"] == "40" and found.data.params["environment"] == "zoo-envs/cart-pole"
    assert found.data.tags["zoo.key"] == run.parent.name


def _client() -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient()


def test_nothing_is_sent_or_imported_that_no_variable_asks_for(tmp_path: Path) -> None:
    run = train(tmp_path)
    assert not (run / "wandb.json").exists() and not (run / "mlflow.json").exists()
    code = (
        "import sys; from zoo import discover; r = discover(only=['zoo-trackers'], strict=True);"
        "assert {plugin.state for plugin in r.plugins} == {'registered'};"
        "sys.exit(', '.join({'wandb', 'mlflow', 'numpy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
