"""``nm-ppo``: when proposals are made and measured, that nothing tells it the thresholds, resuming, what it finds."""

from __future__ import annotations

import json

import numpy as np
import pytest
from zoo_composite_rm.proxy.agent import NMPPO
from zoo_composite_rm.proxy.config import NMConfig
from zoo_composite_rm.proxy.search import ThresholdSearch
from zoo_envs.composite.oracle import tiny_oracle
from zoo_envs.composite.tiny_composite import TinyCompositeVector

from zoo.errors import UnknownNameError, UsageError
from zoo.testing import check_algorithm

NAMES = ("r1", "r2")
LOW, BEST = np.array([0.2, 0.3]), np.array([0.8, 0.9])
TOP = np.array([0.5, 0.45])
"""where the synthetic evaluation is largest"""


def worth(theta):
    return float(1 - ((theta - TOP) ** 2).sum())


def search(budget=800, seed=0, begun=0, **options):
    made = ThresholdSearch(NAMES, NMConfig(**options), budget, np.random.default_rng(seed))
    made.begin(LOW, BEST, begun)
    return made


def theta_of(found):
    return np.array([found.thresholds()[name] for name in NAMES])


@pytest.mark.parametrize("seed", range(5))
def test_a_policy_that_obeys_at_once_ends_near_the_best_thresholds(seed):
    found = search(seed=seed, stop_sd=1e-4)
    for step in range(1, 700):
        theta = theta_of(found)
        assert (theta >= LOW).all() and (theta <= BEST).all()
        found.add(theta, worth(theta), step)
    assert found.converged
    np.testing.assert_allclose(theta_of(found), TOP, atol=0.03)
    assert found.best[1] == pytest.approx(worth(theta_of(found)))


def test_a_proposal_out_of_reach_ends_after_its_share_and_is_measured_once():
    """A proposal that is never reached is evaluated all the same (docs/methods/composite-rm.md, section 4.5)."""
    found, ends = search(budget=800, share=0.125), []
    for step in range(10, 700, 10):
        before = found.proposals
        found.add(np.zeros(2), -1.0 - step / 1000, step)
        if found.proposals > before:
            ends.append((step, found.proposals - before))
    assert ends == [(100 * k, 1) for k in range(1, 7)]
    found.add(np.zeros(2), -2.0, 700)
    assert found.stop_reason == "the budget for the search was used"
    assert found.best[1] == -1.1  # the first vertex


def test_within_five_per_cent_of_each_threshold_is_reached():
    for factors, reached in (((1.049, 0.951), 1), ((1.049, 0.949), 0), ((1.051, 1.0), 0)):
        found = search()
        found.add(theta_of(found) * factors, 0.5, 1)
        assert found.proposals == reached


def test_a_budget_too_short_for_one_proposal_still_measures_the_first():
    found = search(budget=8, share=0.5, begun=1)
    found.add(np.zeros(2), 0.3, 4)  # the last call, after three steps of the four that it may take
    assert (found.proposals, found.best[1]) == (1, 0.3)


def test_names_bound_the_thresholds_and_not_positions():
    """docs/methods/composite-rm.md, section 4.1, for what comes in and what comes out."""
    found = search(highest={"r2": 0.31})
    values = [found.thresholds()]
    for step in range(1, 30):
        found.add(theta_of(found), step / 100, step)
        values.append(found.thresholds())
    assert max(point["r2"] for point in values) <= 0.31
    assert max(point["r1"] for point in values) > 0.31


def test_after_json_the_search_goes_on_alike():
    one = search()
    for step in range(1, 6):
        one.add(theta_of(one), worth(theta_of(one)), step)
    other = ThresholdSearch(NAMES, NMConfig(), 800, np.random.default_rng(9))
    other.load_state(json.loads(json.dumps(one.state(), sort_keys=True)))
    for step in range(6, 40):
        assert one.thresholds() == other.thresholds()
        for found in (one, other):
            found.add(theta_of(found), worth(theta_of(found)), step)
    assert (one.stop_reason, one.best, one.proposals) == (other.stop_reason, other.best, other.proposals)


def settings(**options):
    return NMConfig(n_steps=8, batch_size=256, n_epochs=5, learning_rate=1e-3, gamma=1.0, **options)


def test_the_environment_s_own_thresholds_are_never_trained_for(build):
    """The two runs differ in the thresholds that the environment knows; they learn the same."""
    rows = []
    for theta in ((0.4555, 0.4429), (0.9, 0.1)):
        made = NMPPO(build.context(TinyCompositeVector(32, theta=theta), budget=20 * 256), settings())
        rows.append([made.update() for _ in range(4)])
    assert rows[0] == rows[1]


def test_thresholds_worth_85_are_found_without_being_told(build):
    """U of at least .85, on one seed and a quarter of the budget; the suite composite-rm has five."""
    ctx = build.context(TinyCompositeVector(128), seed=3, budget=40 * 1024)
    made = NMPPO(ctx, settings())
    rows = [made.update() for _ in range(40)]
    exact = tiny_oracle().evaluate(made.logits)
    assert exact.U >= 0.85 > tiny_oracle().evaluate(lambda obs: made.objective.task.reference_logits(obs)).U
    assert made.outcome is not None and "the best thresholds are r1 0." in made.outcome.message
    assert rows[-1]["search/proposals"] >= 4
    assert rows[-1]["threshold/r1"] == made.objective.searches[0].best[0]["r1"]


@pytest.mark.parametrize("models", [1, 2])
def test_the_search_begins_with_the_first_sequences_that_end(build, models):
    """Sequences of one to four letters: the reference's mean scores are the lowest thresholds, its best the highest."""
    ctx = build.context(build.letters(models=models, statistic=True), budget=40 * 48)
    made = NMPPO(ctx, NMConfig(n_steps=8, batch_size=16, n_epochs=2))
    first = made.update()
    low, high = zip(*made.objective.searches[0].bounds.values(), strict=True)
    assert list(low) == [first[f"value/r{i + 1}"] for i in range(models)]
    assert all(a < b <= 1.0 for a, b in zip(low, high, strict=True))
    rows = [made.update() for _ in range(39)]
    assert rows[-1]["search/proposals"] >= 6  # each had at most an eighth of the budget
    assert rows[-1]["search/best"] == made.objective.searches[0].best[1]


def test_conformance_and_an_exact_resume():
    options = {"n_steps": 8, "batch_size": 64, "n_epochs": 2, "gamma": 1.0}
    check_algorithm("nm-ppo", "tiny-composite", steps=8 * 16 * 8, num_envs=16, config=options)


def test_an_environment_that_does_not_evaluate_is_refused(build):
    env = build.letters()
    for copy in env.envs:
        copy.evaluate = None
    with pytest.raises(UsageError, match="does not tell what a policy is worth"):
        NMPPO(build.context(env), settings())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"thresholds": {"r1": 0.5}}, "nm-ppo searches for the thresholds"),
        ({"reach": 0.0}, "reach = 0.0: expected a number between 0 and 1"),
        ({"share": 0.6}, "share = 0.6"),
        ({"stop_sd": -1.0}, "stop_sd = -1.0"),
        ({"cache_tol": float("nan")}, "cache_tol = nan"),
        ({"highest": {"r1": float("nan")}}, "expected a finite number"),
    ],
)
def test_bad_options_are_refused(options, words):
    with pytest.raises(UsageError, match=words.replace("[", r"\[")):
        NMConfig(**options)


def test_an_unknown_reward_model_is_named(build):
    with pytest.raises(UnknownNameError, match="r_2"):
        NMPPO(build.context(TinyCompositeVector(4)), settings(highest={"r_2": 0.5}))
