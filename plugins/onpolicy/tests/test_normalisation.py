"""Running statistics against stable-baselines3's and sums by hand; where they are used, saved and frozen."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from stable_baselines3.common.running_mean_std import RunningMeanStd
from zoo_onpolicy.agent import PPO
from zoo_onpolicy.config import NativeConfig, NetworkConfig, PPOConfig
from zoo_onpolicy.normalisation.running import BOUND, Moments, ObservationNorm, ReturnScale

from zoo.discovery.config import encode_fields
from zoo.errors import UsageError
from zoo.testing import check_algorithm

SHORT = {"n_steps": 16, "batch_size": 24, "n_epochs": 2}


def run(build, env="CartPole-v1", copies=3, seed=0, **options):
    config = NativeConfig(network=NetworkConfig(), **SHORT, **options)
    return PPO(build.context(env, seed, copies), config)


def test_moments_are_those_of_all_values_whatever_their_batches():
    g = np.random.default_rng(0)
    batches = [g.normal(3, 2, (2, n, 4)) * [1, 10, 1e-3, 1e4] for n in (1, 7, 3, 50)]
    moments, theirs = Moments(2, 4), [RunningMeanStd(epsilon=0.0, shape=(4,)) for _ in range(2)]
    for batch in batches:
        moments.update(batch.astype(np.float32))
        for member, other in enumerate(theirs):
            other.update(batch[member].astype(np.float32))
    for member, other in enumerate(theirs):
        np.testing.assert_allclose(moments.mean[member], other.mean, rtol=1e-6)
        np.testing.assert_allclose(moments.variance[member], other.var, rtol=1e-5)
    values = np.concatenate(batches, axis=1)
    np.testing.assert_allclose(moments.mean, values.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(moments.variance, values.var(axis=1), rtol=1e-5)


def test_returns_are_discounted_sums_of_their_own_episodes():
    g, gamma = np.random.default_rng(1), 0.9
    scale = ReturnScale(2, 3, gamma)
    sums: list[list[float]] = [[], []]
    running = np.zeros((2, 3))
    for _ in range(4):
        rewards, done = g.normal(0, 5, (2, 6, 3)).astype(np.float32), g.random((2, 6, 3)) < 0.3
        found = scale(rewards, done)
        for t in range(6):
            for member in range(2):
                for copy in range(3):
                    running[member, copy] = running[member, copy] * gamma + rewards[member, t, copy]
                    sums[member].append(running[member, copy])
                    running[member, copy] *= not done[member, t, copy]
        deviation = np.array([np.std(values) for values in sums])
        np.testing.assert_allclose(found, np.clip(rewards / deviation[:, None, None], -10, 10), rtol=1e-3)


def test_what_is_seen_is_normalised_by_statistics_that_stand_still(build):
    agent = run(build, norm_obs=True)
    norm = agent.learner.norm
    agent.update()
    before = norm.moments.mean.copy(), norm.moments.variance.copy()
    collector = agent.learner.collector
    raw = [collector.obs[0].copy()]
    step = agent.ctx.env.step

    def recorded(actions):
        result = step(actions)
        raw.append(result[0].copy())
        return result

    agent.ctx.env.step = recorded
    rollout = collector.collect(agent.learner.network, [agent.ctx.rng])
    expected = np.clip((np.stack(raw[:16]) - before[0]) / np.sqrt(before[1]), -BOUND, BOUND)
    np.testing.assert_allclose(rollout.obs[0], expected, rtol=1e-4, atol=1e-5)
    assert not np.array_equal(norm.moments.mean, before[0]), "the rollout counts, once it is over"
    obs = np.array([[0.1, 0.2, -0.3, 0.4]], np.float32)
    frozen = np.clip((obs - before[0]) / np.sqrt(before[1]), -BOUND, BOUND).astype(np.float32)
    np.testing.assert_allclose(agent.learner.outputs(obs, 0), agent.learner.network.act(frozen[None])[0], rtol=1e-4)
    state = repr(agent.state())
    agent.act(obs)
    assert repr(agent.state()) == state, "acting counts nothing"


def test_rewards_are_learned_from_in_their_own_unit(build):
    """The value of a pendulum, which pays down to -16 a step, is of the order of one."""
    agent = run(build, "Pendulum-v1", norm_reward=True, gamma=0.9)
    plain = run(build, "Pendulum-v1", gamma=0.9)
    for _ in range(3):
        scaled, unscaled = agent.update(), plain.update()
    assert scaled["loss/value/reward"] < 0.1 * unscaled["loss/value/reward"]
    before = agent.learner.scale.returns.copy()
    assert before.any()
    agent.restart()
    assert not agent.learner.scale.returns.any()


@pytest.mark.parametrize(
    ("env", "copies", "options"),
    [
        ("cart-pole", 4, {"norm_obs": True, "norm_reward": True}),
        ("Pendulum-v1", 2, {"norm_obs": True, "reference_kl": 0.1}),
        ("hazard-grid", 2, {"norm_reward": True}),
    ],
)
def test_conformance(env, copies, options):
    check_algorithm("ppo-native", env, steps=16 * copies * 4, config={**SHORT, **options}, num_envs=copies)


def test_runs_without_it_are_the_runs_that_they_were():
    assert encode_fields(NativeConfig()) == encode_fields(PPOConfig())
    assert encode_fields(NativeConfig(norm_obs=True)) == {**encode_fields(PPOConfig()), "norm_obs": True}


def test_states_are_not_normalised(build, chain):
    with pytest.raises(UsageError, match="norm_obs is for observations that are numbers, and these are states"):
        run(build, chain, norm_obs=True)


def test_an_exported_policy_normalises_as_the_agent_does(build):
    torch = pytest.importorskip("torch")
    agent = run(build, norm_obs=True)
    for _ in range(3):
        agent.update()
    obs = np.random.default_rng(0).normal(0, 1, (64, 4)).astype(np.float32)
    actions = agent.policy_module()(torch.as_tensor(obs)).numpy()
    np.testing.assert_array_equal(actions, agent.act(obs))


def test_a_constant_number_does_no_harm():
    norm = ObservationNorm(1, 2)
    values = np.stack([np.full(50, 1e3), np.arange(50.0)], axis=1)[None].astype(np.float32)
    norm.moments.update(values)
    norm.freeze()
    assert not norm(values)[..., 0].any() and np.std(norm(values)[..., 1]) == pytest.approx(1, rel=1e-5)


def test_no_unit_matters(build):
    """Observations in thousandths and rewards in thousands are learned from as they were."""

    def other_units():
        env = gymnasium.make("Pendulum-v1")
        env = gymnasium.wrappers.TransformObservation(env, lambda obs: (1e-3 * obs).astype(np.float32), None)
        return gymnasium.wrappers.TransformReward(env, lambda reward: 1e3 * reward)

    rows = []
    for env in ("Pendulum-v1", other_units):
        agent = run(build, env, norm_obs=True, norm_reward=True)
        rows.append([agent.update() for _ in range(3)])
    for plain, scaled in zip(*rows, strict=True):
        assert scaled == pytest.approx(plain, rel=0.01, abs=1e-4)
