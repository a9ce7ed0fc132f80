"""Commands of plugins: one that fails, exits or collides takes no other down."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import zoo

GOOD = """
from zoo import hookimpl
@hookimpl
def zoo_commands(app):
    parser = app.add_parser("fine", examples=["zoo fine"])
    parser.add_argument("--count", type=int, default=7)
    parser.set_defaults(run=lambda parsed: print("fine") or parsed.count)
"""
HEAD = "import sys\nfrom zoo import hookimpl\n@hookimpl\ndef zoo_commands(app):\n    "
BAD = {
    "raises": "raise RuntimeError('broken')",
    "exits": "sys.exit(0)",
    "collides with itself": "app.add_parser('it'); app.add_parser('it')",
    "no parser": "app.add_parser(3)",
    "returns": "return app.nothing",
}


def files(folder: Path, **codes: str) -> list[str]:
    for name, code in codes.items():
        (folder / f"{name}.py").write_text(code)
    return [word for name in codes for word in ("--plugin", f"{name}.py")]


@pytest.mark.parametrize("how", BAD)
def test_a_broken_hook_takes_no_other_command_down(how: str, tmp_path: Path) -> None:
    done = zoo(*files(tmp_path, bad=HEAD + BAD[how], good=GOOD), "fine", cwd=tmp_path, ZOO_PLUGINS="")
    assert (done.returncode, done.stdout) == (7, "fine\n")
    assert "the commands of plugin bad are left out: " in done.stderr or how == "no parser"
    assert "Traceback" not in done.stderr


def test_two_plugins_with_one_command_are_told_apart_by_full_names(tmp_path: Path) -> None:
    plugins = files(tmp_path, one=GOOD, two=GOOD.replace('"fine"', '"fine"').replace("default=7", "default=9"))
    done = zoo(*plugins, "fine", cwd=tmp_path, ZOO_PLUGINS="")
    assert done.returncode == 2
    assert "2 plugins offer the command 'fine': one/fine, two/fine." in done.stderr
    assert zoo(*plugins, "two/fine", cwd=tmp_path, ZOO_PLUGINS="").returncode == 9
    assert zoo(*plugins, "one/fine", "--count", "3", cwd=tmp_path, ZOO_PLUGINS="").returncode == 3


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
    code = (
        "class Odd(BaseException): pass\n" + HEAD + "app.add_parser('it').set_defaults(run=run)\ndef run(parsed):\n    "
    )
    done = zoo(*files(tmp_path, bad=code + body), "it", cwd=tmp_path, ZOO_PLUGINS="")
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_without_a_function_is_a_sentence(tmp_path: Path) -> None:
    done = zoo(*files(tmp_path, bad=HEAD + "app.add_parser('it')"), "it", cwd=tmp_path, ZOO_PLUGINS="")
    assert done.returncode == 1
    assert "command 'it' of plugin bad failed" in done.stderr
