"""Measures of whole models, against models whose answer is known and computations of another kind."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_icl.clamps import Ablate, compose
from zoo_icl.clamps.heads import by_layer
from zoo_icl.model import ICLTransformer
from zoo_icl.probes import complementarity, composition_score
from zoo_icl.probes.circuits import (
    clamped_progress,
    composition_scores,
    head_ablation_table,
    layer_output_contribution,
)
from zoo_icl.probes.forward import run_model

LABELS = 4


def batch(size=60, pairs=2, dim=6, seed=0):
    """Two classes, two labels, and a query of one of the classes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, pairs + 1, dim)).astype(np.float32)
    y = np.array([rng.permutation(LABELS)[:pairs] for _ in range(size)])
    correct = rng.integers(pairs, size=size)
    x[:, -1] = x[np.arange(size), correct]
    return SimpleNamespace(x=x, y=np.column_stack([y, y[np.arange(size), correct]]), correct=correct)


class Voters:
    """Head h of block 1 attends to the right label with weight w_h and adds its attention to the labels' logits."""

    def __init__(self, weights):
        self.weights = np.array(weights)

    def __call__(self, x, y, *, record=None, clamps=()):
        heads, pairs = len(self.weights), y.shape[1] - 1
        attention = np.empty((len(y), heads, pairs))
        for b in range(len(y)):
            right = y[b, :-1] == y[b, -1]
            for h, w in enumerate(self.weights):
                attention[b, h] = np.where(right, w, (1 - w) / (pairs - 1))
        off = {h for clamp in compose(clamps).members if isinstance(clamp, Ablate) for h in by_layer(clamp.heads)[1]}
        logits = np.zeros((len(y), LABELS))
        for b in range(len(y)):
            for i in range(pairs):
                logits[b, y[b, i]] += sum(attention[b, h, i] for h in range(heads) if h not in off)
        if record is None:
            return logits
        pattern = np.zeros((len(y), heads, 2 * pairs + 1, 2 * pairs + 1))
        pattern[:, :, -1, 1::2] = attention
        return logits, {"blocks.1.attn.pattern": pattern}


def loss_of(right_vote, wrong_vote):
    """Of two labels with votes, among four outputs."""
    z = [right_vote, wrong_vote, 0.0, 0.0]
    return math.log(sum(map(math.exp, z))) - z[0]


def test_heads_that_vote_for_labels():
    weights = [0.9, 0.2, 0.6]
    table = head_ablation_table(Voters(weights), batch())

    def expected(kept):
        votes = sum(weights[h] for h in kept), sum(1 - weights[h] for h in kept)
        return float(votes[0] > votes[1]), loss_of(*votes)

    assert table.order == ("1:0", "1:2", "1:1")
    assert table.best == "1:0"
    assert np.allclose((table.whole.acc, table.whole.loss), expected([0, 1, 2]))
    for h, head in enumerate(table.heads):
        assert head.head == f"1:{h}"
        assert np.isclose(head.strength, 2 * weights[h] - 1)
        assert np.allclose((head.only.acc, head.only.loss), expected([h]))
        assert np.allclose((head.without.acc, head.without.loss), expected([g for g in range(3) if g != h]))
        assert math.isnan(head.complementarity)  # the best makes no mistake
    kept = ([0], [0, 2], [0, 1, 2])
    for outcome, heads in zip(table.add_back, kept, strict=True):
        assert np.allclose((outcome.acc, outcome.loss), expected(heads))


def test_heads_ablated_throughout_are_left_out():
    table = head_ablation_table(Voters([0.9, 0.2, 0.6]), batch(), clamps=("Ablate(1:0)",))
    assert [head.head for head in table.heads] == ["1:1", "1:2"]
    assert np.isclose(table.whole.loss, loss_of(0.8, 1.2))
    assert np.isclose(table.heads[1].only.loss, loss_of(0.6, 0.4))
    assert table.add_back[-1] == table.whole
    with pytest.raises(ValueError, match="ablate every head of block 1"):
        head_ablation_table(Voters([0.9, 0.2]), batch(), clamps=("Ablate(1:0,1:1)",))


def test_one_head_alone():
    table = head_ablation_table(Voters([0.7]), batch())
    assert table.heads[0].only == table.whole == table.add_back[0]
    assert np.isclose(table.heads[0].without.loss, math.log(4))


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 30))
def test_complementarity_is_a_share_of_the_mistakes(seed, size):
    rng = np.random.default_rng(seed)
    best, right = rng.random((2, size)) < 0.5
    missed = [b for b in range(size) if not best[b]]
    want = sum(right[b] for b in missed) / len(missed) if missed else math.nan
    for kind in (np.asarray, torch.as_tensor):
        assert np.isclose(complementarity(kind(best), kind(right)), want, equal_nan=True)
    assert complementarity(best, best) == 0.0 or not missed


@pytest.fixture(scope="module")
def model():
    return ICLTransformer(
        6, LABELS, d_model=8, n_heads=2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )


def test_composition_is_a_ratio_of_norms(model):
    arrays = model.to_arrays()
    found = composition_scores(arrays)
    for x in "qkv":
        for i in range(2):
            for j in range(2):
                w_o, w_x = arrays["blocks.0.attn.W_o"][j], arrays[f"blocks.1.attn.W_{x}"][i]
                want = np.linalg.norm(w_o @ w_x) / np.linalg.norm(w_o) / np.linalg.norm(w_x)
                assert np.isclose(found[x][i, j], want)
    w_o = torch.as_tensor(arrays["blocks.0.attn.W_o"])
    score = composition_score(w_o, torch.as_tensor(arrays["blocks.1.attn.W_k"]))
    assert torch.allclose(score, torch.as_tensor(found["k"]))
    along = np.zeros((1, 3, 3))
    along[0, 0, 0] = 2.0
    assert composition_score(along, along) == [[1.0]]  # reads just what is written
    assert composition_score(along, np.roll(along, 1, axis=1)) == [[0.0]]  # reads what is not
    assert np.isnan(composition_score(along, 0 * along)).all()
    with pytest.raises(ValueError, match="expected"):
        composition_score(along, np.zeros((1, 4, 2)))


def test_answers_do_not_depend_on_the_parts(model):
    data = batch()
    whole = run_model(model, data, record=("blocks.1.attn.pattern",))
    parts = run_model(model, data, record=("blocks.1.attn.pattern",), batch_size=7)
    assert whole.logits.shape == (60, LABELS)
    assert np.allclose(whole.logits, parts.logits, atol=1e-12)
    hook = "blocks.1.attn.pattern"
    assert np.allclose(whole.recorded[hook], parts.recorded[hook], atol=1e-12)
    with pytest.raises(ValueError, match="60 sequences, 0 at a time"):
        run_model(model, data, batch_size=0)


def test_the_contribution_of_a_block_is_what_it_writes_for_the_output(model):
    """Without MLPs the final stream is a sum, from which what block 0 wrote can be left out by hand."""
    data = batch()
    hooks = ("embed", "blocks.0.attn.out", "blocks.1.attn.out")
    cache = run_model(model, data, record=hooks).recorded
    arrays = model.to_arrays()

    def loss(stream):
        centred = stream - stream.mean(-1, keepdims=True)
        normal = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        logits = (normal * arrays["ln_f.w"] + arrays["ln_f.b"]) @ arrays["W_un"] + arrays["b_un"]
        return float(np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(len(logits)), data.y[:, -1]]))

    embed, first, second = (cache[hook][:, -1] for hook in hooks)
    assert np.isclose(clamped_progress(model, data, ()).loss, loss(embed + first + second))
    want = loss(embed + second) - loss(embed + first + second)
    assert np.isclose(layer_output_contribution(model, data), want)
    assert abs(want) > 1e-3


def test_clamped_progress_is_the_loss_under_the_clamp(model):
    data = batch()
    logits = model(torch.as_tensor(data.x), torch.as_tensor(data.y), clamps="Induction(1:*)").detach()
    found = clamped_progress(model, data, ("Induction(1:*)",), batch_size=13)
    want = torch.nn.functional.cross_entropy(logits, torch.as_tensor(data.y[:, -1]))
    assert np.isclose(found.loss, float(want))
    assert np.isclose(found.acc, float((logits.argmax(1) == torch.as_tensor(data.y[:, -1])).double().mean()))
