"""Kernels as callers have them: precisions, containers, layouts, ends of episodes, rewards of transitions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from zoo.tabular import InvalidCMDPError, TabularCMDP, evaluate, solve_lp

R = np.random.default_rng(0)
S, A = 5, 2
P, r, rho = R.dirichlet(np.ones(S), (S, A)), R.random((S, A)), np.full(S, 1 / S)


def made(kernel: Any, **more: Any) -> TabularCMDP:
    return TabularCMDP(kernel, more.pop("r", r), 0.9, more.pop("rho", rho), **more)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_precision_that_came_in_is_what_rows_are_held_to(dtype: type, kind: str) -> None:
    for seed in range(20):
        coarse = np.random.default_rng(seed).dirichlet(np.ones(50), (50, 2)).astype(dtype)
        if kind == "sparse" and dtype == np.float16:
            continue  # scipy.sparse has no such matrices
        given = coarse if kind == "dense" else sp.csr_array(coarse.reshape(100, 50))
        m = TabularCMDP(given, np.zeros((50, 2)), 0.9, np.full(50, 1 / 50, dtype=dtype))
        assert m.kernel.dtype == np.float64
        np.testing.assert_allclose(np.asarray(m.kernel.sum(axis=1)), 1.0, atol=1e-14)
        assert m.rho.sum() == pytest.approx(1.0, abs=1e-14)
        np.testing.assert_allclose(m.kernel.toarray(), coarse.reshape(100, 50).astype(np.float64), rtol=2e-2)


def test_a_mistake_in_single_precision_is_still_one() -> None:
    wrong = P.astype(np.float32)
    wrong[1, 1, 0] += 1e-3
    with pytest.raises(InvalidCMDPError, match=r"P\[1, 1\] sums to 1.001"):
        made(wrong)
    wrong = P.copy()
    wrong[1, 1, 0] += 1e-7
    with pytest.raises(InvalidCMDPError, match=r"P\[1, 1\] sums to 1.0000001"):
        made(wrong)


def test_policies_in_single_precision_are_policies() -> None:
    m = made(P)
    pi = R.dirichlet(np.ones(A), S)
    assert evaluate(m, pi.astype(np.float32)).J_r == pytest.approx(evaluate(m, pi).J_r, abs=1e-6)
    assert evaluate(m, pi.astype(np.float16)).policy.sum(axis=1) == pytest.approx(np.ones(S), abs=1e-14)


def refused(change: dict[str, Any]) -> str:
    given: dict[str, Any] = {"P": P, "r": r, "gamma": 0.9, "rho": rho}
    with pytest.raises(InvalidCMDPError) as raised:
        TabularCMDP(**{**given, **change})
    assert raised.value.message.endswith(".") and not raised.value.message.endswith("..")
    assert len(raised.value.message) < 400
    return raised.value.message


@pytest.mark.parametrize("value", ["0.9", b"0.9", "x" * 9000, None, True, 1.0, -0.1, np.nan, [0.9, 0.8], 1j])
def test_a_discount_that_is_none_is_shown(value: Any) -> None:
    message = refused({"gamma": value})
    assert message.startswith("gamma = ") and "expected a number in [0, 1)" in message
    assert ("is text" in message) == isinstance(value, (str, bytes))


MATRIX = sp.csr_array(np.full((S, S), 1 / S))
LISTS: dict[str, tuple[dict[str, Any], str]] = {
    "one too many": ({"P": [MATRIX] * 3}, "P is a list of 3 matrices of shape (5, 5): expected one of (5, 5) for each"),
    "two shapes": ({"P": [MATRIX, MATRIX[:2]]}, "of shape (2, 5) and (5, 5): expected one of (5, 5)"),
    "r": ({"r": [MATRIX] * A}, "r is a list that holds sparse matrices, of shape (5, 5): expected an array"),
    "c": ({"c": [sp.csr_array(r)], "b": [1.0], "senses": ("<=",)}, "c is a list that holds sparse matrices"),
    "rho": ({"rho": [sp.csr_array(rho[None])]}, "rho is a list that holds sparse matrices"),
    "objects": ({"P": object()}, "P is not an array of real numbers"),
    "text": ({"r": [["a", "b"]] * S}, "r is not an array of real numbers"),
    "ragged": ({"r": [[1.0, 2.0], [3.0]]}, "r is not an array of real numbers"),
}


@pytest.mark.parametrize("what", LISTS)
def test_containers_that_are_no_array_are_named(what: str) -> None:
    change, words = LISTS[what]
    assert words in refused(change)


@pytest.mark.parametrize("name", ["P", "r", "rho", "c", "b"])
def test_a_tensor_with_grad_is_refused_with_the_way_out(name: str) -> None:
    torch = pytest.importorskip("torch")
    value = {"P": P, "r": r, "rho": rho, "c": r[None], "b": np.ones(1)}[name]
    more = {"c": r[None], "b": np.ones(1), "senses": ("<=",)}
    with pytest.raises(InvalidCMDPError, match=f"{name} is not an array of real numbers: .*grad") as raised:
        made(**{"kernel": P, **more, "kernel" if name == "P" else name: torch.tensor(value, requires_grad=True)})
    assert f"{name}.detach()" in raised.value.hint
    assert made(**{"kernel": P, **more, "kernel" if name == "P" else name: torch.tensor(value)}) is not None


@pytest.mark.parametrize("kind", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
def test_every_sparse_container_is_read(kind: str) -> None:
    flat = P.reshape(-1, S)
    np.testing.assert_array_equal(made(getattr(sp, f"{kind}_array")(flat)).kernel.toarray(), flat)
    each = [getattr(sp, f"{kind}_array")(P[:, a]) for a in range(A)]
    np.testing.assert_array_equal(made(each).kernel.toarray(), flat)


@pytest.mark.parametrize("given", [P.tolist(), P.reshape(-1, S), [P[:, a] for a in range(A)], tuple(P)])
def test_lists_and_flat_arrays_are_read(given: Any) -> None:
    np.testing.assert_array_equal(made(given).kernel.toarray(), P.reshape(-1, S))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.moveaxis(P, 1, 0), r"the layout \[A, S, S'\]: expected \[S, A, S'\], \(5, 2, 5\)"),
        (np.moveaxis(P, 1, 2), r"the layout \[S, S', A\]: expected \[S, A, S'\]"),
        ([P[:, 0], P[:3, 1]], "P is not an array of real numbers"),
        ([P[:, 0]] * 3, r"P has shape \(3, 5, 5\): expected \(5, 2, 5\)"),
    ],
)
def test_other_layouts_are_named(given: Any, message: str) -> None:
    with pytest.raises(InvalidCMDPError, match=message):
        made(given)


def test_a_list_that_may_be_of_states_or_of_actions_is_not_guessed_at() -> None:
    square = R.dirichlet(np.ones(2), (2, 2))
    with pytest.raises(InvalidCMDPError, match="one for each action or one for each state") as caught:
        TabularCMDP(list(square), np.zeros((2, 2)), 0.9, [0.5, 0.5])
    assert "axis=1" in caught.value.hint
    assert TabularCMDP(square.tolist(), np.zeros((2, 2)), 0.9, [0.5, 0.5]).P[0, 1, 0] == square[0, 1, 0]


@pytest.mark.parametrize("sparse", [False, True])
def test_a_state_without_successor_ends_the_episode(sparse: bool) -> None:
    empty, paid = P.copy(), r.copy()
    empty[3] = 0.0
    paid[3] = 0.0
    given: Any = sp.csr_array(empty.reshape(-1, S)) if sparse else empty
    loops = empty.copy()
    loops[3, :, 3] = 1.0
    mask = np.arange(S) == 3
    for m in (made(given, r=paid), made(given, r=paid, terminal=mask), made(loops, r=paid, terminal=mask)):
        assert m.terminal.tolist() == mask.tolist()
        np.testing.assert_array_equal(m.kernel.toarray(), loops.reshape(-1, S))
    with pytest.raises(InvalidCMDPError, match="state 3 is terminal and, under action 0, has reward"):
        made(given)
    half = P.copy()
    half[3, 1] = 0.0
    with pytest.raises(InvalidCMDPError, match=r"P\[3, 1\] sums to 0"):
        made(half)


@pytest.mark.parametrize("sparse", [False, True])
def test_rewards_and_signals_of_transitions_are_averaged(sparse: bool) -> None:
    each, signals = R.random((S, A, S)), R.random((2, S, A, S))
    given: Any = sp.csr_array(P.reshape(-1, S)) if sparse else P
    limits = {"b": [1.0, 1.0], "senses": ("<=", "<=")}
    m = made(given, r=each, c=signals, **limits)
    np.testing.assert_allclose(m.r, (P * each).sum(axis=2))
    np.testing.assert_allclose(m.c, (P * signals).sum(axis=3))
    assert solve_lp(m).value == pytest.approx(solve_lp(made(P, r=m.r, c=m.c, **limits)).value, abs=1e-9)
    from_attributes = TabularCMDP.from_model(SimpleNamespace(P=given, r=each, gamma=0.9, rho=rho))
    np.testing.assert_array_equal(from_attributes.r, m.r)
    if sparse:
        np.testing.assert_allclose(made(given, r=sp.csr_array(each.reshape(-1, S))).r, m.r)
    with pytest.raises(InvalidCMDPError, match=r"r has shape \(5, 2, 4\): expected \[S, A\] or, for each successor"):
        made(given, r=each[..., :4])
    with pytest.raises(InvalidCMDPError, match=r"r\[0, 0\] = nan"):
        made(given, r=np.full((S, A, S), np.nan))
