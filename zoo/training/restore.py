"""Opening a stored run as a live algorithm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.api import Algorithm
from zoo.discovery.entry import describe
from zoo.discovery.registry import Registry, discover
from zoo.errors import RunError
from zoo.training import checkpoint
from zoo.training.build import Member, Parts
from zoo.training.run import RunDir
from zoo.training.vector import Recorder


@dataclass(frozen=True)
class LoadedRun:
    """A run with its algorithm as the checkpoint at ``step`` left it; ``notice`` says what was passed over."""

    run: RunDir
    parts: Parts
    member: Member
    step: int
    notice: str

    @property
    def algorithm(self) -> Algorithm[Any]:
        """The trained algorithm."""
        return self.member.algorithm

    @property
    def env(self) -> Recorder:
        """The environment that it was trained on."""
        return self.member.env

    def make_env(self, copies: int, *, seed: int) -> Recorder:
        """Fresh copies of that environment, seeded and ready for ``reset()``."""
        return self.parts.make_env(copies, seed)


def newest(run: RunDir) -> tuple[int, Any, str]:
    """Step and state of the newest sound checkpoint, and a sentence on damaged ones that were passed over.

    Raises:
        RunError: there are checkpoints, and none is sound.
    """
    notices: list[str] = []
    for step in reversed(checkpoint.steps(run.checkpoints)):
        try:
            return step, checkpoint.load(run.checkpoints, step), " ".join(notices)
        except RunError as error:
            notices.append(f"{error.message} Falling back to the one before.")
    if notices:
        raise RunError(" ".join(notices) + " There is none.", "Start afresh with --resume never; the old run is kept.")
    return 0, None, ""


def restore_member(member: Member, state: Any, run: RunDir, parts: Parts) -> bool:
    """Put a stored state into ``member``; whether its environment, too, is exactly where it was.

    Raises:
        RunError: the state was written by another version of the plugin, or for hardware that is not here.
    """
    try:
        return member.restore(state)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin's load_state may raise anything
        entry = parts.entry
        raise RunError(
            f"the checkpoint in {run.path} does not fit {entry.name} of plugin {entry.plugin} {entry.version}: "
            f"{describe(error)}",
            "Start afresh with zoo train --resume never; the old run is kept.",
        ) from error


def load_run(
    path: Path | str, *, registry: Registry | None = None, device: str = "cpu", trust: bool = False
) -> LoadedRun:
    """Load the newest checkpoint of the run at ``path``.

    Args:
        path: a run directory.
        registry: plugins to use; discovered if not given.
        device: where tensors are put.
        trust: allow an environment id that imports a module.

    Raises:
        RunError: no run, no sound checkpoint, or an untrusted environment id.
    """
    run = RunDir.open(Path(path))
    step, state, notice = newest(run)
    if state is None:
        raise RunError(f"{run.path} has no checkpoint yet.", f"zoo train --resume {run.path} continues it.")
    parts = Parts.of(run.spec, registry or discover(), trust=trust)
    (member,), _ = parts.members([run.seed], device)
    restore_member(member, state["member"], run, parts)
    return LoadedRun(run, parts, member, step, notice)


def load(run: Path | str, *, device: str = "cpu") -> LoadedRun:
    """A stored run, read and never written: ``.algorithm`` as the newest checkpoint left it, ``.env``, ``.make_env``.

    Args:
        run: its directory.
        device: where tensors are put.

    Raises:
        RunError: there is no run, no sound checkpoint, or the environment's id would import a module.
        UsageError: a plugin that it needs is not installed.
    """
    return load_run(run, device=device)
