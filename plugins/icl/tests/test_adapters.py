"""The test of repeated tokens, on attention that is known, and on a model of transformers built by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from zoo_icl.adapters import HuggingFacePatterns, repeated_token_test, repeated_tokens


class Even:
    """Attends evenly, in two layers of three heads; head 2 of layer 1 is a perfect induction head."""

    vocabulary = 40

    def patterns(self, tokens):
        size, length = tokens.shape
        even = torch.tril(torch.ones(length, length, dtype=torch.float64))
        layers = (even / even.sum(1, keepdim=True)).expand(2, size, 3, length, length).clone()
        for b, row in enumerate(tokens.tolist()):
            for t, token in enumerate(row):
                if token in row[:t]:
                    layers[1, b, 2, t] = 0.0
                    layers[1, b, 2, t, row.index(token) + 1] = 1.0
        return list(layers)


def test_even_and_perfect_heads():
    found = repeated_token_test(Even(), np.random.default_rng(0), period=8, size=5, start=39, batch_size=2)
    even_induction = np.mean([1 / (t + 1) for t in range(9, 17)])
    even_previous = np.mean([1 / (t + 1) for t in range(1, 17)])
    assert found.induction.shape == found.previous.shape == (2, 3)
    assert np.isclose(found.induction[1, 2], 1.0)
    assert found.strongest() == (1, 2)
    others = np.delete(found.induction.ravel(), 5)
    assert np.allclose(others, even_induction)
    assert np.allclose(np.delete(found.previous.ravel(), 5), even_previous)


def test_the_parts_do_not_show():
    results = [repeated_token_test(Even(), np.random.default_rng(1), period=5, size=7, batch_size=n) for n in (1, 3, 7)]
    for result in results[1:]:
        assert np.allclose(result.induction, results[0].induction)
        assert np.allclose(result.previous, results[0].previous)


def test_tokens_repeat_once_and_differ_within_a_copy():
    tokens = repeated_tokens(12, 11, 500, np.random.default_rng(0), start=3)
    assert tokens.shape == (500, 23)
    assert (tokens[:, 0] == 3).all()
    assert (tokens[:, 1:12] == tokens[:, 12:]).all()
    assert (np.sort(tokens[:, 1:12], axis=1) == np.delete(np.arange(12), 3)).all()
    counts = np.bincount(repeated_tokens(12, 2, 4000, np.random.default_rng(1))[:, 0], minlength=12)
    assert np.abs(counts - 4000 / 12).max() < 5 * np.sqrt(4000 / 12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: repeated_tokens(4, 5, 1, np.random.default_rng(0)), "5 different tokens from 4"),
        (lambda: repeated_tokens(5, 5, 1, np.random.default_rng(0), start=1), "5 different tokens from 4"),
        (lambda: repeated_tokens(9, 1, 1, np.random.default_rng(0)), "at least 2 tokens"),
        (lambda: repeated_token_test(Even(), np.random.default_rng(0), batch_size=0), "batch_size = 0"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def gpt2(**options):
    transformers = pytest.importorskip("transformers")
    size = {"n_layer": 2, "n_head": 4, "n_embd": 32, "vocab_size": 40, "n_positions": 40} | options
    torch.manual_seed(0)
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(**size, bos_token_id=None, eos_token_id=None))


def induction_gpt2(tokens=10, positions=21):
    """One head a layer: layer 0 looks one back and notes the token; layer 1 looks for the note of its own token.

    The stream holds position, token and note side by side, one-hot.
    """
    width = positions + 2 * tokens
    model = gpt2(n_head=1, n_embd=width, vocab_size=tokens, n_positions=positions)
    place, token, note = slice(0, positions), slice(positions, positions + tokens), slice(positions + tokens, width)
    eye = torch.eye(tokens)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for name, parameter in model.named_parameters():
            if ".ln_" in name and name.endswith("weight"):
                parameter.fill_(1.0)
        body = model.transformer
        body.wpe.weight[:, place] = torch.eye(positions)
        body.wte.weight[:, token] = eye
        query, key, value = (slice(i * width, (i + 1) * width) for i in range(3))
        first, second = (block.attn.c_attn.weight for block in body.h)
        first[place, query][:, place] = 30.0 * torch.eye(positions).roll(-1, dims=1).clone()
        first[place, key][:, place] = torch.eye(positions)
        first[token, value][:, token] = eye
        body.h[0].attn.c_proj.weight[token, note] = eye
        second[token, query][:, token] = 30.0 * eye
        second[note, key][:, token] = eye
    return model


def test_a_gpt2_built_by_hand_is_found_out():
    found = repeated_token_test(
        HuggingFacePatterns(induction_gpt2()), np.random.default_rng(0), period=9, size=4, start=0
    )
    assert found.previous[0, 0] > 0.99
    assert found.induction[1, 0] > 0.99
    assert found.induction[0, 0] < 0.01
    assert found.strongest() == (1, 0)


def test_patterns_of_a_random_gpt2():
    model = gpt2(attn_pdrop=0.5)
    model.train()
    before = model.config._attn_implementation
    tokens = repeated_tokens(40, 6, 3, np.random.default_rng(0))
    layers = HuggingFacePatterns(model).patterns(tokens)
    assert model.training
    assert model.config._attn_implementation == before
    assert [tuple(layer.shape) for layer in layers] == [(3, 4, 12, 12)] * 2
    for layer in layers:
        assert torch.allclose(layer.sum(-1), torch.ones(3, 4, 12), atol=1e-5)
        assert (layer.triu(1) == 0).all()
    again = HuggingFacePatterns(model).patterns(tokens)
    assert torch.equal(again[1], layers[1])  # no dropout
    scores = repeated_token_test(HuggingFacePatterns(model), np.random.default_rng(0), period=10, size=4)
    even = np.mean([1 / (t + 1) for t in range(10, 20)])
    assert np.allclose(scores.induction, even, atol=0.03)  # nothing is learned yet


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match="a int is not a model of transformers"):
        HuggingFacePatterns(3)
