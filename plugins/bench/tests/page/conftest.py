from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.bench.tests.conftest import bench_environment
from plugins.bench.tests.made_up import spec, store
from plugins.bench.tests.page.hostile_lab import EVIL, LONG, METRICS, PRINTABLE

PLUGINS = "zoo-core,zoo-bench,zoo-envs,zoo-onpolicy,zoo-reload"
LAB = Path(__file__).with_name("hostile_lab.py")


def report(*args: object, plugins: str = "zoo-core,zoo-bench,zoo-envs") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zoo.cli.main", "--plugin", str(LAB), "report", *map(str, args)], capture_output=True,
        text=True, timeout=300, check=False, env={**bench_environment(), "ZOO_PLUGINS": plugins},
    )  # fmt: skip


@pytest.fixture(scope="session")
def hostile_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs with hostile names, values, messages, commands and logs beside sound ones, in a folder of a hostile name."""
    root = tmp_path_factory.mktemp("hostile") / "<img src=x onerror=window.evil=1>"
    rows = [{"eval/return": float(step % 7 + seed), "err": 1.0 / (step + 1)} for seed in (0,) for step in range(40)]
    for seed in range(3):
        store(root, spec("learner", "task", config={"eta": 0.5}), seed, rows)
    store(root, spec("other", "task", config={"eta": 0.1}), 0, rows[:20], state="interrupted")
    evil = spec("evil", "task", config={"words": EVIL, PRINTABLE: LONG, "nested": {EVIL: [EVIL]}})
    folder = store(root, evil, 0, [{name: float(step) for name in METRICS} for step in range(30)])
    (folder / "env.json").write_text(
        json.dumps([{"argv": ["/x/zoo", "train", EVIL, LONG], "python": EVIL, "packages": {EVIL: EVIL}, "os": EVIL,
                     "cpu": EVIL, "git": EVIL, "time": EVIL, "device": "cpu", "threads": 1}])
    )  # fmt: skip
    folder = store(root, evil, 1, [{"eval/return": 1.0}], state="failed", message=f"ValueError: {EVIL}{LONG}")
    with (folder / "metrics.jsonl").open("a") as log:
        log.write(
            '{"step": 40, "eval/return": NaN, "a/b/err": -Infinity}\n{"step": 50, "\\u202eevil\\u001b[31m": 3.5}\n'
        )
        log.write('{"step": "<b>", "eval/return": 1}\n{"step": 60, "eval/return": "<b>"}\n{"step": 1e999, "err": 2}\n')
        log.write(f'{{"step": 70, "err": 1{"0" * 400}}}\n{{"torn')
    broken = store(root, spec("torn", "task"), 0, rows[:3])
    (broken / "spec.json").write_text("{")
    return root


@pytest.fixture(scope="session")
def hostile_page(hostile_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The report of these runs, with the claims of one paper judged by committed results."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    raw = Path(__file__).parents[4] / "benchmarks" / "results"
    done = report(hostile_runs, "--from", raw, "-o", file, plugins=PLUGINS)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_size < 2e6
    yield file
