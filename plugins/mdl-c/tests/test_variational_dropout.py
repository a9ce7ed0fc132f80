"""The layer against numerical integration, finite differences and Monte Carlo, and its use: what it prunes."""

from __future__ import annotations

import doctest
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from torch.nn import functional
from zoo_mdl_c import VariationalDropoutLinear, variational_dropout
from zoo_mdl_c.description_length import CLIP, K1, THRESHOLD, kl_gradients, kl_per_weight, log_alpha


def exact_kl(alpha: float) -> float:
    """KL(N(mu, alpha mu^2) || log-uniform) up to a constant: -log(alpha) / 2 + E log|1 + sqrt(alpha) e|, e normal."""
    root = math.sqrt(alpha)

    def integrand(e: float) -> float:
        return math.exp(-e * e / 2) / math.sqrt(2 * math.pi) * math.log(abs(1 + root * e) + 1e-300)

    zero = -1 / root
    parts = sorted({-12.0, 12.0, *([zero] if abs(zero) < 12 else [])})
    total = sum(quad(integrand, a, b, limit=200)[0] for a, b in itertools.pairwise(parts))
    return total - 0.5 * math.log(alpha)


def test_kl_is_the_integral_up_to_a_constant() -> None:
    grid = np.linspace(-6, 8, 15)
    exact = np.array([exact_kl(math.exp(a)) for a in grid])
    ours = kl_per_weight(grid)
    # The constant: the divergence tends to 0 with all noise, where the integral tends to (-log 2 - gamma) / 2.
    limit = 0.5 * (-math.log(2) - np.euler_gamma)
    # Molchanov et al. fit the curve by hand; its error is below 2 % of k1 everywhere.
    assert np.abs(ours - (exact - limit)).max() < 0.02 * K1


@given(st.lists(st.floats(-CLIP, CLIP), min_size=2, max_size=9))
def test_kl_is_positive_and_decreasing(alphas: list[float]) -> None:
    values = kl_per_weight(np.array(sorted(alphas)))
    assert (values >= -1e-12).all()
    assert (np.diff(values) <= 1e-12).all()


def test_derivatives_are_those_of_autograd_and_of_finite_differences() -> None:
    rng = np.random.default_rng(0)
    mu, log_sigma = rng.normal(size=40), rng.normal(size=40) - 2
    by_mu, by_log_sigma = kl_gradients(mu, log_sigma)
    tensors = [torch.tensor(x, requires_grad=True) for x in (mu, log_sigma)]
    kl_per_weight(log_alpha(*tensors)).sum().backward()
    np.testing.assert_allclose(by_mu, tensors[0].grad, rtol=1e-9)
    np.testing.assert_allclose(by_log_sigma, tensors[1].grad, rtol=1e-9)
    h = 1e-6
    up, down = (kl_per_weight(log_alpha(mu, log_sigma + sign * h)) for sign in (1, -1))
    np.testing.assert_allclose(by_log_sigma, (up - down) / (2 * h), rtol=1e-4)


@pytest.mark.parametrize("noise", ["local", "shared"])
def test_outputs_have_the_moments_of_the_random_weights(noise: str) -> None:
    layer = VariationalDropoutLinear(5, 3, noise=noise, log_sigma_init=-0.7, generator=torch.Generator().manual_seed(0))
    x = torch.randn(2, 5, generator=torch.Generator().manual_seed(1))
    draws = []
    for _ in range(4000):
        if noise == "shared":
            layer.sample_weights()
        draws.append(layer(x).detach())
    drawn = torch.stack(draws).double()
    mean = functional.linear(x, layer.mu, layer.bias).detach().double()
    variance = functional.linear(x * x, (2 * layer.log_sigma).exp()).detach().double()
    error = (variance / len(draws)).sqrt()
    assert ((drawn.mean(0) - mean).abs() < 5 * error).all()
    assert ((drawn.var(0) / variance - 1).abs() < 5 * math.sqrt(2 / len(draws))).all()
    # Local noise is independent between samples; one draw of the weights is not.
    correlation = torch.corrcoef(drawn[:, :, 0].T)[0, 1].abs()
    expected = (x[0] * x[1]).sum() / (x.norm(dim=1).prod())
    bound = 5 / math.sqrt(len(draws))
    assert correlation < bound if noise == "local" else (correlation - expected.abs()).abs() < bound


def test_shared_noise_stays_until_it_is_drawn_anew() -> None:
    layer = VariationalDropoutLinear(4, 2, noise="shared", log_sigma_init=0.0)
    x = torch.ones(1, 4)
    first = layer(x)
    assert torch.equal(first, layer(x))
    layer.sample_weights()
    assert not torch.equal(first, layer(x))


def test_kl_is_of_the_present_weights() -> None:
    layer = VariationalDropoutLinear(4, 2)
    layer(torch.ones(1, 4))
    before = layer.kl()
    with torch.no_grad():
        layer.log_sigma += 4.0
    assert layer.kl() < before
    torch.testing.assert_close(layer.kl(), kl_per_weight(layer.log_alpha()).sum())


def test_evaluation_leaves_out_what_is_pruned_and_reports_say_so() -> None:
    layer = VariationalDropoutLinear(4, 2)
    assert layer.sparsity() <= 0.02
    with torch.no_grad():
        layer.log_sigma[:, :3] = layer.mu[:, :3].abs().log() + THRESHOLD / 2 + 0.01
        layer.log_sigma[:, 3] = layer.mu[:, 3].abs().log() + THRESHOLD / 2 - 0.01
    assert layer.sparsity() == 0.75
    report = layer.prune_report({"gone": slice(0, 3), "left": slice(3, 4), "none": slice(4, 4)})
    assert [(group["weights"], group["pruned"]) for group in report.values()] == [(6, 1.0), (2, 0.0), (0, 0.0)]
    assert math.isclose(report["left"]["mean_abs_mu"], float(layer.mu.detach()[:, 3].abs().mean()), rel_tol=1e-6)
    layer.eval()
    x = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    torch.testing.assert_close(layer(x), 4 * layer.mu[:, 3][None] + layer.bias)


def test_zero_means_start_pruned() -> None:
    layer = VariationalDropoutLinear(4, 2)
    with torch.no_grad():
        layer.mu.zero_()
    assert layer.sparsity() == 1.0


def test_unknown_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="noise is 'loud': expected 'local' or 'shared'"):
        VariationalDropoutLinear(2, 2, noise="loud")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sizes", "name"), [((0, 2), "in_features"), ((-3, 2), "in_features"), ((2, -1), "out_features")]
)
def test_sizes_that_cannot_be_are_refused(sizes: tuple[int, int], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is {min(sizes)}: expected an integer of at least 1"):
        VariationalDropoutLinear(*sizes)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "groups is empty: expected at least one, or None for all inputs"),
        ({"far": slice(2, 5)}, r"group 'far' is slice\(2, 5, None\): expected bounds within the 4 inputs"),
        ({"far": slice(-5, 2)}, r"group 'far' is slice\(-5, 2, None\): expected bounds within the 4 inputs"),
        ({"one": 1}, "group 'one' is 1: expected a slice"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: dict[str, slice], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VariationalDropoutLinear(4, 2).prune_report(groups)


def test_bounds_of_groups_may_count_from_the_end() -> None:
    report = VariationalDropoutLinear(4, 2).prune_report({"last": slice(-1, None), "all": slice(-4, 4)})
    assert [group["weights"] for group in report.values()] == [2, 8]


def test_selectivity() -> None:
    """24 inputs of +-1 of which 4 matter: what does not matter is pruned, and what does is not."""
    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.choice([-1.0, 1.0], (4000, 24)).astype(np.float32))
    truth = torch.from_numpy(1.5 * rng.normal(size=(4, 4)).astype(np.float32))
    target = functional.log_softmax(inputs[:, :4] @ truth.T, dim=-1)
    layer = VariationalDropoutLinear(24, 4, generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.02)

    def kl(rows: torch.Tensor) -> torch.Tensor:
        return functional.kl_div(
            functional.log_softmax(layer(inputs[rows]), -1), target[rows], log_target=True, reduction="batchmean"
        )

    for step in range(1500):
        optimiser.zero_grad()
        rows = torch.from_numpy(rng.integers(0, len(inputs), 256))
        (kl(rows) + 1e-3 * min(step / 100, 1.0) * layer.kl()).backward()
        optimiser.step()
    report = layer.prune_report({"relevant": slice(0, 4), "irrelevant": slice(4, 24)})
    assert report["irrelevant"]["pruned"] >= 0.90
    assert report["relevant"]["pruned"] <= 0.60
    layer.eval()
    assert float(kl(torch.arange(4000)).detach()) <= 0.01


def test_the_example_in_the_docstring_is_true() -> None:
    found = doctest.testmod(variational_dropout)
    assert found.attempted > 5
    assert not found.failed
