"""math-verify as a second checker: in a process of its own, which is killed after a timeout.

It reads only text between delimiters, so gold answers and bare answers are first enclosed in dollar signs. The extra
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
_LOADING_TIMEOUT: Final = 60.0
"""timeout of loading the library, in seconds"""


@dataclass(frozen=True, slots=True)
class OtherVerdict:
    """math-verify's verdict on one pair; ``correct`` is None where it failed or timed out."""

    correct: bool | None
    seconds: float


def marked(text: str) -> str:
    """``text``, in dollar signs if it is a bare answer: it has neither delimiters nor prose."""
    return text if any(mark in text.lower() for mark in _MARKS) or _PROSE.search(text) else f"${text}$"


def other_verdicts(pairs: Iterable[tuple[str, str]], timeout_s: float = 2.0) -> Iterator[OtherVerdict]:
    """math-verify's verdicts on pairs of gold answer and response, in order.

    Raises:
        UsageError: it is not installed.
    """
    if find_spec("math_verify") is None:
        raise UsageError("math-verify is not installed.", "pip install 'zoo-harp[math-verify]' installs it.")
    worker: Worker | None = None
    try:
        for gold, response in pairs:
            worker = worker if worker is not None and worker.alive else _start_worker(worker)
            began = time.perf_counter()
            try:
                answer = worker.ask({"do": "verify", "gold": gold, "response": response}, timeout_s)
            except WorkerDied:
                answer = None
            verdict = answer.get("correct") if answer else None
            yield OtherVerdict(verdict, time.perf_counter() - began)
    finally:
        if worker is not None:
            worker.kill()


def _start_worker(old: Worker | None) -> Worker:
    if old is not None:
        old.kill()
    worker = Worker(__name__)
    worker.warm(_LOADING_TIMEOUT)
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
