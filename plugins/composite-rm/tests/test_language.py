"""The language model as the learner's network: gradients, parameters, the start, what is impossible, resuming."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from zoo_composite_rm.language import LanguageNetwork
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


def network(env: TextCompositeVector, members: int = 2, seeds: tuple[int, ...] = (0, 1)) -> LanguageNetwork:
    made = LanguageNetwork(members, H, env.language_model, env.allowed_tokens, "cpu")
    for member, seed in zip(range(members), seeds, strict=False):
        made.initialise(member, np.random.default_rng(seed))
    return made


def observed(env: TextCompositeVector, members: int = 2, steps: int = 4) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Observations [S, M, D] on the way of random tokens, encoded as the learner does."""
    rng, seen = np.random.default_rng(5), [env.reset(seed=3)[0]]
    for _ in range(steps * members - 1):
        seen.append(env.step(rng.integers(1, env.single_action_space.n, size=8))[0])
    return np.stack(seen).reshape(members, -1, seen[0].shape[-1]).astype(np.float32)


def changed(net: LanguageNetwork, seed: int = 0) -> LanguageNetwork:
    """Move every weight a little, in place, as an optimiser does."""
    rng = np.random.default_rng(seed)
    net.parameters.flat += 0.05 * rng.standard_normal(net.parameters.flat.shape).astype(np.float32)
    net.parameters.mark_changed()
    return net


def test_the_policy_begins_as_the_reference_with_values_zero(env: TextCompositeVector) -> None:
    net, obs = network(env), observed(env)
    reference = env.reference_logits(obs)
    logits = net.act(obs)
    shifted = logits - torch.from_numpy(logits).logsumexp(-1, keepdim=True).numpy()
    p = np.exp(reference.astype(float))
    assert (p * np.where(p > 0, reference - shifted, 0)).sum(-1).max() < 1e-6
    assert not net.values(obs).any()
    outputs, values = net.forward(obs)
    np.testing.assert_allclose(outputs, logits.mT, atol=1e-5)
    assert values.shape == (2, H, obs.shape[1]) and not values.any()


def test_what_the_reference_excludes_stays_impossible(env: TextCompositeVector) -> None:
    net, obs = changed(network(env)), observed(env)
    allowed = env.allowed_tokens(obs)
    assert allowed is not None and (allowed.sum(-1) == 20).all()
    for logits in (net.act(obs), net.policy(obs).mT, net.forward(obs)[0].mT):
        p = torch.from_numpy(np.ascontiguousarray(logits)).softmax(-1).numpy()
        assert (p[~allowed] == 0).all() and (p[allowed] > 0).all()
    free = LanguageNetwork(1, H, env.language_model, lambda windows: None, "cpu")
    assert (torch.from_numpy(free.act(obs[:1])).softmax(-1) > 0).all()


def test_gradients_are_those_of_a_direct_loss(env: TextCompositeVector) -> None:
    """The same model built from its parts, every window a text of its own."""
    net, obs = changed(network(env)), observed(env)
    rng = np.random.default_rng(1)
    outputs, values = net.forward(obs)
    d_policy = rng.standard_normal(outputs.shape).astype(np.float32)
    d_values = rng.standard_normal(values.shape).astype(np.float32)
    allowed = env.allowed_tokens(obs)
    assert allowed is not None
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
            possible = torch.from_numpy(allowed[member, m])
            logits = torch.where(possible, direct.lm_head(hidden), torch.zeros(()))
            first = torch.tanh(head["hidden_layer.weight"] @ hidden + head["hidden_layer.bias"])
            value = head["value_heads.weight"] @ first + head["value_heads.bias"]
            assert value.detach().numpy() == pytest.approx(values[member, :, m], abs=1e-4)
            loss = loss + (logits * torch.from_numpy(d_policy[member, :, m])).sum()
            loss = loss + (value * torch.from_numpy(d_values[member, :, m])).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        expected = {f"language_model.model.{name}": p.grad for name, p in direct.named_parameters()}
        expected |= {name: weight.grad for name, weight in head.items()}
        for name, gradient in net.parameters.gradients.items():
            scale = float(np.abs(expected[name]).max()) + 1e-3
            np.testing.assert_allclose(gradient[member] / scale, expected[name] / scale, atol=2e-4, err_msg=name)


def test_members_are_what_they_would_be_alone(env: TextCompositeVector) -> None:
    both, alone, obs = network(env), network(env, 1, (1,)), observed(env)
    np.testing.assert_array_equal(both.parameters.flat[1], alone.parameters.flat[0])
    rng = np.random.default_rng(1)
    for net in (both, alone):
        net.parameters.flat[-1] += 0.1 * np.random.default_rng(2).standard_normal(net.parameters.flat.shape[1])
    np.testing.assert_array_equal(both.act(obs)[1:], alone.act(obs[1:]))
    np.testing.assert_array_equal(both.act(obs[1:], slice(1, 2)), alone.act(obs[1:]))
    results = [both.forward(obs), alone.forward(obs[1:])]
    d = [rng.standard_normal(part.shape).astype(np.float32) for part in results[0]]
    both.backward(*d)
    alone.backward(*(part[1:] for part in d))
    np.testing.assert_array_equal(both.parameters.gradient[1], alone.parameters.gradient[0])
    assert (both.parameters.gradient[0] != both.parameters.gradient[1]).any()


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
