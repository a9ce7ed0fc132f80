"""The worker process: answers requests on standard input, one JSON object a line. Run by ``pool``, not by hand."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

from zoo_harp.checker.limits import LOADING_SECONDS, MAX_TIMEOUT, NotDecided
from zoo_harp.checker.workers.process_limits import OutOfTime, bound_memory, limited

_IDLE_SECONDS: Final = 60.0
_MAX_SECONDS: Final = 11.0

Answer: TypeAlias = dict[str, Any]


def _prove(request: Answer) -> Answer:
    from zoo_harp.checker.tree import from_data
    from zoo_harp.checker.workers.sympy_tier import prove

    left, right = (from_data(tree) for tree in request["trees"])
    began = time.process_time()
    try:
        with limited(min(_MAX_SECONDS, request.get("seconds", _MAX_SECONDS)), request.get("wall", _MAX_SECONDS)):
            answer = prove(left, right, request.get("variable", ""))
    except OutOfTime:
        return {"late": True}
    return {"equal": answer, "used": time.process_time() - began}


def _check(pairs: list[list[Any]], options: dict[str, Any]) -> Iterator[Answer]:
    """One answer for each pair. A check that takes twice its deadline is stopped, if need be with this process."""
    from zoo_harp.checker.batch import verdict_data
    from zoo_harp.checker.check import DEFAULT_TIMEOUT, check

    seconds = 2.0 * min(options.get("timeout_s", DEFAULT_TIMEOUT), MAX_TIMEOUT)
    for gold, response in pairs:
        try:
            with limited(seconds, seconds + LOADING_SECONDS):
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

        yield {"ready": prepare(request["part"])}


def serve(answers: Callable[[Answer], Iterable[Answer]] = answers) -> None:
    """Answer until the input ends or nothing has come for a minute."""
    bound_memory()
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
