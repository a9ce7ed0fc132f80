"""Names, light imports, presets and the command line of the deep part."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from zoo import discover
from zoo.cli.main import main


def test_listing_loads_no_heavy_library() -> None:
    code = (
        "import sys; from zoo import discover; from zoo_successor.deep import config, sac_config; "
        "names = discover(only=['zoo-successor'], strict=True); "
        "print([m for m in ('torch', 'numpy', 'stable_baselines3', 'gymnasium') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "kind"), [("lambda-sac", "algorithm"), ("lambda-ac", "algorithm"), ("deep-lambda", "representation")]
)
def test_registered(name: str, kind: str) -> None:
    entry = discover(only=["zoo-successor"], strict=True).find(name, kind)
    assert callable(entry.resolve())
    assert entry.resolve_config()() == entry.resolve_config()()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["lambda-sac", "Pendulum-v1", "--lambda", "bandit"], '"bandit"'),
        (["lambda-ac", "two-rooms", "--lambda", "0.25"], "0.25"),
        (["deep-lambda", "Pendulum-v1", "--lambda", "0.25"], "0.25"),
    ],
)
def test_lambda_is_spelled_lambda(words: list[str], shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *words, "--dry-run"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["lam", "cli", shown] in lines or ["lambda", "cli", shown] in lines


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lambda-sac", "Pendulum-v1", "--lambda", "2"], "lambda is 2.0: expected a number between 0 and 1, or bandit"),
        (["lambda-sac", "CartPole-v1"], "lambda-sac needs an environment with box actions"),
        (["lambda-ac", "CartPole-v1"], "lambda-ac needs an environment with discrete observations"),
        (["lambda-ac", "two-rooms", "--lf-weight", "1"], "--lf-wt"),
    ],
)
def test_bad_requests_end_with_status_two(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["train", *words, "--dir", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []
    assert message in " ".join(capsys.readouterr().err.split())
