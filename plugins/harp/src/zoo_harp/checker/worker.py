"""The worker process: answers requests on standard input, one JSON object a line. Run by ``pool``, not by hand."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

from zoo_harp.checker.limits import NotDecided

_IDLE_SECONDS: Final = 60.0
_MEMORY: Final = 2 << 30
"""bytes of address space"""
_MAX_SECONDS: Final = 11


def _limit_memory() -> None:
    """Bound the address space, where the system can."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or hard > _MEMORY:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, hard))


def _limit_seconds(seconds: float) -> None:
    """Let the system end this process when a request has used much more processor time than it may."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 2, hard))


def _prove(trees: list[Any]) -> dict[str, Any]:
    from zoo_harp.checker.sympy_tier import prove
    from zoo_harp.checker.tree import from_data

    one, other = (from_data(tree) for tree in trees)
    return {"equal": prove(one, other)}


def _check(pairs: list[list[Any]], options: dict[str, Any]) -> dict[str, Any]:
    from zoo_harp.checker.batch import verdict_data
    from zoo_harp.checker.check import check

    return {"verdicts": [verdict_data(check(gold, response, **options)) for gold, response in pairs]}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request."""
    if request["do"] == "prove":
        _limit_seconds(min(_MAX_SECONDS, request.get("seconds", _MAX_SECONDS)))
        return _prove(request["trees"])
    if request["do"] == "check":
        return _check(request["pairs"], request["options"])
    import sympy  # type: ignore[import-untyped]

    return {"ready": sympy.__version__}


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]] = answer) -> None:
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
            found = answer(json.loads(line))
        except (NotDecided, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError,
                ValueError) as error:  # fmt: skip
            found = {"error": type(error).__name__}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
