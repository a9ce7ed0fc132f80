"""Going on from a run beyond its budget: a new run of its own, which begins with a copy of the other's checkpoint."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from zoo.errors import RunError, UsageError
from zoo.ring import RingBuffer
from zoo.training.load import StoredState, checkpoint_at, newest
from zoo.training.stop import StopRule
from zoo.training.storage import checkpoint
from zoo.training.storage.buffers import BufferStore
from zoo.training.storage.files import open_read
from zoo.training.storage.input_files import check_unchanged
from zoo.training.storage.lock import check_unlocked
from zoo.training.storage.logs import Log, Mark
from zoo.training.storage.run_dir import SPEC, RunDir
from zoo.training.storage.spec import RunSpec

_PIECE = 1 << 20
_MAX_RUNS = 1000
"""most runs that are searched for one with a smaller budget"""


def extension(run: RunDir, steps: int) -> tuple[RunSpec, StoredState]:
    """The spec of the run that extends ``run`` up to ``steps``, and the checkpoint it begins with; nothing is written.

    The key of the new run has the other's key, budget and step in it, so that it is never taken for a run that was
    planned with this budget: its schedules jump where it begins.

    Raises:
        UsageError: there is nothing to go on to.
        RunError: the run is being written, has no sound checkpoint, or a file that it reads has changed.
    """
    check_unlocked(run.path)
    check_unchanged(run.spec)
    stored = newest(run, resume=True)
    if stored.state is None:
        raise RunError(f"{run.path} has no checkpoint to go on from.", f"zoo train --resume {run.path} continues it.")
    if steps <= max(run.spec.steps, stored.step):
        raise UsageError(
            f"--steps {steps}: {run.path} has a budget of {run.spec.steps} and stands at step {stored.step}: "
            "expected more."
        )
    outcome = stored.state["loop"].get("outcome") or {}
    if outcome.get("final"):
        raise UsageError(
            f"{run.path} ended by itself at step {stored.step}: {outcome.get('message', 'it is done')} "
            "More steps would change nothing."
        )
    if StopRule(run.spec.stop).met(stored.state["loop"]["last"]):
        raise UsageError(
            f"{run.path} ended at step {stored.step} by its rule {run.spec.stop!r}: nothing is left to do."
        )
    came_from = {"key": run.spec.key, "step": stored.step, "steps": run.spec.steps}
    origins = {**run.spec.origins, "steps": "cli"}
    return replace(run.spec, steps=steps, extended_from=came_from, origins=origins), stored


def begin(run: RunDir, spec: RunSpec, stored: StoredState, root: Path) -> Path:
    """Make the directory of an extension; it appears by one rename, whole. One that is there is left as it is.

    Args:
        run: where it comes from; it stays as it is.
        spec: as ``extension`` gave it.
        stored: likewise, the checkpoint that it begins with.
        root: directory of all runs.

    Raises:
        RunError: it cannot be written.
    """
    path = spec.folder(root)
    if os.path.lexists(path / SPEC):
        return path
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        logs = {name: _copied(run.path / name, temporary / name, mark) for name, mark in stored.logs.items()}
        (temporary / "checkpoints").mkdir()
        store = BufferStore(temporary / "checkpoints")
        for kept in _kept(run, stored):
            about = replace(
                kept.manifest, buffers={}, key=spec.key, finished=False, best=stored.manifest.best,
                logs=logs if kept is stored else kept.manifest.logs,
            )  # fmt: skip
            buffers: dict[str, RingBuffer] = {}
            tensors, skeleton = checkpoint.pack(kept.state, buffers)
            if kept is stored:  # the other is only looked at
                about = replace(about, buffers=store.write(buffers))
            checkpoint.save(temporary / "checkpoints", kept.step, tensors, skeleton, about)
        RunDir.write_spec(temporary, spec)
        temporary.rename(path)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise RunError(f"run directory {path} cannot be written: {error.strerror or error}.") from error
    return path


def _kept(run: RunDir, stored: StoredState) -> Iterator[StoredState]:
    """The checkpoints that are copied: the one to go on from, and that of the best evaluation."""
    best = stored.manifest.best
    if best not in (None, stored.step) and best in checkpoint.steps(run.checkpoints):
        yield checkpoint_at(run, best)
    yield stored


def _copied(source: Path, target: Path, mark: Mark) -> Mark:
    """Copy the beginning of a log, to where a checkpoint found it."""
    remaining = mark.size
    with target.open("wb") as file:
        if remaining:
            with open_read(source) as read:
                while remaining > 0 and (piece := read.read(min(remaining, _PIECE))):
                    file.write(piece)
                    remaining -= len(piece)
        file.flush()
        os.fsync(file.fileno())
    log = Log(target, Mark(mark.size))
    try:
        return log.sync()
    finally:
        log.close()


def find_shorter(spec: RunSpec, root: Path) -> RunDir | None:
    """The stored run that is the same but for a smaller budget, of several the one with the largest; None if none is.

    Only where ``spec`` itself has no run yet.
    """
    path = spec.folder(root)
    if os.path.lexists(path / SPEC):
        return None
    best: RunDir | None = None
    for number, other in enumerate(sorted(path.parent.parent.glob(f"*/{path.name}"))):
        if number == _MAX_RUNS:
            break
        try:
            run = RunDir.open(other)
        except RunError:
            continue
        same = replace(run.spec, steps=spec.steps).key == spec.key and run.spec.steps < spec.steps
        if same and run.status()["step"] < spec.steps and (best is None or run.spec.steps > best.spec.steps):
            best = run
    return best


def describe_extension(run: RunDir, spec: RunSpec) -> str:
    """A sentence that says what an extension is."""
    step = (spec.extended_from or {}).get("step")
    return (
        f"goes on from step {step} of {run.path}, which stays as it is. Schedules that follow the budget jump at step "
        f"{step} to where a run of {spec.steps} steps has them, so this is not the run that {spec.steps} steps from "
        "the start give, and tables keep the two apart."
    )
