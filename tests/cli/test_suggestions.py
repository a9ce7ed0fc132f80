"""What was meant is suggested from all options, zoo's own first, by the names that other libraries use, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo as package
from tests.cli.command import zoo
from zoo.cli.commands.train import _parser
from zoo.discovery.aliases import ALIASES, UnknownOptionError, suggestions
from zoo.errors import UsageError

OWN = [flag for flag in _parser().flags if flag.startswith("--")]
OTHERS = ["--learning-rate", "--gamma", "--n-steps", "--batch-size", "--n-epochs", "--clip-range", "--env.theta"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--timesteps", "--steps"), ("--total-timesteps", "--steps"), ("--total_timesteps", "--steps"),
        ("--n-envs", "--num-envs"), ("--n_envs", "--num-envs"), ("--lr", "--learning-rate"), ("--workers", "--jobs"),
        ("--gpu", "--device"), ("--logdir", "--dir"), ("--eval-freq", "--eval-every"), ("--discount", "--gamma"),
        ("--epochs", "--n-epochs"), ("--batch", "--batch-size"), ("--clip", "--clip-range"), ("--stesp", "--steps"),
        ("--sed", "--seed"), ("--lerning-rate", "--learning-rate"), ("--thetta", "--env.theta"), ("--SEEDS", "--seeds"),
    ],
)  # fmt: skip
def test_what_was_meant_is_among_the_suggestions(typed: str, meant: str) -> None:
    assert meant in suggestions(typed, OWN, OTHERS)
    if typed in {f"--{name}" for names in ALIASES.values() for name in names}:
        assert suggestions(typed, OWN, OTHERS)[0] == meant


def test_no_alias_is_an_option_of_train() -> None:
    taken = {flag.lstrip("-") for flag in OWN}
    assert not [name for names in ALIASES.values() for name in names if name in taken]


@given(st.text(min_size=1))
def test_suggestions_are_options_that_are_there(typed: str) -> None:
    found = suggestions(typed, OWN, OTHERS)
    assert len(found) <= 3
    assert set(found) <= {*OWN, *OTHERS}
    assert str(UnknownOptionError(typed, OWN, OTHERS)).startswith("no option called ")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["ppo", "CartPole-v1", "--timesteps", "100"], "did you mean --steps"),
        (["ppo", "CartPole-v1", "--lr", "0.1"], "did you mean --learning-rate"),
        (["ppo", "CartPole-v1", "--n-envs=4"], "did you mean --num-envs"),
        (["reload", "two-state", "--lr", "0.1"], "did you mean --eta"),
        (["reload", "two-state", "--env", "x"], "typed without a flag"),
        (["two-state", "reload"], "zoo train reload two-state"), (["CartPole-v1", "ppo"], "zoo train ppo CartPole-v1"),
        (["zoo-envs/two-state", "zoo-reload/reload"], "they stand the other way round"),
        (["two-state"], "two-state is an environment: expected an algorithm"),
        (["two-state", "three-state"], "two-state is an environment: expected an algorithm"),
        (["CartPole-v1"], "zoo list algorithms --for CartPole-v1"),
    ],
)  # fmt: skip
def test_the_command_line_says_so(args: list[str], words: str, tmp_path: Path) -> None:
    done = zoo("train", *args, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_open_runs_takes_strings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo("train", "gda", "two-state", "--steps", "20", "--quiet", cwd=tmp_path)
    monkeypatch.chdir(tmp_path)
    for given_paths in ("runs", Path("runs"), ["runs"], [Path("runs"), "runs/two-state"], iter(["runs"])):
        assert [run.algorithm for run in package.open_runs(given_paths).runs] == ["gda"]
    with pytest.raises(UsageError, match=r"rns does not exist\."):
        package.open_runs("rns")


@pytest.mark.parametrize("words", [("--env", "CartPole-v1"), ("--environment=CartPole-v1",)])
def test_an_environment_after_a_flag_is_told_how_it_is_typed(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = zoo("train", "ppo", *words, cwd=tmp_path)
    assert result.returncode == 2
    assert "needs an environment" in result.stderr and "It is typed without --env" in result.stderr
