"""Opening a stored run as a live algorithm."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zoo.api import Algorithm, Array, Explicit
from zoo.discovery.registration import describe
from zoo.discovery.registry import Registry, discover
from zoo.errors import NewerFormatError, RunError, UsageError
from zoo.seeding import child_seed, seed_torch
from zoo.training.build import Components, Member
from zoo.training.environments.given import check_observations
from zoo.training.environments.make_env import Recorder
from zoo.training.storage import checkpoint
from zoo.training.storage.checkpoint import Manifest
from zoo.training.storage.documents import LOOP, MAPPING, checked
from zoo.training.storage.logs import Mark, differs, metric_columns
from zoo.training.storage.run_dir import METRICS, SPEC, RunDir, find_runs
from zoo.training.storage.spec import RunSpec


class HasPath(Protocol):
    """Something that knows the directory of a run."""

    @property
    def path(self) -> Path:
        """The directory."""


class NoCheckpointError(UsageError):
    """A run has no checkpoint of that name."""


@dataclass(frozen=True, repr=False)
class LoadedRun:
    """A run with its algorithm as the checkpoint at ``step`` left it; ``notice`` says what was skipped."""

    run: RunDir
    components: Components
    member: Member
    step: int
    notice: str

    def __repr__(self) -> str:
        algorithm, environment = self.run.spec.short
        return f"LoadedRun({algorithm} on {environment}, seed {self.run.seed}, step {self.step}, {self.run.path})"

    @property
    def algorithm(self) -> Algorithm[Any]:
        """The trained algorithm."""
        return self.member.algorithm

    @property
    def metrics(self) -> dict[str, NDArray[np.float64]]:
        """What training measured: "step", "wall" (seconds) and each metric as float64 [rows], NaN where it was not.

        ``pandas.DataFrame(loaded.metrics)`` is a table of it.
        """
        return metric_columns(self.run.path / METRICS)

    def act(self, observations: Array, *, greedy: bool = True) -> Array:
        """The actions [B, ...] of the agent for observations [B, ...]; nothing is learned.

        Raises:
            UsageError: the observations are no batch of this environment's: of another shape, or not finite.
        """
        check_observations(observations, self.member.env.single_observation_space)
        return self.algorithm.act(observations, greedy=greedy)

    def policy(self) -> NDArray[np.float64]:
        """The probabilities of actions in states, float64 [S, A].

        Raises:
            UsageError: its policy is no table: it acts on observations that are not numbers of states.
        """
        if isinstance(self.algorithm, Explicit):
            return np.asarray(self.algorithm.policy(), dtype=np.float64)
        name = self.run.spec.short[0]
        raise UsageError(f"the policy of {name} is not a table of states and actions: expected act(observations).")

    def env(self, copies: int = 1, *, seed: int = 0, render_mode: str | None = None) -> Recorder:
        """Fresh copies of the environment that it was trained on, ready for ``reset()``.

        Args:
            copies: how many step together: observations are [copies, ...].
            seed: of their random streams.
            render_mode: such as "rgb_array", to be drawn.
        """
        return self.components.make_env(copies, seed, render_mode)

    def draw_from(self, seed: int) -> None:
        """Let sampled actions come from ``seed`` instead of going on where training was saved."""
        self.member.ctx.reseed(child_seed(seed, "actions"))
        seed_torch(seed)


@dataclass(frozen=True)
class StoredState:
    """A checkpoint to go on from.

    Attributes:
        step: environment steps; 0 where there is none.
        state: its content; None where there is none.
        manifest: its manifest.
        notice: a sentence on newer ones that were skipped.
    """

    step: int = 0
    state: Any = None
    manifest: Manifest = field(default_factory=lambda: Manifest(step=0))
    notice: str = ""

    @property
    def logs(self) -> Mapping[str, Mark]:
        """How far each log went; an older zoo kept only the sizes, and those in the state."""
        if self.manifest.logs is not None:
            return self.manifest.logs
        sizes = self.state["loop"].get("sizes", {}) if self.state is not None else {}
        return {f"{name}.jsonl": Mark(size) for name, size in sizes.items()}


def newest(run: RunDir, *, resume: bool = False, among: Collection[int] | None = None) -> StoredState:
    """The newest sound checkpoint: whole, and of this run.

    Args:
        run: the run.
        resume: whether to go on from it, so that the logs must agree with it, too.
        among: steps to choose from; None for all.

    Raises:
        RunError: there are checkpoints, and none is sound.
    """
    notices: list[str] = []
    steps = [step for step in checkpoint.steps(run.checkpoints) if among is None or step in among]
    for step in reversed(steps):
        try:
            stored = StoredState(step, *_load_sound(run, step, partial=not resume), " ".join(notices))
        except NewerFormatError:
            raise
        except RunError as error:
            notices.append(f"{error.message} Falling back to the one before.")
            continue
        marks = stored.logs.items() if resume else ()
        problem = next(filter(None, (differs(run.path / name, mark) for name, mark in marks)), "")
        if problem:
            raise RunError(
                f"{run.path} cannot go on: {problem}.", "Start afresh with --resume never; the old run is kept."
            )
        return stored
    if notices:
        raise RunError(" ".join(notices) + " There is none.", "Start afresh with --resume never; the old run is kept.")
    return StoredState()


def _load_sound(run: RunDir, step: int, *, partial: bool) -> tuple[Any, Manifest]:
    """State and manifest of a checkpoint.

    Raises:
        RunError: it is damaged, or of another run.
    """
    manifest = checkpoint.manifest_of(run.checkpoints, step)
    if manifest.key not in ("", run.spec.key):
        raise RunError(f"checkpoint {checkpoint.place(run.checkpoints, step)} is of another run, {manifest.key}.")
    state = checkpoint.load(run.checkpoints, step, partial=partial)
    where, what = checkpoint.place(run.checkpoints, step) / checkpoint.SKELETON, "the state of a run"
    checked(state, {"member": MAPPING, "loop": MAPPING}, where, what, ("member", "loop"))
    checked(state["loop"], LOOP, where, what, ("wall", "last", "score", "evaluated", "best", "checkpoints", "exact"))
    return state, manifest


def checkpoint_at(run: RunDir, which: str | int) -> StoredState:
    """A checkpoint by name: "newest", "best" (of the evaluations while it trained), or the one of a step.

    Raises:
        NoCheckpointError: there is no such checkpoint; those that are there are named.
        RunError: none is sound, or this one is not.
    """
    if which == "newest":
        return newest(run)
    steps = checkpoint.steps(run.checkpoints)
    available = f"there are {', '.join(map(str, steps))}" if steps else "there is none yet"
    if which == "best":
        step = best_step(run)
        if step is None:
            raise NoCheckpointError(f"{run.path} has no best checkpoint, for it was never evaluated: {available}.")
    elif isinstance(which, int) or which.isdecimal():
        step = int(which)
    else:
        raise NoCheckpointError(f"checkpoint {which!r}: expected newest, best, or the step of one; {available}.")
    if step not in steps:
        raise NoCheckpointError(f"{run.path} has no checkpoint at step {step}: {available}.")
    return StoredState(step, *_load_sound(run, step, partial=True))


def best_step(run: RunDir) -> int | None:
    """Step of the best evaluation, as the newest checkpoint that can be read knows it."""
    for step in reversed(checkpoint.steps(run.checkpoints)):
        try:
            manifest = checkpoint.manifest_of(run.checkpoints, step)
            if manifest.logs is not None:
                return manifest.best
            best = checkpoint.load(run.checkpoints, step, partial=True)["loop"]["best"]  # of an older zoo: (mean, step)
            return int(best[1]) if best else None
        except RunError:
            continue
    return None


def restore_member(member: Member, state: Any, run: RunDir, components: Components) -> bool:
    """Put a stored state into ``member``; whether its environment, too, is exactly where it was.

    Raises:
        RunError: the state was written by another version of the plugin, or for hardware that is not here.
    """
    try:
        return member.restore(state)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin's load_state may raise anything
        entry = components.entry
        raise RunError(
            f"the checkpoint in {run.path} does not fit {entry.name} of {entry.provider}: {describe(error)}",
            "Start afresh with zoo train --resume never; the old run is kept.",
        ) from error


def components_of(spec: RunSpec, registry: Registry, *, trust: bool = False) -> Components:
    """``Components.of`` for ``spec``; a representation may collect with the policy of a run."""
    return Components.of(spec, registry, load_policy=lambda path: load(path, registry=registry).algorithm, trust=trust)


def _only_run(path: Path) -> Path:
    """``path``, or the only run beneath it.

    Raises:
        UsageError: there are several.
    """
    if (path / SPEC).exists():
        return path
    beneath = list(itertools.islice(find_runs(path), 2))
    if len(beneath) > 1:
        raise UsageError(f"{path} has several runs beneath it: expected one, such as {beneath[0]}.")
    return beneath[0] if beneath else path


def load(
    run: Path | str | HasPath,
    checkpoint: str | int = "newest",
    *,
    registry: Registry | None = None,
    device: str = "cpu",
    trust: bool = False,
) -> LoadedRun:
    """Load a checkpoint of a run: a live algorithm, ready to ``act``.

    Args:
        run: its directory, one above no other run, or what ``zoo.train`` and ``zoo.open_runs`` give.
        checkpoint: "newest"; "best", the one with the best evaluation while it trained (where there are constraints:
            among those that kept them, if any did); or a step at which there is one.
        registry: plugins to use; discovered if not given.
        device: where tensors are put.
        trust: allow an environment id that imports a module.

    Raises:
        UsageError: there is no such checkpoint, or the directory has several runs beneath it.
        RunError: no run, no sound checkpoint, or an untrusted environment id.
    """
    path = Path(run) if isinstance(run, (str, Path)) else getattr(run, "path", None)
    if not isinstance(path, Path):
        raise UsageError(
            f"run is {run!r:.80}: expected the directory of a run, or what zoo.train and zoo.open_runs give."
        )
    place = RunDir.open(_only_run(path))
    stored = checkpoint_at(place, checkpoint)
    if stored.state is None:
        raise RunError(f"{place.path} has no checkpoint yet.", f"zoo train --resume {place.path} continues it.")
    components = components_of(place.spec, registry or discover(), trust=trust)
    (member,), _ = components.members([place.seed], device)
    restore_member(member, stored.state["member"], place, components)
    return LoadedRun(place, components, member, stored.step, stored.notice)
