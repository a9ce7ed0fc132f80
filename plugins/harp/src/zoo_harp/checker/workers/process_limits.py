"""Bounds that a worker process sets itself, by what its system offers.

Linux bounds the data of a process and interrupts it by signals. Elsewhere with ``resource`` (macOS takes the same limit
but does not keep it) a thread ends the process once its peak resident size is too large; where signals are missing
(Windows) a thread ends it when its time is over. Without ``resource`` nothing bounds memory, and ``bounds_memory`` says
so. A worker that ends itself costs the pair it was working on, which is then undecided.
"""

from __future__ import annotations

import os
import platform
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

resource: Any = import_module("resource") if find_spec("resource") is not None else None
"""what Windows does not have"""
MEMORY: Final = 160 << 20
"""bytes of data of a worker; address space cannot be bounded so closely, since libraries reserve more than they use"""
_WATCHED_EVERY: Final = 0.05
"""seconds between two readings of the resident size"""


class OutOfTime(BaseException):
    """The time of a request is used up; no ``except Exception`` of a library may stop it."""


def bounds_memory() -> bool:
    """Whether the memory of a worker can be bounded on this system."""
    return resource is not None


def bound_memory() -> None:
    """Bound the memory of this process, where the system can."""
    if resource is None:
        return
    if platform.system() != "Linux":
        threading.Thread(target=_watch_memory, daemon=True).start()
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or hard > MEMORY:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, hard))


def _watch_memory() -> None:
    while peak_resident() <= MEMORY:
        time.sleep(_WATCHED_EVERY)
    os._exit(1)


def peak_resident() -> int:
    """The largest resident size of this process so far, in bytes."""
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak << 10


@contextmanager
def limited(seconds: float, wall: float) -> Iterator[None]:
    """Raise ``OutOfTime`` after ``seconds`` of processor time or ``wall`` seconds.

    The system ends this process soon after, since a long operation in C ignores exceptions. Without signals a thread
    ends it after ``wall`` seconds.
    """
    if resource is None or not hasattr(signal, "setitimer"):
        timer = threading.Timer(wall, os._exit, (1,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        return

    running = True

    def stop(*_: object) -> None:
        if running:
            raise OutOfTime

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, hard))
    timers = ((signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, wall))
    before = [signal.signal(number, stop) for number, _, _ in timers]
    for _, timer_kind, limit in timers:
        signal.setitimer(timer_kind, limit)
    try:
        yield
    finally:
        running = False
        for (number, timer_kind, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer_kind, 0.0)
            signal.signal(number, handler)
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))
