"""The closed forms beside a visit-count dynamic programme, their recursions and simulation, all written here."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_successor.exact import representations as exact

LEVELS = 4000
"""Visits counted by the dynamic programme: .99 ** 4000 is 4e-18."""


def visit_count_programme(P, gamma, pays):
    """``[s, j]``: expected discounted pay on the chain of (state, visits to j so far), solved level by level.

    ``pays [K, n]`` is what the k-th visit to each state pays; nothing is paid from the K-th on. On level k the process
    either moves among states other than j or occupies j, is paid and goes on with level k+1.
    """
    n = len(P)
    moves_on = np.repeat(np.eye(n)[None] - gamma * P, n, axis=0)
    j = np.arange(n)
    moves_on[j, j] = np.eye(n)
    at_goal = np.linalg.inv(moves_on)[j, :, j]
    onward = np.zeros((n, n))  # row j: values on the next level when j is the state counted
    for pay in pays[::-1]:
        arriving = pay + gamma * (P * onward).sum(axis=1)
        onward = arriving[:, None] * at_goal
    return onward.T


def powers(lam, n, levels=LEVELS):
    return np.broadcast_to(np.asarray(lam, dtype=float), (n,)) ** np.arange(levels)[:, None]


def cycle(n):
    return np.roll(np.eye(n), 1, axis=1)


def walk(n):
    """Left or right with equal chances; both ends are terminal."""
    P = np.zeros((n, n))
    s = np.arange(1, n - 1)
    P[s, s - 1] = P[s, s + 1] = 0.5
    return P


def reducible():
    """Two closed classes, {0, 1} and {2}, and states 3, 4 that lead into them; nothing leads to 5."""
    P = np.zeros((6, 6))
    P[0, 1] = P[1, 0] = P[2, 2] = 1
    P[3] = [0.2, 0, 0.3, 0.1, 0.4, 0]
    P[4] = [0, 0.5, 0, 0.5, 0, 0]
    P[5] = [0, 0, 0, 0.6, 0, 0.4]
    return P


def leaking(n):
    """Random rows that sum to less than 1."""
    rng = np.random.default_rng(1)
    return rng.dirichlet(np.ones(n), size=n) * rng.uniform(0.3, 1, size=(n, 1))


CHAINS = {
    "periodic": (cycle(5), 0.95),
    "reducible": (reducible(), 0.9),
    "self-loop": (np.array([[1, 0, 0], [0.3, 0.7, 0], [0, 0.5, 0.5]]), 0.99),
    "terminal, gamma 1": (walk(7), 1.0),
    "leaking, gamma 1": (leaking(8), 1.0),
    "one state": (np.ones((1, 1)), 0.8),
    "gamma 0": (cycle(4), 0.0),
    "empty": (np.zeros((3, 3)), 0.9),
    "random": (np.random.default_rng(0).dirichlet(np.full(12, 0.3), size=12), 0.99),
}


@pytest.fixture(params=CHAINS, scope="module")
def chain(request):
    return CHAINS[request.param]


@pytest.mark.parametrize("lam", [0.0, 0.3, 0.9, 1.0])
def test_agrees_with_the_visit_count_programme(chain, lam):
    P, gamma = chain
    expected = visit_count_programme(P, gamma, powers(lam, len(P)))
    np.testing.assert_allclose(exact.diminishing(P, gamma, lam), expected, rtol=1e-9, atol=1e-11)


def test_successor_and_first_occupancy_are_the_ends(chain):
    P, gamma = chain
    n = len(P)
    np.testing.assert_allclose(
        exact.successor(P, gamma), visit_count_programme(P, gamma, powers(1, n)), rtol=1e-9, atol=1e-11
    )
    first = visit_count_programme(P, gamma, np.ones((1, n)))
    np.testing.assert_allclose(exact.first_occupancy(P, gamma), first, rtol=1e-9, atol=1e-12)
    assert (exact.first_occupancy(P, gamma).diagonal() == 1).all()


def test_satisfies_the_recursion(chain):
    P, gamma = chain
    n = len(P)
    lam = np.linspace(0, 1, n)
    Phi = exact.diminishing(P, gamma, lam)
    swept = np.eye(n) + gamma * (1 - (1 - lam) * np.eye(n)) * (P @ Phi)
    np.testing.assert_allclose(Phi, swept, rtol=1e-12, atol=1e-12)


def test_unreachable_states_are_exact_zeros(chain):
    P, gamma = chain
    reach = np.linalg.matrix_power(np.eye(len(P)) + (gamma * P > 0), len(P)) > 0
    for table in (exact.successor(P, gamma), exact.first_occupancy(P, gamma)):
        np.testing.assert_array_equal(table > 0, reach)
        assert (table >= 0).all()


def test_utilities_of_visits(chain):
    P, gamma = chain
    n = len(P)
    rng = np.random.default_rng(5)
    shared, own = rng.normal(size=4), rng.normal(size=(n, 6))
    for utilities, pays in (
        (shared, np.repeat(shared[:, None], n, axis=1)),
        (own, own.T),
        (np.zeros(0), np.zeros((0, n))),
    ):
        expected = visit_count_programme(P, gamma, pays)
        np.testing.assert_allclose(exact.utility(P, gamma, utilities), expected, rtol=1e-9, atol=1e-10)


def test_growing_rewards_where_they_converge(chain):
    P, gamma = chain
    d = exact.successor(P, gamma).diagonal()
    lam = np.minimum(1 + 0.5 * (1 / np.maximum(1 - 1 / d, 0.01) - 1), 1.15)
    expected = visit_count_programme(P, gamma, powers(lam, len(P)))
    Phi = exact.diminishing(P, gamma, lam, allow_growth=True)
    np.testing.assert_allclose(Phi, expected, rtol=1e-8, atol=1e-11)


@st.composite
def distributions(draw):
    """A chain of up to 12 states, some of whose transitions are impossible, and a discount."""
    n = draw(st.integers(1, 12))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    weights = rng.random((n, n)) ** 4 * (rng.random((n, n)) < draw(st.floats(0.1, 1)))
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros((n, n)), where=total > 0), draw(st.floats(0, 0.97)), rng


@given(distributions())
@settings(max_examples=40, deadline=None)
def test_agrees_with_the_visit_count_programme_on_random_chains(law):
    P, gamma, rng = law
    n = len(P)
    lam, terminal = rng.random(n), rng.random(n) < 0.2
    expected = visit_count_programme(np.where(terminal[:, None], 0, P), gamma, powers(lam, n, 1000))
    Phi = exact.diminishing(P, gamma, lam, terminal)
    np.testing.assert_allclose(Phi, expected, rtol=1e-9, atol=1e-11)
    assert (Phi <= 1 / (1 - gamma * lam) + 1e-9).all()
    assert (np.diff([exact.diminishing(P, gamma, x, terminal) for x in (0.0, 0.4, 1.0)], axis=0) >= -1e-12).all()


@given(distributions(), st.floats(0, 0.99))
@settings(max_examples=25, deadline=None)
def test_sweeps_contract_at_the_stated_rate(law, lam):
    P, gamma, _ = law
    n, Phi = len(P), exact.diminishing(law[0], law[1], lam)
    table = np.zeros((n, n))
    for k in range(1, 30):
        table = np.eye(n) + gamma * (1 - (1 - lam) * np.eye(n)) * (P @ table)
        assert np.abs(table - Phi).max() <= gamma**k / (1 - gamma * lam) + 1e-12


def test_simulation_agrees_within_four_standard_errors():
    """Value of diminishing rewards and of first occupancies, 40,000 episodes, horizon .9 ** 150 = 1e-7."""
    rng = np.random.default_rng(11)
    n, gamma, episodes = 6, 0.9, 40_000
    P = rng.dirichlet(np.full(n, 0.4), size=n)
    lam, reward = rng.random(n), rng.normal(size=n)
    cumulative = P.cumsum(axis=1)
    state, visits = np.zeros(episodes, dtype=int), np.zeros((episodes, n), dtype=int)
    row = np.arange(episodes)
    gain, first = np.zeros(episodes), np.zeros((episodes, n))
    for t in range(150):
        count = visits[row, state]
        gain += gamma**t * reward[state] * lam[state] ** count
        first[row, state] += gamma**t * (count == 0)
        visits[row, state] += 1
        state = np.minimum((cumulative[state] < rng.random(episodes)[:, None]).sum(axis=1), n - 1)
    value, F = exact.value(P, gamma, reward, lam)[0], exact.first_occupancy(P, gamma)[0]
    assert abs(gain.mean() - value) < 4 * gain.std() / np.sqrt(episodes)
    assert (np.abs(first.mean(axis=0) - F) <= 4 * first.std(axis=0) / np.sqrt(episodes)).all()
    assert abs(gain.mean() - exact.value(P, gamma, reward)[0]) > 20 * gain.std() / np.sqrt(episodes)


@pytest.mark.parametrize("size", [15, 20])
def test_every_route_to_the_inverse_agrees(size):
    """Above 200 states: elimination by bands where moves are local, LAPACK where they are not; torch beside them."""
    torch = pytest.importorskip("torch")
    n = size * size
    s = np.arange(n)
    i, j = np.divmod(s, size)
    to = [np.clip(i - 1, 0, size - 1) * size + j, np.clip(i + 1, 0, size - 1) * size + j]
    to += [i * size + np.clip(j - 1, 0, size - 1), i * size + np.clip(j + 1, 0, size - 1)]
    rng = np.random.default_rng(size)
    P = np.zeros((n, n))
    np.add.at(P, (s, np.array(to)), rng.dirichlet(np.ones(4), size=n).T)
    shuffle = rng.permutation(n)
    P = P[shuffle][:, shuffle]
    P[: n // 3] *= rng.uniform(0.9, 1, size=(n // 3, 1))
    residual = lambda M: np.abs(M - np.eye(n) - 0.97 * P @ M).max()  # noqa: E731
    assert residual(exact.successor(P, 0.97)) < 1e-12
    assert residual(exact.successor(sp.csc_array(P), 0.97).toarray()) < 1e-12
    assert residual(exact.successor(torch.as_tensor(P), 0.97).numpy()) < 1e-12
    scattered = sp.random_array((n, n), density=0.02, rng=rng).toarray()
    scattered /= scattered.sum(axis=1, keepdims=True) + 0.1
    M = exact.successor(scattered, 1.0)
    assert np.abs(M - np.eye(n) - scattered @ M).max() < 1e-11
