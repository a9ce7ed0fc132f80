"""When a run is finished: its spec, its logs and its newest checkpoint agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from zoo.errors import RunError
from zoo.training.storage import checkpoint
from zoo.training.storage.checkpoint import summary_of
from zoo.training.storage.logs import Log, Mark, differs
from zoo.training.storage.run_dir import RunDir


def check_whole(run: RunDir, logs: Iterable[Log], step: int) -> None:
    """Refuse to call a run finished that is not, on the disk, what was written.

    Raises:
        RunError: the spec, a log or the checkpoint of ``step`` was removed or changed while it trained.
    """
    spec = RunDir.open(run.path).spec
    if spec.key != run.spec.key:
        raise RunError(f"{run.path} was changed while it trained: its key is {spec.key} now.")
    for log in logs:
        if not log.intact():
            raise RunError(f"{log.path} was removed or changed while the run trained.")
    if checkpoint.steps(run.checkpoints)[-1:] != [step]:
        raise RunError(f"the checkpoint of step {step} was removed from {run.path} while it trained.")


def contradiction(run: RunDir, status: Mapping[str, Any]) -> str:
    """What in the run says otherwise, where its status says that it is finished; empty if all agrees.

    Only sizes are looked at; ``zoo show --verify`` reads everything.
    """
    steps = checkpoint.steps(run.checkpoints)
    if run.spec.kind == "file":
        return ""
    if not steps:
        return "there is no checkpoint"
    try:
        manifest = checkpoint.manifest_of(run.checkpoints, steps[-1])
    except RunError as error:
        return error.message.rstrip(".")
    if steps[-1] != status["step"]:
        return f"its newest checkpoint is of step {steps[-1]}, not {status['step']}"
    if manifest.key not in ("", run.spec.key):
        return f"its newest checkpoint is of another run, {manifest.key}"
    if manifest.summary and manifest.summary != summary_of(
        status["step"], status.get("metrics", {}), status.get("score", {})
    ):
        return "its numbers are not those of its newest checkpoint"
    sizes = {name: Mark(mark.size) for name, mark in (manifest.logs or {}).items()}
    return next(filter(None, (differs(run.path / name, mark, whole=True) for name, mark in sizes.items())), "")
