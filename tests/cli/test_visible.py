"""Text of files and plugins cannot steer the terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command import zoo
from zoo.terminal.streams import VisibleStream, console, visible

STEERING = {
    "clear the screen": "\x1b[2J", "title": "\x1b]0;gone\x07", "hide": "\x1b[8m", "carriage return": "\r",
    "bell": "\x07", "delete": "\x7f", "C1": "\x9b2J", "override": "\u202e", "isolate": "\u2066",
    "line separator": "\u2028", "null": "\x00", "backspace": "\x08", "surrogate": "\udc9b",
}  # fmt: skip
PLUGIN = """
from zoo import hookimpl, Algorithm
@hookimpl
def zoo_register(zoo):
    zoo.algorithm("shouting", "shouting:Shouting", summary="loud {0} words", config=None)
"""


@pytest.mark.parametrize("what", STEERING)
def test_each_is_shown_as_its_code(what: str) -> None:
    text = f"a{STEERING[what]}b"
    shown = visible(text)
    assert shown.isprintable() and shown[0] == "a" and shown[-1] == "b" and len(shown) > len(text)
    assert visible(shown) == shown


@given(st.text())
def test_what_is_printable_is_not_changed(text: str) -> None:
    shown = visible(text)
    assert not set("".join(STEERING.values())) - set("[2J]0;gone8m") & set(shown)
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize("what", STEERING)
def test_a_console_styles_and_shows(what: str) -> None:
    from rich.text import Text

    file = io.StringIO()
    out = console(file=file, force_terminal=True, color_system="standard", width=60)
    out.print(Text(f"a{STEERING[what]}b", style="bold"))
    assert "\x1b[1m" in file.getvalue()
    inside = file.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\n", "")
    assert inside.isprintable()


def test_a_stream_says_that_it_is_no_terminal() -> None:
    file = io.StringIO()
    stream = VisibleStream(file)
    assert stream.write("a\x1b\n") == 3 and not stream.isatty()
    stream.writelines(["\r", "z"])
    assert file.getvalue() == "a\\x1b\n\\x0dz"


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs whose every text steers."""
    root = tmp_path_factory.mktemp("stranger")
    done = zoo(
        "train", "gda", "two-state", "--steps", "20", "--eval-episodes", "1", "--quiet", "--seeds", "0:2", cwd=root
    )
    assert done.returncode in (0, 3), done.stderr
    evil = "".join(value for value in STEERING.values() if not 0xD800 <= ord(value[0]) < 0xE000)
    for path in (root / "runs").rglob("seed-*"):
        status = json.loads((path / "status.json").read_text())
        (path / "status.json").write_text(json.dumps({**status, "state": "failed", "message": evil, "outcome": evil}))
        starts = json.loads((path / "env.json").read_text())
        starts[0] |= {"time": evil, "python": evil, "packages": {evil: evil}, "git": {"revision": evil}}
        (path / "env.json").write_text(json.dumps(starts))
        (path / "log.txt").write_text(f"WARNING {evil}\n")
        with (path / "metrics.jsonl").open("a") as log:
            log.write(json.dumps({"step": 20, evil: 1.0}) + "\n")
        (path / "evaluations").mkdir()
        report = {"scores": {evil: 1.0}, "notes": [evil], "step": 20, "time": evil}
        (path / "evaluations" / "x.json").write_text(json.dumps(report))
    (root / "runs" / "bad\x1b[2J").mkdir()
    (root / "runs" / "bad\x1b[2J" / "spec.json").write_text("{}")
    return root


COMMANDS = (
    "show runs", "show runs/two-state/gda", "show ONE", "show runs --verify", "diff ONE TWO", "table runs",
    "table runs --format markdown", "plot runs --list", "show \x1b[2J",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_lets_them_through(stranger: Path, command: str) -> None:
    one, two = sorted((stranger / "runs").rglob("seed-*"))
    done = zoo(*command.replace("ONE", str(one)).replace("TWO", str(two)).split(), cwd=stranger)
    for text in (done.stdout, done.stderr):
        assert "Traceback" not in text
        assert all(line.isprintable() for line in text.replace("\t", " ").split("\n")), text
    assert "\\x1b" in done.stdout + done.stderr


def test_summaries_of_plugins_are_shown_so_too(tmp_path: Path) -> None:
    (tmp_path / "shouting.py").write_text(PLUGIN.replace("{0}", "\\x1b[2J"))
    done = zoo("--plugin", "shouting.py", "list", cwd=tmp_path)
    assert "\x1b" not in done.stdout + done.stderr
