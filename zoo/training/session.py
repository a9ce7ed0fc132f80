"""One seed of a run while it trains: its directory, its logs, its checkpoints."""

from __future__ import annotations

import contextlib
import math
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from zoo.api import Outcome
from zoo.discovery.entry import describe
from zoo.errors import RunError, TrainingFailed, ZooError
from zoo.seeding import child_seed, keeping_torch
from zoo.training import checkpoint
from zoo.training.build import Member, Parts
from zoo.training.checkpoint import Tensors
from zoo.training.contract import Contract
from zoo.training.restore import restore_member
from zoo.training.rollout import play_round
from zoo.training.run import EVAL, METRICS, Lock, Log, RunDir
from zoo.training.tally import Episode

HEARTBEAT_SECONDS = 5.0


@dataclass(frozen=True)
class Cadence:
    """How often to do something: every so many steps, or every so many seconds; one of them is 0."""

    steps: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to run, as opposed to what: none of this changes a result.

    Attributes:
        root: directory of all runs.
        resume: "auto": continue what is there; "never": set it aside and start afresh.
        checkpoint: how often to save.
        time_limit: seconds after which to save and stop; 0 for none.
        threads: threads of numerical libraries.
        deterministic: ask torch for deterministic kernels.
        trust: allow environment ids that import modules.
        debug: let exceptions of an algorithm through, with their traceback.
    """

    root: Path = Path("runs")
    resume: str = "auto"
    checkpoint: Cadence = Cadence(seconds=30.0)
    time_limit: float = 0.0
    threads: int = 1
    deterministic: bool = False
    trust: bool = False
    debug: bool = False


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What became of one run: what ``--json`` prints, and a little for people."""

    path: Path
    seed: int
    status: str
    steps: int
    metrics: Mapping[str, float]
    message: str = ""
    outcome: str = ""
    score: Mapping[str, float] = field(default_factory=dict)
    resumed: str = ""

    def to_json(self) -> dict[str, Any]:
        """The documented part, as plain data."""
        return {
            "path": str(self.path), "seed": self.seed, "status": self.status, "steps": self.steps,
            "metrics": dict(self.metrics), "outcome": self.outcome, "message": self.message,
        }  # fmt: skip


class Watcher(Protocol):
    """Whoever wants to follow: the terminal, a worker's pipe, hooks of plugins."""

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """A run begins, or continues from ``step``."""

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """One update was logged."""

    def checkpointed(self, run: RunDir, path: Path) -> None:
        """A checkpoint was published."""

    def finished(self, run: RunDir, result: RunResult) -> None:
        """The run ended, whichever way."""


def stored_result(run: RunDir) -> RunResult:
    """The result of a run as its directory has it."""
    status = run.status()
    return RunResult(
        path=run.path, seed=run.seed, status=status["state"], steps=status["step"],
        metrics=status.get("metrics", {}), message=status.get("message", ""), outcome=status.get("outcome", ""),
        score=status.get("score", {}),
    )  # fmt: skip


class Session:
    """Opens, advances and closes one run directory. Use as a context manager: it holds the lock."""

    def __init__(self, run: RunDir, parts: Parts, settings: Settings, watch: Watcher) -> None:
        self.run = run
        self.parts = parts
        self.settings = settings
        self.watch = watch
        self.last: dict[str, float] = {}
        self.score: dict[str, float] = {}
        self.result: RunResult | None = None
        self._stack = contextlib.ExitStack()
        self._wall = 0.0
        self._started = time.perf_counter()
        self._saved = (0, self._started)
        self._beat = self._started
        self._evaluated = 0
        self._best: tuple[float, int] | None = None
        self._count = 0
        self._milestones: list[int] = []
        self._exact = True
        self.contract = Contract(parts.whose)

    def __enter__(self) -> Session:
        lock = self._stack.enter_context(Lock(self.run.path))
        self.notices = [f"{lock.took_over}; its lock was taken over."] if lock.took_over else []
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    @property
    def step(self) -> int:
        """Environment steps consumed."""
        steps = self.member.algorithm.env_steps
        return int(steps) if isinstance(steps, (int, np.integer)) else self.contract.step

    @property
    def wall(self) -> float:
        """Seconds of training, those before a resume included."""
        return self._wall + time.perf_counter() - self._started

    def begin(self, member: Member, found: tuple[int, Any, str]) -> None:
        """Start, or continue from the checkpoint ``found`` = (step, state, notice)."""
        self.member = member
        self._exact = member.env.restorable
        step, state, notice = found
        sizes = {"metrics": 0, "eval": 0}
        if notice:
            self.notices.append(notice)
        if state is not None:
            self._exact = restore_member(member, state["member"], self.run, self.parts)
            loop = state["loop"]
            sizes = loop["sizes"]
            self._wall = loop["wall"]
            self.last, self.score = loop["last"], loop["score"]
            self._evaluated = loop["evaluated"]
            self._best = loop["best"]
            self._count, self._milestones = loop["checkpoints"]["count"], loop["checkpoints"]["milestones"]
            self._exact = self._exact and loop["exact"]
            how = "" if self._exact else ", the environment starting fresh episodes (it cannot be put back exactly)"
            self.notices.append(f"continued from step {step}{how}.")
        self._metrics = self._open(METRICS, sizes["metrics"])
        self._eval = self._open(EVAL, sizes["eval"])
        self._saved = (step, time.perf_counter())
        self.run.record_start(
            threads=self.settings.threads, deterministic=self.settings.deterministic,
            resumed_from=step if state is not None else None,
        )  # fmt: skip
        self._status("running")
        for line in self.notices:
            self.run.log(line)
        self.watch.started(self.run, self.step, " ".join(self.notices))

    def _open(self, name: str, size: int) -> Log:
        log = Log(self.run.path / name, size)
        self._stack.callback(log.close)
        return log

    def record(self, metrics: Mapping[str, float]) -> None:
        """Log the metrics of one update, with those of the episodes it finished.

        Raises:
            TrainingFailed: a metric is not a finite number, or the algorithm's steps do not grow.
        """
        self.contract.steps(self.member.algorithm)
        row = self.contract.metrics(metrics) | self._episodes(self.member.env.drain())
        self._write(row)
        self.watch.updated(self.run, self.step, row)
        now = time.perf_counter()
        if now - self._beat > HEARTBEAT_SECONDS:
            self._beat = now
            self._status("running")

    def _write(self, row: Mapping[str, float]) -> None:
        self.last.update(row)
        self._metrics.append({"step": self.step, "wall": round(self.wall, 3), **row})

    def _episodes(self, episodes: list[Episode]) -> dict[str, float]:
        if not episodes:
            return {}
        row = {
            "episode/return": float(np.mean([episode.total for episode in episodes])),
            "episode/length": float(np.mean([episode.length for episode in episodes])),
            "episode/count": float(len(episodes)),
        }
        constraints = self.member.env.constraints
        if constraints:
            sums = np.mean([episode.constraints for episode in episodes], axis=0)
            row |= {f"episode/{name}": float(total) for name, total in zip(constraints.names, sums, strict=True)}
        return row

    def evaluate_if_due(self, *, last: bool = False) -> None:
        """Evaluate on separate, freshly seeded environments, when enough steps have passed or at the end."""
        every, count = self.run.spec.eval_every, self.run.spec.eval_episodes
        due = last or (every > 0 and self.step // every > self._evaluated // every)
        if not due or count == 0 or (self._evaluated == self.step and self.score):
            return
        seed = child_seed(self.run.seed, "eval")
        env = self.parts.make_env(count, seed)
        try:
            with keeping_torch():
                played = play_round(self.member.algorithm, env)
        finally:
            env.close()
        returns, lengths, signals = played.returns, played.lengths, played.signals
        for number in range(count):
            self._eval.append(
                {
                    "step": self.step, "episode": number, "return": float(returns[number]),
                    "length": int(lengths[number]), "cost": signals[number].tolist(), "seed": seed,
                }
            )  # fmt: skip
        mean, error = float(returns.mean()), float(returns.std(ddof=1) / math.sqrt(count)) if count > 1 else 0.0
        self.score = {"return": mean, "low": mean - 1.96 * error, "high": mean + 1.96 * error, "episodes": count}
        self._evaluated = self.step
        if self._best is None or mean > self._best[0]:
            self._best = (mean, self.step)
        row = {"eval/return": mean, "eval/length": float(lengths.mean())}
        self._write(row)
        self.watch.updated(self.run, self.step, row)

    def checkpoint_if_due(self) -> None:
        """Save when the cadence says so, this is the best evaluation so far, or the algorithm calls it a milestone."""
        cadence = self.settings.checkpoint
        step, when = self._saved
        by_steps = cadence.steps > 0 and self.step // cadence.steps > step // cadence.steps
        by_time = cadence.seconds > 0 and time.perf_counter() - when >= cadence.seconds
        new_best = self._best is not None and self._best[1] == self.step and self._best[1] != step
        if by_steps or by_time or new_best or self.member.algorithm.milestone:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Publish a checkpoint; ``metrics.jsonl`` reaches the disk before it.

        Raises:
            TrainingFailed: a tensor of the algorithm holds a NaN.
            RunError: the disk refuses; what was saved before stays.
        """
        if self._saved[0] == self.step and checkpoint.steps(self.run.checkpoints)[-1:] == [self.step]:
            return
        self._count += 1
        doubled = self._count & (self._count - 1) == 0  # 1st, 2nd, 4th, 8th, ...: a history that grows slowly
        if doubled or self.member.algorithm.milestone:
            self._milestones.append(self.step)
        tensors, skeleton = checkpoint.pack(self._state())
        bad = checkpoint.nonfinite(tensors, "member.algorithm")
        if bad:
            raise TrainingFailed(f"{bad.removeprefix('member.')} became NaN by step {self.step}.")
        path = self._publish(self.run.checkpoints, tensors, skeleton)
        checkpoint.prune(self.run.checkpoints, keep={*self._milestones, self._best[1] if self._best else -1})
        self._saved = (self.step, time.perf_counter())
        self._status("running")
        self.watch.checkpointed(self.run, path)

    def _state(self) -> dict[str, Any]:
        return {
            "member": self.member.capture(),
            "loop": {
                "sizes": {"metrics": self._metrics.sync(), "eval": self._eval.sync()},
                "wall": self.wall,
                "last": dict(self.last),
                "score": dict(self.score),
                "evaluated": self._evaluated,
                "best": self._best,
                "checkpoints": {"count": self._count, "milestones": list(self._milestones)},
                "exact": self._exact,
            },
        }

    def _publish(self, folder: Path, tensors: Tensors, skeleton: Any) -> Path:
        try:
            return checkpoint.save(folder, self.step, tensors, skeleton)
        except OSError as error:
            raise RunError(f"checkpoint in {folder} cannot be written: {error.strerror}.") from error

    def fail(self, error: BaseException) -> None:
        """Keep what there is under ``failed/``, for whoever looks into it, and say why."""
        message = error.message if isinstance(error, ZooError) else describe(error)
        self.run.log("".join(traceback.format_exception(error)))
        try:
            self._publish(self.run.path / "failed", *checkpoint.pack(self._state()))
        except KeyboardInterrupt:
            raise
        except BaseException as second:  # the first error is the one to report
            self.run.log(f"the state at the failure is not kept: {describe(second)}")
        self.close("failed", message)

    def close(self, state: str, message: str = "") -> None:
        """End the run as "finished", "interrupted" or "failed"."""
        outcome = None if state == "failed" else self.contract.outcome(self.member.algorithm)
        if outcome is not None and not message:
            message = outcome.message
        self._status(state, outcome=outcome, message=message, durable=True)
        self.result = RunResult(
            path=self.run.path, seed=self.run.seed, status=state, steps=self.step, metrics=dict(self.last),
            message=message, outcome=outcome.status if outcome else "", score=dict(self.score),
            resumed=" ".join(self.notices),
        )  # fmt: skip
        self.watch.finished(self.run, self.result)

    def _status(self, state: str, *, outcome: Outcome | None = None, message: str = "", durable: bool = False) -> None:
        more: dict[str, Any] = {"wall": round(self.wall, 3), "resume": "exact" if self._exact else "statistical"}
        if state != "running":
            more |= {"metrics": self.last, "score": self.score, "outcome": outcome.status if outcome else ""}
        try:
            self.run.set_status(state, self.step, durable=durable, message=message, **more)
        except OSError as error:
            raise RunError(f"{self.run.path} cannot be written: {error.strerror}.") from error
