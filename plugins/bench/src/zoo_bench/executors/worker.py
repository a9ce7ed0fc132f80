"""What every engine runs in its workers: tasks as JSON in, how they ended as JSON out.

The tasks themselves are done by a child of the worker, which is kept for the next ones: an engine's worker has threads,
signals and a random generator of its own, and runs must not depend on them. A child whose worker is killed saves, gives
its runs free, and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

ATTEMPTS = 2
"""Attempts at a task whose child dies, as with local workers. The second is on this machine, too: it alone can know
that whoever holds the lock of the run is dead."""
_here = threading.local()


def perform(request: str) -> str:
    """Bring the tasks of a request to their end, one after the other.

    Args:
        request: as ``zoo_bench.executors.remote`` writes it.

    Returns:
        A JSON list with an object for each task: ``state`` is "done", "error" (with ``message``, ``hint`` and
        ``host``), "died" (with ``code``, the exit status of the child) or "stopped", where something asked the child
        to stop before the task was at its end.
    """
    data = json.loads(request)
    end = time.monotonic() + data["seconds"] if data["seconds"] else None
    results = []
    for task in data["tasks"]:
        left = 0.0 if end is None else end - time.monotonic()
        if end is not None and left <= 0:
            results.append({"state": "stopped"})
            continue
        for _ in range(ATTEMPTS):
            result = _child(data["start"]).ask({**task, "token": data["token"], "seconds": left})
            if result["state"] != "died":
                break
        results.append({**result, "host": socket.gethostname()})
    return json.dumps(results)


def _child(start: Mapping[str, Any]) -> _Child:
    """The child of this thread, which has discovered the plugins of ``start``."""
    child: _Child | None = getattr(_here, "child", None)
    if child is None or child.start != start or not child.alive:
        if child is not None:
            child.close()
        child = _here.child = _Child(start)
    return child


class _Child:
    """A process that does tasks until its standard input is closed.

    Args:
        start: what does not change from task to task; see ``zoo_bench.executors.child``.
    """

    def __init__(self, start: Mapping[str, Any]) -> None:
        self.start = start
        threads = str(start["settings"]["threads"])
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, threads)}
        if start["plugins"] is not None:
            environment["ZOO_PLUGINS"] = start["plugins"]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "zoo_bench.executors.child"], env=environment, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        with contextlib.suppress(OSError):  # it is dead, as the first question will tell
            self._write(start)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Have a task done."""
        answer = ""
        with contextlib.suppress(OSError):
            self._write(task)
            answer = self._process.stdout.readline() if self._process.stdout else ""
        if answer.endswith("\n"):
            found: dict[str, Any] = json.loads(answer)
            return found
        return {"state": "died", "code": self._process.wait()}

    def _write(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101  it is a pipe
        self._process.stdin.write(f"{json.dumps(message)}\n")
        self._process.stdin.flush()

    def __del__(self) -> None:
        self.close()  # the thread that asked has ended

    def close(self) -> None:
        """Let it end."""
        with contextlib.suppress(OSError, ValueError):
            self._process.communicate()
