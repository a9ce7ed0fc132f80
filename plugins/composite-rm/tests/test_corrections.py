"""The defects of the published code that must not come back (docs/methods/composite-rm.md, section 4).

Those of Nelder-Mead, numbers 4 and 5 and the first half of 1, have their tests beside it.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_composite_rm.episode_means import Means, episode_ends
from zoo_envs.composite.tiny_composite import TinyCompositeVector
from zoo_onpolicy.learner import Learner

from zoo.errors import UnknownNameError, UsageError


@pytest.mark.parametrize("name", ["PPOSat", "MuPPO", "XiPPO", "AllPPO"])
def test_correction_1_thresholds_go_by_name_whatever_their_order(build, name):
    for given_ in ({"r1": 0.3, "r2": 0.6}, {"r2": 0.6, "r1": 0.3}):
        objective = build.one(name, thresholds=given_).objective
        np.testing.assert_array_equal(np.ravel(objective.thresholds), [0.3, 0.6])
    only = build.one(name, thresholds={"r2": 0.6}).objective
    np.testing.assert_allclose(np.ravel(only.thresholds), [0.4555, 0.6])
    with pytest.raises(UnknownNameError, match=r"no reward model called 'r_1': did you mean r1"):
        build.one(name, thresholds={"r_1": 0.3})
    with pytest.raises(UsageError, match="expected a mapping from the names of reward models to numbers, never a list"):
        build.one(name, thresholds=[0.3, 0.6])


def test_correction_2_each_reward_model_has_its_own_values_and_kl_the_last_ones(build, monkeypatch):
    seen = []
    improve = Learner.improve
    monkeypatch.setattr(Learner, "improve", lambda self, rollout: seen.append(rollout) or improve(self, rollout))
    run = build.one("XiPPO", build.letters(), learning_rate=0.0, gamma=0.9, gae_lambda=0.8)
    assert run.learner.heads == ("r1", "r2", "kl")
    views = run.learner.network.parameters.views
    views["critic.2.weight"][:] = 0.0
    views["critic.2.bias"][0, 0] = [3.0, -2.0, 7.0]
    run.update()
    rollout = seen[0]
    for head, value in enumerate([3.0, -2.0, 7.0]):
        np.testing.assert_array_equal(rollout.values[0, head], np.float32(value))
        signal = rollout.rewards[0, 1 + head] if head < 2 else rollout.signals[0, 2]
        for b in range(6):
            carried = 0.0
            for t in reversed(range(8)):
                done = rollout.done[0, t, b]
                carried = signal[t, b] + (0.0 if done else 0.9 * (value + 0.8 * carried)) - value
                assert rollout.advantages[0, head, t, b] == pytest.approx(carried, abs=1e-4)


@pytest.mark.parametrize("name", ["MuPPO", "XiPPO"])
def test_correction_3_a_single_multiplier_moves_the_policy(build, name):
    run = build.one(name, build.letters(models=1, copies=16), thresholds={"r1": 0.95}, lr_mu=1.0, learning_rate=0.02)
    rows = [run.update() for _ in range(12)]
    mu = run.multipliers()["r1"]
    np.testing.assert_allclose(run.objective.weights()[0], [mu / (1 + mu), 1 / (1 + mu)])
    assert mu > 0.5
    assert rows[-1]["value/r1"] > rows[0]["value/r1"] + 0.15


@settings(deadline=None, max_examples=25)
@given(order=st.permutations(range(6)), seed=st.integers(0, 1000))
def test_correction_6_scores_do_not_depend_on_the_order_of_the_batch(order, seed):
    tokens = np.random.default_rng(seed).integers(0, 5, (8, 6))
    scored = []
    for columns in (tokens, tokens[:, order]):
        env = TinyCompositeVector(6)
        env.reset(seed=0)
        for row in columns:
            signals = env.step(row)[4]["constraints"]
        scored.append(signals)
    np.testing.assert_array_equal(scored[1], scored[0][order])


def test_correction_6_neither_do_the_means_nor_the_learners_rewards(build, monkeypatch):
    seen = []
    improve = Learner.improve
    monkeypatch.setattr(Learner, "improve", lambda self, rollout: seen.append(rollout) or improve(self, rollout))
    run = build.one("PPOSat", build.letters())
    run.update()
    rollout, order, task = seen[0], np.array([3, 0, 5, 1, 4, 2]), run.objective.task
    before = Means.of(rollout, rollout.log_prob, task), run.objective.rewards(rollout.rewards[:, 1:], rollout)
    for field in ("rewards", "terminated", "truncated", "log_prob"):
        setattr(rollout, field, getattr(rollout, field)[..., order])
    after = Means.of(rollout, rollout.log_prob, task), run.objective.rewards(rollout.rewards[:, 1:], rollout)
    np.testing.assert_allclose(after[0].scores, before[0].scores, rtol=1e-12)
    np.testing.assert_array_equal(after[1], before[1][..., order])


def test_correction_7_long_episodes_count_no_more_than_short_ones(build):
    """One copy ends after each step with score 1, the other after four with score 0: the mean is 4 / 5, not 1 / 2."""
    done = np.zeros((1, 4, 2), dtype=bool)
    done[0, :, 0], done[0, 3, 1] = True, True
    run = build.one("XiPPO", build.letters(models=1, copies=2), n_steps=4, batch_size=8, lr_mu=1.0, max_grad_norm=9.0)
    objective = run.objective
    objective._reward_to_go = np.array([1, 0] * 4, np.float32)[None, None]
    objective._share = episode_ends(done)[1].reshape(1, -1)
    before = objective.x.copy()
    objective.after_minibatch(np.arange(8)[None], np.array([True]))
    assert before - objective.x == pytest.approx(4 / 5 - 0.5)
