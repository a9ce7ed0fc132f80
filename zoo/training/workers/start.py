"""How worker processes are started: from a fork server, with safe paths, ignoring the terminal's signals."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

from zoo.training.workers.preload import VARIABLE


def worker_context() -> Any:
    """A fork server, where there is one; its workers are forks of a process that has imported the core."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["zoo.training.workers.preload"])
    return context


@contextlib.contextmanager
def left_to_the_parent() -> Iterator[None]:
    """Ignore the signals that a terminal sends to all processes; processes started in this block inherit that.

    The parent alone decides, and tells its workers with SIGTERM.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def safe_path(preload: str) -> Iterator[None]:
    """Keep interpreters that are started in the block from importing from the current directory."""
    changed = {"PYTHONSAFEPATH": "1", VARIABLE: preload}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
