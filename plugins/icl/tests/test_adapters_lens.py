"""TransformerLens: patterns of a small random model, and of one whose attention is set by hooks."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from zoo_icl.adapters import LensPatterns, repeated_token_test, repeated_tokens


@pytest.fixture(scope="module")
def hooked():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies
        lens = pytest.importorskip("transformer_lens")
        try:
            made, config = lens.HookedTransformer, lens.HookedTransformerConfig
        except ImportError:
            pytest.skip("this release of TransformerLens has no HookedTransformer")
        return made(config(n_layers=2, d_model=16, n_ctx=32, d_head=4, n_heads=4, d_vocab=20, act_fn="gelu", seed=0))


def test_patterns_of_a_random_model(hooked):
    tokens = repeated_tokens(20, 6, 3, np.random.default_rng(0))
    layers = LensPatterns(hooked).patterns(tokens)
    assert [tuple(layer.shape) for layer in layers] == [(3, 4, 12, 12)] * 2
    for layer in layers:
        assert torch.allclose(layer.sum(-1), torch.ones(3, 4, 12), atol=1e-5)
        assert (layer.triu(1) == 0).all()
    scores = repeated_token_test(LensPatterns(hooked), np.random.default_rng(0), period=12, size=4)
    even = np.mean([1 / (t + 1) for t in range(12, 24)])
    assert np.allclose(scores.induction, even, atol=0.05)


def test_a_head_set_by_hooks_is_found_out(hooked):
    period = 12

    def look_back(pattern, hook, *, head, offset):
        pattern[:, head] = torch.eye(pattern.shape[-1]).roll(-offset, dims=1).tril()
        return pattern

    hooks = [
        ("blocks.0.attn.hook_pattern", lambda pattern, hook: look_back(pattern, hook, head=3, offset=1)),
        ("blocks.1.attn.hook_pattern", lambda pattern, hook: look_back(pattern, hook, head=2, offset=period - 1)),
    ]
    with hooked.hooks(fwd_hooks=hooks):
        found = repeated_token_test(LensPatterns(hooked), np.random.default_rng(0), period=period, size=5, batch_size=2)
    assert np.isclose(found.induction[1, 2], 1.0)
    assert np.isclose(found.previous[0, 3], 1.0)
    assert found.strongest() == (1, 2)
    assert np.isclose(found.previous[1, 2], 0.0)


def test_the_adapter_takes_the_patterns_of_each_layer():
    """Without the library: anything with ``run_with_cache`` and ``cfg`` will do."""

    def run_with_cache(tokens, names_filter):
        size, length = tokens.shape
        return None, {name: torch.full((size, 1, length, length), float(i)) for i, name in enumerate(names_filter)}

    model = SimpleNamespace(cfg=SimpleNamespace(d_vocab=7, n_layers=3), run_with_cache=run_with_cache)
    adapter = LensPatterns(model)
    assert adapter.vocabulary == 7
    assert [float(layer[0, 0, 0, 0]) for layer in adapter.patterns(np.zeros((2, 4), np.int64))] == [0.0, 1.0, 2.0]
    with pytest.raises(TypeError, match="a str has no run_with_cache"):
        LensPatterns("gpt2")
