"""One update equals stable-baselines3's, from the same weights, rollout and minibatch order."""

from __future__ import annotations

import copy

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.wrappers import TimeLimit

# A last minibatch that is smaller than the others, which the peer advises against.
pytestmark = pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")

COPIES, STEPS = 3, 16
LAYERS = {"actor": ("mlp_extractor.policy_net", "action_net"), "critic": ("mlp_extractor.value_net", "value_net")}


def short(env):
    """The environment cut after seven steps, so that a rollout holds several time limits."""
    return lambda: TimeLimit(gymnasium.make(env).unwrapped, 7)


def peer_of(env, config):
    from stable_baselines3 import PPO as Peer
    from stable_baselines3.common.logger import Logger
    from stable_baselines3.common.vec_env import DummyVecEnv

    options = {
        name: getattr(config, name)
        for name in ("n_steps", "batch_size", "n_epochs", "gamma", "gae_lambda", "ent_coef", "vf_coef", "learning_rate",
                     "clip_range", "clip_range_vf", "max_grad_norm", "target_kl")
    }  # fmt: skip
    peer = Peer(
        "MlpPolicy", DummyVecEnv([short(env)] * COPIES), normalize_advantage=config.adv_norm == "mixed", **options,
        policy_kwargs={"net_arch": list(config.network.net_arch), "ortho_init": False},
    )  # fmt: skip
    peer.set_logger(Logger(None, []))
    return peer


def names_of(learner, part):
    layers = [name for name in learner.network.parameters.views if name.startswith(part)]
    hidden, last = LAYERS[part]
    for name in layers:
        _, number, kind = name.split(".")
        is_last = int(number) == len(layers) // 2 - 1
        yield name, f"{last}.{kind}" if is_last else f"{hidden}.{2 * int(number)}.{kind}"


def as_peer(learner, member=0):
    """The weights of one member as a state dict of the peer's policy."""
    views = {name: torch.tensor(view[member]) for name, view in learner.network.parameters.views.items()}
    pairs = [*names_of(learner, "actor"), *names_of(learner, "critic")]
    weights = {theirs: views[ours].T.reshape(-1) if "bias" in ours else views[ours].T for ours, theirs in pairs}
    if "log_std" in views:
        weights["log_std"] = views["log_std"][:, 0]
    return weights


def fill(peer, learner, rollout):
    """Give the peer the transitions of ``rollout``, and let it compute everything else."""
    peer.rollout_buffer.reset()
    policy, (_, T, B) = peer.policy, rollout.terminated.shape
    starts = np.ones(B)
    finals = iter(rollout.final_obs)
    for t in range(T):
        rewards = rollout.rewards[0, 0, t].astype(np.float64)
        for b in range(B):
            if rollout.truncated[0, t, b] and not rollout.terminated[0, t, b]:
                with torch.no_grad():
                    rewards[b] += peer.gamma * policy.predict_values(torch.as_tensor(next(finals))[None]).item()
        obs = torch.as_tensor(rollout.obs[0, t])
        actions = torch.as_tensor(rollout.actions[0, t])
        with torch.no_grad():
            values, log_prob, _ = policy.evaluate_actions(obs, actions)
        peer.rollout_buffer.add(
            rollout.obs[0, t], rollout.actions[0, t].reshape(B, -1), rewards, starts, values, log_prob
        )
        starts = rollout.done[0, t].astype(float)
    with torch.no_grad():
        last = policy.predict_values(torch.as_tensor(rollout.last_obs[0]))
    peer.rollout_buffer.compute_returns_and_advantage(last_values=last, dones=starts)


@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ent_coef": 0.05, "clip_range_vf": 0.1, "max_grad_norm": 0.05, "gamma": 0.9, "gae_lambda": 0.7},
        {"target_kl": 1e-3, "learning_rate": 0.02},
        {"adv_norm": "none", "batch_size": 7},
    ],
)
def test_one_update_equals_sb3s(build, monkeypatch, env, options):
    options = {"learning_rate": 3e-3, "n_epochs": 3, "n_steps": STEPS, "batch_size": 20, **options}
    network = {"net_arch": (16, 8), "policy_gain": 1.0}
    ours = build.solo(short(env), copies=COPIES, budget=10_000, network=network, **options)
    learner = ours.learner
    peer = peer_of(env, ours.config)
    weights = as_peer(learner)
    assert peer.policy.state_dict().keys() == weights.keys()
    peer.policy.load_state_dict(weights)

    rollout = learner.collector.collect(learner.network, [ours.ctx.rng])
    learner.estimate(rollout)
    fill(peer, learner, rollout)
    buffer = peer.rollout_buffer
    assert rollout.truncated.any()
    np.testing.assert_allclose(rollout.values[0, 0], buffer.values, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(rollout.log_prob[0], buffer.log_probs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(rollout.advantages[0, 0], buffer.advantages, rtol=1e-3, atol=2e-4)
    twin = copy.deepcopy(ours.ctx.rng)
    orders = iter([twin.permutation(STEPS * COPIES) for _ in range(3)])
    (metrics,) = learner.improve(rollout)
    # The peer numbers a transition b * T + t.
    theirs = ((order % COPIES) * STEPS + order // COPIES for order in orders)
    monkeypatch.setattr(np.random, "permutation", lambda count: next(theirs))
    peer._current_progress_remaining = 1.0
    peer.train()
    for name, value in as_peer(learner).items():
        torch.testing.assert_close(value, peer.policy.state_dict()[name], rtol=1e-3, atol=3e-5, msg=name)
    moved = max((value - weights[name]).abs().max().item() for name, value in as_peer(learner).items())
    assert moved > 3e-3
    logged = peer.logger.name_to_value
    assert metrics["loss/policy"] == pytest.approx(logged["train/policy_gradient_loss"], rel=1e-3, abs=1e-5)
    assert metrics["loss/value/reward"] == pytest.approx(logged["train/value_loss"], rel=1e-3)
    assert metrics["train/entropy"] == pytest.approx(-logged["train/entropy_loss"], rel=1e-4)
    assert metrics["train/clip_fraction"] == pytest.approx(logged["train/clip_fraction"], abs=1e-6)
    stopped = peer.logger.name_to_value["train/n_updates"] < 3
    assert stopped == ("target_kl" in options)
