"""``zoo table`` over 1,000 runs: the whole process, beside one that only starts.

The runs are made up, 200 logged updates each: 10 variants of one algorithm on 20 environments with 5 seeds, of which a
table needs the last values only; and a suite of 20 cells with 50 seeds whose metrics need every line of every log.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from ratio import Table, arguments, compare, show
from zoo_bench.resolve import resolve_suite
from zoo_bench.suite import load_suite

from zoo.discovery.registry import discover
from zoo.training.storage.files import to_json
from zoo.training.storage.run_dir import EVAL, METRICS, SPEC, STATUS
from zoo.training.storage.spec import RunSpec

VARIANTS, ENVIRONMENTS, SEEDS, UPDATES = 10, 20, 5, 200
GOAL = 2.0
LEARNERS, PROBLEMS = ("reload", "gda", "average", "pid", "rpgpd"), ("two-state", "three-state", "garnet", "hazard-grid")
SUITE_HEAD = """
[suite]
title = "1,000 made-up runs"

[[metrics]]
name = "area"
of = "eval/return"
function = "auc"

[[metrics]]
name = "spread"
of = "loss/part-1"
function = "last_half_range"

[[metrics]]
name = "steps"
of = "eval/return"
function = "steps_to_stay_above"
options = { level = 0.0 }
"""
CELL = """
[[cells]]
label = "{0}"
algorithm = "{0}"
environment = "{1}"
seeds = "0:50"
steps = 20000
"""


def fabricate(root: Path) -> None:
    """Write the runs of which nothing but the last values is needed."""
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


def fabricate_suite(file: Path, root: Path) -> None:
    """Write the suite and its runs."""
    cells = [CELL.format(learner, problem) for learner in LEARNERS for problem in PROBLEMS]
    file.write_text(SUITE_HEAD + "".join(cells))
    draw = random.Random(0)
    for cell in resolve_suite(load_suite(file), discover()).cells:
        for seed in cell.seeds if cell.spec else ():
            _run(cell.spec.with_seed(seed), root, [draw.gauss(0.0, 1.0) for _ in range(UPDATES)])


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
        root, suite, logs = Path(name) / "runs", Path(name) / "suite.toml", Path(name) / "logs"
        fabricate(root)
        fabricate_suite(suite, logs)
        functions = {
            "zoo table, 1,000 runs": lambda: zoo("table", str(root)),
            "grouped by an option": lambda: zoo("table", str(root), "--group-by", "learning_rate"),
            "a suite, from whole logs": lambda: zoo("table", str(suite), "--dir", str(logs)),
            "zoo --version": lambda: zoo("--version"),
        }
        table = compare(functions, rounds, title="zoo table")
    table.notes["goal"] = f"{GOAL} s CPU"
    return [table]


if __name__ == "__main__":
    parsed = arguments(__doc__ or "").parse_args()
    show(measure(parsed.rounds), as_json=parsed.json)
