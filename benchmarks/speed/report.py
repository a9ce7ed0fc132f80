"""``zoo report`` over 1,000 runs: the whole process, and how large the page is.

The runs are made up, 200 logged updates of 12 metrics each: 200 settings with 5 seeds, and as many runs with one seed
each, of which no curve shares a place with another.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

from ratio import Table, arguments, compare, show
from table import _run

from zoo.training.storage.spec import RunSpec

RUNS, GOAL_SECONDS, GOAL_BYTES = 1000, 10.0, 15e6


def fabricate(root: Path, seeds: int) -> None:
    """Write the runs, on twenty environments."""
    draw = random.Random(0)
    for number in range(RUNS // seeds):
        spec = RunSpec(
            algorithm="made-up/learner", kind="algorithm", plugin_version="0.1.0",
            environment=f"made-up/task-{number % 20}", steps=20_000,
            config={f"option_{n}": n for n in range(20)} | {"learning_rate": number / 100},
        )  # fmt: skip
        for seed in range(seeds):
            _run(spec.with_seed(seed), root, [draw.gauss(number, 1.0) for _ in range(200)])


def measure(rounds: int) -> list[Table]:
    """Both, in fresh processes."""
    tables = []
    for seeds in (5, 1):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            fabricate(folder / "runs", seeds)
            page = folder / "page.html"

            def report(folder: Path = folder, page: Path = page) -> None:
                command = [
                    sys.executable,
                    "-m",
                    "zoo.cli.main",
                    "report",
                    "-o",
                    str(page),
                    "--dir",
                    str(folder / "runs"),
                ]
                subprocess.run(command, check=True, capture_output=True)

            table = compare({"zoo report": report}, rounds, title=f"{RUNS} runs, {seeds} of each setting", clock="cpu")
            table.notes["bytes"] = f"{page.stat().st_size / 1e6:.1f} MB, goal at most {GOAL_BYTES / 1e6:.0f}"
            table.notes["goal"] = f"at most {GOAL_SECONDS:.0f} s CPU"
            tables.append(table)
    return tables


if __name__ == "__main__":
    parser = arguments(__doc__ or "")
    parsed = parser.parse_args()
    show(measure(parsed.rounds), as_json=parsed.json)
