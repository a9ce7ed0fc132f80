"""lambda-sac: SB3's SAC at lambda = 1, the correction below it, the bandit, resuming."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from zoo_sb3.baselines import SAC
from zoo_sb3.config.network import SoftActorNetwork
from zoo_sb3.config.soft_actor import SACConfig
from zoo_successor.deep.sac import LambdaSoftActorCritic
from zoo_successor.deep.sac_config import LambdaSACConfig

from zoo import Context
from zoo.testing import check_algorithm

SMALL: dict[str, Any] = {
    "buffer_size": 1000,
    "learning_starts": 100,
    "batch_size": 32,
    "network": SoftActorNetwork(net_arch=(16,)),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def build(cls: Any, config: Any, *, steps: int = 300, seed: int = 3, copies: int = 1) -> Any:
    env = gymnasium.make_vec(
        "Pendulum-v1",
        num_envs=copies,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
    )
    env.reset(seed=0)
    return cls(Context(env=env, seed=seed, rng=np.random.default_rng(seed), budget=steps), config)


def train(algorithm: Any) -> Any:
    while algorithm.env_steps < algorithm.ctx.budget:
        algorithm.metrics = algorithm.update()
    return algorithm


def weights(algorithm: Any) -> dict[str, torch.Tensor]:
    return {key: value for key, value in algorithm.model.policy.state_dict().items() if "heads" not in key}


@pytest.mark.parametrize(
    "options",
    [
        {"train_freq": 2},
        {"train_freq": 8, "gradient_steps": 2, "target_update_interval": 2, "ent_coef": 0.2, "use_sde": True},
        {"train_freq": 8, "n_steps": 3, "learning_rate": (1e-3, 0.0)},
    ],
)
def test_lambda_one_is_sb3s_sac(options: dict[str, Any]) -> None:
    plain = train(build(SAC, SACConfig(**SMALL | options)))
    ours = train(build(LambdaSoftActorCritic, LambdaSACConfig(lam=1.0, **SMALL | options)))
    expected, found = weights(plain), weights(ours)
    assert expected.keys() == found.keys()
    for key in expected:
        assert found[key].numpy() == pytest.approx(expected[key].numpy(), rel=1e-6, abs=1e-7), key
    untrained = weights(build(SAC, SACConfig(**SMALL | options)))
    assert any(not torch.equal(expected[key], untrained[key]) for key in expected)
    same = {"loss/actor", "loss/critic", "train/ent_coef"}
    assert {key: ours.metrics[key] for key in same} == pytest.approx({key: plain.metrics[key] for key in same})


def minibatch(rows: int = 64, *, done: bool = False) -> ReplayBufferSamples:
    rng = torch.Generator().manual_seed(0)
    angle = torch.rand(rows, 2, generator=rng) * 6.28
    obs, following = (
        torch.stack([a.cos(), a.sin(), 8 * torch.rand(rows, generator=rng) - 4], dim=1) for a in angle.unbind(1)
    )
    actions = 2 * torch.rand(rows, 1, generator=rng) - 1
    phi = torch.cat([(obs + torch.tensor([1, 1, 8])) / torch.tensor([2, 2, 16]), (actions + 1) / 2], dim=1)
    reward = phi @ torch.tensor([[1.0], [0.5], [2.0], [0.25]])
    return ReplayBufferSamples(obs, actions, following, torch.full((rows, 1), float(done)), reward)


def targets(model: Any, lam: float, batch: ReplayBufferSamples) -> tuple[torch.Tensor, ...]:
    model.fixed_lam = lam
    torch.manual_seed(0)  # the next actions are drawn from the global stream
    return model.targets(batch, torch.tensor([0.3]))


def test_lambda_below_one_lowers_the_targets_of_positive_rewards() -> None:
    model = build(LambdaSoftActorCritic, LambdaSACConfig(lam=0.5, **SMALL)).model
    batch = minibatch()
    plain, *_ = targets(model, 1.0, batch)
    half, correction, phi, f = targets(model, 0.5, batch)
    none, *_ = targets(model, 0.0, batch)
    assert (phi >= 0).all()
    assert (phi <= 1).all()
    assert (f >= 0).all()
    assert (half < plain).all()
    assert (none < half).all()
    assert (half - plain).numpy() == pytest.approx(correction.numpy(), abs=1e-5)


@pytest.mark.parametrize("critic", [0, 1])
def test_targets_by_hand(critic: int) -> None:
    """One critic is made the lower one everywhere: f' has to be its own."""
    model = build(LambdaSoftActorCritic, LambdaSACConfig(lam=0.5, ridge=0.0, **SMALL)).model
    batch = minibatch()
    with torch.no_grad():
        model.critic_target.q_networks[critic][-1].bias -= 100.0
    found, correction, phi, f = targets(model, 0.25, batch)
    torch.manual_seed(0)
    with torch.no_grad():
        actions, log_prob = model.actor.action_log_prob(batch.next_observations)
        q = model.critic_target(batch.next_observations, actions)
        trunk = model.critic_target.q_networks[critic][:-1]
        hidden = trunk(torch.cat([batch.next_observations, actions], dim=1))
        own = torch.nn.functional.softplus(model.critic_target.heads[critic].linear(hidden))
    low, high = torch.tensor([-1, -1, -8, -1]), torch.tensor([1, 1, 8, 1])
    features = (torch.cat([batch.observations, batch.actions], dim=1) - low) / (high - low)
    w = np.linalg.lstsq(features.numpy().astype(float), batch.rewards.numpy().astype(float), rcond=None)[0]
    assert w[:, 0] == pytest.approx([1.0, 0.5, 2.0, 0.25], abs=1e-4)
    lost = -0.75 * ((features * own).numpy() @ w)
    expected = batch.rewards.numpy() + 0.99 * (q[critic].numpy() + lost - 0.3 * log_prob.numpy()[:, None])
    assert phi.numpy() == pytest.approx(features.numpy(), abs=1e-6)
    assert f.numpy() == pytest.approx(own.numpy(), abs=1e-6)
    assert found.numpy() == pytest.approx(expected, rel=1e-4)
    assert correction.numpy() == pytest.approx(0.99 * lost, abs=1e-4)


def test_nothing_follows_a_terminal_step() -> None:
    model = build(LambdaSoftActorCritic, LambdaSACConfig(lam=0.5, **SMALL)).model
    batch = minibatch(done=True)
    target, correction, _, f = targets(model, 0.5, batch)
    assert torch.equal(target, batch.rewards)
    assert not correction.any()
    assert not f.any()


def test_the_features_learn_what_is_ahead() -> None:
    """f of a trained run fits its own targets better than at the start."""
    config = LambdaSACConfig(lam=0.5, gamma=0.9, **SMALL | {"learning_rate": 3e-3, "train_freq": 2})
    algorithm = build(LambdaSoftActorCritic, config, steps=400)
    first = None
    while algorithm.env_steps < 400:
        found = algorithm.update().get("loss/feature")
        first = first if first is not None else found
    assert first is not None
    assert found < first / 2


def test_bandit_plays_one_arm_for_each_episode() -> None:
    algorithm = build(LambdaSoftActorCritic, LambdaSACConfig(lam="bandit", **SMALL | {"train_freq": 100}), steps=2000)
    played, learned = [], 0
    while algorithm.env_steps < 2000:
        before = algorithm.model.bandit.weights.copy()
        metrics = algorithm.update()
        if "train/lambda" in metrics:
            played.append(metrics["train/lambda"])
        learned += not np.array_equal(before, algorithm.model.bandit.weights)
    assert set(played) <= {0.0, 0.5, 1.0}
    assert len(set(played)) > 1
    assert learned >= 5


def test_resume_is_exact_with_the_bandit_in_play() -> None:
    config = LambdaSACConfig(lam="bandit", **SMALL | {"train_freq": 25, "learning_starts": 300})
    one = build(LambdaSoftActorCritic, config, steps=1500)
    for _ in range(5):
        one.update()
    state = one.state()
    other = build(LambdaSoftActorCritic, config, steps=1500, seed=9)
    other.load_state(state)
    other.model.env.env = one.model.env.env  # both go on from where the copies are
    env = one.ctx.env
    saved = [copy.unwrapped.__dict__.copy() for copy in env.envs]
    generators = [copy.unwrapped.np_random.bit_generator.state for copy in env.envs]
    elapsed = [copy.get_wrapper_attr("_elapsed_steps") for copy in env.envs]
    expected = [one.update() for _ in range(4)]
    for copy, fields, generator, steps in zip(env.envs, saved, generators, elapsed, strict=True):
        copy.unwrapped.__dict__.update(fields)
        copy.unwrapped.np_random.bit_generator.state = generator
        copy.set_wrapper_attr("_elapsed_steps", steps)
    assert [other.update() for _ in range(4)] == expected


def test_bounds_that_were_seen_are_in_the_state() -> None:
    one, other = (build(LambdaSoftActorCritic, LambdaSACConfig(lam=0.5, **SMALL)) for _ in range(2))
    one.model.base.fixed[:] = False
    one.model.base.observe_bounds(torch.tensor([[2.0, 3.0, 20.0, 1.5]]))
    other.load_state(one.state())
    assert torch.equal(other.model.base.high, torch.tensor([2.0, 3.0, 20.0, 1.5]))


def test_conforms() -> None:
    config = LambdaSACConfig(lam="bandit", **SMALL | {"train_freq": 16, "learning_starts": 200})
    check_algorithm("lambda-sac", "Pendulum-v1", config=config, steps=800, num_envs=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lam": 1.5}, "lambda is 1.5: expected a number between 0 and 1, or bandit"),
        ({"lam": float("nan")}, "lam is nan: expected a finite number"),
        ({"lf_wt": -1.0}, "lf_wt is -1.0: expected 0 or more"),
        ({"ridge": -1.0}, "ridge is -1.0: expected 0 or more"),
        ({"bandit_window": 0}, "bandit_window is 0: expected 1 or more"),
        ({"bandit_decay": 2.0}, "bandit_decay is 2.0: expected a number between 0 and 1"),
        ({"bandit_lr": 0.0}, "bandit_lr is 0.0: expected a number above 0"),
        ({"lam": 0.5, "n_steps": 3}, "n_steps is 3: expected 1, because"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LambdaSACConfig(**options)
