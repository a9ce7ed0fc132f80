"""Every observation and action space that SB3 knows; a sentence for those it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import zoo_sb3
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from zoo_sb3.config import network, on_policy, soft_actor, value_based
from zoo_sb3.vecenv import GymnasiumVecEnv

from zoo import Algorithm
from zoo.errors import InterfaceError, UsageError, ZooError

Build = Callable[..., Algorithm[Any]]
BOX = spaces.Box(-1, 1, (3,), np.float32)
IMAGE = spaces.Box(0, 255, (40, 48, 3), np.uint8)
TWO = spaces.Discrete(2)


class Walk(gymnasium.Env[Any, Any]):
    """Random observations; episodes of 5 steps, every other one truncated."""

    def __init__(self, observation: spaces.Space[Any], action: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = observation, action
        self.steps = self.episodes = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action), action
        self.steps += 1
        over = self.steps == 5
        self.episodes += over
        terminated = over and self.episodes % 2 == 0
        return self.observation_space.sample(), 1.0, terminated, over and not terminated, {}


def vector(observation: Any, action: Any, num_envs: int = 2) -> SyncVectorEnv:
    from copy import deepcopy

    env = SyncVectorEnv(
        [lambda: Walk(deepcopy(observation), deepcopy(action))] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP
    )
    env.reset(seed=0)
    return env


PPO = on_policy.PPOConfig(n_steps=8, batch_size=16, n_epochs=1, network=network.ActorCriticNetwork(net_arch=(8,)))
DQN = value_based.DQNConfig(buffer_size=50, learning_starts=4, batch_size=4, network=network.QNetwork(net_arch=(8,)))
SAC = soft_actor.SACConfig(
    buffer_size=50, learning_starts=4, batch_size=4, train_freq=16, network=network.SoftActorNetwork(net_arch=(8,))
)


@pytest.mark.parametrize(
    ("name", "config", "observation", "action", "policy"),
    [
        ("ppo", PPO, BOX, TWO, "ActorCriticPolicy"),
        ("ppo", PPO, spaces.Discrete(7), spaces.MultiDiscrete([2, 3]), "ActorCriticPolicy"),
        ("ppo", PPO, spaces.MultiDiscrete([2, 4]), spaces.MultiBinary(3), "ActorCriticPolicy"),
        ("ppo", PPO, spaces.MultiBinary(4), BOX, "ActorCriticPolicy"),
        ("ppo", PPO, spaces.Dict(a=BOX, b=spaces.Discrete(3)), TWO, "MultiInputActorCriticPolicy"),
        ("ppo", PPO, IMAGE, TWO, "ActorCriticCnnPolicy"),
        ("ppo", PPO, spaces.Box(0, 255, (8, 8, 3), np.uint8), TWO, "ActorCriticPolicy"),
        ("dqn", DQN, spaces.Dict(a=BOX, image=IMAGE), TWO, "MultiInputPolicy"),
        ("dqn", DQN, IMAGE, TWO, "CnnPolicy"),
        ("sac", SAC, spaces.Discrete(4), BOX, "SACPolicy"),
    ],
)
def test_spaces(name: str, config: Any, observation: Any, action: Any, policy: str, build: Build) -> None:
    env = vector(observation, action)
    algorithm: Any = build(name, env=env, config=config, budget=160)
    algorithm.update()
    state = algorithm.state()
    algorithm.update()
    assert type(algorithm.model.policy).__name__ == policy
    other = build(name, env=vector(observation, action), config=config, seed=5, budget=160)
    other.load_state(state)
    obs, _ = env.reset(seed=1)
    for greedy in (True, False):
        actions = algorithm.act(obs, greedy=greedy)
        assert actions.shape == env.action_space.shape
        assert all(action.contains(row.astype(action.dtype)) for row in actions)


@pytest.mark.parametrize(
    ("name", "observation", "action", "sentence"),
    [
        ("dqn", BOX, BOX, "the actions are .*: DQN expects a Discrete space"),
        ("sac", BOX, TWO, r"the actions are Discrete\(2\): SAC expects a Box space"),
        ("crossq", BOX, TWO, "CrossQ expects a Box space"),
        ("ppo", BOX, spaces.Tuple([TWO]), "PPO expects a Box, Discrete, MultiDiscrete or MultiBinary space"),
        ("ppo", BOX, spaces.Discrete(2, start=1), "expected a Discrete space that starts at 0"),
        ("ppo", BOX, spaces.Box(-np.inf, np.inf, (1,)), "expected finite bounds"),
        ("ppo", spaces.Discrete(2, start=3), TWO, "expected a Discrete space that starts at 0"),
        ("ppo", spaces.Text(3), TWO, "expected Box, Discrete, MultiDiscrete, MultiBinary or one Dict"),
        ("ppo", spaces.Dict(a=spaces.Dict(b=BOX)), TWO, "the observation 'a' is .* expected Box"),
    ],
)
def test_refused_spaces(name: str, observation: Any, action: Any, sentence: str, build: Build) -> None:
    with pytest.raises(InterfaceError, match=sentence):
        build(name, env=vector(observation, action), config=None)


def test_every_row_declares_the_actions_it_takes(build: Build) -> None:
    for row in zoo_sb3.ALGORITHMS:
        for kind, action in (("discrete", TWO), ("box", BOX)):
            if row.action in (None, kind):
                build(row.name, env=vector(BOX, action))
            else:
                with pytest.raises(ZooError):
                    build(row.name, env=vector(BOX, action))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"network": network.ActorCriticNetwork(kind="CnnPolicy")}, "PPO refuses these options: .*image"),
        ({"network": network.ActorCriticNetwork(kind="MultiInputPolicy")}, "leave network.kind at auto"),
        ({"n_steps": 1, "batch_size": 1}, "batch_size. must be greater than 1"),
        ({"network": network.ActorCriticNetwork(critic_arch=(4,))}, "network.critic_arch is given without"),
        ({"use_sde": True}, "gSDE"),
    ],
)
def test_refused_options(changes: dict[str, Any], sentence: str, build: Build) -> None:
    with pytest.raises(UsageError, match=sentence):
        build("ppo", env=vector(BOX, TWO), config=on_policy.PPOConfig(**changes))


def test_wrong_state_and_budget_are_refused(build: Build) -> None:
    with pytest.raises(InterfaceError, match="the budget is 0"):
        build("ppo", budget=0).update()
    with pytest.raises(InterfaceError, match="this state was not saved by PPO"):
        build("ppo").load_state(build("sac").state())


def test_recurrent_memory(build: Build) -> None:
    algorithm: Any = build("recurrent-ppo")
    algorithm.update()
    obs = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)

    def memory() -> Any:
        return np.array(algorithm._memory)

    algorithm.act(obs)
    first = memory()
    algorithm.act(obs)
    second = memory()
    assert not np.array_equal(first, second)
    algorithm.forget(np.array([True, False, False]))
    algorithm.act(obs)
    assert np.array_equal(memory()[:, :, 0], first[:, :, 0])
    assert not np.array_equal(memory()[:, :, 1], second[:, :, 1])
    algorithm.forget()
    algorithm.act(obs)
    assert np.array_equal(memory(), first)
    algorithm.act(obs[:2])
    assert memory().shape[2] == 2


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_adapter_gives_what_sb3s_own_vector_environment_gives(env_id: str, make_env: Any) -> None:
    from stable_baselines3.common.env_util import make_vec_env

    theirs = make_vec_env(env_id, 3, seed=7)
    first = theirs.reset()
    raw = make_env(env_id, seed=0, num_envs=3)
    ours = GymnasiumVecEnv(raw)
    raw.reset(seed=7)
    again, _ = raw.reset(seed=7)
    assert np.array_equal(first, again)
    space = ours.action_space
    space.seed(0)
    endings = 0
    for _ in range(210):
        actions = np.array([space.sample() for _ in range(3)])
        one, other = ours.step(actions), theirs.step(actions)
        for left, right in zip(one[:3], other[:3], strict=True):
            assert left.dtype == right.dtype
            assert np.array_equal(left, right)
        for done, mine, sb3s in zip(one[2], one[3], other[3], strict=True):
            if done:
                endings += 1
                assert np.array_equal(mine["terminal_observation"], sb3s["terminal_observation"])
                assert mine["TimeLimit.truncated"] == sb3s["TimeLimit.truncated"]
            else:
                assert mine == {}
    assert endings >= 3


def test_adapter_keeps_observations_of_an_environment_that_reuses_its_arrays() -> None:
    env = SyncVectorEnv([lambda: Walk(BOX, TWO)] * 2, copy=False, autoreset_mode=AutoresetMode.SAME_STEP)
    adapter = GymnasiumVecEnv(env)
    before = adapter.reset()
    kept = np.array(before)
    adapter.step(np.zeros(2, dtype=np.int64))
    assert np.array_equal(before, kept)


def test_adapter_refuses_other_autoreset_modes() -> None:
    env = SyncVectorEnv([lambda: Walk(BOX, TWO)])
    with pytest.raises(InterfaceError, match="NEXT_STEP: expected SAME_STEP"):
        GymnasiumVecEnv(env)
