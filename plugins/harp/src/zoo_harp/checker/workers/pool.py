"""Killable worker processes for sympy and for batches.

A worker is a fresh interpreter that reads requests and writes answers as lines of JSON. It is used by one thread at a
time, replaced after ``_MAX_TASKS`` requests, killed on a timeout, ends when its input is closed, when it has been
idle for a minute, or when it has used the processor time of its current request up: so it never outlives its parent
for long, even if that is killed. A thread for each worker reads its answers, which works on every system. Signals of
the calling process are not touched; after a fork the child leaves the parent's workers alone and starts its own.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from typing import IO, Any, Final

from zoo_harp.checker.limits import LOADING_SECONDS
from zoo_harp.checker.workers.process_limits import bounds_memory

_MAX_TASKS: Final = 200
MAX_WORKERS: Final = max(1, min(4, os.cpu_count() or 1))
"""processes of sympy at the same time"""
_UNBOUNDED: Final = (
    "this system offers no way to bound the memory of a process: checks end in time, but may take more than 200 MiB"
)


class WorkerDied(Exception):
    """The worker ended without an answer: out of memory, or killed."""


class Worker:
    """One process, which runs ``module``."""

    def __init__(self, module: str = "zoo_harp.checker.worker") -> None:
        if not bounds_memory():
            warnings.warn(_UNBOUNDED, RuntimeWarning, stacklevel=1)  # one place, so that it is shown once
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self.owner = os.getpid()
        self.tasks = 0
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=_read_lines, args=(self.process.stdout, self._answers), daemon=True).start()
        self._asked: list[str] = []
        self._loaded = 0

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """The answer, or None if it is not there in time; the worker is then killed.

        Raises:
            WorkerDied: the process ended.
        """
        self.send(request)
        answer = self.receive(seconds)
        if answer is None:
            self.kill()
        return answer

    def load(self, *parts: str) -> None:
        """Ask for parts of sympy (``sympy``, ``sums``), without waiting until they are there.

        Raises:
            WorkerDied: the process ended.
        """
        for part in parts:
            if part not in self._asked:
                self._asked.append(part)
                self.send({"do": "ready", "part": part})

    def warm(self, seconds: float, *parts: str) -> bool:
        """Whether these parts of sympy are loaded; waits, and lets the worker go on if they are not there in time.

        Raises:
            WorkerDied: the process ended.
        """
        self.load(*parts)
        end = time.monotonic() + seconds
        while self._loaded < len(self._asked):
            if self.receive(end - time.monotonic()) is None:
                return False
            self._loaded += 1
        return True

    def send(self, request: dict[str, Any]) -> None:
        """Ask, without waiting for the answer.

        Raises:
            WorkerDied: the process ended.
        """
        self.tasks += 1
        stdin = self.process.stdin
        if stdin is None:
            raise WorkerDied
        try:
            stdin.write(json.dumps(request).encode("ascii") + b"\n")
            stdin.flush()
        except OSError:
            raise WorkerDied from None

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """The next answer, or None if it is not there in time.

        Raises:
            WorkerDied: the process ended.
        """
        try:
            line = self._answers.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return None
        if not line.endswith(b"\n"):
            self._answers.put(line)  # for whoever asks again
            self.kill()
            raise WorkerDied
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            try:
                self.process.stdin.close()
            except OSError:
                return

    @property
    def alive(self) -> bool:
        """Whether it can take another request."""
        return self.process.poll() is None and self.tasks < _MAX_TASKS


def _read_lines(stream: IO[bytes], answers: queue.SimpleQueue[bytes]) -> None:
    """Pass lines on until the stream ends, and then one that is none."""
    with stream:
        for line in stream:
            answers.put(line)
    answers.put(b"")


class Pool:
    """The workers of one process, at most ``MAX_WORKERS``; any thread may take one, and waits if all are taken."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._idle: list[Worker] = []
        self._inherited: list[Worker] = []
        self._taken = 0
        self._owner = os.getpid()

    def forget(self) -> None:
        """In a forked child: leave the parent's workers alone. The lock may be held by a thread that is not here."""
        self._inherited = self._idle
        self._free, self._idle, self._taken, self._owner = threading.Condition(), [], 0, os.getpid()

    def take(self) -> Worker:
        """An idle worker, or a new one.

        Raises:
            WorkerDied: all were taken for too long.
        """
        with self._free:
            if not self._free.wait_for(lambda: self._taken < MAX_WORKERS, LOADING_SECONDS):
                raise WorkerDied
            self._taken += 1
            worker = self._idle.pop() if self._idle else None
        if worker is not None and not worker.alive:
            worker.kill()
            worker = None
        try:
            return worker if worker is not None else Worker()
        except BaseException:
            self._leave()
            raise

    def give_back(self, worker: Worker) -> None:
        """Keep a worker for the next one who asks.

        One that ended is replaced at once, and a second one is kept beside it: where one input ends a worker the next
        may, too, and nobody shall wait for its successor to load.
        """
        ours = worker.owner == self._owner == os.getpid()
        if ours and worker.alive:
            self._leave(worker)
            return
        worker.kill()
        self._leave(_replacement() if ours else None)
        if ours and len(self._idle) + self._taken < min(2, MAX_WORKERS):
            spare = _replacement()
            if spare is not None:
                with self._free:
                    self._idle.insert(0, spare)

    def _leave(self, worker: Worker | None = None) -> None:
        with self._free:
            self._taken = max(0, self._taken - 1)
            if worker is not None:
                self._idle.append(worker)
            self._free.notify()

    def close(self) -> None:
        """End all idle workers of this process."""
        with self._free:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()


def _replacement() -> Worker | None:
    """A worker that begins to load sympy; None if the system starts none."""
    try:
        worker = Worker()
        worker.load("sympy")
    except (OSError, WorkerDied):
        return None
    return worker


_POOL: Final = Pool()
atexit.register(_POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.forget)


def ask(request: dict[str, Any], seconds: float, parts: Sequence[str]) -> tuple[dict[str, Any] | None, float]:
    """The answer of a worker, None if it is not there after ``seconds``; and how long a worker was waited for.

    The worker counts its own processor time, for which the ``parts`` of sympy that the request needs are loaded before.
    It is killed when it is late.

    Raises:
        WorkerDied: the worker ended, or none could be had.
    """
    began = time.monotonic()
    worker = _POOL.take()
    try:
        if not worker.warm(LOADING_SECONDS, *parts):
            worker.kill()
            raise WorkerDied
        waited = time.monotonic() - began
        return worker.ask(request, seconds), waited
    except WorkerDied:
        worker.kill()
        raise
    finally:
        _POOL.give_back(worker)


def warm_up() -> None:
    """Load sympy now, so that no check waits for it; returns when it is there.

    Raises:
        WorkerDied: it could not be loaded.
    """
    worker = _POOL.take()
    try:
        if not worker.warm(LOADING_SECONDS, "sympy", "sums"):
            worker.kill()
            raise WorkerDied
    finally:
        _POOL.give_back(worker)


def close() -> None:
    """End the idle workers now."""
    _POOL.close()
