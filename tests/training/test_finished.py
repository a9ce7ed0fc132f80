"""A run is finished when its spec, logs and newest checkpoint agree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rows import logged
from tests.training.conftest import Trainer
from zoo.errors import RunError
from zoo.runs.store import open_run
from zoo.runs.verify import verify
from zoo.training.callbacks import Silent
from zoo.training.settings import RunResult
from zoo.training.storage import checkpoint
from zoo.training.storage.run_dir import RunDir

NEWEST = "checkpoints/step-000000000040"


class Meddler(Silent):
    """Does something to the run directory after so many updates."""

    def __init__(self, after: int, meddle: Callable[[Path], object]) -> None:
        self.left, self.meddle = after, meddle

    def updated(self, run: RunDir, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            self.meddle(run.path)


MEDDLING: dict[str, Callable[[Path], object]] = {
    "directory removed": shutil.rmtree,
    "directory moved": lambda path: path.rename(path.with_name("elsewhere")),
    "log removed": lambda path: (path / "metrics.jsonl").unlink(),
    "log replaced": lambda path: shutil.copy(path / "eval.jsonl", path / "x").rename(path / "metrics.jsonl"),
    "log cut": lambda path: (path / "metrics.jsonl").write_bytes(b""),
    "evaluations removed": lambda path: (path / "eval.jsonl").unlink(),
    "spec removed": lambda path: (path / "spec.json").unlink(),
    "spec changed": lambda path: (path / "spec.json").write_text("{}"),
}  # fmt: skip


@pytest.mark.parametrize("after", [3, 38])
@pytest.mark.parametrize("what", MEDDLING)
def test_what_vanishes_while_it_trains_is_not_called_finished(run: Trainer, what: str, after: int) -> None:
    (result,) = run(watch=Meddler(after, MEDDLING[what]), settings={"checkpoint": _every(1000)})
    assert result.status == "failed"
    assert str(result.path) in result.message
    status = RunDir(result.path, None).status()  # type: ignore[arg-type]
    assert status["state"] in ("failed", "new")


def _every(steps: int) -> Any:
    from zoo.training.settings import Cadence

    return Cadence(steps=steps)


def _flip(path: Path, where: int = 40) -> None:
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)


def _edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "newest checkpoint removed": lambda path: shutil.rmtree(path / NEWEST),
    "all checkpoints removed": lambda path: shutil.rmtree(path / "checkpoints"),
    "manifest torn": lambda path: (path / NEWEST / "manifest.json").write_bytes(b"{"),
    "log cut": lambda path: (path / "metrics.jsonl").write_bytes((path / "metrics.jsonl").read_bytes()[:500]),
    "log removed": lambda path: (path / "metrics.jsonl").unlink(),
    "evaluations cut": lambda path: (path / "eval.jsonl").write_bytes(b""),
    "step of the status": lambda path: _edit(path / "status.json", step=39),
    "numbers of the status": lambda path: _edit(path / "status.json", metrics={"x": 1.0}),
    "score of the status": lambda path: _edit(path / "status.json", score={"return": 1e9}),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_status_alone_does_not_make_a_run_finished(run: Trainer, what: str) -> None:
    (result,) = run()
    DAMAGE[what](result.path)
    with pytest.raises(RunError, match="says that it is finished, and"):
        run()
    found = open_run(result.path)
    assert found.problem or what == "all checkpoints removed"
    assert any(part.state == "damaged" for part in verify(found))
    (fresh,) = run(settings={"resume": "never"})
    assert fresh.status == "finished" and fresh.path.with_name("seed-0~1").is_dir()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("metrics.jsonl", "metrics.jsonl"), ("eval.jsonl", "eval.jsonl"), (f"{NEWEST}/state.json", "checkpoint 40"),
        (f"{NEWEST}/tensors.safetensors", "checkpoint 40"), (f"{NEWEST}/manifest.json", "checkpoint 40"),
        ("checkpoints/step-000000000010/state.json", "checkpoint 10"),
    ],
)  # fmt: skip
def test_a_flipped_bit_is_found(run: Trainer, name: str, part: str) -> None:
    (result,) = run()
    assert {one.state for one in verify(open_run(result.path))} == {"sound"}
    _flip(result.path / name)
    assert part in [one.name for one in verify(open_run(result.path)) if one.state == "damaged"]
    if name == "metrics.jsonl":
        assert open_run(result.path).problem


@pytest.mark.parametrize("content", [b"", bytes(200), b"{", None])
def test_a_torn_status_locks_nothing_and_is_mended(run: Trainer, content: bytes | None) -> None:
    (first,) = run(eval_every=15)
    rows = logged(first.path)
    (first.path / "status.json").unlink()
    if content is not None:
        (first.path / "status.json").write_bytes(content)
    (first.path / "env.json").write_bytes(content or b"")
    (again,) = run(eval_every=15)
    assert (again.status, again.steps, again.metrics, again.score) == ("finished", 40, first.metrics, first.score)
    assert logged(first.path) == rows  # not one update more


def test_an_outcome_survives_a_torn_status(run: Trainer) -> None:
    (first,) = run("final")
    assert first.outcome == "converged" and first.steps < 40
    (first.path / "status.json").write_bytes(b"")
    (again,) = run("final")
    assert (again.outcome, again.message, again.steps) == (first.outcome, first.message, first.steps)


def test_a_damaged_log_is_not_gone_on_from(run: Trainer, tmp_path: Path) -> None:
    (result,) = run()
    shutil.rmtree(result.path / NEWEST)
    (result.path / "status.json").unlink()
    _flip(result.path / "metrics.jsonl")
    with pytest.raises(RunError, match=r"cannot go on: metrics\.jsonl is damaged"):
        run()


def test_a_checkpoint_of_another_run_is_passed_over(run: Trainer) -> None:
    (one,) = run()
    (other,) = run(steps=60)
    for step in (50, 60):
        shutil.copytree(
            checkpoint.place(other.path / "checkpoints", step), checkpoint.place(one.path / "checkpoints", step)
        )
    (one.path / "status.json").unlink()
    (again,) = run()
    assert "is of another run" in again.resumed and again.steps == 40
    assert checkpoint.steps(one.path / "checkpoints")[-1] == 40


def test_a_checkpoint_of_a_newer_zoo_is_not_thrown_away(run: Trainer) -> None:
    (result,) = run()
    _edit(result.path / NEWEST / "manifest.json", format=99)
    (result.path / "status.json").unlink()
    with pytest.raises(RunError, match="has format 99: this zoo reads up to 1"):
        run()
    assert (result.path / NEWEST).is_dir()


def test_failed_seeds_leave_the_others_alone(run: Trainer) -> None:
    def remove(path: Path) -> None:
        if path.name == "seed-1":
            shutil.rmtree(path)

    class RemoveOne(Silent):
        def updated(self, run: RunDir, step: int, _: object) -> None:
            if step == 20:
                remove(run.path)

    results: list[RunResult] = run(seeds=(0, 1, 2), watch=RemoveOne())
    assert [result.status for result in results] == ["finished", "failed", "finished"]


@pytest.mark.parametrize("where", ["log", "checkpoint", "everything"])
def test_a_full_disk_is_one_sentence_and_a_failed_run_that_goes_on(
    run: Trainer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str
) -> None:
    """Nothing more fits on the disk from the 15th update on, in one of these places or everywhere."""
    from zoo.training.storage import logs
    from zoo.training.storage import run_dir as run_module

    full = [False]
    parts = {
        "log": [(logs.Log, "append")],
        "checkpoint": [(checkpoint, "write_file")],
        "everything": [(logs.Log, "append"), (run_module, "replace_file"), (checkpoint, "write_file")],
    }[where]
    for owner, name in parts:
        _refuse_when(full, owner, name, monkeypatch)

    class Fill(Silent):
        def updated(self, run: RunDir, step: int, _: object) -> None:
            full[0] = full[0] or step == 15

    (result,) = run(watch=Fill())
    full[0] = False
    assert result.status == "failed" and "No space left on device" in result.message
    assert open_run(result.path).state == "failed"
    (rest,) = run()
    (whole,) = run(root=tmp_path / "whole")
    assert rest.status == "finished" and logged(rest.path) == logged(whole.path)


def _refuse_when(full: list[bool], owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    from zoo.training.storage.logs import Log

    before = getattr(owner, name)

    def refusing(*args: Any, **kwargs: Any) -> Any:
        if full[0]:
            error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise args[0]._refused(error) if isinstance(args[0], Log) else error
        return before(*args, **kwargs)

    monkeypatch.setattr(owner, name, refusing)
