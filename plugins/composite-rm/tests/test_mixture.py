"""What the policy follows and how the multipliers move, against formulas written out with loops and autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from zoo_composite_rm.lagrangian import LagrangianObjective
from zoo_onpolicy.learner import Learner

from .conftest import LOGITS, LONGEST

THETA = {"r1": 0.45, "r2": 0.2}


def collected(monkeypatch):
    """The rollouts that are learned from, in a list that fills."""
    seen = []
    improve = Learner.improve
    monkeypatch.setattr(Learner, "improve", lambda self, rollout: seen.append(rollout) or improve(self, rollout))
    return seen


def log_pi0(obs, action):
    logits = LOGITS + (np.array([0.0, 1.0, 0.0]) if obs[LONGEST + 2] else 0.0)
    return logits[action] - np.log(np.exp(logits).sum())


def episodes(rollout, member=0):
    """The steps [(t, b), ...] of each episode that ended in the rollout."""
    found = []
    for b in range(rollout.done.shape[2]):
        steps = []
        for t in range(rollout.done.shape[1]):
            steps.append((t, b))
            if rollout.done[member, t, b]:
                found.append(steps)
                steps = []
    return found


def test_signals_and_means_are_those_of_a_walk_through_the_rollout(build, monkeypatch):
    seen = collected(monkeypatch)
    run = build.one("XiPPO", build.letters(statistic=True), kl_coef=0.3, learning_rate=0.005)
    for _ in range(3):
        row = run.update()
    for rollout in seen:
        assert len(np.unique(rollout.actions)) == 3
        ratio = np.zeros(rollout.done.shape[1:])
        for t, b in np.ndindex(ratio.shape):
            ratio[t, b] = rollout.log_prob[0, t, b] - log_pi0(rollout.obs[0, t, b], rollout.actions[0, t, b])
        np.testing.assert_allclose(rollout.signals[0, 2], -0.3 * ratio, atol=1e-6)
        np.testing.assert_array_equal(rollout.signals[0, :2], rollout.rewards[0, 1:])
    assert np.abs(ratio).max() > 0.02
    ended = episodes(rollout)
    score = np.mean([rollout.rewards[0, 1:, t, b] for *_, (t, b) in ended], axis=0)
    length = np.mean([rollout.infos["evaluation"][0, t, b, 0] for *_, (t, b) in ended])
    kl = ratio.sum() / len(ended)
    assert row["train/episodes"] == len(ended)
    assert (row["value/r1"], row["value/r2"]) == pytest.approx(tuple(score), rel=1e-6)
    assert row["kl"] == pytest.approx(kl, abs=1e-5)
    assert row["evaluation/length"] == pytest.approx(length)
    assert row["evaluation/estimate"] == pytest.approx(score[0] - 10 * kl + 100 * length, abs=1e-4)
    assert row["kl_coef"] == 0.3


def test_learning_starts_from_the_reference_exactly(build, name):
    run = build.one(name, learning_rate=0.0)
    obs = build.tiny().oracle().observations
    np.testing.assert_allclose(run.logits(obs), build.tiny().reference_logits(obs), atol=1e-6)
    assert run.update()["kl"] == pytest.approx(0.0, abs=1e-6)


def expected_weights(name, multiplier, x):
    """Of r1, r2 and KL, with alpha_i = (2, 1) for those that weigh a sum."""
    if name in ("PPOSum", "PPOSat"):
        return [2.0, 1.0, 1.0]
    squash = {"projected": lambda m: m, "sigmoid": lambda m: 1 / (1 + np.exp(-m)), "tanh": np.tanh}[multiplier]
    s = squash(x)
    task = 2 - s.sum()
    if multiplier == "projected":
        task = 1 / (1 + np.abs(s).sum())
        s = s * task
    return [*(2 * task - s[0], task - s[1]), task] if name == "AllPPO" else [*s, task]


@pytest.mark.parametrize(
    ("name", "multiplier"),
    [("PPOSum", ""), ("PPOSat", ""), ("MuPPO", "projected"), ("MuPPO", "sigmoid"), ("XiPPO", "projected"),
     ("XiPPO", "tanh"), ("AllPPO", "projected"), ("AllPPO", "sigmoid")],
)  # fmt: skip
def test_the_mixed_advantage_is_the_papers(build, name, multiplier):
    options = {"multiplier": multiplier} if multiplier else {}
    if name in ("PPOSum", "PPOSat", "AllPPO"):
        options["weights"] = {"r1": 2.0}
    run = build.one(name, **options)
    x = np.array([0.7, -0.4 if name == "XiPPO" else 0.4])
    if multiplier:
        run.objective.load_state(0, {**run.objective.state(0), "x": x})
    g = np.random.default_rng(1)
    advantages = g.normal(size=(1, 3, 5)).astype(np.float32)
    weights = expected_weights(name, multiplier, x)
    np.testing.assert_allclose(
        run.objective.mix(advantages, np.arange(5)[None])[0], np.array(weights) @ advantages[0], rtol=1e-5, atol=1e-6
    )


def test_ppo_sat_pays_the_squared_distance_of_each_sequence_at_its_end_only(build, monkeypatch):
    seen = collected(monkeypatch)
    run = build.one("PPOSat", build.letters(), thresholds={"r2": 0.25})
    row = run.update()
    rollout = seen[0]
    for t, b in np.ndindex(rollout.done.shape[1:]):
        r = rollout.rewards[0, 1:, t, b]
        wanted = -((r - [0.5, 0.25]) ** 2) if rollout.done[0, t, b] else np.zeros(2)
        np.testing.assert_allclose(rollout.signals[0, :2, t, b], wanted, atol=1e-6)
    assert (row["threshold/r1"], row["threshold/r2"]) == (0.5, 0.25)
    assert row["violation/r2"] == pytest.approx(abs(row["value/r2"] - 0.25))


@pytest.mark.parametrize(
    ("name", "multiplier", "low"),
    [("MuPPO", "sigmoid", -99), ("XiPPO", "tanh", -99), ("XiPPO", "projected", -99), ("MuPPO", "projected", 0),
     ("AllPPO", "sigmoid", -99), ("AllPPO", "projected", 0)],
)  # fmt: skip
def test_multipliers_descend_their_loss_once_for_each_minibatch(build, name, multiplier, low, monkeypatch):
    """Two updates of two epochs of minibatches of 16 of 48 transitions; episodes of different lengths."""
    seen, batches = collected(monkeypatch), []
    step = LagrangianObjective.after_minibatch
    monkeypatch.setattr(
        LagrangianObjective,
        "after_minibatch",
        lambda self, index, active: batches.append(index) or step(self, index, active),
    )
    run = build.one(name, build.letters(), multiplier=multiplier, thresholds=THETA, lr_mu=0.8, max_grad_norm=0.05)
    m = torch.tensor(run.objective.x[0], dtype=torch.float64, requires_grad=True)
    velocity = torch.zeros(2, dtype=torch.float64)
    sign = -1.0 if name == "AllPPO" else 1.0
    for update in range(2):
        run.update()
        rollout = seen[update]
        scores = {}
        for steps in episodes(rollout):
            t, b = steps[-1]
            scores |= {at: (rollout.rewards[0, 1:, t, b], 1 / len(steps)) for at in steps}
        for index in batches:
            there = [scores[divmod(i, 6)] for i in index[0].tolist() if divmod(i, 6) in scores]
            v = sum(w * r for r, w in there) / sum(w for _, w in there)
            squash = {"projected": lambda m: m, "sigmoid": torch.sigmoid, "tanh": torch.tanh}[multiplier]
            loss = (squash(m) * sign * torch.tensor(v - [0.45, 0.2])).sum()
            (gradient,) = torch.autograd.grad(loss, m)
            velocity = 0.1 * velocity + gradient * min(1.0, 0.05 / (float(gradient.norm()) + 1e-6))
            m = (m.detach() - 0.8 * velocity).clamp(min=low).requires_grad_()
        assert len(batches) == 6
        batches.clear()
        np.testing.assert_allclose(run.objective.x[0], m.detach().numpy(), rtol=1e-5, atol=1e-7)
    assert np.ptp(run.objective.x[0]) > 0.01


def test_multipliers_start_alike_for_all_constraints_and_differ_between_seeds(build):
    first = [build.one("XiPPO", seed=seed).objective.x[0] for seed in range(40)]
    assert all(x[0] == x[1] for x in first)
    assert 0.05 < np.std([x[0] for x in first]) < 0.2
    assert len({x[0] for x in first}) == 40


def test_the_kl_coefficient_adapts_and_scales_what_the_kl_head_predicts(build, monkeypatch):
    seen = collected(monkeypatch)
    run = build.one("PPOSum", kl_coef=0.2, kl_target=1e-6, learning_rate=0.05)
    rows = [run.update() for _ in range(3)]
    # The first rollout is the reference's: its KL is 0 up to rounding, so the coefficient falls by at most 2 %.
    assert rows[0]["kl_coef"] == 0.2
    assert 0.2 * 0.98 <= rows[1]["kl_coef"] <= 0.2 * 1.02
    assert rows[2]["kl_coef"] == pytest.approx(rows[1]["kl_coef"] * 1.02)
    kl = -seen[2].signals[0, 2].sum() / rows[2]["train/episodes"]
    assert kl == pytest.approx(rows[2]["kl_coef"] * rows[2]["kl"], rel=1e-4)
