"""reload-sac and sac-lagrangian: SB3's SAC without constraints, equations by hand, a known optimum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from zoo_reload.sac.agent import ReloadSAC, SACLagrangian
from zoo_reload.sac.config import ReloadSACConfig, SACLagrangianConfig
from zoo_sb3.baselines import SAC
from zoo_sb3.config.network import SoftActorNetwork
from zoo_sb3.config.soft_actor import SACConfig

from zoo.api import ConstraintSpec, Context, PrimalDual, Problem
from zoo.errors import UsageError
from zoo.training.environments.make_env import Recorder

SMALL: dict[str, Any] = {
    "buffer_size": 1000,
    "learning_starts": 100,
    "batch_size": 32,
    "train_freq": 8,
    "network": SoftActorNetwork(net_arch=(16,)),
}
WORKS = "test/Throttle-v0"


class Throttle(gymnasium.Env):
    """Reward 1 - (a - .8)^2 for an action in [-1, 1], at the price of (a + 1) / 2, of which .5 a step is allowed.

    The optimum is a = 0, worth .36, where the reward rises by 1.6 and the price by .5: mu* = 3.2.
    """

    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def __init__(self, unit: float = 1.0) -> None:
        self.unit = unit
        spec = {"names": ("price",), "thresholds": [0.5 * unit], "senses": ("<=",), "unit": "step", "discounted": False}
        self.constraint_spec = ConstraintSpec(**spec)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.t += 1
        a = float(action[0])
        obs = np.array([a, self.t / 20], np.float32)
        return obs, 1 - (a - 0.8) ** 2, False, False, {"constraints": np.array([self.unit * (a + 1) / 2], np.float32)}


gymnasium.register(WORKS, entry_point=Throttle, max_episode_steps=20)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made(cls: Any, config: Any, *, env: str = WORKS, steps: int = 300, constrained: bool = True, **kwargs: Any) -> Any:
    vector = gymnasium.make_vec(
        env, num_envs=2, vectorization_mode="sync", vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP}, **kwargs
    )
    vector.reset(seed=0)
    spec = ConstraintSpec.of(vector.envs[0].unwrapped.constraint_spec) if constrained else None
    return cls(
        Context(
            env=Recorder(vector, spec), seed=3, rng=np.random.default_rng(3), budget=steps,
            problem=Problem(constraints=spec),
        ),
        config,
    )  # fmt: skip


def train(run: Any) -> list[dict[str, float]]:
    rows = []
    while run.env_steps < run.ctx.budget:
        rows.append(run.update())
    return rows


@pytest.mark.parametrize("optimism", ["none", "multiplier"])
def test_without_constraints_it_is_sb3s_sac_weight_for_weight(optimism: str) -> None:
    options = {**SMALL, "train_freq": 4, "gradient_steps": 2, "learning_rate": (1e-3, 0.0)}
    plain = made(SAC, SACConfig(**options), env="Pendulum-v1", constrained=False)
    ours = made(ReloadSAC, ReloadSACConfig(**options, optimism=optimism), env="Pendulum-v1", constrained=False)
    rows = train(plain), train(ours)
    expected, found = plain.model.policy.state_dict(), ours.model.policy.state_dict()
    assert expected.keys() == found.keys()
    for key in expected:
        np.testing.assert_allclose(found[key].numpy(), expected[key].numpy(), rtol=1e-5, atol=1e-6, err_msg=key)
    same = ("loss/actor", "loss/critic", "train/ent_coef")
    assert {key: rows[1][-1][key] for key in same} == pytest.approx({key: rows[0][-1][key] for key in same}, rel=1e-4)
    assert ours.multipliers() == {}


def minibatch() -> ReplayBufferSamples:
    rng = torch.Generator().manual_seed(0)
    obs, following, actions = (2 * torch.rand(16, n, generator=rng) - 1 for n in (2, 2, 1))
    done = (torch.rand(16, 1, generator=rng) < 0.3).float()
    return ReplayBufferSamples(obs, actions, following, done, torch.rand(16, 2, generator=rng))


def test_targets_and_actor_follow_the_lagrangian() -> None:
    run = made(ReloadSAC, ReloadSACConfig(**SMALL))
    model, batch, alpha = run.model, minibatch(), torch.tensor([0.3])
    with torch.no_grad():
        for parameter in model.critic_target.parameters():
            parameter += 0.05
    model.x, model._before = np.array([[2.0]]), np.array([[0.5]])
    model._use_weights()
    torch.manual_seed(0)  # the next actions are drawn from the global stream
    found = model.targets(batch, batch.rewards, alpha)
    torch.manual_seed(0)
    with torch.no_grad():
        actions, log_prob = model.actor.action_log_prob(batch.next_observations)
        twins = [q.numpy() for q in model.critic_target(batch.next_observations, actions)]
    for row in range(16):
        values = min(twins, key=lambda q, row=row: q[row, 0] - 2 * q[row, 1])[row]
        bonus = np.array([-0.3 * float(log_prob[row]), 0.0])
        expected = batch.rewards[row].numpy() + 0.99 * (1 - float(batch.dones[row])) * (values + bonus)
        np.testing.assert_allclose(found[row].numpy(), expected, rtol=1e-5)
    torch.manual_seed(0)
    with torch.no_grad():
        actions, log_prob = model.actor.action_log_prob(batch.observations)
        now, before = (
            torch.stack([q[:, 0] - mu * q[:, 1] for q in critic(batch.observations, actions)]).min(dim=0).values
            for critic, mu in ((model.critic, 2.0), (model.critic_target, 0.5))
        )
    loss = model._actor_step(batch.observations, *_again(model, batch), alpha)
    expected = ((0.3 * log_prob - (2 * now - before)) / 3).mean()
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def _again(model: Any, batch: ReplayBufferSamples) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    actions, log_prob = model.actor.action_log_prob(batch.observations)
    return actions, log_prob.reshape(-1, 1)


def test_the_multiplier_takes_optimistic_steps_by_the_episodes_that_ended() -> None:
    run = made(ReloadSAC, ReloadSACConfig(**SMALL, lr_mu=0.5, thresholds={"price": 0.1}), steps=896)
    rows = train(run)
    mu, before = 0.0, None
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        assert row["multiplier/price"] == pytest.approx(mu)
        unit = run.model.measurements.scale.unit[0, 0]
        g = (row["value/price"] - 0.1) / unit
        step = g if before is None else 2 * g - before
        mu, before = max(mu + 0.5 * step / unit, 0.0), g
        later = run.multipliers()["price"] if following is None else following["multiplier/price"]
        assert later == pytest.approx(mu, rel=1e-6)
    assert isinstance(run, PrimalDual)
    assert rows[-1]["weight/reward"] == pytest.approx(1 / (1 + rows[-1]["multiplier/price"] * unit))


@pytest.mark.parametrize("power", [-9, 5])
def test_other_units_of_costs_and_limits_change_the_multipliers_unit_alone(power: int) -> None:
    unit = 2.0**power
    plain, other = (
        made(SACLagrangian, SACLagrangianConfig(**SMALL, thresholds={"price": 0.1 * u}), unit=u) for u in (1.0, unit)
    )
    rows, scaled = train(plain), train(other)
    for key, weights in plain.model.policy.state_dict().items():
        assert torch.equal(weights, other.model.policy.state_dict()[key]), key
    assert scaled[-1]["multiplier/price"] == pytest.approx(rows[-1]["multiplier/price"] / unit)
    assert rows[-1]["multiplier/price"] > 0


def test_options_out_of_range_are_refused() -> None:
    for fields, words in (
        ({"lr_mu": -1.0}, "lr_mu = -1.0: expected a finite number of at least 0"),
        ({"cap": 0.0}, "cap = 0.0"),
        ({"thresholds": {"price": float("inf")}}, r"thresholds\['price'\] = inf"),
    ):
        with pytest.raises(UsageError, match=words):
            ReloadSACConfig(**fields)
    with pytest.raises(UsageError, match="no constraint called 'prise': did you mean price"):
        made(ReloadSAC, ReloadSACConfig(**SMALL, thresholds={"prise": 1.0}))


@pytest.mark.slow
def test_the_last_policy_is_near_the_known_optimum() -> None:
    options = {
        "batch_size": 64, "network": SoftActorNetwork(net_arch=(32, 32)), "gamma": 0.9, "ent_coef": 0.01,
        "learning_rate": (3e-3, 0.0), "lr_mu": (1.0, 0.0), "train_freq": 4, "gradient_steps": 1,
    }  # fmt: skip
    run = made(ReloadSAC, ReloadSACConfig(**options), steps=6000)
    rows = train(run)
    recent = rows[-10:]
    price, reward = (np.mean([row[key] for row in recent]) for key in ("value/price", "value/reward"))
    assert price == pytest.approx(0.5, abs=0.03)
    assert reward == pytest.approx(0.36, abs=0.03 * 3.2)
    assert run.multipliers()["price"] == pytest.approx(3.2, rel=0.25)
