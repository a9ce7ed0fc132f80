"""Derivatives written out against autograd, the optimiser against torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch.distributions import Categorical, Independent, Normal, kl_divergence
from zoo_onpolicy.adam import Adam, clip_norm
from zoo_onpolicy.config import NetworkConfig
from zoo_onpolicy.distributions import distribution_on
from zoo_onpolicy.loss import Coefficients, Minibatch, ppo_loss
from zoo_onpolicy.networks import MLP
from zoo_onpolicy.table import Table

S, M, H, D = 2, 40, 3, 4
DISCRETE, BOX = spaces.Discrete(3), spaces.Box(-1, 1, (2,))


@pytest.fixture
def noise():
    return torch.Generator().manual_seed(0)


def torchs(space, outputs):
    """The same distribution by torch, of outputs [S, W, M]."""
    outputs = outputs.mT
    if isinstance(space, spaces.Discrete):
        return Categorical(logits=outputs)
    mean, log_std = outputs.chunk(2, dim=-1)
    return Independent(Normal(mean, log_std.exp()), 1)


def actions_on(space, noise):
    if isinstance(space, spaces.Discrete):
        return torch.randint(0, 3, (S, M), generator=noise)
    return torch.randn(S, M, 2, generator=noise)


@pytest.mark.parametrize("space", [DISCRETE, BOX])
def test_scores_equal_torchs(space, noise):
    distribution = distribution_on(space)
    outputs, other = torch.randn(2, S, distribution.outputs, M, generator=noise)
    actions = actions_on(space, noise)
    scored = distribution.score(outputs, actions, other)
    expected = torchs(space, outputs)
    torch.testing.assert_close(scored.log_prob, expected.log_prob(actions))
    torch.testing.assert_close(scored.entropy, expected.entropy())
    torch.testing.assert_close(scored.kl, kl_divergence(expected, torchs(space, other)))


@pytest.mark.parametrize("space", [DISCRETE, BOX])
def test_samples_follow_the_distribution(space):
    distribution = distribution_on(space)
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=distribution.outputs).astype(np.float32)
    rows = np.tile(outputs, (40_000, 1))
    drawn = torch.as_tensor(distribution.sample(rows, distribution.noise(rng, (len(rows),))))
    expected = torchs(space, torch.from_numpy(outputs)[None, :, None])
    if isinstance(space, spaces.Discrete):
        p = expected.probs[0, 0].numpy()
        shares = np.bincount(drawn.numpy(), minlength=3) / len(rows)
        assert np.all(np.abs(shares - p) < 5 * np.sqrt(p * (1 - p) / len(rows)))
        assert distribution.mode(outputs) == p.argmax()
    else:
        mean, std = expected.mean[0, 0], expected.stddev[0, 0]
        assert torch.all((drawn.mean(0) - mean).abs() < 5 * std / len(rows) ** 0.5)
        assert torch.all((drawn.std(0) / std - 1).abs() < 5 / (2 * len(rows)) ** 0.5)


@pytest.mark.parametrize("clip_values", [None, 0.5])
@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("space", [DISCRETE, BOX])
def test_derivatives_of_the_loss_equal_autograds(space, reference, clip_values, noise):
    distribution = distribution_on(space)
    outputs, change, other = torch.randn(3, S, distribution.outputs, M, generator=noise) * 0.7
    old = outputs + 0.4 * change
    values, old_values, returns = torch.randn(3, S, H, M, generator=noise)
    advantage, actions = torch.randn(S, M, generator=noise), actions_on(space, noise)
    weights = Coefficients(
        clip=torch.tensor([[0.2], [0.1]]),
        clip_values=None if clip_values is None else torch.full((S, 1, 1), clip_values),
        entropy=torch.tensor([[0.03], [0.0]]),
        values=torch.tensor([0.5, 0.1, 0.9])[:, None],
        reference=torch.tensor([[0.3], [0.1]]),
    )
    batch = Minibatch(
        index=torch.arange(M).expand(S, M), obs=torch.empty(0), actions=actions,
        log_prob=torchs(space, old).log_prob(actions), advantages=advantage[:, None], returns=returns,
        values=old_values, reference=other if reference else None,
    )  # fmt: skip
    loss = ppo_loss(distribution, outputs, values, batch, advantage, weights)

    outputs, values = outputs.requires_grad_(), values.requires_grad_()
    now = torchs(space, outputs)
    ratio = (now.log_prob(actions) - batch.log_prob).exp()
    clipped = torch.max(torch.min(ratio, 1 + weights.clip), 1 - weights.clip)
    policy = -torch.min(ratio * advantage, clipped * advantage).mean(1)
    predicted = values
    if clip_values is not None:
        predicted = old_values + (values - old_values).clamp(-clip_values, clip_values)
    errors = (predicted - returns).square().mean(2)
    entropy = now.entropy().mean(1)
    total = policy - weights.entropy[:, 0] * entropy + errors @ weights.values[:, 0]
    if reference:
        kl = kl_divergence(now, torchs(space, other)).mean(1)
        total = total + weights.reference[:, 0] * kl
    d_policy, d_values = torch.autograd.grad(total.sum(), (outputs, values))
    torch.testing.assert_close(loss.d_policy, d_policy, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(loss.d_values, d_values)
    outside = ((ratio - 1).abs() > weights.clip).float().mean(1)
    expected = [policy, entropy, ((ratio - 1) - ratio.log()).mean(1), outside, *errors.unbind(1)]
    torch.testing.assert_close(
        loss.means, torch.stack([*expected, kl] if reference else expected, 1), rtol=1e-4, atol=1e-5
    )
    assert torch.equal(loss.approx_kl, loss.means[:, 2])
    assert outside.min() > 0.1
    assert outside.max() < 0.9


def networks(kind, space, config):
    distribution = distribution_on(space)
    network = (Table if kind == "table" else MLP)(S, D, H, distribution, config, "cpu")
    obs = torch.randint(0, D, (S, M)) if kind == "table" else torch.randn(S, M, D)
    return distribution, network, obs


def by_autograd(kind, config, views, obs):
    """The same functions in plain torch: outputs [S, W, M] and values [S, H, M]."""
    if kind == "table":
        found = torch.stack([table[rows] for table, rows in zip(views["table"], obs, strict=True)]).mT
        return found[:, :-H], found[:, -H:]
    activation = torch.tanh if config.activation_fn == "tanh" else torch.relu
    results = []
    for part, layers in (("actor", config.net_arch), ("critic", config.critic_arch or config.net_arch)):
        h = obs
        for number in range(len(layers) + 1):
            h = h @ views[f"{part}.{number}.weight"] + views[f"{part}.{number}.bias"]
            h = activation(h) if number < len(layers) else h
        results.append(h.mT)
    if "log_std" in views:
        results[0] = torch.cat([results[0], views["log_std"].expand_as(results[0])], dim=1)
    return tuple(results)


@pytest.mark.parametrize("space", [DISCRETE, BOX])
@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("mlp", NetworkConfig(net_arch=(7, 5), log_std_init=-0.5, policy_gain=1.0)),
        ("mlp", NetworkConfig(net_arch=(6,), critic_arch=(8, 3), activation_fn="relu", policy_gain=1.0)),
        ("mlp", NetworkConfig(net_arch=())),
        ("table", NetworkConfig(log_std_init=0.3)),
    ],
)
def test_networks_and_their_backward_pass_equal_autograd(kind, config, space, noise):
    torch.manual_seed(0)
    distribution, network, obs = networks(kind, space, config)
    for member in range(S):
        network.initialise(member, torch.Generator().manual_seed(member))
    if kind == "table":
        network.parameters.flat.add_(torch.randn(network.parameters.flat.shape))
    outputs, values = network.forward(obs)
    d_policy, d_values = torch.randn(outputs.shape), torch.randn(values.shape)
    network.parameters.gradient.fill_(torch.nan)
    network.backward(d_policy, d_values)
    views = {name: view.clone().requires_grad_() for name, view in network.parameters.views.items()}
    expected = by_autograd(kind, config, views, obs)
    torch.testing.assert_close(outputs, expected[0])
    torch.testing.assert_close(values, expected[1])
    found = torch.autograd.grad(expected, tuple(views.values()), (d_policy, d_values))
    for name, gradient in zip(views, found, strict=True):
        torch.testing.assert_close(network.parameters.gradients[name], gradient, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.from_numpy(network.act(obs.numpy())).mT, outputs.detach())
    torch.testing.assert_close(network.values(obs), values)
    torch.testing.assert_close(network.policy(obs, network.parameters.flat.clone()), outputs)
    assert network.act(obs.numpy()[1:], slice(1, 2)).shape == (1, M, distribution.outputs)
    np.testing.assert_allclose(network.act(obs.numpy()[1:], slice(1, 2))[0], network.act(obs.numpy())[1], rtol=1e-5)


def test_adam_is_torchs_for_each_member_on_its_own_clock():
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(3, 20, generator=generator)
    ours = Adam(start.clone())
    theirs = [row.clone().requires_grad_() for row in start]
    rates = [3e-3, 1e-2, 1e-3]
    optimisers = [torch.optim.Adam([row], lr=rate, eps=1e-5) for row, rate in zip(theirs, rates, strict=True)]
    for number in range(30):
        active = np.array([True, number % 3 != 0, number > 10])
        gradient = torch.randn(3, 20, generator=generator) * 0.1 ** (number % 4)
        ours.step(gradient, np.array(rates), active)
        for row, optimiser, one, on in zip(theirs, optimisers, gradient, active, strict=True):
            if on:
                row.grad = one
                optimiser.step()
    assert ours.t.tolist() == [30, 20, 19]
    torch.testing.assert_close(ours.parameters, torch.stack([row.detach() for row in theirs]), rtol=1e-5, atol=1e-6)


def test_the_norm_is_clipped_for_each_member_as_torch_does():
    gradient = torch.randn(3, 10) * torch.tensor([[0.01], [1.0], [30.0]])
    expected = []
    for row in gradient:
        parameter = torch.zeros(10, requires_grad=True)
        parameter.grad = row.clone()
        torch.nn.utils.clip_grad_norm_([parameter], 0.5)
        expected.append(parameter.grad)
    norms = gradient.norm(dim=1)
    torch.testing.assert_close(clip_norm(gradient, 0.5), norms)
    torch.testing.assert_close(gradient, torch.stack(expected))
