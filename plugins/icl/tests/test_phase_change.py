"""The three-vector model of a phase change, and the metrics of suites."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from zoo_icl.phase_change import FACTORS, fit


@pytest.mark.parametrize("clamped", [(), ("b",), ("a", "c")])
def test_descends_the_gradient_that_autograd_finds(clamped: tuple[str, ...]) -> None:
    dim, steps, lr = 4, 6, 0.7
    rng = np.random.default_rng(5)
    target = torch.from_numpy(rng.standard_normal((3, dim)))
    start = torch.from_numpy(0.1 * rng.standard_normal((3, dim)))
    factors = [
        (target[i] if name in clamped else start[i]).clone().requires_grad_(name not in clamped)
        for i, name in enumerate(FACTORS)
    ]
    truth = torch.einsum("i,j,k->ijk", *target)
    expected = []
    for _ in range(steps + 1):
        loss = 0.5 * ((torch.einsum("i,j,k->ijk", *factors) - truth) ** 2).mean()
        expected.append(float(loss.detach()))
        free = [factor for factor in factors if factor.requires_grad]
        for factor, gradient in zip(free, torch.autograd.grad(loss, free), strict=True):
            factor.data -= lr * gradient
    found = fit(clamped, dim=dim, steps=steps, lr=lr, seed=5)
    np.testing.assert_allclose(found.loss, expected, rtol=1e-10)


def test_each_clamped_vector_shortens_the_plateau_and_two_leave_none() -> None:
    none = fit()
    assert none.plateau > 5
    for name in FACTORS:
        assert fit((name,)).plateau < none.plateau / 4
    for pair in itertools.combinations(FACTORS, 2):
        decay = fit(pair)
        assert decay.plateau < 0.1
        steps = np.log(decay.loss[5:100])
        slope = np.diff(steps)
        assert slope.std() < 0.02 * abs(slope.mean())  # a straight line: exponential


def test_a_level_that_is_not_reached_is_none() -> None:
    short = fit(steps=3)
    assert short.steps_to(0.5) is None and np.isnan(short.plateau)
    with pytest.raises(ValueError, match="'d' is not a factor: expected some of a, b, c"):
        fit(("a", "d"))
