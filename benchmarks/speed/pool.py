"""Starting two workers that need torch: our fork server beside joblib's loky and plain spawn.

Wall seconds from a cold start to the first result of each of two workers.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Callable

from ratio import Table, arguments, compare, show


def first_result(seed: int) -> int:
    """What each worker does: have torch, and answer."""
    import torch

    return int(torch.full((1,), seed).item())


def forkserver() -> None:
    """The way of ``zoo.training.workers.pool``; what is preloaded is what the rivals' workers import, no more."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch"])
    _collect(context)


def spawn() -> None:
    """A fresh interpreter for each worker."""
    _collect(multiprocessing.get_context("spawn"))


def _collect(context: multiprocessing.context.BaseContext) -> None:
    pipes = []
    for seed in range(2):
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_answer, args=(seed, there))  # type: ignore[attr-defined]
        process.start()
        there.close()
        pipes.append((process, here))
    for process, here in pipes:
        here.recv_bytes()
        process.join()


def _answer(seed: int, pipe: multiprocessing.connection.Connection) -> None:
    pipe.send_bytes(bytes([first_result(seed)]))


def loky() -> None:
    """The default pool of joblib."""
    from joblib import Parallel, delayed

    Parallel(n_jobs=2)(delayed(first_result)(seed) for seed in range(2))


def measure(rounds: int) -> list[Table]:
    """Each route in a fresh process, so that nothing is warm that would not be for a user."""

    def cold(route: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, __file__, "--route", route], check=True)

    functions = {route: cold(route) for route in ("forkserver", "loky", "spawn")}
    table = compare(functions, rounds, title="two workers with torch, cold start", clock="wall")
    table.notes["ours over loky"] = f"{1 / table['loky'].ratio:.2f}, goal at most 0.6"
    return [table]


if __name__ == "__main__":
    parser = arguments(__doc__ or "")
    parser.add_argument("--route", choices=["forkserver", "loky", "spawn"], help="run one route once, in this process")
    parsed = parser.parse_args()
    if parsed.route:
        globals()[parsed.route]()
    else:
        show(measure(parsed.rounds), as_json=parsed.json)
