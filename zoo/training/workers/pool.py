"""Warm worker processes that take one task after the other.

A fork server imports the core once, and each worker is a fork of it; what a task imports, such as torch, its
worker keeps for the next. Where there is no fork server, workers are spawned.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from zoo.discovery.registration import describe
from zoo.discovery.registry import Registry, discover
from zoo.errors import ZooError
from zoo.terminal.streams import visible_streams
from zoo.training.build import offers_batch
from zoo.training.callbacks import Callback
from zoo.training.loop import train_seeds
from zoo.training.settings import Cadence, RunResult, Settings, stored_result
from zoo.training.stop import Stop
from zoo.training.storage.run_dir import RunDir
from zoo.training.storage.spec import RunSpec
from zoo.training.workers.start import left_to_the_parent, safe_path, worker_context

ATTEMPTS = 2
"""Attempts at a task whose worker dies."""
_IDLE_SECONDS = 0.2
_REPORT_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class WorkerTask:
    """Runs that one worker brings to their end.

    Attributes:
        spec: what to run.
        seeds: which seeds. Several train together if the algorithm offers a batch; if not, the worker takes the
            first, and the others become tasks of their own.
        call: ``"module:function"`` that does it, with the arguments of ``train_task``.
        extra: plain data for the function.
        name: what messages about the task call it.
    """

    spec: RunSpec
    seeds: tuple[int, ...]
    call: str = "zoo.training.workers.pool:train_task"
    extra: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """The result of a task: its error, if it could not be done; failed training is in the runs' own status."""

    task: WorkerTask
    error: ZooError | None = None


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: WorkerTask | None = None


class Reporter:
    """Callback in a worker: reports to the parent; a parent that is gone asks the worker to stop."""

    def __init__(self, pipe: Connection, stop: Stop) -> None:
        self._pipe = pipe
        self._stop = stop
        self._sent: dict[int, float] = {}
        self._held: dict[int, dict[str, float]] = {}

    def send(self, *message: Any) -> None:
        """Send plain data."""
        try:
            self._pipe.send_bytes(json.dumps(message).encode())
        except OSError:
            self._stop.reason = self._stop.reason or "the parent process is gone"

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """As Callback."""
        self.send("started", run.seed, step, notice)

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """See ``Callback``; frequent updates are merged into one message."""
        held = self._held.setdefault(run.seed, {})
        held.update(metrics)
        now = time.monotonic()
        if now - self._sent.get(run.seed, 0.0) >= _REPORT_SECONDS:
            self._sent[run.seed] = now
            self.send("updated", run.seed, step, self._held.pop(run.seed))

    def checkpointed(self, run: RunDir, path: Path) -> None:
        """As Callback."""
        self.send("checkpointed", run.seed, str(path))

    def finished(self, run: RunDir, result: RunResult) -> None:
        """As Callback; the parent reads the result from the run."""
        self.send("finished", run.seed)


class Pool:
    """Up to ``jobs`` workers. Use as a context manager: its end is theirs.

    Args:
        jobs: how many workers.
        registry: plugins; each worker discovers them anew.
        settings: how to run.
        preload: modules that the fork server imports for all workers.
    """

    def __init__(self, jobs: int, registry: Registry, settings: Settings, preload: Sequence[str] = ()) -> None:
        self._jobs = jobs
        self._settings = settings
        self._common = json.dumps(
            {
                "settings": {**asdict(settings), "root": str(settings.root)},
                "files": [str(file) for file in registry.files],
                "path": sys.path,
                "environ": sorted(os.environ),
            }
        )
        self._context: Any = worker_context()
        self._preload = ",".join(["zoo.training.workers.pool", *preload])
        self._workers: list[_Worker] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        insists = kind is not None and issubclass(kind, KeyboardInterrupt)  # what was saved stays
        for worker in self._workers:
            (worker.process.kill if insists else worker.process.terminate)()  # SIGTERM: finish the update, save, end
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join()
        self._workers.clear()

    def run(
        self, tasks: Iterable[WorkerTask], callback: Callback, stop: Stop, ended: Callable[[TaskResult], None]
    ) -> None:
        """Do the tasks in this order; tasks not begun when ``stop`` is asked are dropped.

        Args:
            tasks: what to do.
            callback: told what happens in the runs, as if they trained in this process.
            stop: looked at a few times a second; workers then finish their update and save.
            ended: called at the end of each task.
        """
        waiting = deque(tasks)
        attempts: dict[tuple[str, tuple[int, ...]], int] = {}
        asked = False
        while waiting or any(worker.task for worker in self._workers):
            if stop.asked():
                waiting.clear()
                if not asked:
                    asked = True
                    for worker in self._workers:
                        worker.process.terminate()
            self._dispatch(waiting)
            pipes = [worker.pipe for worker in self._workers]
            ready = multiprocessing.connection.wait(pipes, timeout=_IDLE_SECONDS)
            for worker in [worker for worker in self._workers if worker.pipe in ready]:
                try:
                    message = json.loads(worker.pipe.recv_bytes())
                except (EOFError, OSError):
                    task, code = self._remove(worker)
                    if task is None:
                        continue
                    identity = (task.spec.key, task.seeds)
                    attempts[identity] = attempts.get(identity, 1) + 1
                    if stop.asked():  # it was told to end, perhaps before it could listen
                        ended(TaskResult(task=task))
                    elif attempts[identity] > ATTEMPTS:
                        ended(
                            TaskResult(
                                task=task, error=ZooError(f"the worker of {_describe_task(task)} died (exit {code}).")
                            )
                        )
                    else:
                        waiting.appendleft(task)
                    continue
                self._handle(worker, message, waiting, callback, ended)

    def _dispatch(self, waiting: deque[WorkerTask]) -> None:
        """Give each idle worker a task; start workers while there are too few."""
        idle = [worker for worker in self._workers if worker.task is None]
        while waiting:
            if idle:
                worker = idle.pop()
            elif len(self._workers) < self._jobs:
                worker = self._start()
            else:
                return
            task = waiting.popleft()
            request = {"spec": task.spec.to_json(), "seeds": task.seeds, "call": task.call, "extra": dict(task.extra)}
            worker.task = task
            with contextlib.suppress(OSError):  # it is dead, as its pipe is about to tell
                worker.pipe.send_bytes(json.dumps(request).encode())

    def _start(self) -> _Worker:
        here, there = self._context.Pipe()
        process = self._context.Process(target=_run_worker, args=(self._common, there), name="zoo worker")
        with left_to_the_parent(), safe_path(self._preload):
            process.start()
        there.close()
        worker = _Worker(process, here)
        self._workers.append(worker)
        return worker

    def _remove(self, worker: _Worker) -> tuple[WorkerTask | None, int | None]:
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        return worker.task, worker.process.exitcode

    def _handle(
        self,
        worker: _Worker,
        message: list[Any],
        waiting: deque[WorkerTask],
        callback: Callback,
        ended: Callable[[TaskResult], None],
    ) -> None:
        kind, *content = message
        task = worker.task
        if task is None:
            return
        if kind in ("done", "error"):
            worker.task = None
            ended(TaskResult(task=task, error=ZooError(*content) if kind == "error" else None))
            return
        seed, *rest = content
        if kind == "alone":  # no batch: the other seeds are for the next free worker
            worker.task = replace(task, seeds=(seed,))
            waiting.extendleft(replace(task, seeds=(other,)) for other in reversed(task.seeds) if other != seed)
            return
        spec = task.spec.with_seed(seed)
        run = RunDir(spec.folder(self._settings.root), spec)
        if kind == "started":
            callback.started(run, rest[0], rest[1])
        elif kind == "updated":
            callback.updated(run, rest[0], rest[1])
        elif kind == "checkpointed":
            callback.checkpointed(run, Path(rest[0]))
        elif kind == "finished":
            callback.finished(run, stored_result(run))


def _describe_task(task: WorkerTask) -> str:
    many = "seeds" if len(task.seeds) > 1 else "seed"
    return f"{task.name}{', ' if task.name else ''}{many} {', '.join(map(str, task.seeds))}"


def train_task(
    spec: RunSpec,
    seeds: Sequence[int],
    registry: Registry,
    settings: Settings,
    callback: Callback,
    stop: Stop,
    extra: Mapping[str, Any],
) -> None:
    """Train: what a worker does with a task by default."""
    train_seeds(spec, seeds, registry, settings, callback, stop)


def _run_worker(common: str, pipe: Connection) -> None:
    """Take tasks from the pipe until it closes; runs in the worker."""
    setup = json.loads(common)
    sys.path[:] = setup["path"]
    if "PYTHONSAFEPATH" not in setup["environ"]:
        os.environ.pop("PYTHONSAFEPATH", None)
    settings = setup["settings"]
    settings |= {"root": Path(settings["root"]), "checkpoint": Cadence(**settings["checkpoint"])}
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # also where there is no fork server
    stop = Stop(settings["time_limit"])
    _stop_with_parent(stop)
    with visible_streams(discard_when_closed=True), stop.listening(interrupts=False):
        registry = discover([Path(file) for file in setup["files"]])
        while not stop.asked():
            try:
                if not pipe.poll(_IDLE_SECONDS):
                    continue
                request = json.loads(pipe.recv_bytes())
            except (EOFError, OSError):
                break
            _run_task(request, registry, Settings(**settings), Reporter(pipe, stop), stop)
        pipe.close()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)  # skip the exit handlers of libraries that the fork server imported


def _run_task(request: Mapping[str, Any], registry: Registry, settings: Settings, report: Reporter, stop: Stop) -> None:
    """Do one task, and report how it ended."""
    spec = RunSpec.from_json(request["spec"], Path("request"))
    seeds = list(request["seeds"])
    module, _, name = request["call"].partition(":")
    try:
        if len(seeds) > 1 and not offers_batch(registry.find(spec.algorithm, "algorithm", "representation").resolve()):
            del seeds[1:]
            report.send("alone", seeds[0])
        function = getattr(importlib.import_module(module), name)
        function(spec, seeds, registry, settings, report, stop, request["extra"])
    except ZooError as error:
        report.send("error", error.message, error.hint)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # of the core itself, or of a plugin with --debug; the next task may be sound
        traceback.print_exc()
        report.send("error", f"the worker failed: {describe(error)}.")
    else:
        report.send("done")


def _stop_with_parent(stop: Stop) -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        stop.reason = stop.reason or "the parent process is gone"

    threading.Thread(target=wait, daemon=True).start()
