"""What an executor costs: many cells of one second over two workers, and local workers beside those of libraries.

The cells do nothing but last a second, so that the scheduling alone is measured, on a busy machine too. Wall seconds of
the whole command, start of the engine included; ``--cells 1000`` takes nine minutes for each executor.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench import PLUGIN, SECONDS, UPDATES
from ratio import Table, arguments, compare, show

JOBS, CELL_SECONDS, TINY = 2, 1.0, 40
LASTING = PLUGIN.replace(f"{SECONDS / UPDATES}", f"{CELL_SECONDS / UPDATES}").replace(
    "    pass\n", "    number: int = 0\n", 1
)
EXECUTORS = {"local": (), "dask": (), "ray": (), "slurm": ("--executor-option", "cluster=local")}
MODULES = {"local": "zoo_bench", "dask": "distributed", "ray": "ray", "slurm": "submitit"}
CELL = """
[[cells]]
label = "cell {number}"
algorithm = "lasting"
environment = "two-state"
seeds = "{number}"
eval_episodes = 0
options = {{ number = {number} }}
"""


def sweep(cells: int, executor: str) -> float:
    """Wall seconds of ``zoo bench`` over so many cells of a second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plugin, suite = folder / "zoo_lasting.py", folder / "suite.toml"
        plugin.write_text(LASTING)
        suite.write_text("".join(CELL.format(number=number) for number in range(cells)))
        command = [sys.executable, "-m", "zoo.cli.main", "--plugin", str(plugin), "bench", str(suite), "--quiet"]
        command += ["--jobs", str(JOBS), "--dir", str(folder / "runs"), "--executor", executor, *EXECUTORS[executor]]
        began = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        if f"{cells} of {cells} runs are done." not in done.stdout:
            raise SystemExit(done.stdout + done.stderr)
        return seconds


def tiny(seed: int) -> int:
    """A run of a few updates, in a worker of a library; each discovers the plugins once, as ours do."""
    from zoo.training import Settings, Silent, Stop, train_seeds

    spec, registry, root = _request()
    train_seeds(spec, [seed], registry, Settings(root=root), Silent(), Stop())
    return seed


def _request() -> tuple:
    global _found
    if _found is None:
        from zoo.discovery import discover
        from zoo.training import RunRequest, resolve

        registry = discover(only=["zoo-core", "zoo-bench", "zoo-envs", "zoo-reload"])
        request = RunRequest(algorithm="gda", environment="two-state", steps=5, eval_episodes=0)
        _found = resolve(request, registry), registry, Path(tempfile.mkdtemp())
    return _found


_found: tuple | None = None


def ours() -> None:
    """``zoo.training.Pool``."""
    from zoo.training import Pool, Settings, Silent, Stop, WorkerTask

    spec, registry, _ = _request()
    with tempfile.TemporaryDirectory() as root, Pool(JOBS, registry, Settings(root=Path(root))) as pool:
        pool.run([WorkerTask(spec=spec, seeds=(seed,)) for seed in range(TINY)], Silent(), Stop(), lambda end: None)


def standard() -> None:
    """The standard library's executor, with a fork server."""
    _request()  # whoever hands out runs has found the plugins and resolved the request
    with ProcessPoolExecutor(JOBS, mp_context=get_context("forkserver")) as pool:
        list(pool.map(tiny, range(TINY)))


def loky() -> None:
    """Loky's."""
    from loky import ProcessPoolExecutor as Loky

    _request()
    with Loky(JOBS) as pool:
        list(pool.map(tiny, range(TINY)))


def measure(rounds: int) -> list[Table]:
    """The local rivals, each route in a fresh process."""

    def cold(route: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, __file__, "--route", route], check=True)

    routes = ["ours", "standard", *(["loky"] if importlib.util.find_spec("loky") else [])]
    functions = {route: cold(route) for route in routes}
    return [compare(functions, rounds, title=f"{TINY} tiny runs in {JOBS} local workers, cold start", clock="wall")]


if __name__ == "__main__":
    parser = arguments(__doc__ or "")
    parser.add_argument("--route", choices=["ours", "standard", "loky"], help="run one route once, in this process")
    parser.add_argument("--cells", type=int, default=60, help="cells of one second (default: 60)")
    parser.add_argument("--executors", nargs="*", default=[*EXECUTORS], choices=[*EXECUTORS])
    parsed = parser.parse_args()
    if parsed.route:
        globals()[parsed.route]()
        sys.exit()
    if parsed.rounds:
        show(measure(parsed.rounds), as_json=parsed.json)
    ideal = parsed.cells * CELL_SECONDS / JOBS
    for name in parsed.executors:
        if importlib.util.find_spec(MODULES[name]) is None:
            print(f"{name}: not installed")
            continue
        took = sweep(parsed.cells, name)
        print(f"{name}: {parsed.cells} cells of {CELL_SECONDS} s over {JOBS} workers: {took:.1f} s, "
              f"{took / ideal - 1:.1%} over {ideal:.0f} s", flush=True)  # fmt: skip
