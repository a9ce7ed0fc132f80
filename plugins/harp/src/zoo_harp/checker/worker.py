"""The worker process: answers requests on standard input, one JSON object a line. Run by ``pool``, not by hand."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from zoo_harp.checker.limits import MAX_TIMEOUT, NotDecided

_IDLE_SECONDS: Final = 60.0
_MEMORY: Final = 160 << 20
"""bytes of data; address space cannot be bounded so closely, since libraries reserve more than they use"""
_MAX_SECONDS: Final = 11.0

Answer: TypeAlias = dict[str, Any]


class OutOfTime(BaseException):
    """The processor time of a request is used up; no ``except Exception`` of a library may stop it."""


def _limit_memory() -> None:
    """Bound the memory of this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or hard > _MEMORY:
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, hard))


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise ``OutOfTime`` after so much processor time, and let the system kill this process soon after, since
    a long operation in C ignores exceptions.
    """
    try:
        import resource
        import signal
    except ImportError:
        yield
        return

    def stop(*_: object) -> None:
        raise OutOfTime

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, hard))
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


def _prove(request: Answer) -> Answer:
    from zoo_harp.checker.tree import from_data
    from zoo_harp.checker.workers.sympy_tier import prove

    left, right = (from_data(tree) for tree in request["trees"])
    began = time.process_time()
    try:
        with _limited(min(_MAX_SECONDS, request.get("seconds", _MAX_SECONDS))):
            answer = prove(left, right, request.get("variable", ""))
    except OutOfTime:
        return {"late": True}
    return {"equal": answer, "used": time.process_time() - began}


def _check(pairs: list[list[Any]], options: dict[str, Any]) -> Iterator[Answer]:
    """One answer for each pair. A check that takes twice its deadline ends this process: only that surely stops it."""
    from zoo_harp.checker.batch import verdict_data
    from zoo_harp.checker.check import DEFAULT_TIMEOUT, check

    seconds = 2.0 * min(options.get("timeout_s", DEFAULT_TIMEOUT), MAX_TIMEOUT)
    for gold, response in pairs:
        try:
            with _limited(seconds):
                verdict = check(gold, response, **options)
        except OutOfTime:
            yield {"verdict": None}
        else:
            yield {"verdict": verdict_data(verdict)}


def answers(request: Answer) -> Iterator[Answer]:
    """The answers to one request."""
    if request["do"] == "prove":
        yield _prove(request)
    elif request["do"] == "check":
        yield from _check(request["pairs"], request["options"])
    else:
        from zoo_harp.checker.workers.sympy_tier import prepare

        yield {"ready": prepare()}


def serve(answers: Callable[[Answer], Iterable[Answer]] = answers) -> None:
    """Answer until the input ends or nothing has come for a minute."""
    _limit_memory()
    while True:
        idle = threading.Timer(_IDLE_SECONDS, os._exit, (0,))
        idle.daemon = True
        idle.start()
        line = sys.stdin.readline()
        idle.cancel()
        if not line:
            return
        try:
            for answer in answers(json.loads(line)):
                _write(answer)
        except (NotDecided, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError,
                ValueError) as error:  # fmt: skip
            _write({"error": type(error).__name__})


def _write(answer: Answer) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
