"""Small random language models of transformers, for tests."""

from __future__ import annotations

from typing import Any

import pytest
import torch

transformers = pytest.importorskip("transformers")
VOCABULARY = 60
TEXT = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
ROTARY = {**TEXT, "intermediate_size": 64, "num_key_value_heads": 2, "max_position_embeddings": 64}
GPT2 = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
MODELS: dict[str, dict[str, Any]] = {
    "Falcon": TEXT,
    "GPT2": {**GPT2, "bos_token_id": None, "eos_token_id": None},
    "GPTNeoX": {**TEXT, "intermediate_size": 64},
    "Gemma2": {**ROTARY, "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 6},
    "GptOss": {**ROTARY, "head_dim": 8, "num_local_experts": 2, "num_experts_per_tok": 1, "sliding_window": 6},
    "Llama": ROTARY,
    "Qwen2": ROTARY,
}
"""options by name of the configuration"""
OUTPUT_MAPS = {
    "Falcon": "transformer.h.{}.self_attention.dense",
    "GPT2": "transformer.h.{}.attn.c_proj",
    "GPTNeoX": "gpt_neox.layers.{}.attention.dense",
    "Gemma2": "model.layers.{}.self_attn.o_proj",
    "GptOss": "model.layers.{}.self_attn.o_proj",
    "Llama": "model.layers.{}.self_attn.o_proj",
    "Qwen2": "model.layers.{}.self_attn.o_proj",
}
"""maps that read the heads, by layer"""


def build(name: str, *, attention: str = "eager", seed: int = 0, scale: float = 0.3, **options: Any) -> Any:
    """A model with normal weights, in evaluation mode."""
    config = getattr(transformers, f"{name}Config")(**MODELS[name] | options)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention)
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.data.normal_(0.0, scale, generator=generator)
    return model.eval()


def tokens(size: int = 3, length: int = 12, seed: int = 0) -> torch.Tensor:
    """Random tokens ``[size, length]``."""
    return torch.randint(VOCABULARY, (size, length), generator=torch.Generator().manual_seed(seed))


def logits(model: Any, ids: torch.Tensor, **options: Any) -> torch.Tensor:
    """Logits without gradients and cache."""
    with torch.no_grad():
        return model(input_ids=ids, use_cache=False, **options).logits


def hybrid() -> Any:
    """Layers 1 and 3 attend, 0 and 2 are recurrent."""
    config = transformers.Qwen3NextConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, num_experts=2, num_experts_per_tok=1, moe_intermediate_size=16,
        shared_expert_intermediate_size=16, linear_num_key_heads=2, linear_num_value_heads=2,
        linear_key_head_dim=8, linear_value_head_dim=8, full_attention_interval=2, max_position_embeddings=64,
    )  # fmt: skip
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
