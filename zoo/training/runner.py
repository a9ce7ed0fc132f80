"""One seed of a run while it trains: its directory, its logs, its checkpoints."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.api import Outcome
from zoo.discovery.registration import describe
from zoo.errors import InterfaceError, RunError, TrainingFailed, ZooError
from zoo.ring import RingBuffer
from zoo.seeding import child_seed, keeping_torch
from zoo.stats import FEWEST, interval, mean
from zoo.training.best_evaluation import Best, discount_of
from zoo.training.build import Components, Member
from zoo.training.callbacks import Callback
from zoo.training.contract import Contract
from zoo.training.environments.episode_statistics import episode_metrics
from zoo.training.evaluate_policy import play_round
from zoo.training.load import StoredState, restore_member
from zoo.training.settings import RunResult, Settings
from zoo.training.stop import StopRule
from zoo.training.storage import checkpoint
from zoo.training.storage.buffers import BufferStore, disk_notice
from zoo.training.storage.checkpoint import Manifest, Tensors
from zoo.training.storage.completeness import check_whole
from zoo.training.storage.files import check_plain
from zoo.training.storage.lock import Lock
from zoo.training.storage.logs import Log, Mark
from zoo.training.storage.run_dir import EVAL, METRICS, RunDir

HEARTBEAT_SECONDS = 5.0


class Runner:
    """Opens, advances and closes one run directory. Use as a context manager: it holds the lock."""

    def __init__(self, run: RunDir, components: Components, settings: Settings, callback: Callback) -> None:
        self.run = run
        self.components = components
        self.settings = settings
        self.callback = callback
        self.last: dict[str, float] = {}
        self.score: dict[str, float] = {}
        self.result: RunResult | None = None
        self._stack = contextlib.ExitStack()
        self._wall = 0.0
        self._started = time.perf_counter()
        self._saved = 0
        self._evaluated = 0
        self._best: Best | None = None
        self._count = 0
        self._milestones: list[int] = []
        self._exact = True
        self.contract = Contract(components.owner)
        self.rule = StopRule(run.spec.stop)

    def __enter__(self) -> Runner:
        check_plain(self.run.path)
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

    def begin(self, member: Member, stored: StoredState) -> None:
        """Start, or continue from the checkpoint ``stored``."""
        self.member = member
        self._exact = member.env.restorable
        if stored.notice:
            self.notices.append(stored.notice)
        self.resumed = stored.state is not None
        if self.resumed:
            self._continue(stored)
        elif (self.run.path / METRICS).exists():
            self.notices.append("there is no checkpoint; it starts again.")
        checkpoint.prune(self.run.checkpoints, after=stored.step)  # they are damaged, and will not fit the logs
        self._store = BufferStore(self.run.checkpoints)
        self._store.adopt(stored.manifest.buffers)
        self.notices += filter(None, [self._disk_notice()] if not self.resumed else [])
        self._metrics = self._open(METRICS, stored.logs)
        self._eval = self._open(EVAL, stored.logs)
        self._saved = stored.step
        self.run.record_start(
            threads=self.settings.threads, deterministic=self.settings.deterministic,
            resumed_from=stored.step if self.resumed else None,
        )  # fmt: skip
        self._status("running")
        for line in self.notices:
            self.run.log(line)
        self.callback.started(self.run, self.step, " ".join(self.notices))

    def _disk_notice(self) -> str:
        """A sentence on the disk that a replay buffer will take, before the first checkpoint takes it."""
        buffers: dict[str, RingBuffer] = {}
        try:
            checkpoint.pack({"algorithm": self.member.algorithm.state()}, buffers)
        except KeyboardInterrupt:
            raise
        except BaseException:  # what is wrong with a state is told, with its owner, when it is saved
            return ""
        most = -(-self.run.spec.steps // self.run.spec.num_envs)
        return disk_notice(buffers, most, self.run.path)

    def _continue(self, stored: StoredState) -> None:
        """Restore the state in the checkpoint."""
        self._exact = restore_member(self.member, stored.state["member"], self.run, self.components)
        loop = stored.state["loop"]
        self._wall = loop["wall"]
        self.last, self.score = loop["last"], loop["score"]
        self._evaluated = loop["evaluated"]
        self._best = Best.of(loop["best"])
        self._count, self._milestones = loop["checkpoints"]["count"], loop["checkpoints"]["milestones"]
        self._exact = self._exact and loop["exact"]
        outcome = loop.get("outcome")
        if outcome is not None and self.member.algorithm.outcome is None:
            with contextlib.suppress(AttributeError):  # where it follows from the state
                self.member.algorithm.outcome = Outcome(**outcome)
        how = "" if self._exact else ", the environment starting fresh episodes (it cannot be restored exactly)"
        self.notices.append(f"continued from step {stored.step}{how}.")

    @property
    def over(self) -> bool:
        """Whether nothing is left to do: budget used, rule to stop met, or the algorithm says that it gains nothing."""
        outcome = self.contract.outcome(self.member.algorithm)
        final = outcome is not None and outcome.final
        return self.step >= self.run.spec.steps or final or self.rule.met(self.last)

    def _open(self, name: str, logs: Mapping[str, Mark]) -> Log:
        log = Log(self.run.path / name, logs.get(name, Mark()))
        self._stack.callback(log.close)
        return log

    def record(self, metrics: Mapping[str, float]) -> None:
        """Log the metrics of one update, with those of the episodes it finished.

        Raises:
            TrainingFailed: a metric is not a finite number, or the algorithm's steps do not grow.
        """
        self.contract.steps(self.member.algorithm)
        row = self.contract.metrics(metrics)
        row |= episode_metrics(self.member.env.drain(), self.member.env.constraints)
        self._write(row)
        self.callback.updated(self.run, self.step, row)

    def heartbeat(self) -> None:
        """Tell that the run goes on, and where it is.

        Raises:
            RunError: it cannot be written.
        """
        self._status("running")

    def _write(self, row: Mapping[str, float]) -> None:
        self.last.update(row)
        self._metrics.append({"step": self.step, "wall": round(self.wall, 3), **row})

    def evaluate_if_due(self, *, last: bool = False) -> None:
        """Evaluate on separate, freshly seeded environments, when enough steps have passed or at the end."""
        every, count = self.run.spec.eval_every, self.run.spec.eval_episodes
        due = last or (every > 0 and self.step // every > self._evaluated // every)
        if not due or count == 0 or (self._evaluated == self.step and self.score):
            return
        seed = child_seed(self.run.seed, "eval")
        env = self.components.make_env(count, seed)
        try:
            gamma = discount_of(self.components.config, self.member.ctx.problem)
            with keeping_torch():
                played = play_round(self.member.algorithm, env, gamma=1.0 if gamma is None else gamma)
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
        average = float(returns.mean())
        self.score = {"return": average, "episodes": count}
        if count >= FEWEST:
            low, high = interval(returns, mean, np.random.default_rng(0))
            self.score |= {"low": float(low), "high": float(high)}
        self._evaluated = self.step
        judged = Best.judge(self.step, played, env.constraints, gamma)
        row = {"eval/return": average, "eval/length": float(lengths.mean())}
        if judged.violations and env.constraints is not None:
            self.score["violation"] = row["eval/violation"] = max(judged.violations)
            misses = zip(env.constraints.names, judged.violations, strict=True)
            row |= {f"eval/violation/{name}": miss for name, miss in misses}
        if self._best is None or judged.better_than(self._best):
            self._best = judged
        self._write(row)
        self.callback.updated(self.run, self.step, row)

    @property
    def calls_for_checkpoint(self) -> bool:
        """Whether it is over, steps call for a checkpoint, this is the best evaluation so far, or it is a milestone."""
        every, saved = self.settings.checkpoint.steps, self._saved
        by_steps = every > 0 and self.step // every > saved // every
        new_best = self._best is not None and self._best.step == self.step != saved
        return self.over or by_steps or new_best or self.member.algorithm.milestone

    def checkpoint(self) -> None:
        """Publish a checkpoint; ``metrics.jsonl`` reaches the disk before it.

        Raises:
            TrainingFailed: a tensor of the algorithm holds a NaN.
            RunError: it cannot be written; what was saved before stays.
        """
        if self._saved == self.step and checkpoint.steps(self.run.checkpoints)[-1:] == [self.step]:
            return
        self._count += 1
        doubled = self._count & (self._count - 1) == 0  # 1st, 2nd, 4th, 8th, ...: a history that grows slowly
        if doubled or self.member.algorithm.milestone:
            self._milestones.append(self.step)
        manifest, state = self._manifest(), self._state()
        buffers: dict[str, RingBuffer] = {}
        try:
            tensors, skeleton = checkpoint.pack(state, buffers)
        except InterfaceError as error:
            raise TrainingFailed(f"{self.components.owner}: {error.message}") from error
        bad = checkpoint.nonfinite(tensors, "member.algorithm")
        if bad:
            raise TrainingFailed(
                f"{self.components.owner}: {bad.removeprefix('member.')} became NaN by step {self.step}."
            )
        path = self._publish(self.run.checkpoints, tensors, skeleton, manifest, buffers)
        checkpoint.prune(self.run.checkpoints, keep={*self._milestones, self._best.step if self._best else -1})
        if buffers:  # older checkpoints are kept to look at, not to go on from
            newest = checkpoint.steps(self.run.checkpoints)[-2:]
            self._store.tidy([checkpoint.manifest_of(self.run.checkpoints, step).buffers for step in newest])
        self._saved = self.step
        self._status("running")
        self.callback.checkpointed(self.run, path)

    def _manifest(self) -> Manifest:
        """The manifest of a checkpoint; the logs reach the disk before it."""
        return Manifest(
            step=self.step, key=self.run.spec.key, logs={METRICS: self._metrics.sync(), EVAL: self._eval.sync()},
            best=self._best.step if self._best else None, finished=self.over,
            summary=checkpoint.summary_of(self.step, self.last, self.score),
        )  # fmt: skip

    def _state(self) -> dict[str, Any]:
        outcome = self.member.algorithm.outcome
        return {
            "member": self.member.capture(),
            "loop": {
                "wall": self.wall,
                "last": dict(self.last),
                "score": dict(self.score),
                "evaluated": self._evaluated,
                "best": self._best.to_json() if self._best else None,
                "checkpoints": {"count": self._count, "milestones": list(self._milestones)},
                "exact": self._exact,
                "outcome": asdict(outcome) if outcome is not None else None,
            },
        }

    def _publish(
        self, folder: Path, tensors: Tensors, skeleton: Any, manifest: Manifest, buffers: Mapping[str, RingBuffer]
    ) -> Path:
        try:
            folder.mkdir(exist_ok=True)
            manifest = replace(manifest, buffers=self._store.write(buffers) if buffers else {})
            return checkpoint.save(folder, self.step, tensors, skeleton, manifest)
        except OSError as error:
            raise RunError(
                f"checkpoint in {folder} cannot be written: {error.strerror or error}.",
                "What was saved before stays; the same command continues.",
            ) from error

    def fail(self, error: BaseException) -> None:
        """Save the current state under ``failed/``, for debugging, and report the error."""
        message = error.message if isinstance(error, ZooError) else describe(error)
        self.run.log("".join(traceback.format_exception(error)))
        try:
            tensors, skeleton = checkpoint.pack(self._state(), {})  # without the replay buffer
            self._publish(self.run.path / "failed", tensors, skeleton, Manifest(step=self.step), {})
        except KeyboardInterrupt:
            raise
        except BaseException as second:  # the first error is the one to report
            self.run.log(f"the state at the failure is not kept: {describe(second)}")
        with contextlib.suppress(RunError):
            self._status("failed", message=message, durable=True)
        self._report("failed", message, None)

    def close(self, state: str, message: str = "") -> None:
        """End the run as "finished" or "interrupted".

        Raises:
            RunError: it would be called finished, and what is on the disk is not what was written.
        """
        outcome = self.contract.outcome(self.member.algorithm)
        if not message:
            said = (outcome.message if outcome is not None else "", self.rule.sentence(self.last))
            message = " ".join(filter(None, said))
        if state == "finished":
            check_whole(self.run, (self._metrics, self._eval), self.step)
        self._status(state, outcome=outcome, message=message, durable=True)
        self._report(state, message, outcome)

    def _report(self, state: str, message: str, outcome: Outcome | None) -> None:
        self.result = RunResult(
            path=self.run.path, seed=self.run.seed, status=state, steps=self.step, metrics=dict(self.last),
            message=message, outcome=outcome.status if outcome else "", score=dict(self.score),
            resumed=" ".join(self.notices),
        )  # fmt: skip
        self.callback.finished(self.run, self.result)

    def _status(self, state: str, *, outcome: Outcome | None = None, message: str = "", durable: bool = False) -> None:
        more: dict[str, Any] = {"wall": round(self.wall, 3), "resume": "exact" if self._exact else "statistical"}
        if state != "running":
            more |= {"metrics": self.last, "score": self.score, "outcome": outcome.status if outcome else ""}
        try:
            self.run.set_status(state, self.step, durable=durable, message=message, **more)
        except OSError as error:
            why = f"cannot be written: {error.strerror}" if self.run.path.is_dir() else "was removed while it trained"
            raise RunError(f"{self.run.path} {why}.") from error
