"""The algorithms as the core knows them: the interface, seeds at once, resuming, what they say of a run and refuse."""

from __future__ import annotations

import numpy as np
import pytest
import zoo_composite_rm
from scipy.special import log_softmax
from zoo_composite_rm.environment import Task
from zoo_envs.cmdps.two_state import TwoStateVector
from zoo_onpolicy.config import NetworkConfig

from zoo import lookup
from zoo.api import PrimalDual
from zoo.discovery.registration import Registrar
from zoo.errors import EnvironmentFailed, InterfaceError, UsageError
from zoo.testing import check_plugin

SHORT = {"n_steps": 8, "batch_size": 32, "n_epochs": 2, "gamma": 1.0}
LAGRANGIAN = ["MuPPO", "XiPPO", "AllPPO"]


def test_the_whole_plugin_conforms():
    """Every algorithm resumes bit for bit through the core's checkpoints, and more; see the kit."""
    special = {"ppo-sum": {"kl_target": 1.0}, "mu-ppo": {"multiplier": "sigmoid", "adv_norm": "each"}}
    registrar = Registrar("zoo-composite-rm", "0.1.0")
    zoo_composite_rm.zoo_register(registrar)
    options = {
        entry.name: {
            "env": "tiny-composite", "steps": 256, "num_envs": 8, "config": {**SHORT, **special.get(entry.name, {})}
        }
        for entry in registrar.entries
        if entry.kind == "algorithm"
    }  # fmt: skip
    judged = {"subject": ("xi-ppo", "tiny-composite"), "subject_config": SHORT, "steps": 64}
    check_plugin("zoo-composite-rm", options={**options, "composite": judged})


def same(one, two):
    if isinstance(one, dict):
        assert one.keys() == two.keys()
        for key in one:
            same(one[key], two[key])
    else:
        np.testing.assert_array_equal(one, two)


def test_a_batch_resumes_bit_for_bit_in_the_middle(build, name):
    """Sequences of different lengths, so that rollouts end in the middle of some."""
    options = {"kl_target": 0.1} if name in ("PPOSum", "AllPPO") else {}
    whole, resumed = (
        build.batch(name, lambda: build.letters(statistic=True), seeds, **options) for seeds in ((0, 1), (5, 6))
    )
    for _ in range(3):
        whole.update()
    objective, obs = whole.member(0).objective, whole.member(0).learner.collector.obs[0]
    if name in LAGRANGIAN:
        objective.thresholds += [[0.0, 0.1], [0.2, -0.1]]
        objective._saturated_updates += [[0, 3], [12, 1]]
    for i in range(2):
        whole.member(i).act(obs)
    contexts = [[batch.member(i).ctx for i in range(2)] for batch in (whole, resumed)]
    for i in range(2):
        resumed.member(i).load_state(whole.member(i).state())
        assert resumed.member(i).outcome == whole.member(i).outcome
        same(resumed.member(i).state()["mixer"], whole.member(i).state()["mixer"])
        theirs, ours = contexts[0][i], contexts[1][i]
        ours.rng.bit_generator.state = theirs.rng.bit_generator.state
        for one, two in zip(theirs.env.unwrapped.envs, ours.env.unwrapped.envs, strict=True):
            two.unwrapped.text = list(one.unwrapped.text)
    for _ in range(3):
        same(resumed.update(), whole.update())
    for i in range(2):
        same(resumed.member(i).state()["mixer"], whole.member(i).state()["mixer"])
        same(resumed.member(i).act(obs), whole.member(i).act(obs))


@pytest.mark.parametrize("target_kl", [None, 2e-4])
def test_members_of_a_batch_learn_what_they_learn_alone(build, name, target_kl):
    """With a target KL members leave the epochs at different minibatches, and then their multipliers rest as well."""
    options = {"n_epochs": 4, "target_kl": target_kl, "learning_rate": 3e-3}
    batch = build.batch(name, build.tiny, (0, 1), **options)
    solo = [build.one(name, seed=seed, **options) for seed in (0, 1)]
    for _ in range(3):
        for row, alone in zip(batch.update(), [one.update() for one in solo], strict=True):
            assert row.keys() == alone.keys()
            np.testing.assert_allclose(list(row.values()), list(alone.values()), rtol=2e-3, atol=2e-5)
    for index, one in enumerate(solo):
        ours, alone = batch.member(index).state(), one.state()
        np.testing.assert_allclose(ours["weights"], alone["weights"], atol=1e-5)
        if name in LAGRANGIAN:
            np.testing.assert_allclose(ours["mixer"]["x"], alone["mixer"]["x"], atol=1e-6)


def test_multipliers_go_on_in_the_update_after_epochs_that_ended_early(build):
    run = build.one("XiPPO", n_epochs=4, target_kl=1e-7, learning_rate=0.01)
    steps = []
    for _ in range(3):
        before = run.objective.x.copy()
        run.update()
        steps.append(np.abs(run.objective.x - before).max())
    # The first minibatch of an update is of the policy that acted, the second exceeds the target: two steps.
    assert min(steps) > 1e-3 and max(steps) < 2.5 * 0.1 * 0.5


@pytest.mark.parametrize("name", ["PPOSat", "XiPPO"])
def test_torch_computes_what_numpy_does(build, name):
    runs = [build.one(name, device=device) for device in ("cpu", "cpu:0")]
    for _ in range(2):
        one, other = (run.update() for run in runs)
        assert one.keys() == other.keys()
        np.testing.assert_allclose(list(one.values()), list(other.values()), rtol=2e-3, atol=1e-4)
    one, other = (run.state() for run in runs)
    np.testing.assert_allclose(one["weights"], other["weights"], atol=1e-4)


def test_a_penalty_on_the_exact_kl_is_to_the_reference(build):
    """From a policy that did not start there: PPO's own reference would be the policy at the start."""
    run = build.one("PPOSum", network=NetworkConfig(policy_gain=1.0), reference_kl=0.5, learning_rate=0.0)
    rollout = run.learner.collector.collect(run.learner.network, [np.random.default_rng(0)])
    run.learner.estimate(rollout)
    log_p, log_pi0 = (log_softmax(x, axis=-1) for x in (rollout.outputs, build.tiny().reference_logits(rollout.obs)))
    wanted = (np.exp(log_p) * (log_p - log_pi0)).sum(axis=-1).mean()
    assert run.learner.improve(rollout)[0]["train/reference_kl"] == pytest.approx(wanted, rel=1e-4)
    assert wanted > 0.01


def test_only_those_with_multipliers_offer_them(build, name):
    run = build.one(name)
    assert isinstance(run, PrimalDual) == (name in LAGRANGIAN)
    if name in LAGRANGIAN:
        row = run.update()
        assert run.multipliers() == {"r1": row["multiplier/r1"], "r2": row["multiplier/r2"]}


def test_what_is_logged_of_constraints(build):
    wanted = {"MuPPO": lambda v: max(0.6 - v, 0), "XiPPO": lambda v: abs(v - 0.6), "AllPPO": lambda v: max(v - 0.6, 0)}
    for name, violation in wanted.items():
        for theta in (0.6, 0.1):
            run = build.one(name, thresholds={"r1": theta})
            row = run.update()
            assert row["threshold/r1"] == theta
            assert row["violation/r1"] == pytest.approx(violation(row["value/r1"] + 0.6 - theta))
            assert row["weight/r1"] == pytest.approx(run.objective.weights()[0, 0])
            assert row["saturated"] == 0.0


def test_acting_samples_the_policy(build):
    run = build.one("XiPPO")
    obs = np.repeat(build.tiny().oracle().observations[:1], 4000, axis=0)
    share = np.bincount(run.act(obs), minlength=5) / 4000
    # Four standard deviations of a proportion.
    np.testing.assert_allclose(share, [0.4, 0.2, 0.1, 0.15, 0.15], atol=4 * 0.5 / np.sqrt(4000))


@pytest.mark.parametrize(
    ("name", "multiplier", "x"),
    [("MuPPO", "sigmoid", 5.0), ("XiPPO", "tanh", 3.0), ("XiPPO", "tanh", -3.0), ("XiPPO", "projected", 2.0)],
)
def test_a_multiplier_saturated_in_vain_is_reported_after_ten_updates(build, name, multiplier, x):
    options = {"multiplier": multiplier, "cap": 2.0} if multiplier == "projected" else {"multiplier": multiplier}
    run = build.one(name, learning_rate=0.0, lr_mu=0.0, thresholds={"r1": 0.9, "r2": 0.0}, **options)
    run.objective.x[:] = [x, 0.0]
    rows = [run.update() for _ in range(9)]
    assert [row["saturated"] for row in rows] == [0.0] * 9
    assert run.outcome is None
    assert run.update()["saturated"] == 1.0
    assert run.outcome.status == "infeasible_suspected" and not run.outcome.final
    assert run.outcome.message == (
        f"still violated with a saturated multiplier, which cannot weigh it more: 'r1' {run.objective.sense} 0.9."
    )
    # Once it is met the report ends.
    run.objective.thresholds[:] = 0.0 if name == "MuPPO" else run.objective.means.scores
    run.objective.config = build.config(name, tol=1.0, multiplier=multiplier)
    assert run.update()["saturated"] == 0.0
    assert run.outcome is None


@pytest.mark.parametrize(
    ("name", "theta", "told"),
    [("MuPPO", 1.5, True), ("MuPPO", -0.5, False), ("XiPPO", 1.5, True), ("XiPPO", -0.5, True), ("AllPPO", -0.5, True),
     ("AllPPO", 1.5, False)],
)  # fmt: skip
def test_thresholds_beyond_the_possible_scores_are_reported_at_once(build, name, theta, told):
    outcome = build.one(name, thresholds={"r2": theta}).outcome
    assert (outcome is not None) == told
    if told:
        assert (
            outcome.message
            == f"'r2' {build.one(name).objective.sense} {theta:g} is outside the possible scores, [0, 1]."
        )


@pytest.mark.parametrize(
    ("name", "multiplier", "cap"),
    [("MuPPO", "projected", 50.0), ("MuPPO", "sigmoid", 1e4), ("XiPPO", "projected", 1e4), ("XiPPO", "tanh", 50.0),
     ("AllPPO", "sigmoid", 50.0)],
)  # fmt: skip
def test_hitting_the_cap_is_reported_and_leaves_everything_finite(build, name, multiplier, cap):
    theta = 0.0 if name == "AllPPO" else 1.0
    run = build.one(
        name, build.tiny(4), thresholds={"r1": theta, "r2": theta}, lr_mu=1e6, cap=cap, multiplier=multiplier
    )
    rows = [run.update() for _ in range(12)]
    assert all(np.isfinite(value) for row in rows for value in row.values())
    np.testing.assert_array_equal(np.abs(run.objective.x), run.objective.multipliers.high)
    assert rows[-1]["saturated"] == 1.0
    assert run.outcome.status == "infeasible_suspected"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("nan", r"the environment gave NaN as constraint 'r1' \(copy 0, step 3 of its episode\)"),
        ("missing", r'gave no info\["constraints"\]: expected 2 numbers at every step, for r1, r2'),
        ("number", r"has shape \(6, 1\): expected \(6, 2\)"),
        ("early", "gave a score of 'r1' before the end of its sequence: expected 0 there"),
    ],
)
def test_faulty_scores_are_named(build, fault, words):
    with pytest.raises((EnvironmentFailed, InterfaceError), match=words):
        build.one("XiPPO", build.letters(fault=fault)).update()


def test_environments_that_do_not_fit_are_refused_in_one_sentence(build, monkeypatch):
    with pytest.raises(UsageError, match="no reference policy: expected a method reference_logits"):
        build.one("XiPPO", TwoStateVector(num_envs=2))
    ctx = build.context(build.tiny())
    with pytest.raises(UsageError, match="has no constraints: expected one for each reward model"):
        Task.of(type(ctx)(env=ctx.env.env, seed=0, rng=ctx.rng))
    env = TwoStateVector(num_envs=2)
    env.reference_logits = lambda obs: np.zeros((*obs.shape, 2))
    with pytest.raises(UsageError, match="of utility are not of an episode's undiscounted score"):
        build.one("XiPPO", env)
    with pytest.raises(UsageError, match="no reward model called 'r3': there are r1, r2"):
        build.one("AllPPO", weights={"r3": 1.0})
    with pytest.raises(UsageError, match=r"vf_coef has 2 numbers: expected one, or one for each .* r1, r2, kl"):
        build.one("XiPPO", vf_coef=(0.5, 0.2))


def test_what_an_environment_offers_is_found_through_wrappers_and_in_its_copies(build):
    ctx = build.context(build.letters(statistic=True))
    assert lookup(ctx.env, "evaluation_names") == ("length",)
    assert lookup(ctx.env, "oracle") is None
    assert callable(lookup(build.context(build.tiny()).env, "oracle"))
    np.testing.assert_array_equal(Task.of(ctx).ranges, [[0, 1], [0, 1]])


def test_heads_weigh_in_the_value_loss_as_the_paper_has_them(build):
    run = build.one("XiPPO")
    np.testing.assert_array_equal(np.ravel(run.learner.config.vf_coef), [0.5, 0.5, 0.2])
    assert build.one("XiPPO", vf_coef=(1.0, 2.0, 3.0)).learner.config.vf_coef == (1.0, 2.0, 3.0)


def test_a_rollout_without_an_end_teaches_the_multipliers_nothing(build):
    run = build.one("XiPPO", n_steps=3)
    rows = [run.update() for _ in range(3)]
    assert [row["train/episodes"] for row in rows] == [0.0, 0.0, 16.0]
    assert "value/r1" not in rows[1] and "value/r1" in rows[2]
    fresh = build.one("XiPPO", n_steps=3)
    before = fresh.objective.x.copy()
    for _ in range(2):
        fresh.update()
    np.testing.assert_array_equal(fresh.objective.x, before)
    assert fresh.objective.means.kl == 0.0 and not fresh.objective.means.scores.any()


def test_a_state_of_another_algorithm_is_refused(build):
    with pytest.raises(InterfaceError, match="not saved by XiPPO"):
        build.one("XiPPO").load_state(build.one("PPOSum").state())
