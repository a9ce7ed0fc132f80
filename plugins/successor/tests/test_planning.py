"""First-occupancy planning beside breadth-first search, brute force over plans, and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from zoo_successor.exact import representations as exact
from zoo_successor.planning.frp import best_policies, frp, frp_all, sweep
from zoo_successor.planning.gpi_rule import gpi
from zoo_successor.planning.plan_following import rollout, route

FOUR = ("up", "right", "down", "left")
EIGHT = (*FOUR, "up-right", "down-right", "down-left", "up-left")


def one_hot(moves, n):
    """Chains ``[..., n, n]`` of next states ``[..., n]``."""
    return np.eye(n)[moves]


def occupancies(chains, gamma):
    return np.stack([exact.first_occupancy(P, gamma) for P in chains])


@pytest.fixture(scope="module")
def rooms(four_rooms):
    """Chains of the four single-direction policies, their FRs for gamma .95, and distances."""
    chains = one_hot(four_rooms.moves(*FOUR), four_rooms.n)
    return chains, occupancies(chains, 0.95), four_rooms.distances(*FOUR)


def test_fractions_of_optimal_plans_by_number_of_sweeps(rooms):
    """From four policies of one direction (docs/methods/successor.md, section 8.4)."""
    _, F, distance = rooms
    for segments, fraction in ((1, 0.139), (2, 0.514), (3, 0.909), (4, 1.0), (9, 1.0)):
        plans = frp_all(F, segments)
        assert np.mean(np.abs(plans.value - 0.95**distance) < 1e-12) == pytest.approx(fraction, abs=5e-4)
        assert len(plans.policy) == min(segments, 4)


def test_the_limit_is_the_shortest_path_with_the_fewest_segments(rooms):
    _, F, distance = rooms
    plans, limited = frp_all(F), frp_all(F, 68)
    np.testing.assert_allclose(plans.value, 0.95**distance, rtol=1e-12)
    for goal, start in itertools.product(range(0, 68, 5), range(68)):
        found, other = plans[goal].segments(start), limited[goal].segments(start)
        assert len(found) == len(other)
        assert all(policy >= 0 for policy, _ in found)
        assert [s for _, s in found][-1:] in ([goal], [])
        alone = frp(F, goal)
        assert len(alone.segments(start)) == len(found)


def test_following_a_plan_takes_the_shortest_way(rooms):
    chains, F, distance = rooms
    for goal in (0, 23, 67):
        for plan in (frp(F, goal), frp(F, goal, 4)):
            for reread in (False, True):
                done = rollout(plan, np.arange(68), chains, steps=60, reread=reread)
                np.testing.assert_array_equal(done.steps, distance[:, goal])
            path = route(plan, 5, chains)
            assert path[0] == 5 and path[-1] == goal and len(path) == distance[5, goal] + 1
            assert (distance[path[:-1], path[1:]] == 1).all()


def test_fewer_segments_reach_what_one_policy_reaches(rooms):
    chains, F, _ = rooms
    plan = frp(F, 40, 1)
    assert (plan.subgoal[0][plan.reachable] == 40).all()
    np.testing.assert_allclose(plan.value, F[:, :, 40].max(axis=0))
    assert 0 < plan.reachable.sum() < 68
    done = rollout(plan, np.arange(68), chains, steps=60)
    np.testing.assert_array_equal(done.steps >= 0, plan.reachable)


@pytest.mark.parametrize("limit", [2, 3])
def test_limited_plans_keep_their_limit_and_are_worth_what_they_say(rooms, limit):
    chains, F, _ = rooms
    best = F.max(axis=0)
    for goal in range(0, 68, 3):
        plan = frp(F, goal, limit)
        done = rollout(plan, np.arange(68), chains, steps=100)
        np.testing.assert_allclose(np.where(done.steps < 0, 0, 0.95**done.steps), plan.value, rtol=1e-12)
        for start in np.flatnonzero(plan.reachable):
            stops = [start, *(s for _, s in plan.segments(start))]
            assert len(stops) <= limit + 1
            assert np.prod([best[a, b] for a, b in itertools.pairwise(stops)]) == pytest.approx(plan.value[start])


def test_the_last_segments_of_a_limited_plan_know_that_they_are_the_last():
    """From 0 policy 3 leads to 1; from there policy 0 takes the long way, policies 1 and 2 together the short one."""
    moves = np.tile(np.arange(8), (4, 1))
    moves[0, [1, 4, 5, 6, 7]] = [4, 5, 6, 7, 3]
    moves[1, 1], moves[2, 2], moves[3, 0] = 2, 3, 1
    chains = one_hot(moves, 8)
    F = occupancies(chains, 0.9)
    for limit, segments, steps in ((2, [(3, 1), (0, 3)], 6), (3, [(3, 1), (1, 2), (2, 3)], 3), (None, ..., 3)):
        plan = frp(F, 3, limit)
        assert segments in (..., plan.segments(0))
        assert plan.value[0] == pytest.approx(0.9**steps)
        assert rollout(plan, [0], chains, steps=20).steps == steps


def brute_force(best, segments, start, goal):
    """The best value over all sequences of subgoals."""
    n = len(best)
    values = [best[start, goal]]
    for k in range(1, segments):
        for middle in itertools.product(range(n), repeat=k):
            stops = (start, *middle, goal)
            values.append(np.prod([best[a, b] for a, b in itertools.pairwise(stops)]))
    return max(values)


def test_plans_on_noisy_chains_are_the_best_sequences_of_subgoals():
    rng = np.random.default_rng(0)
    chains = rng.dirichlet(np.full(5, 0.25), size=(3, 5))
    F = occupancies(chains, 0.9)
    for segments in (1, 2, 3, 4):
        value = frp_all(F, segments).value
        for start, goal in itertools.product(range(5), repeat=2):
            assert value[start, goal] == pytest.approx(brute_force(F.max(axis=0), segments, start, goal), rel=1e-12)
    np.testing.assert_allclose(frp_all(F).value, frp_all(F, 5).value, rtol=1e-8)


def test_the_value_is_that_of_following_the_plan():
    """Mean discount of the arrival time over 20,000 noisy runs, within 4 standard errors; and a lower bound."""
    rng = np.random.default_rng(3)
    chains = rng.dirichlet(np.full(6, 0.2), size=(3, 6))
    plan = frp(occupancies(chains, 0.9), 2)
    assert len(plan.segments(5)) > 1
    done = rollout(plan, np.full(20_000, 5), chains, steps=300, rng=rng)
    discount = np.where(done.steps >= 0, 0.9 ** np.maximum(done.steps, 0), 0)
    assert abs(discount.mean() - plan.value[5]) < 4 * discount.std() / np.sqrt(20_000)
    best = np.zeros(6)
    for _ in range(500):
        best = np.where(np.arange(6) == 2, 1.0, 0.9 * (chains @ best).max(axis=0))
    assert (plan.value <= best + 1e-12).all()


def test_an_unreachable_goal_has_no_plan():
    chains = np.zeros((2, 4, 4))
    chains[0] = np.eye(4)[[1, 0, 3, 2]]
    chains[1] = np.eye(4)
    F = occupancies(chains, 0.9)
    for plan in (frp(F, 3), frp(F, 3, 2), frp_all(F)[3]):
        np.testing.assert_array_equal(plan.reachable, [False, False, True, True])
        assert plan.value[0] == 0
        assert plan.segments(0) is None
        assert route(plan, 0, chains) is None
        assert plan.segments(3) == []
        assert plan.segments(2) == [(0, 3)]
        assert (plan.policy[:, :2] == -1).all() and (plan.subgoal[:, :2] == -1).all()
        done = rollout(plan, [0, 2, 3], chains, steps=5)
        np.testing.assert_array_equal(done.steps, [-1, 1, 0])
        np.testing.assert_array_equal(done.states, [[0, -1], [2, 3], [3, -1]])


def test_undiscounted_plans_count_segments():
    """gamma = 1: every reachable state has F = 1, and the shortest plan is still found."""
    right = np.eye(5)[[1, 2, 3, 4, 4]]
    right[4] = 0
    F = np.stack([np.triu(np.ones((5, 5))), np.tril(np.ones((5, 5)))])
    plan = frp(F, 4)
    np.testing.assert_array_equal(plan.value, 1)
    assert plan.segments(0) == [(0, 4)]
    np.testing.assert_array_equal(occupancies([right], 1.0)[0], F[0])


def test_escape_plans_one_subgoal_beside_the_barrier(escape):
    """Escape (docs/methods/successor.md, section 8.6): 25 x 25, eight moves, gamma .99."""
    shelter, start = 23 * 25 + 12, 1 * 25 + 12
    for barrier, direct, subgoals in ((False, 0.8016, 0), (True, 0.0, 1)):
        maze = escape(25, barrier)
        s, g = maze.state[start], maze.state[shelter]
        F = occupancies(one_hot(maze.moves(*EIGHT), maze.n), 0.99)
        plan = frp(F, g)
        assert F[:, s, g].max() == pytest.approx(direct, abs=5e-5)
        assert plan.value[s] == pytest.approx(0.99**22)
        stops = [maze.cells[state] for _, state in plan.segments(s)][:-1]
        assert len(stops) == subgoals
        for cell in stops:
            assert cell // 25 == 12 and not 6 <= cell % 25 <= 18
        assert maze.distances(*EIGHT, start=s)[g] == 22
        assert maze.distances(*FOUR, start=s)[g] == (36 if barrier else 22)


def test_ties_go_to_the_lowest_policy_and_subgoal():
    F = np.stack([np.eye(4)] * 3)
    F[1:, 0, 1] = F[1:, 0, 2] = F[1:, 1, 3] = F[1:, 2, 3] = 0.5
    best, policy = best_policies(F)
    assert policy[0, 1] == 1 and policy[0, 0] == 0 and policy[3, 0] == -1
    value, subgoal = sweep(best, best)
    assert value[0, 3] == 0.25 and subgoal[0, 3] == 1
    assert frp(F, 3, 2).segments(0) == [(1, 1), (1, 3)]


def test_sweeps_in_slices_are_the_sweeps(monkeypatch, rooms):
    best, _ = best_policies(rooms[1])
    whole = sweep(best, best)
    monkeypatch.setattr("zoo_successor.planning.frp.BLOCK", 68 * 68 * 7)
    for mine, other in zip(sweep(best, best), whole, strict=True):
        np.testing.assert_array_equal(mine, other)
    np.testing.assert_array_equal(whole[0], (best[:, :, None] * best[None]).max(axis=1))


def test_episodes_that_end_on_the_way():
    chains = np.array([[[0, 0.5, 0], [0, 0, 1], [0, 0, 0]]])
    plan = frp(occupancies(chains, 1.0), 2)
    assert plan.value[0] == 0.5
    done = rollout(plan, np.zeros(2000, dtype=int), chains, steps=9, rng=np.random.default_rng(0))
    arrived = done.steps == 2
    assert abs(arrived.mean() - 0.5) < 4 * 0.5 / np.sqrt(2000)
    assert (done.states[~arrived] == [0, -1, -1]).all()
    assert (done.states[arrived] == [0, 1, 2]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda F: frp(F, 68), r"goal is 68: expected a state, 0 to 67"),
        (lambda F: frp(F, -1), r"goal is -1"),
        (lambda F: frp(F, 1.0), r"goal is 1.0"),
        (lambda F: frp(F, 3, 0), r"max_segments = 0: expected at least 1"),
        (lambda F: frp(F[:, :3], 0), r"first_occupancies has shape \[4, 3, 68\]: expected \[N, n, n\]"),
        (lambda F: frp(F * 1.01, 0), r"first_occupancies\[0, 0, 0\] is 1.01: expected a number in \[0, 1\]"),
        (lambda F: frp(F * np.nan, 0), r"first_occupancies\[0, 0, 0\] is nan"),
        (lambda F: frp_all(F)[99], r"goal is 99"),
        (lambda F: frp(F, 3).segments(70), r"start is 70"),
        (lambda F: rollout(frp(F, 3), [68], F, steps=3, rng=np.random.default_rng(0)), r"starts names state 68"),
        (lambda F: rollout(frp(F, 3), [1], F, steps=3), r"expected rng, to draw transitions from"),
        (lambda F: rollout(frp(F, 3), [1], F[0], steps=3), r"chains has shape \[68, 68\]"),
        (lambda F: gpi(F, np.ones(68), [1]), r"Phi has shape \(4, 68, 68\) and w \(68,\)"),
        (lambda F: gpi(F[:, :, None], np.ones(3), [1]), r"expected \[N, n, A, n\] and \[n\] or \[B, n\]"),
        (lambda F: gpi(F[:, :, None], np.ones(68), [80]), r"states names state 80"),
    ],
)
def test_bad_input(rooms, call, message):
    with pytest.raises(ValueError, match=message):
        call(rooms[1])


GOALS = {80: 5.0, 24: 10.0, 41: 5.0}


def gpi_returns(maze, lam):
    """Returns of GPI from every other cell where the agent believes in ``lam`` and rewards halve.

    Rewards are paid on arrival, the start is no visit, 40 steps at most, the end once all that remain are below .1.
    """
    names, n, gamma = (*FOUR, "stay"), maze.n, 0.97
    moves, distance = maze.moves(*names), maze.distances(*FOUR)
    kernel, tables = one_hot(moves.T, n), []
    for cell in (80, 24, 41, 95):
        to = distance[:, maze.state[cell]]
        action = np.where(to == 0, 4, to[moves[:4]].argmin(axis=0))
        tables.append(exact.state_action(kernel, np.eye(5)[action], gamma, lam))
    goals = [maze.state[cell] for cell in GOALS]
    state = np.setdiff1d(np.arange(n), goals)
    row, going, total = np.arange(len(state)), np.ones(len(state), dtype=bool), np.zeros(len(state))
    w = np.zeros((len(state), n))
    w[:, goals] = list(GOALS.values())
    for t in range(1, 41):
        state = moves[gpi(np.stack(tables), w, state), state]
        total += going * gamma**t * w[row, state]
        w[row[going], state[going]] *= 0.5
        going &= w.max(axis=1) >= 0.1
    return total


def test_gpi_with_the_right_kind_of_diminishing_does_best(four_rooms):
    """The reference is docs/methods/successor.md, section 8.5; the last value comes out .46 below it, and no order of
    tied actions brings it closer than .32."""
    stated = {0.0: 22.28, 0.25: 24.93, 0.5: 25.84, 0.75: 25.90, 0.9: 25.56, 1.0: 20.91}
    found = {lam: gpi_returns(four_rooms, lam).mean() for lam in stated}
    for lam, expected in stated.items():
        assert found[lam] == pytest.approx(expected, abs=0.3 if lam < 1 else 0.5)
    assert min(found[lam] for lam in (0.25, 0.5, 0.75, 0.9)) > found[0.0] + 2 > found[1.0] + 3


def test_gpi_takes_the_best_policy_and_the_lowest_tied_action():
    Phi = np.zeros((2, 3, 4, 3))
    Phi[0, 0, 2, 1], Phi[1, 0, 3, 1], Phi[1, 1] = 1.0, 1.0 + 1e-15, 0.3
    w = np.array([0.0, 2.0, 0.0])
    np.testing.assert_array_equal(gpi(Phi, w, [0, 1, 2]), [2, 0, 0])
    np.testing.assert_array_equal(gpi(Phi, w, [0], tie=0.0), [3])
    np.testing.assert_array_equal(gpi(Phi, np.stack([w, -w]), [0, 0]), [2, 0])
    np.testing.assert_array_equal(gpi(Phi[0], w, [0]), [2])
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(gpi(torch.as_tensor(Phi), torch.as_tensor(w), [0, 1]), [2, 0])
