"""Bad input is refused with a sentence that names the state; kinds, devices and precisions are kept apart."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from zoo_successor.exact import representations as exact

CYCLE = np.roll(np.eye(4), 1, axis=1)


def changed(s, t, x):
    P = CYCLE.copy()
    P[s, t] = x
    return P


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, torch.as_tensor])
@pytest.mark.parametrize(
    ("P", "message"),
    [
        (changed(2, 0, 0.1), r"row of state 2 sums to 1.1: expected probabilities that sum to at most 1"),
        (changed(1, 3, -0.1), r"row of state 1 has a negative or NaN entry"),
        (changed(3, 2, np.nan), r"row of state 3 has a negative or NaN entry"),
        (changed(0, 2, np.inf), r"row of state 0 sums to inf"),
        (np.ones((2, 3)), r"shape \(2, 3\): expected \[n, n\]"),
        (np.ones((0, 0)), r"at least one state"),
    ],
)
def test_rows_that_are_no_laws(kind, P, message):
    with pytest.raises(ValueError, match=message):
        exact.successor(kind(P), 0.9)
    with pytest.raises(ValueError, match=message):
        exact.Factorisation(kind(P), 0.9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: exact.successor(CYCLE, 1.1), r"gamma = 1.1: expected a number in \[0, 1\]"),
        (lambda: exact.successor(CYCLE, -0.1), r"gamma = -0.1"),
        (lambda: exact.successor(CYCLE, float("nan")), r"gamma = nan"),
        (lambda: exact.successor(CYCLE, 0.9, [3]), r"terminal is int64\[1\]: expected a mask, bool\[4\]"),
        (lambda: exact.diminishing(CYCLE, 0.9, 1.5), r"lam is 1.5: .* allow_growth=True"),
        (lambda: exact.diminishing(CYCLE, 0.9, [0, 0.5, -1, 0]), r"lam of state 2 is -1"),
        (lambda: exact.diminishing(CYCLE, 0.9, -0.5, allow_growth=True), r"lam is -0.5: expected a number at least 0"),
        (lambda: exact.diminishing(CYCLE, 0.9, float("nan")), r"lam is nan"),
        (lambda: exact.diminishing(CYCLE, 0.9, [0.5, 0.5]), r"lam has shape \(2,\): expected one number, or one for"),
        (lambda: exact.diminishing(CYCLE, 0.9, [[0.5], [0.1]]), r"lam has shape \(2, 1\)"),
        (
            lambda: exact.diminishing(CYCLE, 0.9, [1, 1, 1.6, 1], allow_growth=True),
            r"lam of state 2 is 1.6: its sum diverges, expected below 1.52416",
        ),
        (
            lambda: exact.columns(CYCLE, 0.9, [3], lam=lambda states: states),
            r"lam of state 2 is 2: expected a number in \[0, 1\]",
        ),
        (lambda: exact.Factorisation(CYCLE, 0.9).columns([1, 4]), r"goals names state 4: expected 0 to 3"),
        (lambda: exact.Factorisation(CYCLE, 0.9).columns([-1]), r"goals names state -1"),
        (lambda: exact.Factorisation(CYCLE, 0.9).columns([0.5]), r"goals is float64\[1\]: expected a list of state"),
        (
            lambda: exact.Factorisation(CYCLE, 0.9).columns([0, 3], [1, 1, 1, 2], allow_growth=True),
            r"lam of state 3 is 2: its sum diverges",
        ),
        (
            lambda: exact.Factorisation(CYCLE, 0.9).value([0, 0, 1, 0], 1.7, allow_growth=True),
            r"lam of state 2 is 1.7: its sum diverges",
        ),
        (lambda: exact.value(CYCLE, 0.9, np.ones(3)), r"reward has shape \(3,\): expected one number for each of 4"),
        (lambda: exact.value(CYCLE, 0.9, [0, np.nan, 0, 0]), r"reward\[1\] is nan: expected finite numbers"),
        (lambda: exact.utility(CYCLE, 0.9, np.ones((3, 2))), r"utilities has shape \(3, 2\): expected \[K\], or"),
        (lambda: exact.utility(CYCLE, 0.9, [1, np.inf]), r"utilities\[1\] is inf"),
        (lambda: exact.features(CYCLE, np.ones((4, 2)) * 1.2, 0.9), r"phi of state 0, feature 0 is 1.2"),
        (lambda: exact.features(CYCLE, np.ones(4), 0.9), r"phi has shape \(4,\): expected \[n, D\]"),
        (lambda: exact.features(CYCLE, np.ones((4, 2)), 0.9, [0, 2]), r"lam of feature 1 is 2"),
        (
            lambda: exact.state_action(CYCLE[:, None], np.ones((4, 2)) / 2, 0.9),
            r"P has shape \(4, 1, 4\): expected \(4, 2, 4\)",
        ),
        (
            lambda: exact.state_action(np.stack([CYCLE, 2 * CYCLE], axis=1), np.ones((4, 2)) / 2, 0.9),
            r"P: the row of state 0, action 1 sums to 2",
        ),
        (
            lambda: exact.state_action(sp.csr_array(np.diag([1.0, 1, 1, 3]).repeat(2, 0)), np.ones((4, 2)) / 2, 0.9),
            r"P: the row of state 3, action 0 sums to 3",
        ),
        (lambda: exact.policy_chain(CYCLE[:, None], np.full((4, 1), 0.5)), r"pi: the row of state 0 sums to less"),
        (lambda: exact.successor(CYCLE * 1j, 0.9), r"dtype complex128: expected real numbers"),
    ],
)
def test_arguments_out_of_range(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_growth_is_allowed_below_its_bound():
    d = exact.successor(CYCLE, 0.9).diagonal()[0]
    assert exact.diminishing(CYCLE, 0.9, 1.5, allow_growth=True)[0, 0] == pytest.approx(d / (1.5 - 0.5 * d))


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, torch.as_tensor])
def test_gamma_one_names_a_recurrent_class(kind):
    P = np.zeros((5, 5))
    P[0, [0, 1]] = 0.5
    P[1, [2, 4]] = 0.5
    P[2, 3] = P[3, 2] = 1
    with pytest.raises(exact.SingularRepresentationError, match=r"recurrent class of 2 state\(s\) 2, 3") as caught:
        exact.successor(kind(P), 1.0)
    np.testing.assert_array_equal(caught.value.states, [2, 3])
    with pytest.raises(exact.SingularRepresentationError):
        exact.Factorisation(kind(P), 1)
    open_again = exact.diagonal(exact.successor(kind(P), 1.0, np.arange(5) == 3), 1.0)
    np.testing.assert_allclose(open_again, [2, 1, 1, 1, 1])


def test_long_classes_are_not_listed_whole():
    with pytest.raises(exact.SingularRepresentationError, match=r"30 state\(s\) 0, 1, 2, 3, 4, 5, 6, 7, \.\.\. is"):
        exact.successor(np.roll(np.eye(30), 1, axis=1), 1.0)


def test_what_comes_in_is_what_comes_out():
    lam = np.array([0.1, 0.5, 1.0, 0.0])
    table = exact.diminishing(CYCLE, 0.9, lam)
    sparse = exact.diminishing(sp.csc_array(CYCLE), 0.9, lam)
    tensor = exact.diminishing(torch.as_tensor(CYCLE), 0.9, torch.as_tensor(lam))
    compressed = exact.diminishing(torch.as_tensor(CYCLE).to_sparse(), 0.9, torch.as_tensor(lam))
    assert isinstance(sparse, sp.csr_array)
    assert tensor.dtype == torch.float64
    for other in (sparse.toarray(), tensor.numpy(), compressed.numpy()):
        np.testing.assert_allclose(other, table, rtol=1e-13)
    factorisation = exact.Factorisation(torch.as_tensor(CYCLE), 0.9)
    np.testing.assert_allclose(factorisation.columns(torch.tensor([2, 0]), 0.5), exact.columns(CYCLE, 0.9, [2, 0], 0.5))
    value = factorisation.value(torch.arange(4.0, dtype=torch.float64), torch.as_tensor(lam))
    np.testing.assert_allclose(value.numpy(), table @ np.arange(4.0), rtol=1e-13)
    phi = torch.eye(4, dtype=torch.float64)
    np.testing.assert_allclose(
        exact.features(torch.as_tensor(CYCLE), phi, 0.9, torch.as_tensor(lam)), table, rtol=1e-13
    )
    kernel, pi = torch.as_tensor(CYCLE)[:, None].repeat(1, 2, 1), torch.full((4, 2), 0.5, dtype=torch.float64)
    both = exact.state_action(kernel, pi, 0.9, torch.as_tensor(lam))
    np.testing.assert_allclose(both.mean(1).numpy(), table, rtol=1e-13)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_single_precision_comes_in_and_double_goes_out(kind):
    P = kind(np.full((2, 2), 0.5, dtype=np.float32))
    M = exact.successor(P, 0.75)
    assert str(M.dtype).endswith("float64")
    np.testing.assert_allclose(np.asarray(M), [[2.5, 1.5], [1.5, 2.5]], rtol=1e-14)
    assert str(P.dtype).endswith("float32")


def test_the_input_is_left_as_it_was():
    for P in (CYCLE.copy(), sp.csr_array(CYCLE), torch.as_tensor(CYCLE.copy())):
        exact.diminishing(P, 0.9, 0.5, np.arange(4) == 1)
        exact.value(P, 0.9, torch.ones(4, dtype=torch.float64) if torch.is_tensor(P) else np.ones(4), 0.5)
        kept = P.toarray() if sp.issparse(P) else np.asarray(P)
        np.testing.assert_array_equal(kept, CYCLE)


def test_gradients_pass_through_torch():
    P = torch.full((3, 3), 0.3, dtype=torch.float64, requires_grad=True)
    lam = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda P, lam: exact.diminishing(P, 0.8, lam), (P, lam))


@pytest.mark.parametrize(
    ("build", "what"),
    [
        (lambda: exact.value(torch.as_tensor(CYCLE), 0.9, np.ones(4)), "libraries"),
        (lambda: exact.diminishing(CYCLE, 0.9, torch.ones(4)), "libraries"),
        (lambda: exact.value(CYCLE, 0.9, np.ones(4, dtype=np.float32)), "precisions"),
        (lambda: exact.diminishing(torch.as_tensor(CYCLE), 0.9, torch.ones(4)), "precisions"),
        (lambda: exact.diminishing(torch.as_tensor(CYCLE), 0.9, torch.ones(4, device="meta").double()), "devices"),
        (lambda: exact.features(sp.csr_array(CYCLE), torch.eye(4), 0.9), "libraries"),
        (lambda: exact.policy_chain(CYCLE[:, None], np.ones((4, 1), dtype=np.float32)), "precisions"),
    ],
)
def test_mixtures_are_refused(build, what):
    with pytest.raises(ValueError, match=rf"different {what} .*: expected one, convert them first"):
        build()


def test_whole_numbers_go_with_any_precision():
    assert exact.value(CYCLE, 0.5, [0, 0, 1, 0], 1)[0] == pytest.approx(0.25 / (1 - 0.5**4))
    assert exact.successor(CYCLE.astype(int), 0.5)[0, 2] == pytest.approx(0.25 / (1 - 0.5**4))
