"""The mathematics on tables against the environment's own recursion, enumeration and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from zoo_envs.grids.two_rooms import TwoRooms
from zoo_envs.tasks import Task
from zoo_envs.trees.random_tree import RandomTreeTask
from zoo_envs.trees.two_rooms import TreeTask
from zoo_rpo.distributions import Categorical
from zoo_rpo.tabular import core
from zoo_rpo.tabular.evaluator import expected_tv, least_tv, majority, optimal_policies
from zoo_rpo.task_model import Stacked, TaskModel

from zoo import UsageError

TASKS = (
    TreeTask(goals=(21,), doors=(17,)),
    TreeTask(goals=(22, 23), doors=(17,)),
    TreeTask(goals=(24,), doors=(12, 15)),
)


def models(tasks: tuple[TreeTask, ...] = TASKS) -> list[TaskModel]:
    return [TaskModel.of(task) for task in tasks]


class Slippery(Task):
    """Two states and an exit; what an action leads to is drawn."""

    id = "slippery"

    def __init__(self) -> None:
        pass

    def make(self) -> object:
        from zoo_envs.tabular.env import SampledEnv
        from zoo_envs.tabular.model import TabularModel

        P = np.zeros((3, 3, 3))
        P[0], P[1], P[2, :, 2] = [[0.5, 0.3, 0.2], [0, 0.6, 0.4], [0.2, 0.2, 0.6]], [[0.1, 0.1, 0.8]] * 3, 1.0
        r = np.array([[1.0, -0.5, 0.3], [0.2, 0.4, 0.6], [0, 0, 0]])
        return SampledEnv(TabularModel(P, r, 0.9, np.array([0.7, 0.3, 0]), terminal=np.array([False, False, True])))


def test_the_model_of_a_tree() -> None:
    model = models()[2]
    assert model.horizon == 7 and model.optimum == 1.0 and model.p.shape == (24, 2, 1)
    # doors 12 and 15 are decisions; 13, 14, 16 and 17 are leaves here
    assert (model.decisions + 1).tolist() == [1, 2, 3, 4, 7, 9, 10, 11, 12, 15, 18, 19, 20]


def test_values_equal_those_of_the_environment(rng: np.random.Generator) -> None:
    theta = 2 * rng.standard_normal((3, 24, 2))
    found = core.exact_value(Stacked(models()), Categorical(theta).p)
    expected = [float(task.make().exact_value(one)) for task, one in zip(TASKS, theta, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    deep = [RandomTreeTask(seed=seed, depth=5, sparsity=0.3) for seed in range(3)]
    theta = rng.standard_normal((3, 63, 2))
    tables = Stacked([TaskModel.of(task) for task in deep])
    expected = [float(task.make().exact_value(one)) for task, one in zip(deep, theta, strict=True)]
    np.testing.assert_allclose(core.exact_value(tables, Categorical(theta).p), expected, rtol=1e-12)
    np.testing.assert_allclose([m.optimum for m in tables.models], [t.make().optimal_value() for t in deep])


@pytest.mark.parametrize("gamma", [1.0, 0.9])
def test_the_exact_gradient_is_that_of_the_value(gamma: float, rng: np.random.Generator) -> None:
    """At gamma = 1 it is the gradient of the value; below, that of sum_t E[G_t], visits taken as given."""
    tables = Stacked([TaskModel.of(Slippery(), horizon=4)])
    theta = rng.standard_normal((1, 3, 3))
    found = core.exact_gradient(tables, Categorical(theta).p, gamma).theta
    if gamma == 1.0:
        numeric = np.zeros_like(theta)
        for index in np.ndindex(theta.shape):
            ends = []
            for sign in (1, -1):
                moved = theta.copy()
                moved[index] += sign * 1e-6
                ends.append(core.exact_value(tables, Categorical(moved).p)[0])
            numeric[index] = -(ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(found, numeric, atol=1e-8)
    u = rng.random((1, 9, 200_000))
    p = Categorical(theta).p
    episodes = core.sample(tables, p, u)
    sampled = core.sampled_gradient(tables, p, rng.standard_normal((1, 3)), episodes, gamma)
    exact = core.exact_gradient(tables, p, gamma)
    np.testing.assert_allclose(sampled.theta, exact.theta, atol=0.02)
    np.testing.assert_allclose(sampled.visits, exact.visits, atol=0.02)
    np.testing.assert_allclose(core.visits(tables, p), exact.visits)
    assert episodes.rewards.sum(0).mean() == pytest.approx(core.exact_value(tables, p)[0], abs=0.02)


def test_the_gradient_of_three_episodes_by_hand() -> None:
    """REINFORCE in plain loops, as the formulas are written."""
    tables = Stacked([TaskModel.of(Slippery(), horizon=5)])
    rng = np.random.default_rng(5)
    theta, V, gamma, N = rng.standard_normal((1, 3, 3)), rng.standard_normal((1, 3)), 0.9, 3
    p = Categorical(theta).p
    episodes = core.sample(tables, p, rng.random((1, 11, N)))
    d_theta, d_V, visits = np.zeros((3, 3)), np.zeros(3), np.zeros(3)
    for n in range(N):
        G = 0.0
        for t in reversed(range(5)):
            if not episodes.active[t, 0, n]:
                assert episodes.rewards[t, 0, n] == 0
                continue
            s, row = int(episodes.states[t, 0, n]), int(episodes.rows[t, 0, n])
            assert s < 2 and row // 3 == s
            G = episodes.rewards[t, 0, n] + gamma * G
            A = G - V[0, s]
            d_theta[s] -= A * (np.eye(3)[row % 3] - p[0, s]) / N
            d_V[s] -= 2 * A / N
            visits[s] += 1 / N
    found = core.sampled_gradient(tables, p, V, episodes, gamma)
    np.testing.assert_allclose(found.theta[0], d_theta, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found.value[0], d_V, rtol=1e-12)
    np.testing.assert_allclose(found.visits[0], visits, rtol=1e-12)
    assert episodes.active[1:].sum() < 4 * N, "some episode must end early for the mask to matter"


def test_episodes_follow_the_model(rng: np.random.Generator) -> None:
    tables = Stacked([TaskModel.of(Slippery(), horizon=3)] * 2)
    p = Categorical(rng.standard_normal((2, 3, 3))).p
    episodes = core.sample(tables, p, rng.random((2, 7, 50_000)))
    first = np.bincount(episodes.states[0, 1] - 3, minlength=3) / 50_000
    np.testing.assert_allclose(first, [0.7, 0.3, 0], atol=0.012)
    at = episodes.states[0, 1] == 3
    action = episodes.rows[0, 1][at] % 3
    np.testing.assert_allclose(np.bincount(action, minlength=3) / at.sum(), p[1, 0], atol=0.02)
    following = episodes.states[1, 1][at][action == 0] - 3
    np.testing.assert_allclose(np.bincount(following, minlength=3) / len(following), [0.5, 0.3, 0.2], atol=0.03)


def test_an_endless_model_needs_a_horizon() -> None:
    class Rooms(Task):
        id = "rooms"

        def __init__(self) -> None:
            pass

        def make(self) -> object:
            return TwoRooms()

    with pytest.raises(UsageError, match="expected --horizon"):
        TaskModel.of(Rooms())
    assert TaskModel.of(Rooms(), horizon=9).horizon == 9


def test_the_majority_minimises_the_expected_tv_under_one_rule_for_ties(rng: np.random.Generator) -> None:
    p = np.eye(3)[rng.integers(3, size=(7, 5))]
    asked = rng.random((7, 5)) < 0.8
    vote = majority(p, asked)
    least = least_tv(p, asked, 3**5)
    assert expected_tv(vote, p, asked) == pytest.approx(least, abs=1e-15)
    for _ in range(200):  # no stochastic one is better either
        assert expected_tv(rng.dirichlet(np.ones(3), 5), p, asked) >= least - 1e-12


def test_with_ties_uniform_the_majority_need_not_be_best() -> None:
    p, asked = optimal_policies(models(), ties="uniform")
    lowest, _ = optimal_policies(models(), ties="lowest")
    assert (lowest.max(-1) == 1).all() and (p.max(-1) < 1)[asked].any()
    assert expected_tv(p.mean(0), p, asked) < expected_tv(majority(p, asked), p, asked)
    deep = [TaskModel.of(task) for task in (TreeTask(goals=(21, 22, 23, 24), doors=(17,)),)]
    q, where = optimal_policies(deep, ties="uniform")
    assert q[0, 17].tolist() == [0.5, 0.5] and where[0, 17]
    assert expected_tv(q[0], q, where) == 0 < expected_tv(majority(q, where), q, where)
