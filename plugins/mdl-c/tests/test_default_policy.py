"""Default policies: objective, divergences against Monte Carlo, memory of tasks, regret against brute force, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from safetensors.numpy import load_file
from scipy.optimize import minimize
from zoo_mdl_c.config import DescriptionLength, MDLCConfig, RPOConfig
from zoo_mdl_c.default_policy import VariationalDropoutPolicy, make_default, visible
from zoo_mdl_c.distillation import RECENT, DefaultLearner
from zoo_mdl_c.evaluate import describe, export
from zoo_mdl_c.forward_kl import ForwardCategorical, ForwardGaussian
from zoo_mdl_c.learner import first_episodes
from zoo_mdl_c.regret import DefaultRegret, floored
from zoo_onpolicy import distributions as on_policy
from zoo_rpo.distributions import Categorical, DiagonalGaussian

from zoo import UsageError

GROUPS = {"position": slice(0, 3), "goal": slice(3, 5), "noise": slice(5, 6)}


def learner(
    config: Any = None, family: Any = Categorical, hidden: tuple[str, ...] = (), size: int = 6
) -> DefaultLearner:
    config = MDLCConfig(default_lr=0.05) if config is None else config
    outputs = 4
    default = make_default(config, size, outputs, family, GROUPS, 0, hidden)
    return DefaultLearner(default, family, config, GROUPS, np.random.default_rng(0))


def data(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """States of signs, and a policy that reads the first two entries."""
    rng = np.random.default_rng(seed)
    obs = rng.choice([-1.0, 1.0], (n, 6)).astype(np.float32)
    truth = rng.normal(size=(2, 4)).astype(np.float32)
    return obs, obs[:, :2] @ truth


@pytest.mark.parametrize("kind", [RPOConfig, MDLCConfig])
def test_what_is_distilled_is_the_policy(kind: Any) -> None:
    config = kind(default_lr=0.05, default_update="online", online_steps=400)
    default, (obs, logits) = learner(config), data()
    default.observe(obs, logits)
    assert float(Categorical(logits).kl(Categorical(default.parameters(obs))).mean()) < 0.01


def test_the_hidden_part_is_not_seen() -> None:
    default = learner(RPOConfig(default_update="online", online_steps=5), hidden=("goal",))
    obs, logits = data()
    default.observe(obs, logits)
    changed = obs.copy()
    changed[:, 3:5] = 7.0
    np.testing.assert_array_equal(default.parameters(obs), default.parameters(changed))
    with pytest.raises(UsageError, match="hidden names 'gaol', but the environment's groups of features are position"):
        visible(("gaol",), 6, GROUPS)
    with pytest.raises(UsageError, match="leaves the default nothing to see"):
        visible(("position", "goal", "noise"), 6, GROUPS)
    with pytest.raises(UsageError, match="names no groups of features"):
        visible(("goal",), 6, {})


def test_the_price_grows_linearly_and_is_divided() -> None:
    price = DescriptionLength(mdl_coef=2.0, mdl_start=10, mdl_warmup=4)
    assert [price.coefficient(step, 5) for step in (0, 10, 11, 12, 14, 99)] == [0, 0, 0.5, 1.0, 2.0, 2.0]
    assert DescriptionLength(mdl_coef=2.0, mdl_warmup=0, n_eff=4.0).coefficient(0, 5) == 0.5
    assert DescriptionLength(mdl_coef=2.0, mdl_warmup=0, normalise="per_weight").coefficient(0, 5) == 0.4


def test_one_step_descends_the_objective() -> None:
    """The gradient that the optimiser is given is that of E KL + coefficient x length, written out here."""
    config = MDLCConfig(mdl_coef=0.3, mdl_warmup=0, default_lr=1e-9, noise="shared")
    default = make_default(config, 6, 4, Categorical, GROUPS, 0)
    assert isinstance(default, VariationalDropoutPolicy)
    obs, logits = data(32)
    default.update(obs, Categorical(torch.from_numpy(logits)))
    layer = default.layers[0]
    mu, log_sigma = (x.detach().clone().requires_grad_() for x in (layer.mu, layer.log_sigma))
    w = mu + log_sigma.exp() * layer.epsilon
    log_q = torch.log_softmax(torch.from_numpy(obs) @ w.T + layer.bias.detach(), -1)
    p = torch.softmax(torch.from_numpy(logits), -1)
    alpha = (2 * log_sigma - torch.log(mu**2 + 1e-16)).clip(-10, 10)
    length = -(0.63576 * torch.sigmoid(1.87320 + 1.48695 * alpha) - 0.5 * torch.log1p((-alpha).exp()) - 0.63576).sum()
    ((p * (p.log() - log_q)).sum(-1).mean() + 0.3 * length).backward()
    torch.testing.assert_close(layer.mu.grad, mu.grad, rtol=2e-4, atol=1e-6)
    torch.testing.assert_close(layer.log_sigma.grad, log_sigma.grad, rtol=2e-4, atol=1e-6)


def test_the_gaussian_divergence_is_that_of_samples() -> None:
    rng = np.random.default_rng(0)
    p, q = (DiagonalGaussian(rng.normal(scale=0.4, size=(1, 6))) for _ in range(2))
    drawn = p.mean + np.exp(p.log_std) * rng.normal(size=(200_000, 3))
    ratio = p.log_prob(drawn) - q.log_prob(drawn)
    assert abs(float(p.kl(q)[0]) - ratio.mean()) < 5 * ratio.std() / len(ratio) ** 0.5
    squashed = p.kl(q)  # after tanh both densities have the same Jacobian, which cancels: mdl-c-sac relies on it
    jacobian = np.log1p(-(np.tanh(drawn) ** 2)).sum(-1)
    again = (p.log_prob(drawn) - jacobian) - (q.log_prob(drawn) - jacobian)
    assert abs(float(squashed[0]) - again.mean()) < 5 * again.std() / len(again) ** 0.5


def test_a_gaussian_default_learns_mean_and_spread() -> None:
    config = RPOConfig(default_lr=0.05, default_update="online", online_steps=600, default_arch=(16,))
    default, (obs, logits) = learner(config, DiagonalGaussian), data()
    target = np.concatenate([logits[:, :2], np.full((len(obs), 2), -0.5, np.float32)], axis=1)
    default.observe(obs, target)
    assert float(DiagonalGaussian(target).kl(DiagonalGaussian(default.parameters(obs))).mean()) < 0.05


@pytest.mark.parametrize(
    ("own", "base", "family", "space"),
    [
        (ForwardCategorical, on_policy.Categorical, Categorical, spaces.Discrete(4)),
        (ForwardGaussian, on_policy.Gaussian, DiagonalGaussian, spaces.Box(-1, 1, (2,), np.float32)),
    ],
)
def test_the_forward_divergence_and_its_derivative(own: Any, base: Any, family: Any, space: Any) -> None:
    rng = np.random.default_rng(0)
    distribution, plain = own(space), base(space)
    outputs, reference = (rng.normal(size=(1, 4, 3)) for _ in range(2))
    actions = np.moveaxis(
        plain.encode(plain.sample(np.moveaxis(outputs, 1, -1), rng.normal(size=(1, 3, plain.learned)))), -1, 1
    )
    scored = distribution.score(outputs, actions, reference)
    # Row i with row i: three different rows.
    np.testing.assert_allclose(scored.kl, family(reference.mT).kl(family(outputs.mT)), rtol=1e-12)
    weights = rng.normal(size=(3, 1, 3))
    ours = distribution.gradient(scored, *weights)
    h = 1e-6
    for w in range(4):
        for m in range(3):
            moved = []
            for sign in (1, -1):
                at = outputs.copy()
                at[0, w, m] += sign * h
                s = distribution.score(at, actions, reference)
                moved.append((weights[0] * s.log_prob + weights[1] * s.entropy + weights[2] * s.kl).sum())
            assert ours[0, w, m] == pytest.approx((moved[0] - moved[1]) / (2 * h), rel=1e-4, abs=1e-6)


def test_replay_keeps_the_last_updates_of_each_task_and_fits_all_tasks() -> None:
    config = MDLCConfig(default_lr=0.05, replay_steps=300, replay_states=50, mdl_coef=0.0)
    default = learner(config)
    policies = [data(seed=seed) for seed in (1, 2)]
    for obs, logits in policies:
        truth = np.linalg.lstsq(obs, logits, rcond=None)[0]
        for _ in range(RECENT + 2):
            assert default.observe(obs, logits) == {}
        default.end_task(lambda x, truth=truth: (x @ truth).astype(np.float32))
    memory = default.state()["memory"]
    assert [len(memory["obs"][str(i)]) for i in range(2)] == [50, 50]
    assert not memory["recent"]
    # One linear default for two policies: what minimises the mean divergence is nearer to both than either is.
    between = Categorical(policies[0][1]).kl(Categorical(policies[0][0][:, :2] @ np.zeros((2, 4)))).mean()
    for obs, logits in policies:
        assert float(Categorical(logits).kl(Categorical(default.parameters(obs))).mean()) < 2 * float(between) + 1


def test_a_default_goes_through_its_state() -> None:
    for config, hidden in ((MDLCConfig(), ()), (RPOConfig(), ()), (RPOConfig(), ("goal",))):
        one, other = learner(config, hidden=hidden), learner(config, hidden=hidden)
        obs, logits = data()
        for default in (one, one, other):
            default.observe(obs, logits)
        one.end_task(lambda x: np.zeros((len(x), 4), np.float32))
        other.load_state(one.state())
        other._rng.bit_generator.state = one._rng.bit_generator.state
        for default in (one, other):
            default.observe(obs, logits)
            default.end_task(lambda x: np.ones((len(x), 4), np.float32))
        np.testing.assert_array_equal(one.parameters(obs), other.parameters(obs))


def test_regret_is_that_of_brute_force() -> None:
    rng = np.random.default_rng(0)
    policies, defaults = rng.dirichlet(np.ones(3), (4, 5)), rng.dirichlet(np.ones(3), (4, 5))
    visits = rng.integers(0, 9, (4, 5))
    visits[:, 4] = 0  # a state that no task visits
    regret = DefaultRegret(5, 3)
    losses = [regret.add(*task) for task in zip(policies, visits, defaults, strict=True)]
    p, q, share = floored(policies), floored(defaults), visits / visits.sum(1, keepdims=True)
    expected = (share * (p * np.log(p / q)).sum(-1)).sum(1)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)

    def fixed(logits: np.ndarray) -> float:
        shaped = logits.reshape(5, 3)
        log_q = shaped - np.log(np.exp(shaped).sum(-1, keepdims=True))
        return float((share * (p * (np.log(p) - log_q)).sum(-1)).sum())

    best = minimize(fixed, np.zeros(15), options={"gtol": 1e-8}).fun
    assert regret.best == pytest.approx(best, rel=1e-6)
    assert regret.regret == pytest.approx(expected.sum() - best, rel=1e-6)


def test_returns_are_of_the_first_episode() -> None:
    rewards = np.array([[1.0, 0.0], [2.0, 4.0], [8.0, 1.0]], dtype=np.float32)
    done = np.array([[False, False], [True, False], [True, False]])
    discounted, plain = first_episodes(rewards, done, 0.5)
    assert discounted == pytest.approx((1 + 1.0 + 0 + 2.0 + 0.25) / 2)
    assert plain == pytest.approx((3 + 5) / 2)


def test_an_export_is_the_pruned_policy(tmp_path: Path) -> None:
    default = learner(MDLCConfig(default_lr=0.05, default_update="online", online_steps=300, mdl_coef=0.01))
    obs, logits = data()
    default.observe(obs, logits)
    export(default, tmp_path / "new")
    tensors = load_file(tmp_path / "new" / "default.safetensors")
    by_hand = obs @ tensors["layers.0.weight"].T + tensors["layers.0.bias"]
    np.testing.assert_allclose(Categorical(by_hand).p, Categorical(default.parameters(obs)).p, atol=1e-5)
    report = json.loads((tmp_path / "new" / "default.json").read_text())
    assert report == json.loads(json.dumps(describe(default)))
    assert report["sparsity"] == pytest.approx((tensors["layers.0.weight"] == 0).mean())
    assert report["sizes"] == [6, 4]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["default.json", "default.safetensors"]
