"""``policy_module``: the greedy policy as a torch module does what ``act`` does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import zoo
from zoo.training import RunRequest, Settings, Silent, Stop, resolve, train_seeds


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("ppo", "CartPole-v1"),
        ("ppo", "Pendulum-v1"),
        ("dqn", "CartPole-v1"),
        ("sac", "Pendulum-v1"),
        ("td3", "Pendulum-v1"),
    ],
)
def test_it_acts_as_the_agent(name: str, environment: str, tmp_path: object) -> None:
    registry = zoo.discover()
    spec = resolve(RunRequest(algorithm=name, environment=environment, steps=150, eval_episodes=0), registry)
    (result,) = train_seeds(spec, [0], registry, Settings(root=tmp_path), Silent(), Stop())  # type: ignore[arg-type]
    agent = zoo.load(result.path, registry=registry).algorithm
    size = 4 if environment == "CartPole-v1" else 3
    obs = np.random.default_rng(0).uniform(-3, 3, (64, size)).astype(np.float32)
    with torch.no_grad():
        acted = agent.policy_module()(torch.as_tensor(obs)).numpy()  # type: ignore[attr-defined]
    np.testing.assert_allclose(acted, agent.act(obs), rtol=1e-5, atol=1e-5 * float(np.abs(acted).max()))
