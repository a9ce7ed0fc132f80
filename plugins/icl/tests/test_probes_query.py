"""Metrics at the query, against loops written from their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_icl.probes import METRICS, context_mask, query_metrics, summaries, summarise


def expected(logits, target, context):
    """All metrics of one sequence, label by label, in Python floats."""
    weights = [math.exp(z) for z in logits]
    total = sum(weights)
    found = dict.fromkeys(METRICS, math.nan)
    found["loss"] = math.log(total) - logits[target]
    found["prob"] = weights[target] / total
    found["acc"] = float(max(range(len(logits)), key=logits.__getitem__) == target)
    found["use_context_prob"] = sum(weights[k] for k in set(context)) / total
    kind = "in" if target in context else "out"
    among = [k for k in range(len(logits)) if (k in context) == (kind == "in")]
    prob = weights[target] / sum(weights[k] for k in among)
    found[f"{kind}_context_prob"] = prob
    found[f"{kind}_context_acc"] = float(max(among, key=logits.__getitem__) == target)
    if kind == "in":
        found["in_context_loss"] = -math.log(prob)
    return found


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor], ids=["numpy", "torch"])
@settings(max_examples=25)
@given(data=st.data())
def test_every_metric_is_its_definition(kind, data):
    size, labels, items = (data.draw(st.integers(low, high)) for low, high in ((1, 6), (2, 7), (1, 4)))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    logits = rng.normal(scale=3.0, size=(size, labels))
    targets, context = rng.integers(labels, size=size), rng.integers(labels, size=(size, items))
    found = query_metrics(kind(logits), kind(targets), context_mask(kind(context), labels))
    for b in range(size):
        for name, value in expected(logits[b].tolist(), int(targets[b]), context[b].tolist()).items():
            assert isinstance(found[name], type(kind(logits)))
            assert np.isclose(float(found[name][b]), value, rtol=1e-9, atol=1e-12, equal_nan=True), name


def test_the_dtype_of_the_logits_is_kept_and_large_logits_stay_finite():
    mask = np.array([[True, True, False], [True, False, False]])
    for logits in (np.array([[900.0, 0.0, -900.0]] * 2, np.float32), torch.tensor([[900.0, 0.0, -900.0]] * 2)):
        targets = np.array([1, 2]) if isinstance(logits, np.ndarray) else torch.tensor([1, 2])
        found = query_metrics(logits, targets, mask if isinstance(logits, np.ndarray) else torch.as_tensor(mask))
        assert all(found[name].dtype == logits.dtype for name in METRICS)
        assert [float(x) for x in found.loss] == [900.0, 1800.0]
        assert math.isnan(float(found.out_context_prob[0]))
        assert math.isnan(float(found.in_context_acc[1]))


def test_summaries_leave_undefined_values_out():
    found = summarise(torch.tensor([1.0, float("nan"), 0.0, 1.0]))
    assert found.n == 3
    assert np.isclose(found.mean, 2 / 3)
    assert np.isclose(found.sem, 1 / 3)  # sd 1/sqrt(3), over sqrt(3)
    nothing = summarise(np.array([np.nan]))
    assert (nothing.n, math.isnan(nothing.mean), math.isnan(nothing.sem)) == (0, True, True)
    assert math.isnan(summarise(np.array([2.0])).sem)
    metrics = query_metrics(np.zeros((2, 4)), np.array([0, 3]), np.array([[True, False, False, False]] * 2))
    assert {name: summary.n for name, summary in summaries(metrics).items() if summary.n < 2} == {
        "in_context_loss": 1, "in_context_acc": 1, "in_context_prob": 1, "out_context_acc": 1, "out_context_prob": 1,
    }  # fmt: skip


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"logits \(2, 3\), targets \(2,\), in_context \(2, 4\)"):
        query_metrics(np.zeros((2, 3)), np.zeros(2, int), np.ones((2, 4), bool))
