"""Commands of plugins: one that fails, exits or collides takes no other down."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import zoo

HEAD = """
import sys
from zoo import CommandParser, hookimpl
class Odd(BaseException): pass
@hookimpl
def zoo_register(zoo):
    zoo.command("{name}", "{module}:run", summary="does it")
def run(args, options):
    {body}
"""
GOOD = """parser = CommandParser(prog="zoo fine", examples=["zoo fine"])
    parser.add_argument("--count", type=int, default={count})
    print("fine")
    return parser.parse_args(args).count"""


def files(folder: Path, **bodies: str) -> list[str]:
    for module, body in bodies.items():
        name = "fine" if "fine" in body else "it"
        (folder / f"{module}.py").write_text(HEAD.format(name=name, module=module, body=body))
    return [word for module in bodies for word in ("--plugin", f"{module}.py")]


def test_two_plugins_with_one_command_are_told_apart_by_full_names(tmp_path: Path) -> None:
    plugins = files(tmp_path, one=GOOD.format(count=7), two=GOOD.format(count=9))
    done = zoo(*plugins, "fine", cwd=tmp_path, ZOO_PLUGINS="")
    assert done.returncode == 2
    assert "2 plugins offer the command 'fine': one/fine, two/fine." in done.stderr
    assert zoo(*plugins, "two/fine", cwd=tmp_path, ZOO_PLUGINS="").returncode == 9
    assert zoo(*plugins, "one/fine", "--count", "3", cwd=tmp_path, ZOO_PLUGINS="").returncode == 3
    usage = zoo(*plugins, "--help", cwd=tmp_path, ZOO_PLUGINS="").stdout
    assert "one/fine" in usage and "two/fine" in usage


def test_the_usage_lists_commands_of_plugins_without_importing_them(tmp_path: Path) -> None:
    plugins = files(tmp_path, bad="raise RuntimeError")
    (tmp_path / "other.py").write_text(HEAD.format(name="lost", module="no_such_module", body="pass"))
    done = zoo(*plugins, "--plugin", "other.py", "--help", cwd=tmp_path, ZOO_PLUGINS="")
    assert (
        done.returncode == 0 and "  it          does it\n" in done.stdout and "  lost        does it\n" in done.stdout
    )
    done = zoo("--plugin", "other.py", "lost", cwd=tmp_path, ZOO_PLUGINS="")
    assert done.returncode == 1 and "command 'lost' of plugin file other cannot be loaded" in done.stderr
    done = zoo(*plugins, "its", cwd=tmp_path, ZOO_PLUGINS="")
    assert done.returncode == 2 and "no command called 'its': did you mean it?" in done.stderr
    assert "zoo --help lists all commands" in done.stderr


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("raise RuntimeError('late')", 1, "command 'it' of plugin bad failed: RuntimeError: late"),
        ("raise Odd('late')", 1, "command 'it' of plugin bad failed: Odd: late"),
        ("sys.exit(5)", 5, ""), ("sys.exit('words')", 1, "words"), ("return 'words'", 1, "of plugin bad failed"),
        ("return None", 0, ""), ("return True", 1, ""),
    ],
)  # fmt: skip
def test_what_a_command_does(body: str, status: int, words: str, tmp_path: Path) -> None:
    done = zoo(*files(tmp_path, bad=body), "it", cwd=tmp_path, ZOO_PLUGINS="")
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_whose_package_is_missing_names_it(tmp_path: Path) -> None:
    done = zoo("bench", "smoke", cwd=tmp_path, ZOO_PLUGINS="zoo-core")
    assert done.returncode == 2 and "pip install zoo-bench" in done.stderr
