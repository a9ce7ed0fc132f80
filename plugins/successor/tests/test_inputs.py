"""Chains and kernels in any container, layout and precision; one convention for the ends of episodes."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from zoo_successor.exact import representations as exact

from zoo.tabular import TabularCMDP, policy_values

R = np.random.default_rng(0)
N, A = 5, 2
P, PI = R.dirichlet(np.ones(N), (N, A)), R.dirichlet(np.ones(A), N)
CHAIN = np.einsum("sa,sat->st", PI, P)
KINDS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


@pytest.mark.parametrize("form", ["array", "matrix"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_sparse_container_is_a_chain(kind, form):
    inputs = getattr(sp, f"{kind}_{form}")(CHAIN)
    table = exact.successor(CHAIN, 0.9)
    np.testing.assert_allclose(exact.successor(inputs, 0.9).toarray(), table, rtol=1e-12)
    np.testing.assert_allclose(exact.columns(inputs, 0.9, [1]), table[:, [1]], rtol=1e-12)
    kernel = getattr(sp, f"{kind}_{form}")(P.reshape(-1, N))
    np.testing.assert_allclose(exact.policy_chain(kernel, PI).toarray(), CHAIN, rtol=1e-12)
    each = [getattr(sp, f"{kind}_{form}")(P[:, a]) for a in range(A)]
    np.testing.assert_allclose(exact.policy_chain(each, PI).toarray(), CHAIN, rtol=1e-12)


def test_lists_are_chains_and_kernels():
    np.testing.assert_allclose(exact.successor(CHAIN.tolist(), 0.9), exact.successor(CHAIN, 0.9))
    for inputs in (P.tolist(), [P[:, 0], P[:, 1]], tuple(P)):
        np.testing.assert_allclose(exact.state_action(inputs, PI, 0.9, 0.5), exact.state_action(P, PI, 0.9, 0.5))
        np.testing.assert_allclose(exact.backup(inputs, CHAIN, 0.9), exact.backup(P, CHAIN, 0.9))
    tensors = [torch.as_tensor(P[:, a]) for a in range(A)]
    np.testing.assert_allclose(exact.policy_chain(tensors, torch.as_tensor(PI)).numpy(), CHAIN)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: exact.policy_chain(np.moveaxis(P, 1, 0), PI),
            r"layout \[A, n, n\] with one matrix for each action: exp",
        ),
        (lambda: exact.policy_chain(np.moveaxis(P, 1, 2), PI), r"layout \[n, n, A\] with the actions last: expected"),
        (lambda: exact.backup(np.moveaxis(P, 1, 0), CHAIN, 0.9), r"layout \[A, n, n\] .* expected \(5, A, 5\)"),
        (
            lambda: exact.policy_chain(list(R.random((2, 2, 2))), np.ones((2, 2)) / 2),
            "for each action or one for each st",
        ),
        (
            lambda: exact.successor([[0.5, 0.5], [1.0]], 0.9),
            "P_pi is not an array of numbers: expected equally long rows",
        ),
        (lambda: exact.successor([["a", "b"], ["c", "d"]], 0.9), "P_pi has dtype <U1: expected real numbers"),
    ],
)
def test_other_layouts_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("kind", ["softmax", "sums", "sparse", "half", "bfloat16"])
def test_chains_in_single_precision_are_chains(kind):
    for seed in range(12):
        torch.manual_seed(seed)
        coarse = torch.softmax(torch.randn(10, 10), -1)
        if kind in ("half", "bfloat16"):
            coarse = torch.softmax(torch.randn(10, 10), -1, dtype=getattr(torch, kind if kind != "half" else "float16"))
        whole = coarse.double() / coarse.double().sum(-1, keepdim=True)
        inputs = coarse
        if kind in ("sums", "sparse"):
            numbers = np.random.default_rng(seed).random((10, 10), dtype=np.float32)
            inputs = numbers / numbers.sum(axis=1, keepdims=True)
            whole = torch.as_tensor(inputs.astype(np.float64) / inputs.astype(np.float64).sum(axis=1, keepdims=True))
            inputs = sp.csr_array(inputs) if kind == "sparse" else inputs
        table = exact.successor(inputs, 0.99)
        table = table.toarray() if kind == "sparse" else np.asarray(table)
        assert table.dtype == np.float64
        np.testing.assert_allclose(table, exact.successor(whole.numpy(), 0.99), rtol=1e-9)
        with pytest.raises(exact.SingularRepresentationError):
            exact.successor(inputs, 1.0)


def test_a_mistake_in_single_precision_is_still_one():
    wrong = CHAIN.astype(np.float32)
    wrong[2, 0] += 1e-3
    with pytest.raises(ValueError, match=r"row of state 2 sums to 1\.001"):
        exact.successor(wrong, 0.9)


def test_kernels_and_policies_in_single_precision_go_together():
    kernel, pi = P.astype(np.float32), PI.astype(np.float32)
    np.testing.assert_allclose(exact.state_action(kernel, pi, 0.9), exact.state_action(P, PI, 0.9), rtol=1e-5)
    np.testing.assert_allclose(exact.policy_chain(kernel, pi).sum(axis=1), 1.0, atol=1e-14)


def test_an_end_is_an_end_in_tables_and_in_processes():
    """A state without successor, one in the mask, or both: the same table, and the same process."""
    mask, empty, loops = np.arange(N) == 4, P.copy(), P.copy()
    empty[4], loops[4] = 0.0, 0.0
    loops[4, :, 4] = 1.0
    paid = R.random((N, A)) * ~mask[:, None]
    tables, values = [], []
    for kernel, terminal in ((empty, None), (empty, mask), (loops, mask)):
        tables.append(exact.state_action(kernel, PI, 0.9, terminal=terminal))
        ends = {} if terminal is None else {"terminal": terminal}
        m = TabularCMDP(kernel, paid, 0.9, np.full(N, 1 / N), **ends)
        tables.append(exact.state_action(m.P, PI, 0.9, terminal=m.terminal))
        values.append(policy_values(m, PI, m.r) / (1 - 0.9))
        # What a policy earns is what its successor representation says that it visits.
        M = exact.successor(exact.policy_chain(m.P, PI), 0.9, m.terminal)
        np.testing.assert_allclose(M @ (paid * PI).sum(axis=1), values[-1], rtol=1e-10)
    for table in tables[1:]:
        np.testing.assert_allclose(table, tables[0], rtol=1e-12)
    for value in values[1:]:
        np.testing.assert_allclose(value, values[0], rtol=1e-12)
