"""A cell of a suite and ``zoo train`` with the same options are the same run."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from zoo_bench.reproduce import shown, train_command
from zoo_bench.suite import Cell

from plugins.bench.tests.conftest import LAB
from zoo.cli.main import main
from zoo.discovery.registry import Registry
from zoo.training.request import RunRequest, parse_seeds, resolve

CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({"algorithm": "reload", "environment": "two-state"}, []),
    (
        {"algorithm": "reload", "environment": "two-state", "options": {"eta": 3, "oracle": False}, "steps": 100},
        ["--eta", "3", "--oracle", "False", "--steps", "1e2"],
    ),
    (
        {"algorithm": "gda", "environment": "zoo-envs/constrained-catch", "env_options": {"theta": 0.7},
         "options": {"eta": "auto"}, "eval_episodes": 0, "eval_every": 10},
        ["--env.theta", "0.7", "--eta", "auto", "--eval-episodes", "0", "--eval-every", "10"],
    ),
    (
        {"algorithm": "dqn", "environment": "CartPole-v1", "options": {"network": {"net_arch": [32]}},
         "env_options": {"render_mode": "rgb_array"}, "num_envs": 2, "preset": "default"},
        ["--network.net-arch", "32", "--env.render-mode", "rgb_array", "--num-envs", "2", "--preset", "default"],
    ),
    (
        {"algorithm": "ppo", "environment": "gym:CartPole-v1", "options": {"learning_rate": [0.002, 0.0]},
         "env_options": {"sutton_barto_reward": True, "max_episode_steps": 30}},
        ["--learning-rate", "0.002", "0", "--env.sutton-barto-reward", "true", "--env.max-episode-steps", "30"],
    ),
    (
        {"algorithm": "walker", "environment": "two-state",
         "options": {"bold": False, "maybe": True, "inner": {"depth": [4]}, "note": "a b", "lives": 2}},
        ["--no-bold", "--maybe", "True", "--inner.depth", "4", "--note", "a b", "--lives", "2"],
    ),
    (
        {"algorithm": "a2c", "environment": "transformed",
         "env_options": {"base": "CartPole-v1", "base_options": {"max_episode_steps": 30, "sutton_barto_reward": 1}}},
        ["--env.base", "CartPole-v1", "--env.base-options", "max_episode_steps", "30", "sutton_barto_reward", "1"],
    ),
]  # fmt: skip


def dry_run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    sys.modules.pop(LAB.stem, None)
    assert main([*arguments, "--dry-run", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(("request_", "flags"), CASES, ids=[case["algorithm"] for case, _ in CASES])
def test_the_same_options_are_the_same_run(
    request_: Mapping[str, Any], flags: list[str], registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    request = RunRequest(**request_)
    spec = resolve(request, registry)
    typed = ["--plugin", str(LAB), "train", request.algorithm, request.environment, *flags]
    assert dry_run(typed, capsys)["key"] == spec.key
    # and the command that repeats a cell is that run, too
    cell = Cell(label="x", environment=request.environment, request=request)
    repeated = train_command(cell, 3, Path("elsewhere"), registry)
    again = dry_run(repeated, capsys)
    assert (again["key"], again["seeds"]) == (spec.key, [3])
    assert shown(repeated).startswith("zoo --plugin")
    assert "--dir elsewhere" in shown(repeated)


def test_where_values_come_from(registry: Registry) -> None:
    asked = RunRequest(algorithm="reload", environment="two-state", options={"eta": 3.0}, steps=10)
    origins = resolve(asked, registry).origins
    assert (origins["eta"], origins["eta_mu"], origins["check_every"]) == ("suite", "preset", "default")
    assert (origins["steps"], origins["num_envs"]) == ("suite", "default")


def test_seeds_as_text() -> None:
    assert parse_seeds("2:5") == (2, 3, 4)
    assert parse_seeds("7,0,7") == (7, 0)
    for wrong in ("", "5:2", "3:3", "a", "-1", "1;2"):
        with pytest.raises(ValueError, match="A < B"):
            parse_seeds(wrong)
