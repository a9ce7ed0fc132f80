"""Each regulariser's formula and derivatives: closed forms, autograd, finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from zoo_rpo import pieces
from zoo_rpo.distributions import Categorical, DiagonalGaussian
from zoo_rpo.regularisers import Regulariser, autograd

from zoo import UsageError

NAMES = ("none", "maxent", "log-barrier", "kl-forward", "kl-reverse", "distral", "tv")


def build(name: str) -> Regulariser:
    found: Regulariser = pieces.build("regulariser", name, ("eta_h=0.5",) if name == "distral" else ())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_formulas(name: str, rng: np.random.Generator) -> None:
    p, q = Categorical(rng.standard_normal((6, 3))), Categorical(rng.standard_normal((6, 3)))
    u = np.full(3, 1 / 3)
    H = -(p.p * np.log(p.p)).sum(-1)
    forward, reverse = (q.p * np.log(q.p / p.p)).sum(-1), (p.p * np.log(p.p / q.p)).sum(-1)
    expected = {
        "none": 0 * H, "maxent": -H, "log-barrier": (u * np.log(u / p.p)).sum(-1), "kl-forward": forward,
        "kl-reverse": reverse, "distral": reverse - H / 0.5, "tv": forward,
    }[name]  # fmt: skip
    np.testing.assert_allclose(build(name).omega(p, q), expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("family", [Categorical, DiagonalGaussian])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_against_autograd_and_finite_differences(name: str, family: Any, rng: np.random.Generator) -> None:
    regulariser = build(name)
    a, b = rng.standard_normal((2, 5, 4))
    if name == "log-barrier" and family is DiagonalGaussian:
        with pytest.raises(UsageError, match="no uniform distribution"):
            regulariser.omega(family(a), family(b))
        return
    found = regulariser.gradients(family(a), family(b))
    for ours, theirs in zip(found, autograd(regulariser, family(a), family(b)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    step = 1e-6
    for which, gradient in enumerate(found):
        for column in range(4):
            shift = np.zeros(4)
            shift[column] = step
            ends = [
                regulariser.omega(family(a + s * (which == 0) * shift), family(b + s * (which == 1) * shift))
                for s in (1, -1)
            ]
            np.testing.assert_allclose(gradient[:, column], (ends[0] - ends[1]) / (2 * step), rtol=1e-5, atol=1e-8)


def test_closed_forms_of_two_actions() -> None:
    z, logit_q = 0.8, -0.4
    p, q = (1 / (1 + np.exp(-x)) for x in (z, logit_q))
    policy, default = Categorical(np.array([0.0, z])), Categorical(np.array([0.0, logit_q]))
    assert build("kl-forward").gradients(policy, default)[0][1] == pytest.approx(p - q)
    assert build("kl-reverse").gradients(policy, default)[0][1] == pytest.approx(p * (1 - p) * (z - logit_q))
    assert build("maxent").gradients(policy, default)[0][1] == pytest.approx(p * (1 - p) * z)


def test_the_same_from_torch(rng: np.random.Generator) -> None:
    a, b = rng.standard_normal((2, 5, 3))
    for name in NAMES:
        ours = build(name).gradients(Categorical(a), Categorical(b))
        theirs = build(name).gradients(Categorical(torch.as_tensor(a)), Categorical(torch.as_tensor(b)))
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("kind", "name", "options", "reason"),
    [
        ("regulariser", "kl-foward", (), "did you mean kl-forward"),
        ("default", "majority", (), "did you mean majority-vote"),
        ("regulariser", "distral", ("eta=1",), "no option of regulariser distral called 'eta': did you mean eta_h"),
        ("regulariser", "distral", ("eta_h=0",), "expected a number above 0"),
        ("regulariser", "distral", ("eta_h=much",), "eta_h is 'much': expected float"),
        ("regulariser", "distral", ("eta_h=1", "eta_h=2"), "once"),
        ("default", "majority-vote", ("visited_only=perhaps",), "expected bool"),
        ("default", "majority-vote", ("count=tasks",), "expected state or global"),
        ("default", "majority-vote", ("tau=-1",), "expected a number above 0"),
        ("default", "distilled", ("pi0_lr=-1",), "at least 0"),
        ("default", "optimal-mixture", ("distance=1.5",), "between 0 and 1"),
    ],
)
def test_unknown_pieces_and_bad_options(kind: Any, name: str, options: tuple[str, ...], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        pieces.build(kind, name, options)


def test_all_pieces_are_registered() -> None:
    assert set(NAMES) <= set(pieces.names("regulariser"))
    names = {"uniform", "frozen", "majority-vote", "distilled", "masked-input", "optimal-mixture"}
    assert names <= set(pieces.names("default"))
