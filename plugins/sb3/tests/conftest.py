"""Small algorithms on small environments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from zoo_sb3.config import deterministic_actor as det
from zoo_sb3.config import network as net
from zoo_sb3.config import on_policy as on
from zoo_sb3.config import soft_actor as soft
from zoo_sb3.config import value_based as value

from zoo import Algorithm, Context, RingBuffer, discover

ON: dict[str, Any] = {"n_steps": 64, "batch_size": 64}
OFF: dict[str, Any] = {"buffer_size": 2000, "learning_starts": 50, "batch_size": 8, "train_freq": 8}
SMALL: dict[str, Any] = {"net_arch": (8,)}
TINY: dict[str, tuple[str, Any]] = {
    "ppo": ("CartPole-v1", on.PPOConfig(
        **ON, n_epochs=2, learning_rate=(1e-3, 0.0), clip_range=(0.2, 0.1), network=net.ActorCriticNetwork(**SMALL))),
    "a2c": ("CartPole-v1", on.A2CConfig(network=net.ActorCriticNetwork(**SMALL))),
    "trpo": ("CartPole-v1", on.TRPOConfig(**ON, network=net.ActorCriticNetwork(**SMALL))),
    "recurrent-ppo": ("CartPole-v1", on.RecurrentPPOConfig(
        **ON, n_epochs=1, network=net.RecurrentNetwork(**SMALL, lstm_hidden_size=8))),
    # The buffers of dqn and qrdqn wrap around within the tests.
    "dqn": ("CartPole-v1", value.DQNConfig(
        **{**OFF, "buffer_size": 400}, target_update_interval=60, exploration_fraction=0.5,
        network=net.QNetwork(**SMALL))),
    "qrdqn": ("CartPole-v1", value.QRDQNConfig(
        **{**OFF, "buffer_size": 400}, target_update_interval=60,
        network=net.QuantileNetwork(**SMALL, n_quantiles=5))),
    # sac is still in its random warm-up when the resume test splits the run.
    "sac": ("Pendulum-v1", soft.SACConfig(
        **{**OFF, "learning_starts": 700}, ent_coef=("auto", 0.5), network=net.SoftActorNetwork(**SMALL))),
    "tqc": ("Pendulum-v1", soft.TQCConfig(
        **OFF, n_steps=3, action_noise="ornstein-uhlenbeck",
        network=net.TruncatedQuantileNetwork(**SMALL, n_quantiles=5))),
    "crossq": ("Pendulum-v1", soft.CrossQConfig(
        **OFF, use_sde=True, ent_coef=0.1, network=net.BatchNormNetwork(**SMALL))),
    "td3": ("Pendulum-v1", det.TD3Config(
        **OFF, action_noise="normal", network=net.DeterministicActorNetwork(**SMALL))),
    "ddpg": ("Pendulum-v1", det.DDPGConfig(
        **OFF, action_noise="ornstein-uhlenbeck", network=net.SingleCriticNetwork(**SMALL, critic_arch=(6,)))),
}  # fmt: skip

Build = Callable[..., Algorithm[Any]]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny() -> dict[str, tuple[str, Any]]:
    return TINY


@pytest.fixture
def make_env() -> Callable[..., VectorEnv[Any, Any, Any]]:
    def make(name: str, seed: int = 0, num_envs: int = 2, **kwargs: Any) -> VectorEnv[Any, Any, Any]:
        env = gymnasium.make_vec(
            name,
            num_envs=num_envs,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
            **kwargs,
        )
        env.reset(seed=seed)
        return env

    return make


@pytest.fixture
def build(make_env: Callable[..., VectorEnv[Any, Any, Any]]) -> Build:
    registry = discover(only=["zoo-sb3"], strict=True)

    def make(
        name: str, *, seed: int = 3, budget: int = 1280, env: Any = None, config: Any = None, **changes: Any
    ) -> Algorithm[Any]:
        default_env, default_config = TINY[name]
        ctx = Context(
            env=make_env(default_env) if env is None else env,
            seed=seed,
            rng=np.random.default_rng(seed),
            budget=budget,
            **changes,
        )
        algorithm: Algorithm[Any] = registry.find(name, "algorithm").resolve()(ctx, config or default_config)
        return algorithm

    return make


@pytest.fixture
def same() -> Callable[[Any, Any], None]:
    """Fails at the first leaf where two states differ by a bit, naming the path to it."""

    def compare(one: Any, other: Any, path: str = "state") -> None:
        assert type(one) is type(other), path
        if isinstance(one, RingBuffer):
            assert (one.written, one.capacity) == (other.written, other.capacity), path
            compare(one.array[: one.rows], other.array[: other.rows], f"{path}.array")
        elif isinstance(one, dict):
            assert one.keys() == other.keys(), path
            for key in one:
                compare(one[key], other[key], f"{path}.{key}")
        elif isinstance(one, list):
            assert len(one) == len(other), path
            for index, (left, right) in enumerate(zip(one, other, strict=True)):
                compare(left, right, f"{path}[{index}]")
        elif isinstance(one, torch.Tensor):
            assert one.dtype == other.dtype and torch.equal(one, other), path
        elif isinstance(one, np.ndarray):
            assert one.dtype == other.dtype and np.array_equal(one, other), path
        else:
            assert one == other, path

    return compare
