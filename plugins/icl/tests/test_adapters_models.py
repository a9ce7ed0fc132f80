"""Models of transformers that ignore a switch, are of another kind, or fail: the right patterns, or a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from zoo_icl.adapters import HuggingFacePatterns, repeated_token_test, repeated_tokens

transformers = pytest.importorskip("transformers")
TEXT = {"vocab_size": 200, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
ROTARY = {**TEXT, "intermediate_size": 64, "num_key_value_heads": 2}
VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
}
TOKENS = repeated_tokens(200, 12, 4, np.random.default_rng(0))
DECODERS = {
    "Falcon": TEXT,
    "GPT2": {"vocab_size": 200, "n_embd": 32, "n_layer": 2, "n_head": 4, "bos_token_id": None, "eos_token_id": None},
    "GPTNeoX": {**TEXT, "intermediate_size": 64},
    "Llama": ROTARY,
    "Mistral": {**ROTARY, "sliding_window": 8},
    "Qwen2": ROTARY,
}


def build(name: str, implementation: str):
    config = getattr(transformers, f"{name}Config")(**DECODERS[name])
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=implementation)
    torch.manual_seed(1)
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.3)
    return model


@pytest.mark.parametrize("name", DECODERS)
def test_patterns_are_those_of_the_same_weights_built_eagerly(name: str) -> None:
    given = build(name, "sdpa")
    given.train()
    given.get_submodule(next(iter(dict(given.named_children())))).eval()
    modes = [module.training for module in given.modules()]
    found = torch.stack(list(HuggingFacePatterns(given).patterns(TOKENS)))
    eager = build(name, "eager").eval()
    with torch.no_grad():
        expected = eager(torch.as_tensor(TOKENS), output_attentions=True, use_cache=False).attentions
    torch.testing.assert_close(found, torch.stack(list(expected)), atol=1e-5, rtol=0.0)
    assert not found.triu(1).any()
    assert [module.training for module in given.modules()] == modes
    assert given.config._attn_implementation == "sdpa"


def test_a_model_that_looks_ahead_may() -> None:
    """BERT attends to later tokens, and its output depends on them: nothing is wrong with its patterns."""
    model = transformers.BertModel(transformers.BertConfig(**TEXT, intermediate_size=64))
    assert HuggingFacePatterns(model).patterns(TOKENS)[0].triu(1).any()


def test_the_language_model_inside_one_that_reads_images() -> None:
    text = {**ROTARY, "head_dim": 8}
    config = transformers.Gemma3Config(text_config=text, vision_config={**VISION, "patch_size": 14})
    model = transformers.Gemma3ForConditionalGeneration(config)
    found = repeated_token_test(HuggingFacePatterns(model), np.random.default_rng(0), period=12, size=4)
    assert found.induction.shape == (2, 4)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda t: t.T5ForConditionalGeneration(
                t.T5Config(vocab_size=200, d_model=32, d_kv=8, d_ff=64, num_layers=2)
            ),
            TypeError,
            "T5ForConditionalGeneration has an encoder and a decoder",
        ),
        (
            lambda t: t.BartForConditionalGeneration(
                t.BartConfig(vocab_size=200, d_model=32, encoder_layers=2, decoder_layers=2)
            ),
            TypeError,
            "BartForConditionalGeneration has an encoder and a decoder",
        ),
        (
            lambda t: t.MambaForCausalLM(t.MambaConfig(vocab_size=200, hidden_size=32, num_hidden_layers=2)),
            ValueError,
            "MambaForCausalLM gives no attention patterns",
        ),
        (
            lambda t: t.GPT2LMHeadModel(t.GPT2Config(vocab_size=200, n_positions=20, n_embd=32, n_layer=2, n_head=4)),
            ValueError,
            "24 tokens are more than the context of GPT2LMHeadModel: expected at most 20",
        ),
        (
            lambda t: t.GPT2LMHeadModel(t.GPT2Config(vocab_size=20, n_embd=32, n_layer=2, n_head=4)),
            ValueError,
            "GPT2LMHeadModel failed on sequences of tokens: IndexError",
        ),
    ],
)
def test_a_model_that_gives_none_is_one_sentence(make, error, message) -> None:
    with pytest.raises(error, match=message) as caught:
        HuggingFacePatterns(make(transformers)).patterns(TOKENS)
    assert "\n" not in str(caught.value)


def test_tokens_of_a_large_vocabulary_cost_what_they_are_worth() -> None:
    tokens = repeated_tokens(2**40, 25, 256, np.random.default_rng(0), start=7)
    assert all(len(set(row)) == 26 for row in tokens.tolist()) and tokens.max() > 2**35
