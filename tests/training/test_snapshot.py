from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from zoo.training.environments.env_state import capture_env, restore_env
from zoo.training.storage import checkpoint

IDS = [
    "CartPole-v1", "Pendulum-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "FrozenLake-v1",
    "Taxi-v4", "CliffWalking-v1", "Blackjack-v1",
]  # fmt: skip


def build(env_id: str, seed: int) -> SyncVectorEnv[Any, Any, Any]:
    makers = [lambda: gymnasium.make(env_id, disable_env_checker=True)] * 3
    env = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
    env.reset(seed=seed)
    env.action_space.seed(7)
    return env


def trace(env: SyncVectorEnv[Any, Any, Any], actions: list[Any]) -> list[Any]:
    return [[np.asarray(part).tolist() for part in env.step(action)[:4]] for action in actions]


@pytest.mark.parametrize("env_id", IDS)
def test_a_restored_environment_continues_bit_for_bit(env_id: str) -> None:
    """Through the files of a checkpoint, into fresh objects with another seed, across episode ends."""
    env = build(env_id, seed=1)
    actions = [env.action_space.sample() for _ in range(300)]
    trace(env, actions[:70])
    captured = capture_env(env)
    assert captured is not None
    tensors, skeleton = checkpoint.pack(captured)
    expected = trace(env, actions[70:])
    other = build(env_id, seed=2)
    trace(other, actions[:11])
    restore_env(other, checkpoint.unpack(tensors, skeleton))
    assert trace(other, actions[70:]) == expected


def test_what_is_restored_is_not_shared_with_the_snapshot() -> None:
    env = build("CartPole-v1", seed=1)
    captured = capture_env(env)
    assert captured is not None
    actions = [env.action_space.sample() for _ in range(50)]
    first = trace(env, actions)
    restore_env(env, captured)
    assert trace(env, actions) == first
    restore_env(env, captured)
    assert trace(env, actions) == first


class Simulator(gymnasium.Env[Any, Any]):
    """Keeps its state where only it can see it."""

    observation_space = gymnasium.spaces.Discrete(2)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self) -> None:
        self.handle = iter(range(10))

    def reset(self, **_: Any) -> tuple[int, dict[str, Any]]:
        return 0, {}


def test_an_environment_with_hidden_state_offers_no_snapshot() -> None:
    assert capture_env(SyncVectorEnv([Simulator], autoreset_mode=AutoresetMode.SAME_STEP)) is None
