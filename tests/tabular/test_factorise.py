"""Both orderings of the sparse factorisation solve the equations they are for."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from zoo.tabular import TabularCMDP, evaluate
from zoo.tabular.elimination import factorise, fills_up


def ring(S: int) -> sp.csr_array:
    """Each state leads to its two neighbours."""
    s = np.arange(S)
    columns = np.stack([(s + 1) % S, (s - 1) % S], axis=1)
    return sp.csr_array((np.tile([0.7, 0.3], S), (np.repeat(s, 2), columns.ravel())), shape=(S, S))


def resets(S: int) -> sp.csr_array:
    """A chain from whose every state one may fall back to the first: a hub that all others lead to."""
    s = np.arange(S)
    columns = np.stack([np.minimum(s + 1, S - 1), np.zeros(S, int)], axis=1)
    return sp.csr_array((np.tile([0.9, 0.1], S), (np.repeat(s, 2), columns.ravel())), shape=(S, S))


@pytest.mark.parametrize("law", [ring, resets])
@pytest.mark.parametrize("gamma", [0.0, 0.9, 0.999])
def test_both_orderings_solve(law: object, gamma: float) -> None:
    P = law(700)  # type: ignore[operator]
    rhs = np.random.default_rng(0).normal(size=(700, 3))
    lu = factorise(P, gamma)
    np.testing.assert_allclose(lu.solve(rhs), np.linalg.solve(np.eye(700) - gamma * P.toarray(), rhs), atol=1e-9)
    transposed = np.linalg.solve((np.eye(700) - gamma * P.toarray()).T, rhs)
    np.testing.assert_allclose(lu.solve(rhs, "T"), transposed, atol=1e-8)


def test_local_transitions_fill_less_than_with_columns_alone() -> None:
    n = 40
    s = np.arange(n * n)
    i, j = np.divmod(s, n)
    ends = [np.clip(i + a, 0, n - 1) * n + np.clip(j + b, 0, n - 1) for a, b in ((0, 1), (1, 0), (0, -1), (-1, 0))]
    P = sp.csr_array((np.full(4 * n * n, 0.25), (np.tile(s, 4), np.concatenate(ends))), shape=(n * n, n * n))
    plain = splu(sp.csc_array(sp.eye_array(n * n) - 0.99 * P))
    assert factorise(P, 0.99).nnz < 0.8 * plain.nnz


def scattered(S: int) -> sp.csr_array:
    """Each state leads to five others anywhere."""
    rng = np.random.default_rng(0)
    P = sp.csr_array((rng.random(5 * S), (np.repeat(np.arange(S), 5), rng.integers(S, size=5 * S))), shape=(S, S))
    return sp.csr_array(sp.diags_array(1.0 / P.sum(axis=1)) @ P)


def test_structure_decides_how_to_eliminate_and_not_size() -> None:
    assert fills_up(scattered(700))
    assert not fills_up(ring(700)) and not fills_up(resets(700))
    assert fills_up(ring(200))  # so small that dense is quick
    assert not fills_up(ring(7_000))


def test_the_dense_way_beyond_its_bound_agrees_with_the_sparse_one() -> None:
    P, rng = scattered(700), np.random.default_rng(1)
    m = TabularCMDP(P=P, r=rng.normal(size=(700, 1)), gamma=0.95, rho=np.full(700, 1 / 700))
    assert m.dense_elimination
    V = evaluate(m, np.ones((700, 1))).V[0]
    np.testing.assert_allclose(V, factorise(P, 0.95).solve(0.05 * m.r[:, 0]), rtol=1e-10)
