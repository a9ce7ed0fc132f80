"""What plugins build their commands of: examples in every help, and errors of one sentence at every depth."""

from __future__ import annotations

from typing import Any

import pytest

from zoo.cli.parser import CommandParser
from zoo.errors import UnknownNameError, UsageError


def parser() -> CommandParser:
    """``prog outer inner PLACE [--depth N]``, as a plugin would build it."""
    top = CommandParser(prog="prog")
    commands: Any = top.add_subparsers()
    outer = commands.add_parser("outer", examples=["prog outer inner cave"])
    inner = outer.add_subparsers().add_parser("inner", examples=["prog outer inner cave --depth 3"])
    inner.add_argument("place")
    inner.add_argument("--depth", type=int, default=0)
    inner.set_defaults(run=print)
    return top


def test_a_nested_command_is_parsed() -> None:
    parsed = parser().parse_args(["outer", "inner", "cave", "--depth", "3"])
    assert (parsed.place, parsed.depth, parsed.run) == ("cave", 3, print)


@pytest.mark.parametrize("args", [["outer"], ["outer", "inner"]])
def test_every_help_has_its_examples(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args([*args, "--help"])
    assert "examples:\n  prog outer inner cave" in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["--dept", "-d"])
def test_an_unknown_flag_is_named_with_those_of_its_own_command(flag: str) -> None:
    with pytest.raises(UnknownNameError, match=f"'{flag}'.*--depth") as caught:
        parser().parse_args(["outer", "inner", "cave", flag, "3"])
    assert caught.value.hint == "prog outer inner --help lists all options."


def test_one_argument_too_many_is_named() -> None:
    with pytest.raises(UsageError, match="'lake' is one argument too many"):
        parser().parse_args(["outer", "inner", "cave", "lake"])
    with pytest.raises(UnknownNameError, match="--lake"):
        parser().parse_args(["outer", "inner", "cave", "--depth", "3", "--lake"])
