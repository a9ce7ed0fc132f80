"""What follows from the tables: columns and values by one factorisation, features, actions, and back to the SR."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.sparse as sp
from zoo_successor.exact import representations as exact

GAMMA = 0.93


@pytest.fixture(scope="module")
def mdp():
    """Kernel [9, 3, 9], policy, terminal mask, factor per visit."""
    rng = np.random.default_rng(2)
    P = rng.dirichlet(np.full(9, 0.3), size=(9, 3))
    return P, rng.dirichlet(np.ones(3), size=9), np.arange(9) == 4, rng.random(9)


@pytest.fixture(scope="module")
def chain(mdp):
    P, pi, terminal, _ = mdp
    return np.where(terminal[:, None], 0, np.einsum("sa,sat->st", pi, P))


def test_columns_and_values_are_those_of_the_table(mdp, chain):
    _, _, terminal, lam = mdp
    rng = np.random.default_rng(0)
    factorisation = exact.Factorisation(sp.csr_array(chain), GAMMA, terminal)
    for factor in (0.0, 0.5, 1.0, lam, lambda states: 1 / (1 + states)):
        Phi = exact.diminishing(chain, GAMMA, factor)
        np.testing.assert_allclose(factorisation.columns([7, 0, 7], factor), Phi[:, [7, 0, 7]], rtol=1e-12)
        sparse = np.where(rng.random(9) < 0.4, rng.normal(size=9), 0)
        for reward in (sparse, rng.normal(size=9), np.zeros(9)):
            np.testing.assert_allclose(factorisation.value(reward, factor), Phi @ reward, atol=1e-12)
    np.testing.assert_allclose(exact.columns(chain, GAMMA, 3, lam)[:, 0], exact.diminishing(chain, GAMMA, lam)[:, 3])


def test_several_rewards_and_lambdas_at_once(mdp, chain):
    lam = mdp[3]
    reward = np.random.default_rng(0).normal(size=(2, 1, 9))
    lams = np.stack([np.full(9, 0.2), lam, np.ones(9), np.where(lam < 0.5, 1, lam)])
    values = exact.value(chain, GAMMA, reward, lams)
    assert values.shape == (2, 4, 9)
    for i in range(2):
        for k in range(4):
            expected = exact.diminishing(chain, GAMMA, lams[k]) @ reward[i, 0]
            np.testing.assert_allclose(values[i, k], expected, atol=1e-12)
    np.testing.assert_allclose(exact.value(chain, GAMMA, reward[0, 0], [[0.2], [1.0]]), values[0, [0, 2]], atol=1e-12)


def test_rewards_everywhere_are_solved_for_in_slices(mdp, chain, monkeypatch):
    monkeypatch.setattr(sys.modules[exact.Factorisation.__module__], "BLOCK", 9 * 2)
    lam, reward = mdp[3], np.arange(9.0) - 3
    expected = exact.diminishing(chain, GAMMA, lam) @ reward
    np.testing.assert_allclose(exact.value(chain, GAMMA, reward, lam), expected, atol=1e-12)


def test_the_future_after_a_history_needs_the_remaining_rewards_only(chain):
    """V = r + gamma E[V' + (lam - 1) r Phi(s', s)]; and shifted rewards equal shifted counts."""
    lam, reward = 0.6, np.random.default_rng(1).normal(size=9)
    Phi = exact.diminishing(chain, GAMMA, lam)
    V = exact.value(chain, GAMMA, reward, lam)
    correction = (lam - 1) * reward * (chain @ Phi).diagonal()
    np.testing.assert_allclose(V, reward + GAMMA * (chain @ V + correction), atol=1e-12)
    counts = np.random.default_rng(2).integers(0, 4, size=9)
    pays = reward[:, None] * lam ** (counts[:, None] + np.arange(600))
    np.testing.assert_allclose(
        exact.value(chain, GAMMA, reward * lam**counts, lam), exact.utility(chain, GAMMA, pays) @ np.ones(9), atol=1e-10
    )


def test_from_the_successor_representation_and_back(mdp, chain):
    lam = np.maximum(mdp[3], 0.01)
    M, Phi = exact.successor(chain, GAMMA), exact.diminishing(chain, GAMMA, lam)
    np.testing.assert_allclose(exact.from_successor(M, lam), Phi, rtol=1e-13)
    np.testing.assert_allclose(exact.diagonal(Phi, lam), M.diagonal(), rtol=1e-11)
    np.testing.assert_allclose(exact.to_successor(Phi, lam), M, rtol=1e-11)
    with pytest.raises(ValueError, match="lam = 0"):
        exact.to_successor(exact.first_occupancy(chain, GAMMA), 0.0)
    with pytest.raises(ValueError, match="diagonal entry below 1"):
        exact.from_successor(M - np.eye(9), 0.5)


def test_derivative_in_lambda(mdp, chain):
    lam, h = 0.1 + 0.8 * mdp[3], 1e-6
    M = exact.successor(chain, GAMMA)
    numeric = (exact.from_successor(M, lam + h) - exact.from_successor(M, lam - h)) / (2 * h)
    np.testing.assert_allclose(exact.derivative(M, lam), numeric, rtol=1e-6, atol=1e-9)


def recursion(chain, phi, lam, sweeps=900):
    """lambda features by iterating their definition."""
    f = np.zeros_like(phi)
    for _ in range(sweeps):
        ahead = GAMMA * chain @ f
        f = phi * (1 + lam * ahead) + (1 - phi) * ahead
    return f


@pytest.mark.parametrize("lam", [0.0, 0.4, 1.0, np.array([0.0, 0.3, 0.9, 1.0, 0.5])])
def test_features_solve_their_recursion(chain, lam):
    rng = np.random.default_rng(4)
    binary = np.where(rng.random((9, 3)) < 0.4, 1.0, 0.0)
    phi = np.concatenate([rng.random((9, 1)), binary, np.zeros((9, 1))], axis=1)
    np.testing.assert_allclose(exact.features(chain, phi, GAMMA, lam), recursion(chain, phi, lam), atol=1e-11)


def test_one_hot_features_are_the_states(mdp, chain):
    lam = mdp[3]
    expected = exact.diminishing(chain, GAMMA, lam)
    np.testing.assert_allclose(exact.features(chain, np.eye(9), GAMMA, lam), expected, rtol=1e-12, atol=1e-14)


def test_first_occupancy_features_are_times_to_a_set(chain):
    active = np.isin(np.arange(9), [1, 6])
    hit = np.linalg.solve(np.eye(9) - GAMMA * chain * ~active[:, None], active.astype(float))
    np.testing.assert_allclose(exact.features(chain, active[:, None] * 1.0, GAMMA, 0.0)[:, 0], hit, rtol=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
def test_state_action_tables(mdp, chain, sparse):
    P, pi, terminal, lam = mdp
    kernel = sp.csr_array(P.reshape(27, 9)) if sparse else P
    table = exact.state_action(kernel, pi, GAMMA, lam, terminal)
    table = table.toarray().reshape(9, 3, 9) if sparse else table
    Phi = exact.diminishing(chain, GAMMA, lam)
    kept = np.where(terminal[:, None, None], 0, P)
    expected = np.empty((9, 3, 9))
    for s in range(9):
        for a in range(3):
            ahead = GAMMA * kept[s, a] @ Phi
            expected[s, a] = ahead
            expected[s, a, s] = 1 + lam[s] * ahead[s]
    np.testing.assert_allclose(table, expected, rtol=1e-12)
    np.testing.assert_allclose(np.einsum("sa,saj->sj", pi, table), Phi, rtol=1e-12)
    again = exact.backup(P, Phi, GAMMA, lam, terminal)
    np.testing.assert_allclose(again, expected, rtol=1e-12)
    first = exact.state_action(P, pi, GAMMA, 0.0)
    assert (first[np.arange(9), :, np.arange(9)] == 1).all()


def test_policy_chain_of_either_layout(mdp):
    P, pi, *_ = mdp
    expected = np.einsum("sa,sat->st", pi, P)
    np.testing.assert_allclose(exact.policy_chain(P, pi), expected, atol=1e-15)
    np.testing.assert_allclose(exact.policy_chain(sp.csr_array(P.reshape(27, 9)), pi).toarray(), expected, atol=1e-15)


def test_an_unused_terminal_self_loop_counts_for_ever_unless_masked():
    loop = np.array([[0.0, 1.0], [0.0, 1.0]])
    assert exact.successor(loop, 0.9)[0, 1] == pytest.approx(9.0)
    assert exact.successor(loop, 0.9, np.array([False, True]))[0, 1] == pytest.approx(0.9)
    assert exact.successor(loop, 1.0, np.array([False, True]))[0, 1] == 1.0


def test_evaluation_mismatch_in_the_basic_grid(basic_grid):
    """Value errors of the wrong representation where rewards halve, fixed policy, goal 15, gamma .9."""
    named = {7: "right", 8: "right", 9: "right", 10: "down"} | dict.fromkeys([25, 26, 19, 20, 13, 14], "up")
    moves = dict(zip(names := ("up", "right", "down", "left"), basic_grid.moves(*names), strict=True))
    following = [moves[named.get(c, "left")][s] for s, c in enumerate(basic_grid.cells)]
    P = np.eye(basic_grid.n)[following]
    reward = np.eye(basic_grid.n)[basic_grid.state[15]]
    truth = [halving_value(following, reward, s) for s in range(basic_grid.n)]
    mse = [np.mean((exact.value(P, 0.9, reward, lam) - truth) ** 2) for lam in (0.0, 1.0, 0.5)]
    assert mse[0] == pytest.approx(0.0498, abs=5e-5)
    assert mse[1] == pytest.approx(0.2268, abs=5e-5)
    assert mse[2] < 1e-24


def halving_value(following, reward, s):
    """One trajectory by hand; 700 steps are enough for rounding."""
    total, counts = 0.0, np.zeros(len(reward))
    for t in range(700):
        total += 0.9**t * reward[s] * 0.5 ** counts[s]
        counts[s] += 1
        s = following[s]
    return total


@pytest.mark.parametrize(
    ("lam", "harvests"),
    [(0.5, [1, 2, 3, 3, 4]), (0.7, [2, 3, 4, 5, 7]), (0.9, [4, 6, 8, 11, 15])],
)
def test_foraging_leaves_patches_later_where_travel_is_longer(lam, harvests):
    """Optimal harvests by the long-run rate, for journeys of 1, 2, 5, 10 and 20 steps.

    The harvests of one patch are the cells of a corridor that share one feature: what is still to be got n cells from
    its end is ``1 + lam + ... + lam^(n-1)``.
    """
    cells = 40
    corridor = np.diag(np.ones(cells - 1), 1)
    gains = exact.features(corridor, np.ones((cells, 1)), 1.0, lam)[::-1, 0]
    n = np.arange(1, cells + 1)
    np.testing.assert_allclose(gains, (1 - lam**n) / (1 - lam), rtol=1e-12)
    assert [int(n[(gains / (n + tau)).argmax()]) for tau in (1, 2, 5, 10, 20)] == harvests
