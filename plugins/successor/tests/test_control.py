"""SARSA with bonuses and lambda-Q learning: by hand for a few steps, together as alone, and whether they learn."""

from __future__ import annotations

import numpy as np
import pytest
from zoo_envs.exploration.riverswim import RiverSwimVector
from zoo_envs.grids.basic_grid import BasicGridVector
from zoo_envs.grids.two_rooms import TwoRoomsVector
from zoo_successor.config import LambdaQConfig, SarsaConfig
from zoo_successor.control.base import Remaining, choose
from zoo_successor.control.lambda_q import LambdaQ
from zoo_successor.control.sarsa import Sarsa

from zoo import Context, DiminishingRewards, Problem, UsageError
from zoo.tabular import TabularCMDP
from zoo.testing import check_algorithm


def context(env, seed=0, budget=0):
    model = TabularCMDP.from_model(env.model())
    diminishing = getattr(env, "diminishing", None)
    env.reset(seed=seed)
    return Context(
        env=env, seed=seed, rng=np.random.default_rng(seed), budget=budget,
        problem=Problem(
            model=lambda: model, diminishing=None if diminishing is None else DiminishingRewards.of(diminishing)
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "env", "config"),
    [
        ("sarsa", "riverswim", {"bonus": "fr", "steps_per_update": 20}),
        ("lambda-q", "two-rooms", {"steps_per_update": 60}),
    ],
)
def test_conformance(name, env, config):
    check_algorithm(name, env, config=config, steps=240, num_envs=2)


class Script:
    """Stands for a stack of one environment with one copy: plays given transitions."""

    def __init__(self, steps):
        self.steps = iter(steps)

    def step(self, actions):
        self.taken = actions
        arrived, reward, over, cut, shown = next(self.steps)
        each = [np.array([[value]]) for value in (shown, reward, over, cut)]
        return (*each, {"arrived": np.array([[arrived]])})


@pytest.mark.parametrize("bonus", ["none", "sr", "fr"])
@pytest.mark.parametrize("cut", ["no", "time", "terminal"])
def test_one_step_of_sarsa_by_hand(bonus, cut):
    config = SarsaConfig(bonus=bonus, beta=3.0, alpha=0.25, eta=0.5, epsilon=0.0, gamma=0.9, gamma_rep=0.8)
    sarsa = Sarsa(context(RiverSwimVector(num_envs=1)), config)
    kept, S = sarsa.arrays, 6
    rng = np.random.default_rng(0)
    kept["q"][:] = rng.random((1, S, 2))
    kept["q"][0, 4] = [0.2, 0.7]
    if bonus != "none":
        kept["table"][:] = rng.random((1, S, S))
    X, q = kept["table"][0].copy(), kept["q"][0].copy()
    kept["obs"][:], kept["action"][:] = 3, 1
    over = cut == "terminal"
    sarsa.rule.step(kept, Script([(4, 5.0, over, cut == "time", 0 if cut != "no" else 4)]), np.full((1, 1, 4), 0.5))
    extra = 0.0
    if bonus != "none":
        lam = 1.0 if bonus == "sr" else 0.0
        after = np.eye(S)[4] if over else X[4]
        aim = 0.8 * after
        aim[3] = 1 + lam * 0.8 * after[3]
        X[3] = 0.5 * X[3] + 0.5 * aim
        extra = 3.0 / X[3].sum() if bonus == "sr" else 3.0 * X[4].sum()
        np.testing.assert_allclose(kept["table"][0], X, atol=1e-14)
    target = 5.0 + extra + (0.0 if over else 0.9 * 0.7)
    q[3, 1] += 0.25 * (target - q[3, 1])
    np.testing.assert_allclose(kept["q"][0], q, atol=1e-14)
    shown = 4 if cut == "no" else 0
    assert kept["obs"].tolist() == [[shown]]
    assert kept["action"].tolist() == [[q[shown].argmax()]]


def test_total_is_the_sum_of_all_rewards():
    env = RiverSwimVector(num_envs=3)
    sarsa = Sarsa(context(env, budget=600), SarsaConfig(steps_per_update=50))
    paid, step = [], env.step

    def spy(actions):
        found = step(actions)
        paid.append(found[1])
        return found

    env.step = spy
    for _ in range(4):
        row = sarsa.update()
    assert sarsa.env_steps == 600
    assert row["return/total"] == pytest.approx(np.sum(paid) / 3)
    assert row["return/step"] == pytest.approx(np.sum(paid[-50:]) / 150)


@pytest.mark.parametrize("bonus", ["none", "sr", "fr"])
def test_seeds_together_are_seeds_alone(bonus):
    config = SarsaConfig(bonus=bonus, steps_per_update=40)
    together = Sarsa.batch([context(RiverSwimVector(num_envs=1), seed) for seed in range(4)], config)
    alone = [Sarsa(context(RiverSwimVector(num_envs=1), seed), config) for seed in range(4)]
    for _ in range(3):
        assert list(together.update()) == [one.update() for one in alone]


def test_lambda_q_seeds_together_are_seeds_alone():
    config = LambdaQConfig(steps_per_update=60)
    together = LambdaQ.batch([context(TwoRoomsVector(num_envs=2, max_episode_steps=25), s) for s in range(3)], config)
    alone = [LambdaQ(context(TwoRoomsVector(num_envs=2, max_episode_steps=25), s), config) for s in range(3)]
    for _ in range(2):
        for one, row in zip(alone, together.update(), strict=True):
            assert row == pytest.approx(one.update())


def test_a_run_uses_its_budget_and_no_more():
    sarsa = Sarsa(context(RiverSwimVector(num_envs=2), budget=130), SarsaConfig(steps_per_update=50))
    sarsa.update()
    sarsa.update()
    assert sarsa.env_steps == 130


def test_choose_is_greedy_with_random_ties_and_explores_uniformly():
    rng = np.random.default_rng(0)
    n = 40_000
    q = np.tile([1.0, 3.0, 3.0, 0.0], (n, 1))
    greedy = np.bincount(choose(q, rng.random((n, 2)), 0.0), minlength=4) / n
    np.testing.assert_allclose(greedy, [0, 0.5, 0.5, 0], atol=4 * 0.5 / np.sqrt(n))
    mixed = np.bincount(choose(q, rng.random((n, 2)), 0.4), minlength=4) / n
    np.testing.assert_allclose(mixed, [0.1, 0.4, 0.4, 0.1], atol=4 * 0.5 / np.sqrt(n))


@pytest.mark.parametrize("recovery", [None, 3])
def test_an_agent_knows_what_remains_as_the_environment_does(recovery):
    env = BasicGridVector(
        4, goals=(15, 26), goal_rewards=(1.0, 2.0), recovery=recovery, start=None, max_episode_steps=9
    )
    own = env.diminishing
    seen = Remaining(own.base, own.lam, count_start=own.count_start, recovery=own.recovery)
    obs, infos = env.reset(seed=0)
    again = False
    for actions in np.random.default_rng(0).integers(0, 4, (60, 4)):
        np.testing.assert_allclose(seen.read(obs), infos["remaining"], rtol=1e-12)
        before = infos["remaining"]
        obs, _, terminated, truncated, infos = env.step(actions)
        ended = terminated | truncated
        again |= bool((infos["remaining"][~ended] > before[~ended]).any())
        seen.forget(ended)
    assert again == (recovery is not None)


@pytest.mark.parametrize("recovery", [None, 3])
def test_lambda_q_learns_on_the_rewards_that_the_environment_pays(recovery):
    env = BasicGridVector(
        4, goals=(15, 26), goal_rewards=(1.0, 2.0), recovery=recovery, start=None, max_episode_steps=9
    )
    learner = LambdaQ(context(env, budget=4 * 57), LambdaQConfig(steps_per_update=57))
    learner.update()
    kept = learner.arrays
    np.testing.assert_array_equal(kept["counts"][0], env.get_state()["visits"])
    if recovery is not None:
        np.testing.assert_array_equal(kept["idle"][0], env.get_state()["idle"])


@pytest.mark.parametrize("count_start", [False, True])
def test_what_remains_against_a_count_in_plain_python(count_start):
    base, lam = np.array([2.0, 0.0, 4.0]), np.array([0.5, 0.9, 0.0])
    seen = Remaining(base, lam, count_start=count_start)
    rng = np.random.default_rng(1)
    counts, fresh = np.zeros((2, 3), dtype=int), [True, True]
    for t in range(30):
        s = rng.integers(3, size=2)
        for copy in range(2):
            counts[copy, s[copy]] += count_start or not fresh[copy]
            fresh[copy] = False
        expected = [[base[j] * lam[j] ** counts[copy, j] for j in range(3)] for copy in range(2)]
        np.testing.assert_allclose(seen.read(s), expected)
        if t % 7 == 6:
            seen.forget(np.array([True, False]))
            counts[0], fresh[0] = 0, True
    seen.forget()
    np.testing.assert_allclose(seen.read(np.array([1, 1])), [base, base])


def test_sarsa_learns_to_swim_right_where_that_is_easy():
    env = RiverSwimVector(num_envs=1, left_reward=0.0)
    sarsa = Sarsa(context(env, budget=2500), SarsaConfig(bonus="sr", beta=100.0, epsilon=0.2))
    while sarsa.env_steps < 2500:
        sarsa.update()
    assert sarsa.act(np.arange(6)).tolist() == [1] * 6


def test_lambda_q_earns_more_than_chance_and_act_counts_what_it_took():
    env = BasicGridVector(num_envs=8)
    learner = LambdaQ(context(env, budget=12_000), LambdaQConfig(steps_per_update=500))
    while learner.env_steps < 12_000:
        row = learner.update()
    # The cell that pays is 4 steps from the start; its first visit alone is worth this.
    distance, gamma = 4, 0.9
    first = gamma**distance
    assert row["return/discounted"] > 0.6 * first
    obs, _ = env.reset(seed=1)
    learner.forget()
    total = np.zeros(8)
    for t in range(20):
        obs, reward, *_ = env.step(learner.act(obs))
        total += gamma ** (t + 1) * reward
    assert total.mean() >= first - 1e-9


@pytest.mark.parametrize("count_start", [False, True])
def test_a_new_episode_begins_with_all_its_rewards(count_start):
    learner = LambdaQ(context(BasicGridVector(num_envs=1, count_start=count_start)), LambdaQConfig(alpha=0.5))
    kept = learner.arrays
    kept["obs"][:] = 3
    kept["counts"][:] = 0
    learner.rule.step(kept, Script([(7, 1.0, False, False, 7), (5, 2.0, False, True, 4)]), np.full((1, 1, 2), 0.9))
    assert np.flatnonzero(kept["counts"][0, 0]).tolist() == [7]
    script = Script([(5, 2.0, False, True, 4)])
    learner.rule.step(kept, script, np.full((1, 1, 2), 0.9))
    assert np.flatnonzero(kept["counts"][0, 0]).tolist() == ([4] if count_start else [])
    row = learner.rule.metrics(kept, 0, 2)
    assert row["return/episode"] == 3.0
    assert row["return/discounted"] == pytest.approx(1.0 + 0.9 * 2.0)
    assert "return/episode" not in learner.rule.metrics(kept, 0, 2)


def test_lambda_is_that_of_the_environment_or_1():
    assert set(LambdaQ(context(RiverSwimVector(num_envs=1)), LambdaQConfig()).rule.lam) == {1.0}
    assert set(LambdaQ(context(BasicGridVector(num_envs=1, lam=0.3)), LambdaQConfig()).rule.lam) == {0.3}


@pytest.mark.parametrize(
    ("config", "fields", "message"),
    [
        (SarsaConfig, {"beta": -1.0}, "beta = -1.0: expected a finite number of at least 0"),
        (SarsaConfig, {"epsilon": 1.5}, r"epsilon = 1.5: expected a number in \[0, 1\]"),
        (SarsaConfig, {"gamma_rep": 1.0}, "gamma_rep = 1.0"),
        (LambdaQConfig, {"lam": -0.1}, "lambda = -0.1"),
        (LambdaQConfig, {"steps_per_update": 0}, "steps_per_update = 0: expected an integer of at least 1"),
    ],
)
def test_options_out_of_range(config, fields, message):
    with pytest.raises(UsageError, match=message):
        config(**fields)
