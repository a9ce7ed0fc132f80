"""The help texts are part of the product: each change of one is to be seen and meant.

Write the files anew with ``ZOO_GOLDEN=write python -m pytest tests/cli/test_help.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.command import zoo
from zoo.cli.main import COMMANDS

GOLDEN = Path(__file__).with_name("golden")
CASES = {
    "zoo": ["--help"],
    **{
        command: [command, "--help"]
        for command in (
            *COMMANDS,
            "bench",
            "table",
            "plot",
            "report",
            "composite",
            "harp",
            "icl",
            "rep",
            "record",
            "export",
            "watch",
            "completion",
            "tune",
        )
    },
    "train-reload-two-state": ["train", "reload", "two-state", "--help"],
}


@pytest.mark.parametrize("case", CASES)
def test_help_is_as_it_was_meant(case: str) -> None:
    done = zoo(*CASES[case])
    assert (done.returncode, done.stderr) == (0, "")
    assert "example" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 130
    file = GOLDEN / f"{case}.txt"
    if os.environ.get("ZOO_GOLDEN") == "write":
        file.write_text(done.stdout, encoding="utf-8")
    assert done.stdout == file.read_text(encoding="utf-8")


def test_the_help_of_an_algorithm_shows_its_options_with_their_meaning() -> None:
    shown = zoo("train", "ppo", "CartPole-v1", "--help").stdout
    assert "--clip-range" in shown
    assert "--seeds A:B" in shown
    shown = zoo("train", "reload", "constrained-catch", "--help").stdout
    assert "--env.theta" in shown


def test_no_command_prints_the_usage_and_is_a_wrong_request() -> None:
    done = zoo()
    assert done.returncode == 2
    assert done.stdout.startswith("usage: zoo")
