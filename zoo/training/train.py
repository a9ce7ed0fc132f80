"""The driver of ``zoo train``: the training loop of one or many seeds."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from zoo.api import Batch, Metrics
from zoo.discovery.entry import describe
from zoo.discovery.registry import Registry
from zoo.errors import RunError, TrainingFailed, UsageError, ZooError
from zoo.training.build import Member, Parts, offers_batch
from zoo.training.load import Found, newest, parts_of
from zoo.training.runner import Session
from zoo.training.settings import RunResult, Settings, Watcher, stored_result
from zoo.training.storage import checkpoint
from zoo.training.storage.run_dir import SPEC, RunDir
from zoo.training.storage.spec import RunSpec
from zoo.training.storage.whole import contradiction


class Stop:
    """Set by a signal, a time limit or a lost parent: finish this update, save, and end."""

    def __init__(self, time_limit: float = 0.0) -> None:
        self.reason = ""
        self.signal = 0
        self._deadline = time.monotonic() + time_limit if time_limit else float("inf")

    def asked(self) -> bool:
        """Whether to stop now."""
        if not self.reason and time.monotonic() > self._deadline:
            self.reason = "the time limit is over"
        return bool(self.reason)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: the first signal asks, a second interrupt insists."""
        if self.reason and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.reason, self.signal = signal.Signals(number).name, number

    @contextmanager
    def listening(self, *, interrupts: bool = True) -> Iterator[Stop]:
        """Install the handlers, in the main thread, for the length of the block.

        A hangup (the terminal was closed, the connection cut) asks like SIGTERM, unless it is ignored already, as
        under nohup. Without ``interrupts``, SIGINT is left to the parent process.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        numbers = [signal.SIGTERM, *([signal.SIGINT] if interrupts else [])]
        hangup = getattr(signal, "SIGHUP", None)
        if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:
            numbers.append(hangup)
        before = {number: signal.signal(number, self.on_signal) for number in numbers}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Observers:
    """Passes events on to the hooks of plugins; one that raises is named, and heard no more in this run."""

    def __init__(self, registry: Registry, watch: Watcher) -> None:
        self._registry = registry
        self._watch: Watcher | None = watch
        self._muted: set[Any] = set()
        self.notices: list[str] = []

    def _call(self, hook: str, **arguments: Any) -> None:
        for answer in self._registry.ask(hook, muted=self._muted, **arguments):
            if answer.error is not None:  # an observer must not stop training
                self._muted.add(answer.source)
                what = describe(answer.error)
                self.notices.append(f"plugin {answer.plugin} failed in {hook} and is left out of this run: {what}")

    def _tell(self, event: str, *arguments: Any) -> None:
        """Call the watcher; a terminal that is gone must not stop training either."""
        if self._watch is not None:
            try:
                getattr(self._watch, event)(*arguments)
            except OSError:
                self._watch = None

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """As Watcher."""
        self._call("zoo_run_started", run=run)
        self._tell("started", run, step, notice)

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """As Watcher."""
        self._call("zoo_metrics", run=run, step=step, metrics=metrics)
        self._tell("updated", run, step, metrics)

    def checkpointed(self, run: RunDir, path: Path) -> None:
        """As Watcher."""
        self._call("zoo_checkpoint", run=run, path=path)
        self._tell("checkpointed", run, path)

    def finished(self, run: RunDir, result: RunResult) -> None:
        """As Watcher."""
        self._call("zoo_run_finished", run=run, status=result.status)
        self._tell("finished", run, result)


def train(
    spec: RunSpec, seeds: Sequence[int], registry: Registry, settings: Settings, watch: Watcher, stop: Stop
) -> list[RunResult]:
    """Bring the runs of ``spec`` with these seeds to their end, continuing what is there.

    Seeds of an algorithm that offers a batch advance together; others one after the other. What is finished
    already is left alone and reported as it is.

    Returns:
        One result for each seed, in order.

    Raises:
        ZooError: no run could be started or written; runs that failed while training are results instead, and so are
            those that could not be started beside others that could.
    """
    parts = parts_of(spec, registry, trust=settings.trust)
    prepare_torch(settings)
    observers = Observers(registry, watch)
    groups = [list(seeds)] if len(seeds) > 1 and offers_batch(parts.cls) else [[seed] for seed in seeds]
    results: list[RunResult] = []
    problems: dict[int, ZooError] = {}
    for group in groups:
        try:
            results += train_parts(parts, group, settings, observers, stop)
        except UsageError:  # the same for every seed
            raise
        except ZooError as error:  # of this seed: the later ones are run all the same
            problems |= dict.fromkeys(group, error)
        if stop.asked():
            break
    results += not_started(spec, problems, settings, having=bool(results))
    if parts.grade is not None and parts.grade.notice:
        observers.notices.append(parts.grade.notice)
    for notice in observers.notices:
        sys.stderr.write(f"zoo: {notice}\n")
    by_seed = {result.seed: result for result in results}
    return [by_seed[seed] for seed in seeds if seed in by_seed]


def not_started(
    spec: RunSpec, problems: Mapping[int, ZooError], settings: Settings, *, having: bool
) -> list[RunResult]:
    """Results for seeds that could not be started.

    Raises:
        ZooError: none could; the first problem.
    """
    if problems and not having:
        raise next(iter(problems.values()))
    return [
        RunResult(
            path=spec.with_seed(seed).folder(settings.root), seed=seed, status="failed", steps=0, metrics={},
            message=" ".join(filter(None, (error.message, error.hint))),
        )
        for seed, error in problems.items()
    ]  # fmt: skip


def prepare_torch(settings: Settings) -> None:
    """Threads and determinism, if an algorithm has brought torch in."""
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(settings.threads)
        if settings.deterministic:
            torch.use_deterministic_algorithms(True)


def train_parts(parts: Parts, seeds: Sequence[int], settings: Settings, watch: Watcher, stop: Stop) -> list[RunResult]:
    """Train these seeds together; as ``train``, with the components already resolved."""
    runs = {seed: RunDir(spec.folder(settings.root), spec) for seed in seeds for spec in [parts.spec.with_seed(seed)]}
    done = finished_seeds(parts.spec, seeds, settings)
    finished = [stored_result(runs[seed]) for seed in done]
    pending = [seed for seed in seeds if seed not in done]
    if not pending:
        return finished
    with ExitStack() as stack:
        members, batch = _members(parts, pending)  # before anything is written: a request may turn out impossible
        sessions = []
        for seed, member in zip(pending, members, strict=True):
            stack.callback(member.env.close)
            if settings.resume == "never" and os.path.lexists(runs[seed].path / SPEC):
                runs[seed].set_aside()
            run = RunDir.create(settings.root, runs[seed].spec)
            sessions.append(stack.enter_context(Session(run, parts, settings, watch)))
        graded = parts.graded(members[0].env)
        for session, member, found in zip(sessions, members, _common(sessions), strict=True):
            member.env.restorable = graded.exact
            session.notices += [graded.notice] if graded.notice else []
            session.begin(member, found)
        _drive(sessions, batch, parts, settings, stop)
        return finished + [session.result for session in sessions if session.result]


def finished_seeds(spec: RunSpec, seeds: Sequence[int], settings: Settings) -> list[int]:
    """Those of ``seeds`` whose runs are finished and are to be left alone.

    Raises:
        RunError: a run says that it is finished, and what is in it says otherwise.
    """
    if settings.resume != "auto":
        return []
    found = []
    for seed in seeds:
        run = RunDir(spec.with_seed(seed).folder(settings.root), spec.with_seed(seed))
        status = run.status()
        if status["state"] != "finished":
            continue
        problem = contradiction(RunDir.open(run.path), status)
        if problem:
            raise RunError(
                f"{run.path} says that it is finished, and {problem}.",
                "zoo show RUN --verify tells more; --resume never starts afresh and keeps the old run.",
            )
        found.append(seed)
    return found


def _members(parts: Parts, seeds: Sequence[int]) -> tuple[list[Member], Batch | None]:
    try:
        return parts.members(seeds, parts.spec.device)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin's constructor may raise anything
        raise parts.blame(error) from error


def _common(sessions: Sequence[Session]) -> list[Found]:
    """The newest sound checkpoint of each session; in a batch, of the newest step that all of them have."""
    among: set[int] | None = None
    while True:
        found = [newest(session.run, resume=True, among=among) for session in sessions]
        if len({one.step for one in found}) == 1:
            return found
        least = min(one.step for one in found)
        shared = set.intersection(*(set(checkpoint.steps(session.run.checkpoints)) for session in sessions))
        among = {step for step in shared if step <= least}
        if not among:
            return [Found(notice="seeds had no common checkpoint; starting again.") for _ in sessions]


def _drive(sessions: Sequence[Session], batch: Batch | None, parts: Parts, settings: Settings, stop: Stop) -> None:
    """Update until every session has used its budget, is final, has failed, or is asked to stop."""
    active = [(index, session) for index, session in enumerate(sessions) if not _complete(session)]
    while active:
        try:
            rows = _updated(sessions, batch, parts)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a plugin raises ends its runs, and no others
            if settings.debug and isinstance(error, Exception):
                raise
            for _, session in active:
                session.fail(parts.blame(error))
            return
        going = []
        for index, session in active:
            try:
                if _advance(session, rows[index], stop):
                    going.append((index, session))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # evaluating and saving call the plugin, too
                if settings.debug and isinstance(error, Exception) and not isinstance(error, ZooError):
                    raise
                session.fail(parts.blame(error))
        active = going


def _complete(session: Session) -> bool:
    """Whether a session has nothing left to do: killed, perhaps, between its last checkpoint and its end."""
    if not (session.resumed and session.over):
        return False
    try:
        session.close("finished")
    except RunError as error:
        session.fail(error)
    return True


def _updated(sessions: Sequence[Session], batch: Batch | None, parts: Parts) -> Sequence[Metrics]:
    """The metrics of one update of every member."""
    if batch is None:
        return [sessions[0].member.algorithm.update()]
    rows = batch.update()
    if len(rows) != len(sessions):
        raise TrainingFailed(f"update() of a batch of {len(sessions)} {parts.whose} gave {len(rows)} metrics.")
    return rows


def _advance(session: Session, metrics: Metrics, stop: Stop) -> bool:
    """Log, evaluate and save one session after an update; whether it goes on."""
    session.record(metrics)
    done = session.over
    session.evaluate_if_due(last=done)
    if done or stop.asked():
        session.checkpoint()
        session.close("finished" if done else "interrupted", "" if done else stop.reason)
        return False
    session.checkpoint_if_due()
    return True
