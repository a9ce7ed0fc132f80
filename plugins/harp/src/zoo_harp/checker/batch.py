"""Many checks at once, in worker processes, in the order of the pairs."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from zoo_harp.checker.check import DEFAULT_TIMEOUT, Kind, Verdict, check, check_gold, check_response
from zoo_harp.checker.limits import LOADING_SECONDS, MAX_TIMEOUT
from zoo_harp.checker.workers.pool import Worker, WorkerDied

_CHUNK: Final = 64

Progress: TypeAlias = Callable[["Batch"], None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Progress of a batch: checks done, their number, and seconds of wall time so far."""

    done: int
    total: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Checks a second so far."""
        return self.done / self.seconds if self.seconds > 0 else 0.0


def verdict_data(verdict: Verdict) -> dict[str, Any]:
    """Plain data of a verdict."""
    return dataclasses.asdict(verdict)


def check_many(
    pairs: Iterable[tuple[str, str | None]],
    *,
    workers: int = 1,
    kind: Kind = "auto",
    timeout_s: float = DEFAULT_TIMEOUT,
    progress: Progress | None = None,
) -> list[Verdict]:
    """Check pairs of gold and response, in order.

    Args:
        pairs: gold answers and responses.
        workers: processes; 1 checks in this one.
        kind: as in ``check``.
        timeout_s: seconds for each check.
        progress: called in this thread with a ``Batch`` after every few checks.

    Raises:
        ValueError: ``workers`` is below 1, or a gold answer is empty or not a string (the message names its index).
        TypeError: a response is neither a string nor None.
    """
    if workers < 1:
        raise ValueError(f"workers = {workers}: expected at least 1.")
    pairs_to_check: list[tuple[str, str | None]] = []
    for k, (gold, response) in enumerate(pairs):
        check_response(response, f"pair {k}")
        pairs_to_check.append((check_gold(gold, f"pair {k}"), response))
    began = time.monotonic()

    def report(done: int) -> None:
        if progress is not None:
            progress(Batch(done, len(pairs_to_check), time.monotonic() - began))

    if workers == 1 or len(pairs_to_check) <= _CHUNK:
        verdicts = []
        for gold, response in pairs_to_check:
            verdicts.append(check(gold, response, kind=kind, timeout_s=timeout_s))
            if len(verdicts) % _CHUNK == 0 or len(verdicts) == len(pairs_to_check):
                report(len(verdicts))
        return verdicts
    return _in_workers(
        pairs_to_check, min(workers, -(-len(pairs_to_check) // _CHUNK)), {"kind": kind, "timeout_s": timeout_s}, report
    )


def _in_workers(
    pairs_to_check: Sequence[tuple[str, str | None]],
    workers: int,
    options: dict[str, Any],
    report: Callable[[int], None],
) -> list[Verdict]:
    """A thread for each worker process takes chunks until none is left."""
    results: list[Verdict | None] = [None] * len(pairs_to_check)
    starts = iter(range(0, len(pairs_to_check), _CHUNK))
    turn = threading.Condition()
    state = {"done": 0, "running": workers}
    failures: list[BaseException] = []

    def serve() -> None:
        worker = Worker()
        try:
            while not failures:
                with turn:
                    start = next(starts, None)
                if start is None:
                    return
                worker = _serve_chunk(worker, pairs_to_check, start, options, results)
                with turn:
                    state["done"] += len(pairs_to_check[start : start + _CHUNK])
                    turn.notify()
        except BaseException as error:
            failures.append(error)
        finally:
            worker.kill()
            with turn:
                state["running"] -= 1
                turn.notify()

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    reported = 0
    while True:
        with turn:
            while state["done"] <= reported and state["running"]:
                turn.wait()
            done, running = state["done"], state["running"]
        if done > reported:
            reported = done
            report(done)
        if running == 0:
            break
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [verdict for verdict in results if verdict is not None]


def _serve_chunk(
    worker: Worker,
    pairs_to_check: Sequence[tuple[str, str | None]],
    start: int,
    options: dict[str, Any],
    results: list[Verdict | None],
) -> Worker:
    """Check one chunk; a pair that crashes its worker gets the verdict ``limit``, and the worker is replaced."""
    at, end = start, min(start + _CHUNK, len(pairs_to_check))
    while at < end:
        if not worker.alive:
            worker.kill()
            worker = Worker()
        try:
            worker.send({"do": "check", "pairs": [list(pair) for pair in pairs_to_check[at:end]], "options": options})
            while at < end:
                answer = worker.receive(2.0 * min(options["timeout_s"], MAX_TIMEOUT) + LOADING_SECONDS)
                if answer is None:
                    raise WorkerDied
                data = answer.get("verdict")
                results[at] = Verdict(**data) if data else _limit_verdict(options)
                at += 1
                if "verdict" not in answer:
                    break  # the worker has ended this request
        except WorkerDied:
            worker.kill()
            if at < end:
                results[at] = _limit_verdict(options)
                at += 1
    return worker


def _limit_verdict(options: dict[str, Any]) -> Verdict:
    return Verdict(False, None, "limit", "limit", 2.0 * min(options["timeout_s"], MAX_TIMEOUT))
