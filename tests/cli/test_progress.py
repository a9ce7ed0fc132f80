"""What a person sees of a run under way, on a terminal of any width and of changing width."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.cli.progress import summary
from zoo.runs.describe import option_rows
from zoo.runs.store import Run
from zoo.terminal.live import LiveLines
from zoo.training.progress import _Seed, by_meaning
from zoo.training.settings import RunResult
from zoo.training.storage.spec import RunSpec

METRICS = {"kl": 0.5, "loss/value": 1.0, "episode/count": 3.0, "episode/return": 20.0, "eval/return": 21.0}


def test_metrics_are_chosen_by_meaning() -> None:
    assert by_meaning(METRICS) == ["eval/return", "episode/return", "loss/value", "kl", "episode/count"]
    assert by_meaning(["gap", "loss", "err"]) == ["gap", "err", "loss"]
    assert by_meaning(["x", "n_updates", "train/discounted_return"]) == ["train/discounted_return", "x", "n_updates"]


@given(st.integers(1, 200))
def test_counters_come_first_and_metrics_go_when_it_is_narrow(width: int) -> None:
    line = _Seed(0, 1200, 0.0, dict(METRICS)).line(3, 50_000, width, 60.0)
    assert line.startswith("seed 3  1200/50000")
    assert len(line) <= max(width, len("seed 3  1200/50000"))
    whole = "seed 3  1200/50000  0:40:40 left  eval/return 21  episode/return 20  loss/value 1"
    assert whole.startswith(line)
    assert line == whole or width < len(whole)


def test_a_seed_without_metrics_is_starting() -> None:
    assert _Seed(0, 0, 0.0).line(0, 100, 80, 1.0) == "seed 0  0/100  starting"


@pytest.mark.parametrize(("asked", "goes_on"), [(2, False), (3, True)])  # of three runs, the last was never begun
def test_a_stop_after_the_last_run_promises_nothing_more(
    asked: int, goes_on: bool, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    results = [
        RunResult(path=tmp_path / f"seed-{seed}", seed=seed, status="finished", steps=10, metrics={}) for seed in (0, 1)
    ]
    summary(spec_with({}, {}), results, "SIGTERM", asked)
    out = capsys.readouterr().out
    assert ("continues" in out, "every run had finished" in out) == (goes_on, not goes_on), out


class Screen(io.StringIO):
    """A terminal that breaks long lines anew when its width changes, as today's do, and knows what LiveLines writes."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns
        self.logical: list[str] = [""]  # lines as they were written
        self.up = 0  # rows that the next erasure begins above

    def rows(self) -> list[str]:
        return [
            line[start : start + self.columns]
            for line in self.logical
            for start in range(0, max(1, len(line)), self.columns)
        ]

    def write(self, text: str) -> int:
        for part in re.findall(r"\x1b\[\d*[AJ]|\r|\n|[^\x1b\r\n]+", text):
            if part == "\n":
                self.logical.append("")
            elif part == "\r":
                self.up = 0
            elif part.endswith("A"):
                self.up = int(part[2:-1])
            elif part.endswith("J"):
                kept = self.rows()
                kept = kept[: len(kept) - 1 - self.up]
                self.logical = [*kept, ""]
                self.up = 0
            else:
                self.logical[-1] += part
        return len(text)


class Resized(LiveLines):
    @property
    def width(self) -> int:
        screen: Any = self._stream
        return int(screen.columns) - 1


FRAMES = st.tuples(st.integers(5, 60), st.lists(st.text("abc ", max_size=70), min_size=1, max_size=4))


@given(st.lists(FRAMES, min_size=1, max_size=6))
def test_no_ghost_stays_behind(frames: list[tuple[int, list[str]]]) -> None:
    screen = Screen(60)
    screen.write("before\n")
    live = Resized(screen)
    for columns, lines in frames:
        screen.columns = columns
        live.show(lines)
        rows, expected = screen.rows(), [line[: columns - 1].rstrip() for line in lines]
        assert "".join(rows[: -len(lines)]) == "before"
        assert [row.rstrip() for row in rows[-len(lines) :]] == expected
    live.clear()
    assert "".join(screen.rows()) == "before"


def spec_with(config: dict[str, Any], origins: dict[str, str]) -> RunSpec:
    return RunSpec(algorithm="a/it", kind="algorithm", plugin_version="1", environment="e/x", steps=1, config=config,
                   env_config={"size": {"rows": 2, "columns": 3}}, origins=origins)  # fmt: skip


def test_show_flattens_nested_options(tmp_path: Path) -> None:
    config = {
        "rate": {"type": "Linear", "start": 1.0, "inner": {"type": "Deep", "x": [1, 2]}},
        "none": None,
        "empty": {},
    }
    rows = option_rows(Run(tmp_path, spec_with(config, {"rate": "cli", "rate.start": "cli", "env.size": "preset"})))
    found = {row["option"]: (row["value"], row["origin"]) for row in rows}
    assert found["rate"] == ("Linear", "cli")
    assert found["rate.start"] == (1.0, "cli")
    assert found["rate.inner"] == ("Deep", "cli")
    assert found["rate.inner.x"] == ([1, 2], "cli")
    assert found["env.size.rows"] == (2, "preset")
    assert found["none"] == (None, "default")
    assert "{" not in json.dumps([row["value"] for row in rows])


@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("columns", [100, 24])
def test_a_terminal_shows_it_is_starting_first(columns: int, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo.cli.main", "train", "gda", "two-state", "--steps", "3000", "--eval-episodes", "0"],
        stderr=theirs, stdout=subprocess.DEVNULL, cwd=tmp_path, env={**env, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    heard = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        heard += part
    process.wait()
    os.close(ours)
    text = heard.decode()
    assert text.lstrip("\r\n").startswith("starting gda on two-st")
    assert "seed 0  " in text
    assert text.rstrip().endswith("\x1b[J")
    for line in re.split(r"\x1b\[\d*[AJ]|[\r\n]+", text):
        assert len(line) < columns
