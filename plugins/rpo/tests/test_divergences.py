"""KL, TV and entropy: closed forms, numerical integration, torch, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from zoo_rpo.distributions import FLOOR, Categorical, DiagonalGaussian
from zoo_rpo.divergences import entropy, kl, tv


def distributions(A: int = 4) -> st.SearchStrategy[np.ndarray]:
    weights = st.lists(st.floats(0, 1), min_size=A, max_size=A).filter(lambda w: sum(w) > 1e-3)
    return weights.map(lambda w: np.array(w) / np.sum(w))


@settings(max_examples=60, deadline=None)
@given(distributions(), distributions(), distributions())
def test_what_must_hold_of_any_three(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> None:
    assert kl(p, p) == pytest.approx(0, abs=1e-12)
    assert kl(p, q) >= -1e-12
    assert tv(p, q) == tv(q, p) and 0 <= tv(p, q) <= 1 + 1e-12
    assert tv(p, r) <= tv(p, q) + tv(q, r) + 1e-12
    assert kl(p, q) >= 2 * tv(p, q) ** 2 - 1e-9  # Pinsker
    assert -1e-12 <= entropy(p) <= math.log(4) + 1e-12
    assert entropy(p) + kl(p, np.full(4, 0.25)) == pytest.approx(math.log(4))
    # tv is the largest difference of the probabilities of an event
    events = [np.array([(i >> k) & 1 for k in range(4)]) for i in range(16)]
    assert tv(p, q) == pytest.approx(max(abs((p - q) @ event) for event in events))


def test_against_scipy_with_batch_axes(rng: np.random.Generator) -> None:
    p, q = rng.dirichlet(np.ones(5), (2, 1, 3)), rng.dirichlet(np.ones(5), (4, 1))
    from scipy import stats

    np.testing.assert_allclose(kl(p, q), stats.entropy(p, q, axis=-1), rtol=1e-10)
    np.testing.assert_allclose(entropy(p), stats.entropy(p, axis=-1), rtol=1e-12)


def test_zero_support() -> None:
    p, q = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.5, 0.5]])
    assert kl(p, q).tolist() == [math.inf, math.log(2)]
    assert tv([1.0, 0.0], [0.0, 1.0]) == 1.0
    assert entropy([0.0, 1.0]) == 0.0


def test_torch_gives_the_same(rng: np.random.Generator) -> None:
    p, q = rng.dirichlet(np.ones(3), 6), rng.dirichlet(np.ones(3), 6)
    p[0] = [0.0, 0.5, 0.5]
    for function in (kl, tv):
        found = function(torch.as_tensor(p), torch.as_tensor(q))
        np.testing.assert_allclose(found.numpy(), function(p, q), rtol=1e-12)
    np.testing.assert_allclose(entropy(torch.as_tensor(p)).numpy(), entropy(p), rtol=1e-12)


@pytest.mark.parametrize(
    ("p", "reason"),
    [
        ([0.5, 0.6], "differs from 1 by 0.1"),
        ([1.5, -0.5], "holds -0.5"),
        ([math.nan, 1.0], "holds a NaN"),
        (1.0, "expected probabilities along the last axis"),
        ([True, False], "holds bool: expected probabilities"),
        ([1j, 1 - 1j], "holds complex128: expected probabilities"),
    ],
)
def test_what_is_no_distribution_is_refused(p: object, reason: str) -> None:
    for call in (lambda: kl(p, [0.5, 0.5]), lambda: tv([0.5, 0.5], p), lambda: entropy(p)):
        with pytest.raises(ValueError, match=reason):
            call()
    assert kl([0.50004, 0.5], [0.5, 0.5]) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("function", [kl, tv])
@pytest.mark.parametrize(
    ("p", "q", "reason"),
    [
        ([1.0], [0.5, 0.5], r"p has shape \[1\] and q \[2\]: expected the same number of actions"),
        (
            np.full((2, 2), 0.5),
            np.full((3, 2), 0.5),
            r"p has shape \[2, 2\] and q \[3, 2\]: expected the same number of actions",
        ),
        (np.array([0.5, 0.5]), torch.tensor([0.5, 0.5]), "expected the same kind"),
    ],
)
def test_two_that_do_not_fit_are_refused(function: Any, p: object, q: object, reason: str) -> None:
    for one, other in ((p, q), (q, p)):
        with pytest.raises(ValueError, match=reason if one is p else "expected"):
            function(one, other)


@pytest.mark.filterwarnings("error")
def test_gradients_go_through_and_are_infinite_where_kl_is() -> None:
    p = torch.tensor([[0.3, 0.7], [0.5, 0.5], [1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([[0.6, 0.4], [1.0, 0.0], [0.5, 0.5]], dtype=torch.float64, requires_grad=True)
    found = kl(p, q)
    assert found.tolist() == pytest.approx([0.3 * math.log(0.5) + 0.7 * math.log(1.75), math.inf, math.log(2)])
    by_q = torch.autograd.grad(found.sum(), q)[0]
    assert by_q.flatten().tolist() == pytest.approx([-0.5, -1.75, -0.5, -math.inf, -2.0, 0.0])
    assert tv(p, q).tolist() == pytest.approx([0.3, 0.5, 0.5])


@pytest.mark.filterwarnings("error")
def test_results_are_of_one_kind_and_zero_has_no_sign() -> None:
    p, q = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert {type(kl(p, q)), type(tv(p, q)), type(entropy(p))} == {np.float64}
    assert math.copysign(1, entropy(p)) == 1 and kl(p, q) == math.inf
    assert kl(np.array([1, 0]), torch.tensor([1, 0]).numpy()) == 0 and float(kl(*2 * [torch.tensor([1, 0])])) == 0


def test_gaussians_against_numerical_integration() -> None:
    p = DiagonalGaussian(np.array([0.3, math.log(0.7)]))
    q = DiagonalGaussian(np.array([-0.5, math.log(1.4)]))

    def density(d: DiagonalGaussian, x: float) -> float:
        return math.exp(float(d.log_prob(np.array([x]))))

    def integral(f: object) -> float:
        return float(integrate.quad(f, -15, 15, limit=300)[0])

    assert integral(lambda x: density(p, x)) == pytest.approx(1)
    expected = integral(lambda x: density(p, x) * float(p.log_prob(np.array([x])) - q.log_prob(np.array([x]))))
    assert float(p.kl(q)) == pytest.approx(expected, rel=1e-8)
    expected = integral(lambda x: -density(p, x) * float(p.log_prob(np.array([x]))))
    assert float(p.entropy()) == pytest.approx(expected, rel=1e-8)


def test_gaussians_of_several_dimensions_against_torch(rng: np.random.Generator) -> None:
    a, b = rng.standard_normal((2, 5, 6))
    ours = DiagonalGaussian(a).kl(DiagonalGaussian(b))
    made = [
        torch.distributions.Independent(torch.distributions.Normal(t[:, :3], t[:, 3:].exp()), 1)
        for t in map(torch.as_tensor, (a, b))
    ]
    np.testing.assert_allclose(ours, torch.distributions.kl_divergence(*made).numpy(), rtol=1e-10)
    np.testing.assert_allclose(DiagonalGaussian(a).entropy(), made[0].entropy().numpy(), rtol=1e-10)


def test_categorical_agrees_with_the_exact_functions(rng: np.random.Generator) -> None:
    p, q = Categorical(rng.standard_normal((7, 3))), Categorical(rng.standard_normal((7, 3)))
    np.testing.assert_allclose(p.kl(q), kl(p.p, q.p), rtol=1e-10)
    np.testing.assert_allclose(p.entropy(), entropy(p.p), rtol=1e-10)
    assert Categorical.of(np.array([1.0, 0.0])).p[1] == pytest.approx(FLOOR, rel=1e-5)


@pytest.mark.parametrize("array", [np.asarray, torch.as_tensor])
def test_log_prob_uses_the_row_of_each_action(array: object, rng: np.random.Generator) -> None:
    logits, actions = rng.standard_normal((3, 4)), np.array([2, 0, 3])
    policy = Categorical(array(logits))  # type: ignore[operator]
    found = np.asarray(policy.log_prob(array(actions)))  # type: ignore[operator]
    by_hand = [logits[i, a] - math.log(np.exp(logits[i]).sum()) for i, a in enumerate(actions)]
    np.testing.assert_allclose(found, by_hand, rtol=1e-12)
    assert len(set(np.round(found, 9))) == 3


def test_samples_follow_the_probabilities(rng: np.random.Generator) -> None:
    policy = Categorical(np.log(np.tile([0.2, 0.5, 0.3], (20_000, 1))))
    share = np.bincount(policy.sample(rng), minlength=3) / 20_000
    np.testing.assert_allclose(share, [0.2, 0.5, 0.3], atol=6 * 0.5 / math.sqrt(20_000))
    drawn = DiagonalGaussian(np.tile([1.0, math.log(2.0)], (20_000, 1))).sample(rng)
    assert drawn.mean() == pytest.approx(1, abs=6 * 2 / math.sqrt(20_000))
    assert drawn.std() == pytest.approx(2, rel=0.05)
