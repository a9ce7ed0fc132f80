"""Strengths of heads, against loops and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_icl.probes import (
    attention_to_labels,
    induction_strength,
    mean_pattern,
    prev_token_baseline,
    prev_token_excess,
    prev_token_sequences,
    prev_token_strength,
    repeated_induction_strength,
)

KINDS = pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor], ids=["numpy", "torch"])


def random_pattern(rng, size, heads, tokens):
    """Causal rows that sum to 1."""
    weights = np.tril(rng.random((size, heads, tokens, tokens)) + 0.01)
    return weights / weights.sum(-1, keepdims=True)


def even_pattern(size, heads, tokens):
    rows = np.tril(np.ones((tokens, tokens)))
    return np.broadcast_to(rows / rows.sum(1, keepdims=True), (size, heads, tokens, tokens)).copy()


def by_loops(pattern, right):
    """Strength of each sequence and head; None where there is no right or no wrong label."""
    found = []
    for a, flags in zip(pattern, right, strict=True):
        if all(flags) or not any(flags):
            found.append(None)
            continue
        found.append([sum(head[-1][2 * i + 1] * (1 if flag else -1) for i, flag in enumerate(flags)) for head in a])
    return found


@KINDS
@settings(max_examples=25)
@given(data=st.data())
def test_induction_strength_is_right_minus_wrong(kind, data):
    size, heads, pairs = (data.draw(st.integers(1, high)) for high in (6, 3, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    pattern = random_pattern(rng, size, heads, 2 * pairs + 1)
    y = rng.integers(3, size=(size, pairs + 1))
    found = induction_strength(kind(pattern), kind(y))
    loops = by_loops(pattern, [[label == row[-1] for label in row[:-1]] for row in y])
    usable = [row for row in loops if row is not None]
    assert found.n_used == len(usable)
    assert isinstance(found.heads, type(kind(pattern)))
    want = np.mean(usable, axis=0) if usable else np.full(heads, np.nan)
    assert np.allclose(np.asarray(found.heads), want, equal_nan=True)
    for got, row in zip(np.asarray(found.sequences), loops, strict=True):
        assert np.allclose(got, np.full(heads, np.nan) if row is None else row, equal_nan=True)
    assert np.nanmax(np.abs(np.asarray(found.sequences)), initial=0.0) <= 1 + 1e-12


@KINDS
def test_the_right_item_may_be_named_where_labels_repeat(kind):
    rng = np.random.default_rng(0)
    pattern, y, correct = random_pattern(rng, 5, 2, 7), np.zeros((5, 4), int), np.array([0, 1, 2, 0, 1])
    assert induction_strength(kind(pattern), kind(y)).n_used == 0
    found = induction_strength(kind(pattern), kind(y), correct=kind(correct))
    want = by_loops(pattern, [[i == place for i in range(3)] for place in correct])
    assert np.allclose(np.asarray(found.sequences), want)
    assert found.n_used == 5
    with pytest.raises(ValueError, match="right pairs 0 to 3: expected 0 to 2"):
        induction_strength(kind(pattern), kind(y), correct=kind(correct + (correct == 2)))


def test_induction_of_one_pair_is_undefined():
    found = induction_strength(even_pattern(4, 2, 3), np.ones((4, 2), int))
    assert np.isnan(found.heads).all()
    assert found.n_used == 0


def test_perfect_and_even_induction():
    y = np.array([[3, 4, 4], [3, 4, 3]])
    pattern = even_pattern(2, 2, 5)
    pattern[:, 1, -1] = [[0, 0, 0, 1, 0], [0, 1, 0, 0, 0]]
    assert np.allclose(induction_strength(pattern, y).heads, [0.0, 1.0])
    assert np.allclose(attention_to_labels(pattern)[:, 1], [[0, 1], [1, 0]])


@KINDS
def test_previous_token_attention(kind):
    rng = np.random.default_rng(1)
    pattern = random_pattern(rng, 4, 3, 7)
    for positions, rows in (("labels", (1, 3, 5)), ("all", range(1, 7))):
        each = np.array([[np.mean([head[t][t - 1] for t in rows]) for head in a] for a in pattern])
        assert np.allclose(np.asarray(prev_token_sequences(kind(pattern), positions)), each)
        assert np.allclose(np.asarray(prev_token_strength(kind(pattern), positions)), each.mean(0))


def test_even_attention_is_the_baseline():
    assert prev_token_baseline(5) == 0.375  # (1/2 + 1/4) / 2
    assert np.isclose(prev_token_baseline(5, "all"), (1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 4)
    for positions in ("labels", "all"):
        pattern = even_pattern(2, 2, 9)
        assert np.isclose(prev_token_strength(pattern, positions), prev_token_baseline(9, positions)).all()
    assert np.allclose(prev_token_excess(even_pattern(2, 2, 5)), 0.0)
    shift = np.eye(5, k=-1)[None, None]
    assert np.allclose(prev_token_excess(shift), 1 - 0.375)


@KINDS
def test_repeated_tokens_ask_for_what_followed(kind):
    period, start = 4, 1
    tokens = start + 2 * period
    perfect = even_pattern(2, 2, tokens)
    for t in range(start + period, tokens):
        perfect[:, 1, t] = np.eye(tokens)[t - period + 1]
    found = np.asarray(repeated_induction_strength(kind(perfect), period, start))
    assert np.allclose(found, [np.mean([1 / (t + 1) for t in range(start + period, tokens)]), 1.0])
    with pytest.raises(ValueError, match="period 4 after 0 tokens in a pattern of 9"):
        repeated_induction_strength(perfect, 4)


@KINDS
def test_the_mean_pattern_is_over_sequences_whose_right_pair_is_the_one_asked_for(kind):
    pattern = random_pattern(np.random.default_rng(2), 4, 2, 5)
    y = np.array([[1, 2, 1], [2, 1, 1], [1, 1, 1], [1, 3, 1]])
    assert np.allclose(np.asarray(mean_pattern(kind(pattern), kind(y))), pattern[[0, 3]].mean(0))
    assert np.allclose(np.asarray(mean_pattern(kind(pattern), kind(y), item=1)), pattern[1])
    assert np.isnan(np.asarray(mean_pattern(kind(pattern[2:3]), kind(y[2:3])))).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: attention_to_labels(np.zeros((1, 1, 4, 4))), "a pattern of 4 tokens"),
        (lambda: attention_to_labels(np.zeros((1, 4, 5))), r"a pattern of shape \(1, 4, 5\)"),
        (lambda: induction_strength(np.zeros((2, 1, 5, 5)), np.zeros((2, 2))), r"labels \(2, 2\) .*expected \(2, 3\)"),
        (lambda: prev_token_strength(np.zeros((1, 1, 5, 5)), "odd"), "positions 'odd'"),
        (lambda: prev_token_baseline(1), "1 token has none before it"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
