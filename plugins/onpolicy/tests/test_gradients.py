"""Derivatives written out against autograd, the optimiser against torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch.distributions import Categorical, Independent, Normal, kl_divergence
from zoo_onpolicy.adam import Adam, clip_norm
from zoo_onpolicy.backend import on_device
from zoo_onpolicy.config import NetworkConfig
from zoo_onpolicy.distributions import distribution_on
from zoo_onpolicy.loss import Coefficients, Minibatch, ppo_loss
from zoo_onpolicy.networks import MLP
from zoo_onpolicy.tabular_policy import Table

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


# "cpu" computes with numpy; any other device with torch, of which the processor is one here.
DEVICES = pytest.mark.parametrize("device", ["cpu", "cpu:0"])


def ours(tensor, device):
    """As the plugin has it on ``device``."""
    return on_device(np.ascontiguousarray(tensor.numpy()), device)


def encoded(space, actions):
    """[S, M, ...] as [S, E, M]."""
    return torch.from_numpy(distribution_on(space).encode(actions.numpy())).mT


def close(found, expected, **tolerances):
    torch.testing.assert_close(torch.as_tensor(found), expected, **tolerances)


@DEVICES
@pytest.mark.parametrize("space", [DISCRETE, BOX])
def test_scores_equal_torchs(space, device, noise):
    distribution = distribution_on(space)
    outputs, other = torch.randn(2, S, distribution.outputs, M, generator=noise)
    actions = actions_on(space, noise)
    scored = distribution.score(*(ours(each, device) for each in (outputs, encoded(space, actions), other)))
    expected = torchs(space, outputs)
    close(scored.log_prob, expected.log_prob(actions), rtol=1e-5, atol=1e-5)
    close(scored.entropy, expected.entropy())
    close(scored.kl, kl_divergence(expected, torchs(space, other)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("space", [DISCRETE, BOX])
def test_noise_is_finite_however_much_is_drawn(space):
    noise = distribution_on(space).noise(np.random.default_rng(0), (5_000_000,))
    assert noise.dtype == np.float32
    assert np.isfinite(noise).all()


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


@DEVICES
@pytest.mark.parametrize("clip_values", [None, 0.5])
@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("space", [DISCRETE, BOX])
def test_derivatives_of_the_loss_equal_autograds(space, reference, clip_values, device, noise):
    distribution = distribution_on(space)
    outputs, change, other = torch.randn(3, S, distribution.outputs, M, generator=noise) * 0.7
    old = outputs + 0.4 * change
    values, old_values, returns = torch.randn(3, S, H, M, generator=noise)
    advantage, actions = torch.randn(S, M, generator=noise), actions_on(space, noise)
    clip, entropy_coef, kl_coef = torch.tensor([[[0.2], [0.1]], [[0.03], [0.0]], [[0.3], [0.1]]])
    value_coef = torch.tensor([0.5, 0.1, 0.9])
    old_log_prob = torchs(space, old).log_prob(actions)
    weights = Coefficients(
        low=ours(1 - clip, device),
        high=ours(1 + clip, device),
        clip_values=None if clip_values is None else ours(torch.full((S, 1, 1), clip_values), device),
        entropy=ours(entropy_coef, device),
        values=ours(value_coef[:, None], device),
        reference=ours(kl_coef, device),
    )
    batch = Minibatch(
        index=np.arange(M), obs=None, actions=ours(encoded(space, actions), device),
        log_prob=ours(old_log_prob, device), advantages=None, returns=ours(returns, device),
        values=ours(old_values, device), reference=ours(other, device) if reference else None,
    )  # fmt: skip
    now = [ours(each, device) for each in (outputs, values)]
    loss = ppo_loss(distribution, *now, batch, ours(advantage, device), weights)

    outputs, values = outputs.requires_grad_(), values.requires_grad_()
    now = torchs(space, outputs)
    ratio = (now.log_prob(actions) - old_log_prob).exp()
    clipped = torch.max(torch.min(ratio, 1 + clip), 1 - clip)
    policy = -torch.min(ratio * advantage, clipped * advantage).mean(1)
    predicted = values
    if clip_values is not None:
        predicted = old_values + (values - old_values).clamp(-clip_values, clip_values)
    errors = (predicted - returns).square().mean(2)
    entropy = now.entropy().mean(1)
    total = policy - entropy_coef[:, 0] * entropy + errors @ value_coef
    if reference:
        kl = kl_divergence(now, torchs(space, other)).mean(1)
        total = total + kl_coef[:, 0] * kl
    d_policy, d_values = torch.autograd.grad(total.sum(), (outputs, values))
    close(loss.d_policy, d_policy, rtol=1e-4, atol=1e-6)
    close(loss.d_values, d_values)
    outside = ((ratio - 1).abs() > clip).float().mean(1)
    expected = [policy, entropy, ((ratio - 1) - ratio.log()).mean(1), outside, *errors.unbind(1)]
    close(loss.means, torch.stack([*expected, kl] if reference else expected, 1), rtol=1e-4, atol=1e-5)
    close(loss.approx_kl, expected[2], rtol=1e-4, atol=1e-5)
    assert outside.min() > 0.1
    assert outside.max() < 0.9


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


@DEVICES
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
def test_networks_and_their_backward_pass_equal_autograd(kind, config, space, device, noise):
    distribution, rng = distribution_on(space), np.random.default_rng(0)
    network = (Table if kind == "table" else MLP)(S, D, H, distribution, config, device)
    for member in range(S):
        network.initialise(member, rng)
    if kind == "table":
        network.parameters.flat += on_device(rng.normal(size=network.parameters.flat.shape), device)
        network.parameters.mark_changed()
    obs = torch.randint(0, D, (S, M), generator=noise) if kind == "table" else torch.randn(S, M, D, generator=noise)
    outputs, values = network.forward(ours(obs, device))
    d_policy, d_values = (torch.randn(tuple(part.shape), generator=noise) for part in (outputs, values))
    network.parameters.gradient[:] = np.nan
    network.backward(ours(d_policy, device), ours(d_values, device))
    views = {name: torch.as_tensor(view).clone().requires_grad_() for name, view in network.parameters.views.items()}
    expected = by_autograd(kind, config, views, obs)
    close(outputs, expected[0].detach())
    close(values, expected[1].detach())
    for name, gradient in zip(
        views, torch.autograd.grad(expected, tuple(views.values()), (d_policy, d_values)), strict=True
    ):
        close(network.parameters.gradients[name], gradient, rtol=1e-4, atol=1e-5)
    alone = network.act(obs.numpy()[1:], slice(1, 2))
    close(network.act(obs.numpy()), expected[0].detach().mT)
    close(alone, expected[0][1:].detach().mT)
    close(network.values(ours(obs, device)), expected[1].detach())
    flat = network.parameters.flat + 0.0
    network.parameters.flat[:] = 0.0
    close(network.policy(ours(obs, device), flat), expected[0].detach())


def test_initial_weights_are_orthogonal_and_of_the_asked_scale():
    config = NetworkConfig(net_arch=(16, 8), policy_gain=0.3)
    network = MLP(S, D, H, distribution_on(DISCRETE), config, "cpu")
    network.initialise(1, np.random.default_rng(0))
    views = network.parameters.views
    for name, scale in (("actor.0", 2**0.5), ("critic.1", 2**0.5), ("actor.2", 0.3), ("critic.2", 1.0)):
        weight = views[f"{name}.weight"][1]
        gram = weight @ weight.T if weight.shape[0] < weight.shape[1] else weight.T @ weight
        np.testing.assert_allclose(gram, scale**2 * np.eye(len(gram)), atol=1e-5)
    assert not any(view[0].any() for view in views.values())


@DEVICES
def test_adam_is_torchs_for_each_member_on_its_own_clock(device, noise):
    start = torch.randn(3, 20, generator=noise)
    adam = Adam(ours(start.clone(), device), device)
    theirs = [row.clone().requires_grad_() for row in start]
    rates = [3e-3, 1e-2, 1e-3]
    optimisers = [torch.optim.Adam([row], lr=rate, eps=1e-5) for row, rate in zip(theirs, rates, strict=True)]
    for number in range(30):
        active = np.array([True, number % 3 != 0, number > 10])
        gradient = torch.randn(3, 20, generator=noise) * 0.1 ** (number % 4)
        for row, optimiser, one, on in zip(theirs, optimisers, gradient.clone(), active, strict=True):
            if on:
                row.grad = one
                optimiser.step()
        adam.step(ours(gradient, device), np.array(rates), active)
    assert adam.t.tolist() == [30, 20, 19]
    close(adam.parameters, torch.stack([row.detach() for row in theirs]), rtol=1e-5, atol=2e-6)


@DEVICES
def test_the_norm_is_clipped_for_each_member_as_torch_does(device, noise):
    gradient = torch.randn(3, 10, generator=noise) * torch.tensor([[0.01], [1.0], [30.0]])
    expected = []
    for row in gradient:
        parameter = torch.zeros(10, requires_grad=True)
        parameter.grad = row.clone()
        torch.nn.utils.clip_grad_norm_([parameter], 0.5)
        expected.append(parameter.grad)
    norms = gradient.norm(dim=1)
    found = ours(gradient.clone(), device)
    close(clip_norm(found, 0.5), norms)
    close(found, torch.stack(expected))
