"""``zoo table`` over 1,000 runs: the whole process, beside one that only starts and lists.

The runs are made up: 10 variants of one algorithm on 20 environments with 5 seeds, 200 logged updates each.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from ratio import Table, arguments, compare, show

from zoo.training.checkpoint import to_json
from zoo.training.run import EVAL, METRICS, SPEC, STATUS
from zoo.training.spec import RunSpec

VARIANTS, ENVIRONMENTS, SEEDS, UPDATES = 10, 20, 5, 200
GOAL = 2.0


def fabricate(root: Path) -> None:
    """Write the runs."""
    draw = random.Random(0)
    for environment in range(ENVIRONMENTS):
        for variant in range(VARIANTS):
            spec = RunSpec(
                algorithm="made-up/learner", kind="algorithm", plugin_version="0.1.0",
                environment=f"made-up/task-{environment}", config={f"option_{n}": n for n in range(20)}
                | {"learning_rate": variant / 100}, steps=100 * UPDATES,
            )  # fmt: skip
            for seed in range(SEEDS):
                _run(spec.with_seed(seed), root, [draw.gauss(variant, 1.0) for _ in range(UPDATES)])


def _run(spec: RunSpec, root: Path, returns: list[float]) -> None:
    folder = spec.folder(root)
    folder.mkdir(parents=True)
    rows = [
        {"step": 100 * (k + 1), "wall": k / 10, "eval/return": value} | {f"loss/part-{n}": value / n for n in (1, 2, 3)}
        for k, value in enumerate(returns)
    ]
    last = {name: value for name, value in rows[-1].items() if name not in ("step", "wall")}
    status = {"state": "finished", "step": spec.steps, "wall": 20.0, "metrics": last, "message": "", "outcome": ""}
    (folder / SPEC).write_bytes(to_json({"zoo": "0.1.0", **spec.to_json()}))
    (folder / STATUS).write_bytes(to_json(status))
    (folder / METRICS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / EVAL).write_text("".join(json.dumps({"step": spec.steps, "return": value}) + "\n" for value in returns))


def measure(rounds: int) -> list[Table]:
    """Each in a fresh process."""

    def zoo(*args: str) -> str:
        command = [sys.executable, "-m", "zoo.cli.main", *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "runs"
        fabricate(root)
        functions = {
            "zoo table, 1,000 runs": lambda: zoo("table", str(root)),
            "grouped by an option": lambda: zoo("table", str(root), "--group-by", "learning_rate"),
            "zoo --version": lambda: zoo("--version"),
        }
        table = compare(functions, rounds, title="zoo table")
    table.notes["goal"] = f"{GOAL} s CPU"
    return [table]


if __name__ == "__main__":
    parsed = arguments(__doc__ or "").parse_args()
    show(measure(parsed.rounds), as_json=parsed.json)
