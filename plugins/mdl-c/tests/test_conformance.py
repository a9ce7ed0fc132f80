"""Every algorithm by the conformance kit, on budgets in whose middle a task ends: resumed there, bit for bit."""

from __future__ import annotations

from typing import Any

import pytest

from zoo.testing import check_algorithm

GRID: dict[str, Any] = {"features": 2, "max_episode_steps": 10}
SHORT: dict[str, Any] = {"n_steps": 10, "task_updates": 2}
REPLAY = {"replay_steps": 3, "replay_states": 20, "default_batch": 8}
ON_POLICY: dict[str, dict[str, Any]] = {
    "mdl-c": {"order": "distinct", "held_out": 1, "held_out_updates": 2, **REPLAY},
    "mdl-c-po": {},
    "mdl-c-rpo": REPLAY,
    "mdl-c-manual-ia": {"default_update": "online", "rule_change": 1},
    "mdl-c-vdo-po": {},
    "mdl-c-distral": REPLAY,
}


@pytest.mark.parametrize(("name", "options"), ON_POLICY.items())
def test_on_policy(name: str, options: dict[str, Any]) -> None:
    check_algorithm(name, "four-rooms-goals", steps=160, num_envs=3, config={**SHORT, **options}, env_config=GRID)


@pytest.mark.parametrize("noise", ["local", "shared"])
def test_in_parallel_with_every_kind_of_noise(noise: str) -> None:
    config = {**SHORT, "setting": "parallel", "default_update": "online", "noise": noise, "control_kl": "forward"}
    check_algorithm("mdl-c", "four-rooms-goals", steps=90, num_envs=3, config=config, env_config=GRID)


def test_on_states_where_the_regret_of_the_default_is_counted() -> None:
    config = {**SHORT, **REPLAY}
    check_algorithm(
        "mdl-c", "four-rooms-goals", steps=160, num_envs=3, config=config, env_config={**GRID, "observation": "cell"}
    )


def test_box_actions() -> None:
    config = {**SHORT, **REPLAY, "default_arch": (8,), "n_epochs": 2, "batch_size": 15, "control_kl": "forward"}
    check_algorithm("mdl-c", "pendulum-goals", steps=160, num_envs=2, config=config)


def test_off_policy_discrete() -> None:
    config = {**REPLAY, "task_steps": 60, "learning_starts": 6, "batch_size": 8, "net_arch": (8,)}
    check_algorithm("mdl-c-discrete-sac", "four-rooms-goals", steps=150, num_envs=3, config=config, env_config=GRID)


def test_off_policy_box() -> None:
    config = {**REPLAY, "task_steps": 130, "learning_starts": 90, "batch_size": 8, "default_arch": (8,)}
    config["default_update"] = "online"
    check_algorithm("mdl-c-sac", "pendulum-goals", steps=384, num_envs=2, config=config)
