"""The parts by themselves: forms of multipliers, means over episodes, the network, options."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from zoo_composite_rm.config import AllConfig, LagrangianConfig, MuConfig, SatConfig, SumConfig, XiConfig
from zoo_composite_rm.episode_means import episode_ends
from zoo_composite_rm.multipliers import KINDS
from zoo_composite_rm.objective import adapt_kl_coef

from zoo.errors import UsageError

CAP = 1e4
FORMS = [("projected", False), ("projected", True), ("sigmoid", False), ("tanh", True)]


@settings(deadline=None, max_examples=30)
@given(x=arrays(np.float64, (4, 3), elements=st.floats(-2 * CAP, 2 * CAP)))
@pytest.mark.parametrize(("kind", "equality"), FORMS)
def test_every_form_has_finite_weights_and_multipliers_that_fit_its_constraints(kind, equality, x):
    form = KINDS[kind](equality, CAP)
    x = form.clip(x)
    shares, task, mu = form.constraint_weights(x), form.task_weight(x), form.effective(x)
    assert np.isfinite(mu).all() and (task > 0).all()
    assert equality or (mu >= 0).all()
    np.testing.assert_allclose(shares, mu * task[:, None], rtol=1e-9, atol=1e-12)
    range_used = form.range_used(x)
    assert (range_used >= 0).all() and (range_used <= 1).all()
    if kind == "projected":
        np.testing.assert_allclose(task + np.abs(shares).sum(1), 1.0)
        np.testing.assert_array_equal(range_used == 1, np.abs(x) == CAP)
    else:
        np.testing.assert_allclose(task, (3 - shares.sum(1)), atol=1e-9)


def test_forms_against_their_formulas():
    x = np.array([[0.5, -1.0]])
    sigma = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(KINDS["sigmoid"](False, CAP).constraint_weights(x), sigma)
    np.testing.assert_allclose(
        KINDS["tanh"](True, CAP).constraint_weights(x), (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1)
    )
    np.testing.assert_allclose(KINDS["projected"](True, CAP).constraint_weights(x), x / 2.5)
    np.testing.assert_allclose(KINDS["projected"](False, CAP).clip(x), [[0.5, 0.0]])


@pytest.mark.parametrize(("kind", "equality"), FORMS[1:])
def test_slopes_are_derivatives(kind, equality):
    form, x, h = KINDS[kind](equality, CAP), np.array([[0.3, 0.7, -0.4]]), 1e-6
    # The loss of the projected form is linear in mu itself.
    loss = form.effective if kind == "projected" else form.constraint_weights
    np.testing.assert_allclose(form.slope(x), (loss(x + h) - loss(x - h)) / (2 * h), rtol=1e-6)


@settings(deadline=None, max_examples=30)
@given(done=arrays(bool, (2, 7, 3)))
def test_ends_against_a_walk(done):
    found, share = episode_ends(done)
    for s, b in np.ndindex(2, 3):
        begin = 0
        for t in range(7):
            if t and done[s, t - 1, b]:
                begin = t
            later = [u for u in range(t, 7) if done[s, u, b]]
            assert share[s, t, b] == (1 / (later[0] - begin + 1) if later else 0)
            assert found[s, t, b] == (later[0] if later else 6)


def test_the_kl_coefficient_follows_its_target_by_at_most_two_percent():
    kl = np.array([0.1, 0.9, 1.0, 1.1, 30.0])
    np.testing.assert_allclose(adapt_kl_coef(np.full(5, 0.2), kl, 1.0), 0.2 * np.array([0.98, 0.99, 1.0, 1.01, 1.02]))


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_the_network_adds_the_reference_in_every_pass(build, device):
    network = build.one("XiPPO", device=device).learner.network
    g = np.random.default_rng(0)
    obs = g.random((1, 9, 19), dtype=np.float32)
    columns = torch.from_numpy(obs) if device != "cpu" else obs
    reference = build.tiny().reference_logits(obs)
    np.testing.assert_allclose(network.act(obs), reference, atol=1e-6)
    for found in (network.policy(columns), network.forward(columns)[0]):
        np.testing.assert_allclose(np.asarray(found).transpose(0, 2, 1), reference, atol=1e-6)
    for name, view in network.parameters.views.items():
        if name.startswith("actor"):
            view += 0.1 if device == "cpu" else torch.full_like(view, 0.1)
    network.parameters.mark_changed()
    moved = network.act(obs) - reference
    assert np.abs(moved).min() > 1e-3
    np.testing.assert_allclose(np.asarray(network.policy(columns)).transpose(0, 2, 1) - reference, moved, atol=1e-5)


@pytest.mark.parametrize(
    ("cls", "options", "words"),
    [
        (XiConfig, {"thresholds": [0.4, 0.5]}, r"thresholds = \[0.4, 0.5\]: expected a mapping from the names"),
        (SatConfig, {"thresholds": (0.4, 0.5)}, "expected a mapping from the names of reward models"),
        (SumConfig, {"weights": [1.0, 0.5]}, r"weights = \[1.0, 0.5\]: expected a mapping"),
        (AllConfig, {"weights": {"r1": float("inf")}}, r"weights\['r1'\] = inf: expected a finite number"),
        (MuConfig, {"thresholds": {"r1": float("nan")}}, r"thresholds\['r1'\] = nan: expected a finite number"),
        (SumConfig, {"kl_target": 0.0}, "kl_target = 0.0: expected a finite number of more than 0"),
        (AllConfig, {"kl_target": -1.0}, "kl_target = -1.0"),
        (MuConfig, {"kl_coef": -0.1}, "kl_coef = -0.1: expected a finite number of at least 0"),
        (MuConfig, {"vf_coef_kl": -0.1}, "vf_coef_kl = -0.1"),
        (MuConfig, {"lr_mu": -1.0}, "lr_mu = -1.0"),
        (MuConfig, {"momentum": 1.0}, "momentum = 1.0: expected a finite number of at least 0 and less than 1"),
        (MuConfig, {"cap": 1.0}, "cap = 1.0: expected a finite number of more than 1"),
        (MuConfig, {"tol": 0.0}, "tol = 0.0"),
        (MuConfig, {"gamma": 2.0}, "gamma = 2.0"),
    ],
)
def test_options_out_of_range_are_refused_in_one_sentence(cls, options, words):
    with pytest.raises(UsageError, match=words):
        cls(**options)


def test_forms_on_offer_suit_the_sense():
    choices = {cls: cls.__dataclass_fields__["multiplier"].type for cls in (MuConfig, XiConfig, AllConfig)}
    assert "sigmoid" in choices[MuConfig] and "tanh" not in choices[MuConfig]
    assert "tanh" in choices[XiConfig] and "sigmoid" not in choices[XiConfig]
    assert "multiplier" not in {field.name for field in dataclasses.fields(LagrangianConfig)}
