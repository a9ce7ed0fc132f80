"""``zoo show --verify``: whether a stored run is, to the byte, what was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from zoo.errors import RunError
from zoo.runs.store import EVALUATIONS, Run, read_report
from zoo.training.storage import buffers, checkpoint
from zoo.training.storage.completeness import contradiction
from zoo.training.storage.files import check_plain, hash_file, is_folder, read_json
from zoo.training.storage.logs import LogReader, Mark, differs
from zoo.training.storage.run_dir import ENV, EVAL, METRICS, STATUS, RunDir, read_status

State = Literal["sound", "not known", "damaged"]


@dataclass(frozen=True)
class Part:
    """One file or checkpoint of a run, and its state."""

    name: str
    state: State
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def verify(run: Run) -> list[Part]:
    """Read everything that is in a run directory, piece by piece; nothing of it is executed."""
    return list(_parts(run))


def _parts(run: Run) -> Iterator[Part]:
    try:
        check_plain(run.path)
    except RunError as error:
        yield Part("directory", "damaged", error.message)
    yield Part("spec.json", "sound", f"key {run.spec.key}")
    status, problem = read_status(run.path)
    problem = problem or (contradiction(RunDir(run.path, run.spec), status) if status["state"] == "finished" else "")
    yield Part(STATUS, "damaged" if problem else "sound", problem or f"{status['state']} at step {status['step']}")
    yield _document(ENV, run.path / ENV)
    newest: Mapping[str, Mark] = {}
    for step in run.checkpoints:
        part, logs = _checkpoint(run, step)
        newest = logs or newest
        yield part
    for name in (METRICS, EVAL):
        yield _log(run.path / name, newest.get(name, Mark()))
    folder = run.path / EVALUATIONS
    for path in sorted(folder.glob("*.json")) if is_folder(folder) else ():
        try:
            read_report(path)
            yield Part(f"{EVALUATIONS}/{path.name}", "sound")
        except RunError as error:
            yield Part(f"{EVALUATIONS}/{path.name}", "damaged", error.message)


def _document(name: str, path: Path) -> Part:
    try:
        read_json(path)
    except RunError as error:
        return Part(name, "damaged", error.message)
    return Part(name, "sound")


def _checkpoint(run: Run, step: int) -> tuple[Part, Mapping[str, Mark]]:
    """The state of a checkpoint, and how far the logs went when it was made."""
    folder = run.path / "checkpoints"
    name, path = f"checkpoint {step}", checkpoint.place(folder, step)
    try:
        manifest = checkpoint.manifest_of(folder, step)
        for file, expected in manifest.files.items():
            if hash_file(path / file).hexdigest() != expected:
                return Part(name, "damaged", f"{file} is not what was written"), {}
    except (OSError, RunError) as error:
        return Part(name, "damaged", error.message if isinstance(error, RunError) else str(error)), {}
    problem = buffers.problem(folder, manifest.buffers)
    if problem and step in run.checkpoints[-2:]:
        return Part(name, "damaged", problem), {}
    if manifest.key not in ("", run.spec.key):
        return Part(name, "damaged", f"it is of another run, {manifest.key}"), {}
    kept = ", its replay buffer is not kept any more" if problem else ""
    best = ", the best evaluation" if step == manifest.best else ""
    return Part(name, "sound", f"{len(manifest.files)} files{best}{kept}"), manifest.logs or {}


def _log(path: Path, mark: Mark) -> Part:
    problem = differs(path, mark)
    if problem:
        return Part(path.name, "damaged", problem)
    log = LogReader(path)
    lines = sum(1 for _ in log)
    if log.torn > 1 or (log.torn and mark.size):
        return Part(path.name, "damaged", f"{log.torn} lines cannot be read")
    if not mark.sha256:
        return Part(path.name, "not known", f"{lines} lines; no checkpoint says what they were")
    return Part(path.name, "sound", f"{lines} lines")
