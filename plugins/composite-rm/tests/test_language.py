"""The language model as the learner's network: gradients, parameters, the start, what is impossible, resuming."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from zoo_composite_rm.language import LanguageNetwork, Reference, Tokens
from zoo_envs.text.environment import TextCompositeVector
from zoo_envs.text.training import Training, train_or_load

from zoo.testing import check_algorithm, check_environment

BRIEF = Training(steps=30, batch=8, corpus=200, turns=3, width=16, heads=2, positions=40)
H = 3


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = train_or_load(tmp_path_factory.mktemp("models"), BRIEF)
    return {
        "language_model": str(folder), "context": 2, "context_tokens": 16, "new_tokens": 4, "top_k": 20
    }  # fmt: skip


@pytest.fixture(scope="module")
def env(options: dict[str, Any]) -> TextCompositeVector:
    return TextCompositeVector(8, **options)


def network(
    env: TextCompositeVector, members: int = 2, seeds: tuple[int, ...] = (0, 1), **options: Any
) -> LanguageNetwork:
    made = LanguageNetwork(members, H, env.language_model, Reference.of(env), "cpu", **options)
    for member, seed in zip(range(members), seeds, strict=False):
        made.initialise(member, np.random.default_rng(seed))
    return made


def observed(env: TextCompositeVector, members: int = 2, steps: int = 4) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Observations [S, M, D] on the way of random tokens, encoded as the learner does."""
    rng, seen = np.random.default_rng(5), [env.reset(seed=3)[0]]
    for _ in range(steps * members - 1):
        seen.append(env.step(rng.integers(1, env.single_action_space.n, size=8))[0])
    return np.stack(seen).reshape(members, -1, seen[0].shape[-1]).astype(np.float32)


def possible(env: TextCompositeVector, obs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The tokens int64[..., k] that are possible at observations, most probable first."""
    return np.argsort(-env.reference_logits(obs), axis=-1, kind="stable")[..., : env.top_k]


def chosen(env: TextCompositeVector, obs: np.ndarray[Any, Any], seed: int = 0) -> np.ndarray[Any, Any]:
    """Actions [S, M, 1 + k]: a possible token, and all that are possible."""
    ids = possible(env, obs)
    place = np.random.default_rng(seed).integers(ids.shape[-1], size=(*ids.shape[:-1], 1))
    return np.concatenate([np.take_along_axis(ids, place, -1), ids], -1)


def both(obs: np.ndarray[Any, Any], actions: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.concatenate([obs, actions], -1).astype(np.float32)


def changed(net: LanguageNetwork, seed: int = 0) -> LanguageNetwork:
    """Move every weight a little, in place, as an optimiser does."""
    rng = np.random.default_rng(seed)
    net.parameters.flat += 0.05 * rng.standard_normal(net.parameters.flat.shape).astype(np.float32)
    net.parameters.mark_changed()
    net.restart()
    return net


def log_softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    top = logits.astype(float) - logits.max(-1, keepdims=True)
    found: np.ndarray[Any, np.dtype[np.float64]] = top - np.log(np.exp(top).sum(-1, keepdims=True))
    return found


def test_the_policy_begins_as_the_reference_with_values_zero(env: TextCompositeVector) -> None:
    net, obs = network(env, kl=True), observed(env)
    reference, actions = env.reference_logits(obs), chosen(env, obs)
    p, logits = np.exp(reference.astype(float)), net.act(obs)
    assert (p * np.where(p > 0, reference - log_softmax(logits), 0)).sum(-1).max() < 1e-6
    assert not net.values(obs).any()
    np.testing.assert_allclose(net.policy(obs), logits.mT, atol=1e-5)
    outputs, values = net.forward(both(obs, actions))
    pi0 = np.take_along_axis(reference, actions[..., :1], -1)[..., 0]
    np.testing.assert_allclose(outputs[:, 0], pi0, atol=1e-5)
    np.testing.assert_allclose(Reference.of(env).log_prob(obs, actions), pi0, atol=1e-5)
    np.testing.assert_allclose(outputs[:, 1], -(p * np.where(p > 0, reference, 0)).sum(-1), atol=1e-5)
    np.testing.assert_allclose(outputs[:, 2], 0, atol=1e-5)
    assert values.shape == (2, H, obs.shape[1]) and not values.any()


def test_what_the_loss_is_told_is_right_elsewhere_too(env: TextCompositeVector) -> None:
    net, obs = changed(network(env, kl=True)), observed(env)
    actions, reference = chosen(env, obs), env.reference_logits(obs).astype(float)
    log_p = log_softmax(net.act(obs))
    p = np.exp(log_p)
    outputs, _ = net.forward(both(obs, actions))
    np.testing.assert_allclose(outputs[:, 0], np.take_along_axis(log_p, actions[..., :1], -1)[..., 0], atol=1e-4)
    np.testing.assert_allclose(outputs[:, 1], -(p * log_p).sum(-1), atol=1e-4)
    np.testing.assert_allclose(outputs[:, 2], (p * np.where(p > 0, log_p - reference, 0)).sum(-1), atol=1e-4)
    assert outputs[:, 2].min() > 1e-3


def test_what_the_reference_excludes_stays_impossible(env: TextCompositeVector) -> None:
    net, obs = changed(network(env)), observed(env)
    allowed = env.reference_logits(obs) > -1e4
    assert (allowed.sum(-1) == env.top_k).all()
    for logits in (net.act(obs), net.policy(obs).mT):
        p = torch.from_numpy(np.ascontiguousarray(logits)).softmax(-1).numpy()
        assert (p[~allowed] == 0).all() and (p[allowed] > 0).all()
    tokens = Tokens(env.single_action_space, env.top_k)
    for seed in range(20):
        _, actions = net.sample(obs, tokens, np.random.default_rng(seed).random(obs.shape[:2]))
        assert np.take_along_axis(allowed, actions, -1).all()
        assert (actions[..., :1] == actions[..., 1:]).any(-1).all()


def test_gradients_are_those_of_a_direct_loss(env: TextCompositeVector) -> None:
    """The same model built from its parts, every window a text of its own."""
    net, obs = changed(network(env)), observed(env)
    rng, actions = np.random.default_rng(1), chosen(env, observed(env))
    outputs, values = net.forward(both(obs, actions))
    d_policy = rng.standard_normal(outputs.shape).astype(np.float32)
    d_values = rng.standard_normal(values.shape).astype(np.float32)
    net.parameters.gradient[:] = 7.0  # what was there before does not matter
    net.backward(d_policy, d_values)
    V = env.single_action_space.n
    for member in range(2):
        direct = env.language_model().model
        weights = {name: torch.tensor(view[member]) for name, view in net.parameters.views.items()}
        for name, parameter in direct.named_parameters():
            parameter.data = weights[f"language_model.model.{name}"].clone()
        head = {name: weights[name].clone().requires_grad_() for name in weights if not name.startswith("language_")}
        loss = torch.zeros(())
        for m, row in enumerate(obs[member]):
            tokens = torch.from_numpy(row[row < V].astype(np.int64))[None]
            hidden = direct.transformer(input_ids=tokens).last_hidden_state[0, -1]
            token, *ids = actions[member, m].tolist()
            log_p = direct.lm_head(hidden)[ids].log_softmax(-1)
            first = torch.tanh(head["hidden_layer.weight"] @ hidden + head["hidden_layer.bias"])
            value = head["value_heads.weight"] @ first + head["value_heads.bias"]
            assert value.detach().numpy() == pytest.approx(values[member, :, m], abs=1e-4)
            d_log_prob, d_entropy = d_policy[member, :, m].tolist()
            loss = loss + d_log_prob * log_p[ids.index(token)] - d_entropy * (log_p.exp() * log_p).sum()
            loss = loss + (value * torch.from_numpy(d_values[member, :, m])).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        expected = {f"language_model.model.{name}": p.grad for name, p in direct.named_parameters()}
        expected |= {name: weight.grad for name, weight in head.items()}
        for name, gradient in net.parameters.gradients.items():
            scale = float(np.abs(expected[name]).max()) + 1e-3
            np.testing.assert_allclose(gradient[member] / scale, expected[name] / scale, atol=2e-4, err_msg=name)


def test_members_are_what_they_would_be_alone(env: TextCompositeVector) -> None:
    pair, alone, obs = network(env), network(env, 1, (1,)), observed(env)
    np.testing.assert_array_equal(pair.parameters.flat[1], alone.parameters.flat[0])
    rng = np.random.default_rng(1)
    for net in (pair, alone):
        net.parameters.flat[-1] += 0.1 * np.random.default_rng(2).standard_normal(net.parameters.flat.shape[1])
    np.testing.assert_array_equal(pair.act(obs)[1:], alone.act(obs[1:]))
    np.testing.assert_array_equal(pair.act(obs[1:], slice(1, 2)), alone.act(obs[1:]))
    written = both(obs, chosen(env, obs))
    results = [pair.forward(written), alone.forward(written[1:])]
    d = [rng.standard_normal(part.shape).astype(np.float32) for part in results[0]]
    pair.backward(*d)
    alone.backward(*(part[1:] for part in d))
    np.testing.assert_array_equal(pair.parameters.gradient[1], alone.parameters.gradient[0])
    assert (pair.parameters.gradient[0] != pair.parameters.gradient[1]).any()


def test_other_parameters_can_be_asked_for(env: TextCompositeVector) -> None:
    net, obs = network(env), observed(env)
    before, start = net.parameters.flat.copy(), (net.policy(obs), net.values(obs))
    changed(net)
    now = (net.policy(obs), net.values(obs))
    assert all(np.abs(a - b).max() > 1e-3 for a, b in zip(start, now, strict=True))
    again = (net.policy(obs, before), net.values(obs, before))
    for expected, found in zip(start, again, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(net.policy(obs), now[0])


def test_the_environment_keeps_its_contract(options: dict[str, Any]) -> None:
    check_environment("text-composite", **options)


def test_an_algorithm_resumes_bit_for_bit_on_text(options: dict[str, Any]) -> None:
    config = {"n_steps": 5, "batch_size": 10, "n_epochs": 2, "learning_rate": 1e-3}
    check_algorithm("xi-ppo", "text-composite", config=config, env_config=options, steps=60, num_envs=4)
