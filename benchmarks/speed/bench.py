"""What ``zoo bench --jobs 2`` costs beside the same runs one after the other in two shells, and beside their length.

The runs do nothing but last ten seconds, so that the scheduling alone is measured, on a busy machine too. Wall seconds.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ratio import Table, arguments, compare, show

RUNS, JOBS, SECONDS, UPDATES = 6, 2, 10.0, 50
PLUGIN = f"""
import time
from dataclasses import dataclass
from zoo import Algorithm, hookimpl

@hookimpl
def zoo_register(zoo):
    summary = "lasts {SECONDS} s, whatever the machine does"
    zoo.algorithm("lasting", "zoo_lasting:Lasting", config="zoo_lasting:Config", summary=summary, steps={UPDATES})

@dataclass(frozen=True, kw_only=True)
class Config:
    pass

class Lasting(Algorithm):
    def __init__(self, ctx, config):
        super().__init__(ctx, config)
        ctx.env.reset()
        self.began = time.monotonic()

    def update(self):
        self.env_steps += 1
        time.sleep(max(0.0, self.began + self.env_steps * {SECONDS / UPDATES} - time.monotonic()))
        return {{"done": self.env_steps / {UPDATES}}}

    def act(self, obs, *, greedy=True):
        return obs * 0

    def state(self):
        return {{}}

    def load_state(self, state):
        pass
"""
SUITE = f"""
[suite]
title = "{RUNS} runs of {SECONDS} s"

[[cells]]
label = "lasting"
algorithm = "lasting"
environment = "two-state"
seeds = "0:{RUNS}"
eval_episodes = 0

[[metrics]]
name = "done"
of = "done"
"""


def measure(rounds: int) -> list[Table]:
    """Everything in fresh processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plugin, suite = folder / "zoo_lasting.py", folder / "suite.toml"
        plugin.write_text(PLUGIN)
        suite.write_text(SUITE)

        def zoo(*args: str) -> None:
            with tempfile.TemporaryDirectory(dir=folder) as root:
                command = [sys.executable, "-m", "zoo.cli.main", "--plugin", str(plugin), *args, "--dir", root]
                subprocess.run(command, check=True, capture_output=True)

        def shell(first: int) -> None:
            for seed in range(first, RUNS, JOBS):
                zoo("train", "lasting", "two-state", "--seed", str(seed), "--eval-episodes", "0")

        def shells() -> None:
            with ThreadPoolExecutor(JOBS) as pool:
                list(pool.map(shell, range(JOBS)))

        functions = {
            "two shells, zoo train again and again": shells,
            "zoo bench --jobs 2": lambda: zoo("bench", str(suite), "--jobs", str(JOBS)),
        }
        table = compare(functions, rounds, title=f"{RUNS} runs of {SECONDS:.0f} s", clock="wall")
    bare = RUNS / JOBS * SECONDS
    bench = table["zoo bench --jobs 2"]
    table.notes["over the shells"] = f"{100 * (bench.ratio - 1):.1f} %, goal at most 5 %"
    table.notes[f"over {bare:.0f} s, the runs alone"] = f"{100 * (bench.median / bare - 1):.1f} %"
    return [table]


if __name__ == "__main__":
    parsed = arguments(__doc__ or "").parse_args()
    show(measure(parsed.rounds), as_json=parsed.json)
