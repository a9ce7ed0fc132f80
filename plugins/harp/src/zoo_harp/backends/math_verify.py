"""math-verify as a second opinion: in a process of its own, which is killed when it is late.

It reads only what stands between delimiters, so a gold and a bare answer are set in dollars first. The extra
``zoo-harp[math-verify]`` installs it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from zoo import UsageError
from zoo_harp.checker.workers.pool import Worker, WorkerDied

_MARKS: Final = ("$", "\\(", "\\[", "\\boxed", "answer")
_PROSE: Final = re.compile(r"(?<![\\\w])[A-Za-z]{3,}\s{1,8}[A-Za-z]{2,}")
_LOADING: Final = 60.0
"""seconds that the library may take to load"""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What math-verify says of one pair; ``correct`` is None where it ended without a word or was late."""

    correct: bool | None
    seconds: float


def marked(text: str) -> str:
    """``text``, in dollars if it is a bare answer: nothing in it says where the answer is, and it is no prose."""
    return text if any(mark in text.lower() for mark in _MARKS) or _PROSE.search(text) else f"${text}$"


def opinions(pairs: Iterable[tuple[str, str]], timeout_s: float = 2.0) -> Iterator[Opinion]:
    """Its verdicts on pairs of gold and response, in order.

    Raises:
        UsageError: it is not installed.
    """
    if find_spec("math_verify") is None:
        raise UsageError("math-verify is not installed.", "pip install 'zoo-harp[math-verify]' installs it.")
    worker: Worker | None = None
    try:
        for gold, response in pairs:
            worker = worker if worker is not None and worker.alive else _fresh(worker)
            began = time.perf_counter()
            try:
                found = worker.ask({"do": "verify", "gold": gold, "response": response}, timeout_s)
            except WorkerDied:
                found = None
            verdict = found.get("correct") if found else None
            yield Opinion(verdict, time.perf_counter() - began)
    finally:
        if worker is not None:
            worker.kill()


def _fresh(old: Worker | None) -> Worker:
    if old is not None:
        old.kill()
    worker = Worker(__name__)
    worker.warm(_LOADING)
    return worker


def _answers(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One verdict, in the worker."""
    library = import_module("math_verify")
    gold, response = ("1", "1") if request["do"] == "ready" else (request["gold"], request["response"])
    same = library.verify(library.parse(marked(gold)), library.parse(marked(response)))
    yield {"correct": bool(same)}


if __name__ == "__main__":
    from zoo_harp.checker.worker import serve

    serve(_answers)
