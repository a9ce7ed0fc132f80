"""Generalised policy improvement, the marginal value theorem, and the two evaluators."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from zoo_envs.exploration.foraging_patches import ForagingPatchesVector
from zoo_envs.grids.basic_grid import BasicGridVector, basic_grid_policy
from zoo_envs.grids.four_rooms import FourRoomsVector
from zoo_successor.config import DiminishingValueConfig, GoalsConfig, GPIConfig, MVTConfig, SRConfig
from zoo_successor.control.foraging import MarginalValue
from zoo_successor.control.gpi import GeneralisedImprovement
from zoo_successor.evaluate import DiminishingValue, Goals, policy_table
from zoo_successor.exact import representations as exact
from zoo_successor.learning.oracle import counted_value, sampled_value
from zoo_successor.learning.problem import rewards
from zoo_successor.learning.tables import FR, SR, Lambda

from zoo import Context, DiminishingRewards, EvalContext, Grid, InterfaceError, Problem, UsageError
from zoo.tabular import TabularCMDP
from zoo.testing import check_algorithm, check_evaluator


def context(env, cls=Context, **more):
    model = TabularCMDP.from_model(env.model())
    env.reset(seed=0)
    diminishing, grid = getattr(env, "diminishing", None), getattr(env, "grid", None)
    problem = Problem(
        model=lambda: model,
        diminishing=None if diminishing is None else DiminishingRewards.of(diminishing),
        grid=None if grid is None else Grid.of(grid),
    )
    env_too = {"env": env} if cls is Context else {}
    return cls(seed=0, rng=np.random.default_rng(0), problem=problem, **env_too, **more)


def diminishing_rooms(**options):
    return FourRoomsVector(num_envs=1, task="diminishing", stay=True, **options)


@pytest.mark.parametrize(
    ("name", "env", "env_config", "config"),
    [("gpi", "four-rooms", {"task": "diminishing"}, {"kind": "sr"}), ("mvt", "foraging-patches", {}, {})],
)
def test_conformance(name, env, env_config, config):
    check_algorithm(name, env, env_config=env_config, config=config, num_envs=2)


@pytest.mark.parametrize(
    ("name", "subject", "config"),
    [
        ("goals", ("frp", "four-rooms"), {"episodes": 10}),
        ("diminishing-value", ("lambda", "basic-grid"), {"episodes": 9}),
    ],
)
def test_conformance_of_evaluators(name, subject, config):
    check_evaluator(name, subject, config=config)


@pytest.mark.parametrize(("lam", "expected"), [(0.0, 22.28), (0.25, 24.93), (0.5, 25.84), (0.75, 25.90), (0.9, 25.56)])
def test_four_rooms_returns_are_those_of_experiment_5(lam, expected):
    agent = GeneralisedImprovement(context(diminishing_rooms()), GPIConfig(lam=lam, policies="80,24,41,95"))
    assert agent.update()["return/mean"] == pytest.approx(expected, abs=0.3)


def test_the_successor_representation_earns_least():
    ctx = context(diminishing_rooms())
    found = [
        GeneralisedImprovement(ctx, GPIConfig(kind=kind)).update()["return/mean"] for kind in ("sr", "fr", "lambda")
    ]
    assert found[0] < found[1] < found[2]
    assert found[0] == pytest.approx(20.91, abs=0.6)


def test_acting_in_the_environment_earns_what_judging_says():
    env = diminishing_rooms(end_below=None)
    agent = GeneralisedImprovement(context(env), GPIConfig(lam=0.5, end_below=0.0))
    expected = agent.update()["return/start"]
    obs, _ = env.reset(seed=2)
    agent.forget()
    total = 0.0
    for t in range(40):
        obs, reward, *_ = env.step(agent.act(obs))
        total += 0.97 ** (t + 1) * float(reward[0])
    assert total == pytest.approx(expected)


def test_a_goal_is_reached_by_the_best_base_policy_alone():
    agent = GeneralisedImprovement(context(diminishing_rooms()), GPIConfig(policies="24,80", kind="fr"))
    goal = agent.ctx.problem.grid.state(80)
    s = agent.ctx.problem.grid.state(100)
    following = np.asarray(agent.ctx.problem.tabular.kernel.toarray()).reshape(68, 5, 68).argmax(-1)
    chosen = agent.policy_for(goal)
    for _ in range(8):
        s = int(following[s, chosen[s]])
    assert s == goal


def test_options_of_gpi():
    with pytest.raises(UsageError, match=r"lambda = 0\.5 with kind = 'sr'"):
        GPIConfig(kind="sr", lam=0.5)
    with pytest.raises(UsageError, match="expected 'actions' or 'rewards', or cells"):
        GPIConfig(policies="all")


@pytest.mark.parametrize("lam", [0.5, 0.7, 0.9])
@pytest.mark.parametrize("travel", [1, 2, 5, 10, 20])
def test_harvests_maximise_the_rate(lam, travel):
    algorithm = MarginalValue(context(ForagingPatchesVector(num_envs=1, lam=lam, travel=travel)), MVTConfig())
    rates = []
    while algorithm.outcome is None:
        rates.append(algorithm.update()["rate"])
    brute = {n: sum(lam**k for k in range(n)) / (n + travel) for n in range(1, 30)}
    best = max(brute, key=lambda n: brute[n])
    assert algorithm.harvests == best
    assert rates[-1] == pytest.approx(brute[best])
    assert all(later >= earlier for earlier, later in itertools.pairwise(rates))
    assert (algorithm.act(np.arange(best)) == 0).all()
    assert algorithm.act(np.array([best, best + 1])).tolist() == [1, 1]


def test_only_patches_are_foraged():
    with pytest.raises(InterfaceError, match="expected a deterministic patch with harvest and leave"):
        MarginalValue(context(BasicGridVector(num_envs=1)), MVTConfig())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.95])
def test_counting_visits_agrees_with_the_closed_form_on_random_chains(gamma):
    rng = np.random.default_rng(0)
    for _ in range(4):
        S = int(rng.integers(1, 7))
        chain = rng.dirichlet(np.full(S, 0.5), size=S)
        if S > 1:
            chain[0] = 0.0  # an end
        base, lam = rng.normal(size=S), rng.choice([0.0, 0.3, 0.9, 1.0], size=S)
        expected = exact.diminishing(chain, gamma, lam) @ base
        np.testing.assert_allclose(counted_value(chain, gamma, base, lam), expected, atol=1e-10)


def test_sampling_agrees_with_counting_within_four_standard_errors():
    rng = np.random.default_rng(1)
    S, gamma = 6, 0.9
    chain = rng.dirichlet(np.full(S, 0.5), size=S)
    chain[5] = 0.0
    base, lam = np.array([1.0, 0, -2, 0, 3, 1]), np.array([0.5, 1, 0, 1, 0.8, 0.5])
    truth = counted_value(chain, gamma, base, lam)
    totals, cut = sampled_value(chain, gamma, base, lam, np.repeat(np.arange(S), 4000), rng)
    each = totals.reshape(S, -1)
    errors = np.abs(each.mean(1) - truth) / (each.std(1, ddof=1) / np.sqrt(4000) + 1e-9)
    assert errors.max() < 4
    assert 0 < cut < 1e-4


@pytest.mark.parametrize(("cls", "mse"), [(FR, 0.0498), (SR, 0.2268), (Lambda, 0.0)])
def test_basic_grid_errors_are_those_of_experiment_3(cls, mse):
    env = BasicGridVector(num_envs=1)
    if cls is Lambda:
        from zoo_successor.config import LambdaConfig

        subject = Lambda(context(env), LambdaConfig())
    else:
        subject = cls(context(env), SRConfig())
    before = subject.table().copy()
    digits = "".join(map(str, basic_grid_policy()))
    assert digits == "1112003300330033"
    report = DiminishingValue(DiminishingValueConfig(policy=f"actions:{digits}", episodes=50)).evaluate(
        subject, context(env, EvalContext)
    )
    assert report.scores["mse"] == pytest.approx(mse, abs=5e-5)
    assert report.scores["z"] < 1
    assert len(report.rows) == 16
    np.testing.assert_array_equal(subject.table(), before)


def test_policies_by_name():
    problem = context(BasicGridVector(num_envs=1)).problem
    np.testing.assert_array_equal(policy_table(problem, "uniform"), np.full((16, 4), 0.25))
    towards = policy_table(problem, "greedy:7").argmax(1)
    assert towards[problem.grid.state(28)] in (0, 3)
    for bad, message in (
        ("actions:012", "has 3 digits: expected 16"),
        ("actions:" + "9" * 16, "each from 0 to 3"),
        ("greedy:0", "cell 0 is a wall"),
        ("best", "expected 'run', 'uniform', 'greedy:CELL' or"),
    ):
        with pytest.raises(UsageError, match=message):
            policy_table(problem, bad)


class Walker:
    """Knows the way by the distances of the test's own maze."""

    def __init__(self, maze):
        moves = ("up", "right", "down", "left")
        self.distances, self.moves = maze.distances(*moves), maze.moves(*moves)

    def policy_for(self, goal):
        return self.distances[self.moves, goal].argmin(axis=0)


def test_goals_are_paid_where_and_when_they_are_reached(four_rooms):
    env = FourRoomsVector(num_envs=1, task="goals")
    report = Goals(GoalsConfig(episodes=400, goals=1)).evaluate(Walker(four_rooms), context(env, EvalContext))
    start = four_rooms.state[100]
    distances = np.delete(four_rooms.distances("up", "right", "down", "left")[start], start)
    expected = (50 * 0.95**distances).mean()
    half = (report.scores["high"] - report.scores["low"]) / 2
    assert abs(report.scores["return"] - expected) < 2.1 * half
    assert report.scores["found"] == 1.0
    distances = four_rooms.distances("up", "right", "down", "left")
    others = ~np.eye(68, dtype=bool)
    second = np.array([(0.95 ** distances[g, others[g]]).mean() for g in range(68)])
    first = 0.95 ** distances[start, others[start]]
    expected = 50 * (first + first * second[others[start]]).mean()
    both = Goals(GoalsConfig(episodes=400, goals=2, steps=200)).evaluate(Walker(four_rooms), context(env, EvalContext))
    half = (both.scores["high"] - both.scores["low"]) / 2
    assert abs(both.scores["return"] - expected) < 2.1 * half
    assert both.scores["found"] == 2.0
    blocked = Goals(GoalsConfig(episodes=2, steps=10, start=12)).evaluate(Blocked(), context(env, EvalContext))
    assert blocked.scores["return"] == pytest.approx(-sum(0.95**t for t in range(1, 11)))
    assert blocked.scores["found"] == 0.0


class Blocked:
    """Walks up forever."""

    def policy_for(self, goal):
        return np.zeros(68, dtype=np.int64)


def test_evaluators_refuse_what_they_cannot_judge():
    ctx = context(BasicGridVector(num_envs=1), EvalContext)
    with pytest.raises(UsageError, match="goals judges algorithms that plan for a goal"):
        Goals(GoalsConfig()).evaluate(object(), ctx)
    with pytest.raises(UsageError, match="judges sr, fr and lambda"):
        DiminishingValue(DiminishingValueConfig()).evaluate(object(), ctx)
    with pytest.raises(UsageError, match="episodes = 1"):
        DiminishingValueConfig(episodes=1)
    with pytest.raises(UsageError, match="goals = 0"):
        GoalsConfig(goals=0)


@pytest.mark.parametrize("options", [{"noise": 0.2}, {"task": "goals", "noise": 0.1}, {"task": "goals"}])
def test_rewards_of_arrival_are_read_from_the_model(options):
    env = FourRoomsVector(num_envs=1, **options)
    found = rewards(context(env).problem)
    assert np.flatnonzero(found).tolist() == [context(env).problem.grid.state(20)]
    assert found.max() == pytest.approx(50.0 if "task" in options else 1.0)
