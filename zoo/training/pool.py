"""Seeds side by side in warm worker processes (performance.md, section 7).

A fork server imports the heavy modules once; each worker is a fork of it, ready in a fraction of a second.
Where there is no fork server, workers are spawned.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from zoo.discovery.registry import Registry, discover
from zoo.errors import ZooError
from zoo.training.loop import Stop, train
from zoo.training.run import RunDir
from zoo.training.session import Cadence, RunResult, Settings, Watcher, stored_result
from zoo.training.spec import RunSpec


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    seed: int


class _PipeWatcher:
    """Reports to the parent; a parent that is gone asks the worker to stop."""

    def __init__(self, pipe: Connection, stop: Stop) -> None:
        self._pipe = pipe
        self._stop = stop

    def _send(self, *message: Any) -> None:
        try:
            self._pipe.send_bytes(json.dumps(message).encode())
        except OSError:
            self._stop.reason = self._stop.reason or "the parent process is gone"

    def started(self, run: RunDir, step: int, notice: str) -> None:
        self._send("started", step, notice)

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        self._send("updated", step, dict(metrics))

    def checkpointed(self, run: RunDir, path: Path) -> None:
        self._send("checkpointed", str(path))

    def finished(self, run: RunDir, result: RunResult) -> None:
        pass


def train_parallel(
    spec: RunSpec, seeds: Sequence[int], registry: Registry, settings: Settings, watch: Watcher, stop: Stop, jobs: int
) -> list[RunResult]:
    """As ``loop.train``, with up to ``jobs`` seeds at a time, each in a process of its own.

    Raises:
        ZooError: a seed could not be started; the others are brought to their end first.
    """
    context = _context(spec, registry)
    request = json.dumps(
        {"spec": spec.to_json(), "settings": {**asdict(settings), "root": str(settings.root)},
         "files": [str(file) for file in registry.files]}
    )  # fmt: skip
    waiting, running = list(seeds), list[_Worker]()
    results: dict[int, RunResult] = {}
    problem: ZooError | None = None
    asked = False
    while waiting or running:
        while waiting and len(running) < jobs and not stop.asked():
            running.append(_start(context, request, waiting.pop(0)))
        if stop.asked():
            waiting.clear()
            if not asked:
                asked = True
                for worker in running:
                    worker.process.terminate()  # SIGTERM: finish the update, save, end
        ready = multiprocessing.connection.wait([worker.pipe for worker in running], timeout=0.2)
        for worker in [worker for worker in running if worker.pipe in ready]:
            run = RunDir(spec.with_seed(worker.seed).folder(settings.root), spec.with_seed(worker.seed))
            try:
                kind, *content = json.loads(worker.pipe.recv_bytes())
            except (EOFError, OSError):
                running.remove(worker)
                worker.process.join()
                if worker.seed not in results and problem is None:
                    problem = ZooError(f"the worker of seed {worker.seed} died (exit {worker.process.exitcode}).")
                continue
            if kind == "error":
                problem = ZooError(*content)
                results[worker.seed] = stored_result(run)
            elif kind == "result":
                results[worker.seed] = stored_result(run)
                watch.finished(run, results[worker.seed])
            elif kind == "started":
                watch.started(run, content[0], content[1])
            elif kind == "updated":
                watch.updated(run, content[0], content[1])
    if problem is not None:
        raise problem
    return [results[seed] for seed in seeds if seed in results]


def _context(spec: RunSpec, registry: Registry) -> Any:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    entry = registry.find(spec.algorithm, "algorithm", "representation")
    context.set_forkserver_preload(["zoo.training.pool", entry.target.partition(":")[0]])
    return context


def _start(context: Any, request: str, seed: int) -> _Worker:
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(request, seed, there), name=f"zoo seed {seed}")
    process.start()
    there.close()
    return _Worker(process, here, seed)


def _work(request: str, seed: int, pipe: Connection) -> None:
    """Train one seed and report; runs in the worker."""
    asked = json.loads(request)
    given = asked["settings"]
    settings = Settings(**{**given, "root": Path(given["root"]), "checkpoint": Cadence(**given["checkpoint"])})
    stop = Stop(settings.time_limit)
    _stop_with_parent(stop)
    try:
        with stop.listening():
            registry = discover([Path(file) for file in asked["files"]])
            spec = RunSpec.from_json(asked["spec"], Path("request"))
            train(spec, [seed], registry, settings, _PipeWatcher(pipe, stop), stop)
        message: tuple[str, ...] = ("result",)
    except ZooError as error:
        message = ("error", error.message, error.hint)
    pipe.send_bytes(json.dumps(message).encode())
    pipe.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # skip the exit handlers of libraries that the fork server imported


def _stop_with_parent(stop: Stop) -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        stop.reason = stop.reason or "the parent process is gone"

    threading.Thread(target=wait, daemon=True).start()
