"""A sweep on an engine: tasks out, how they ended back, and what a dead worker held given out again.

Workers are stopped by a file, the token, which they look for on the disk that holds the runs: it is the one thing that
all engines share. Whoever is killed with this process leaves it; its workers then finish what they have.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import asdict, replace
from functools import partial
from typing import Any, Protocol

from zoo import ZooError
from zoo.discovery import Registry, describe
from zoo.training import Callback, RunDir, Settings, Stop, TaskResult, WorkerTask

ATTEMPTS = 2
"""Attempts at a task whose worker is lost, with the machine perhaps."""
FOLDER = ".sweeps"
_IDLE_SECONDS = 0.1
_PROGRESS_SECONDS = 5.0
_MOST_SHOWN = 20
Bundle = list[WorkerTask]


class Engine(Protocol):
    """What a library must do for a sweep.

    Attributes:
        seconds: how long a bundle may take; what is not at its end by then is saved and given out again. 0: no limit.
    """

    seconds: float

    def bundles(self, tasks: Sequence[WorkerTask]) -> list[Bundle]:
        """The tasks as they are to be sent: together where starting a worker is dear."""

    def room(self, sent: int) -> int:
        """How many more bundles to send while ``sent`` of them are not at their end.

        Raises:
            ZooError: the engine is gone.
        """

    def submit(self, requests: Sequence[str]) -> list[Future[str]]:
        """Let workers ``perform`` each request."""

    def withdraw(self, future: Future[str]) -> bool:
        """Whether a bundle had not begun and never will."""

    def died(self, error: BaseException) -> bool:
        """Whether an error says that a worker died, rather than that the function raised."""

    def close(self) -> None:
        """End what was started."""


class Remote:
    """Runs tasks on an engine, as ``zoo.training.Pool`` does in processes. Use as a context manager.

    Args:
        start: starts the engine, or reaches it.
        registry: plugins; each worker discovers them anew.
        settings: how to run.
    """

    def __init__(self, start: Callable[[], Engine], registry: Registry, settings: Settings) -> None:
        self._start = start
        self._registry = registry
        self._settings = replace(settings, root=settings.root.absolute())
        name = f"{socket.gethostname()}-{os.getpid()}-{time.time_ns() % 10**9}"
        self._token = self._settings.root / FOLDER / f"{name}.token"

    def __enter__(self) -> Remote:
        self._engine = self._start()
        try:
            self._token.parent.mkdir(parents=True, exist_ok=True)
            self._token.touch()
        except OSError as error:
            self._engine.close()
            raise ZooError(f"{self._token} cannot be written: {error.strerror}.") from error
        return self

    def __exit__(self, *error: object) -> None:
        self._release()
        self._engine.close()
        with contextlib.suppress(OSError):  # another sweep, or logs of jobs that failed, are there
            self._token.parent.rmdir()

    def _release(self) -> None:
        self._token.unlink(missing_ok=True)

    def run(
        self, tasks: Iterable[WorkerTask], callback: Callback, stop: Stop, ended: Callable[[TaskResult], None]
    ) -> None:
        """As ``zoo.training.Pool.run``; progress is what the runs' own files say.

        Raises:
            ZooError: the engine is gone; what was finished is kept.
        """
        waiting = deque(self._engine.bundles([alone for task in tasks for alone in self._apart(task)]))
        sent: dict[int, tuple[Bundle, Future[str]]] = {}
        arrived: queue.SimpleQueue[int] = queue.SimpleQueue()
        numbers = itertools.count()
        losses: Counter[tuple[str, tuple[int, ...]]] = Counter()
        progress = _Progress(callback, self._settings)
        asked = False
        while waiting or sent:
            if stop.asked() and not asked:
                asked = True
                waiting.clear()
                self._release()
                sent = {n: entry for n, entry in sent.items() if not self._engine.withdraw(entry[1])}
            room = min(len(waiting), self._engine.room(len(sent)))
            if room > 0:
                batch = [waiting.popleft() for _ in range(room)]
                for bundle, future in zip(batch, self._engine.submit([*map(self._request, batch)]), strict=True):
                    number = next(numbers)
                    sent[number] = bundle, future
                    future.add_done_callback(partial(_arrive, arrived, number))
            try:
                number = arrived.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                progress.look([task for bundle, _ in sent.values() for task in bundle])
                continue
            if number not in sent:
                continue
            bundle, future = sent.pop(number)
            for task, result in self._results(bundle, future):
                again = result["state"] == "stopped"
                if result["state"] == "lost":
                    identity = task.spec.key, task.seeds
                    losses[identity] += 1
                    again = losses[identity] < ATTEMPTS
                if again and not asked:
                    waiting.append([task])
                    continue
                progress.end(task)
                ended(TaskResult(task=task, error=_error(task, result)))

    def _apart(self, task: WorkerTask) -> Iterator[WorkerTask]:
        """Seeds together where the algorithm advances them together, else each a task of its own."""
        if len(task.seeds) > 1:
            entry = self._registry.find(task.spec.algorithm, "algorithm", "representation")
            if not callable(getattr(entry.resolve(), "batch", None)):
                yield from (replace(task, seeds=(seed,)) for seed in task.seeds)
                return
        yield task

    def _request(self, bundle: Bundle) -> str:
        tasks = [
            {"spec": task.spec.to_json(), "seeds": task.seeds, "call": task.call, "extra": dict(task.extra)}
            for task in bundle
        ]
        start = {
            "settings": {**asdict(self._settings), "root": str(self._settings.root)},
            "files": [str(file) for file in self._registry.files],
            "plugins": os.environ.get("ZOO_PLUGINS"),
            "path": [entry for entry in sys.path if entry],
            "argv": sys.argv,
        }
        return json.dumps({"tasks": tasks, "start": start, "token": str(self._token), "seconds": self._engine.seconds})

    def _results(self, bundle: Bundle, future: Future[str]) -> Iterator[tuple[WorkerTask, Mapping[str, Any]]]:
        """Each task with how it ended."""
        try:
            yield from zip(bundle, json.loads(future.result()), strict=True)
        except CancelledError:
            yield from ((task, {"state": "lost"}) for task in bundle)
        except Exception as error:
            state = {"state": "lost"}
            if not self._engine.died(error):
                state = {"state": "error", "message": f"the worker failed: {describe(error)}.", "hint": ""}
            yield from ((task, state) for task in bundle)


def _arrive(arrived: queue.SimpleQueue[int], number: int, future: Future[str]) -> None:
    arrived.put(number)


def _error(task: WorkerTask, result: Mapping[str, Any]) -> ZooError | None:
    if result["state"] in ("died", "lost"):
        many = "seeds" if len(task.seeds) > 1 else "seed"
        who = f"{task.name}{', ' if task.name else ''}{many} {', '.join(map(str, task.seeds))}"
        how = f" (exit {result['code']})" if "code" in result else f", {ATTEMPTS} times"
        return ZooError(f"the worker of {who} died{how}{_where(result)}.")
    if result["state"] != "error":
        return None
    return ZooError(f"{result['message'].rstrip('.')}{_where(result)}.", result["hint"])


def _where(result: Mapping[str, Any]) -> str:
    host = result.get("host", "")
    return f" on {host}" if host not in ("", socket.gethostname()) else ""


class _Progress:
    """Tells a callback, every few seconds, what the files of some runs under way say."""

    def __init__(self, callback: Callback, settings: Settings) -> None:
        self._callback = callback
        self._root = settings.root
        self._looked = time.monotonic()
        self._begun: set[tuple[str, int]] = set()

    def look(self, tasks: Sequence[WorkerTask]) -> None:
        """At the first ``_MOST_SHOWN`` of these."""
        if time.monotonic() - self._looked < _PROGRESS_SECONDS:
            return
        self._looked = time.monotonic()
        for task in tasks[:_MOST_SHOWN]:
            for seed in task.seeds:
                spec = task.spec.with_seed(seed)
                run = RunDir(spec.folder(self._root), spec)
                status = run.status()
                if status["state"] == "running":
                    if (spec.key, seed) not in self._begun:
                        self._begun.add((spec.key, seed))
                        self._callback.started(run, status["step"], "")
                    self._callback.updated(run, status["step"], status.get("metrics", {}))

    def end(self, task: WorkerTask) -> None:
        """Nothing more will happen to its runs; ``ended`` tells the rest."""
        self._begun -= {(task.spec.key, seed) for seed in task.seeds}
