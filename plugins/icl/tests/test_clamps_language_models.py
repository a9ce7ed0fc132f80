"""Clamps on models of transformers: the same as changed weights, as formulas, and nothing is left behind."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.overrides import _get_current_function_mode_stack
from zoo_icl.adapters import clamped

from plugins.icl.tests.language_models import (
    MODELS,
    OUTPUT_MAPS,
    VOCABULARY,
    build,
    hybrid,
    logits,
    tokens,
    transformers,
)

TOLERANCE = {"atol": 1e-4, "rtol": 1e-4}


def patterns(model: Any, ids: torch.Tensor, clamps: Any = (), **options: Any) -> dict[int, torch.Tensor]:
    """Clamped patterns by layer, without sinks."""
    seen: dict[int, torch.Tensor] = {}
    look = lambda layer, pattern: seen.update({layer.number: pattern[..., : ids.shape[1]]})  # noqa: E731
    with clamped(model, clamps, look=look):
        seen.clear()
        logits(model, ids, **options)
    return seen


def under(model: Any, clamps: Any, ids: torch.Tensor, **options: Any) -> torch.Tensor:
    with clamped(model, clamps):
        return logits(model, ids, **options)


@pytest.mark.parametrize("name", MODELS)
def test_patterns_are_those_that_an_eager_model_gives(name: str) -> None:
    model, ids = build(name), tokens()
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    with torch.no_grad():
        expected = model(ids, attention_mask=mask, output_attentions=True, use_cache=False).attentions
    found = patterns(model, ids, attention_mask=mask)
    assert list(found) == [0, 1]
    for layer, pattern in found.items():
        torch.testing.assert_close(pattern, expected[layer], atol=1e-6, rtol=0.0)
        assert not pattern.triu(1).any()


@pytest.mark.parametrize("name", MODELS)
def test_an_ablated_head_is_one_that_the_output_map_does_not_read(name: str) -> None:
    model, ids = build(name), tokens()
    cut = copy.deepcopy(model)
    weight = cut.get_submodule(OUTPUT_MAPS[name].format(1)).weight
    with torch.no_grad():
        (weight.T if name != "GPT2" else weight)[8:24] = 0.0  # heads 1 and 2
    found = under(model, "Ablate(1:1-2)", ids)
    torch.testing.assert_close(found, logits(cut, ids), **TOLERANCE)
    assert not torch.allclose(found, logits(model, ids), **TOLERANCE)


@pytest.mark.parametrize("name", ["GPT2", "Llama", "Qwen2", "Falcon"])
def test_a_temperature_divides_the_queries(name: str) -> None:
    model, ids = build(name), tokens()
    scaled = copy.deepcopy(model)
    with torch.no_grad():
        if name == "GPT2":
            projection = scaled.transformer.h[1].attn.c_attn
            projection.weight[:, :32] /= 2.5
            projection.bias[:32] /= 2.5
        elif name == "Falcon":  # several queries for one key and one value
            scaled.transformer.h[1].self_attention.query_key_value.weight[:32] /= 2.5
        else:
            for parameter in scaled.model.layers[1].self_attn.q_proj.parameters():
                parameter /= 2.5
    torch.testing.assert_close(under(model, "Temperature(1:*, 2.5)", ids), logits(scaled, ids), **TOLERANCE)


def test_prev_token_reads_the_values_of_the_token_before() -> None:
    model, ids = build("Llama"), tokens()
    by_hand = copy.deepcopy(model)
    attention = by_hand.model.layers[1].self_attn

    def forward(hidden_states: torch.Tensor, **_: Any) -> tuple[torch.Tensor, None]:
        values = attention.v_proj(hidden_states).view(*ids.shape, 2, 8).repeat_interleave(2, 2)  # two heads share one
        before = values.roll(1, 1)
        before[:, 0] = values[:, 0]
        return attention.o_proj((0.7 * before + 0.3 * values).flatten(2)), None

    attention.forward = forward
    expected = logits(by_hand, ids)
    torch.testing.assert_close(under(model, "PrevToken(1:*, strength=0.7)", ids), expected, **TOLERANCE)


@pytest.mark.parametrize("name", MODELS)
def test_no_prev_token_renormalises_the_rest(name: str) -> None:
    model, ids = build(name), tokens()
    whole, found = patterns(model, ids), patterns(model, ids, "NoPrevToken(0:1)")
    assert torch.equal(found[0][:, [0, 2, 3]], whole[0][:, [0, 2, 3]])
    head = found[0][:, 1]
    assert not head.diagonal(-1, -2, -1).any()
    kept = whole[0][:, 1] - torch.diag_embed(whole[0][:, 1].diagonal(-1, -2, -1), -1)
    sink = 1.0 - whole[0][:, 1].sum(-1, keepdim=True)  # what goes to no token, of gpt-oss alone
    torch.testing.assert_close(head, kept / (kept.sum(-1, keepdim=True) + sink), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_a_first_pass_is_without_the_other_clamps(name: str) -> None:
    model, ids = build(name), tokens()
    whole = patterns(model, ids)
    changed = patterns(model, ids, "Ablate(0:*)")
    assert not torch.allclose(changed[1], whole[1], **TOLERANCE)
    for clamps in ("Ablate(0:*)+PreservePatterns()", "Ablate(0:*)+Temperature(1:*, 1)"):
        torch.testing.assert_close(patterns(model, ids, clamps)[1], whole[1], atol=1e-6, rtol=0.0)
    kept = patterns(model, ids, "PreservePatterns()+PrevToken(1:2)")
    assert (kept[1][:, 2].diagonal(-1, -2, -1) == 1.0).all()
    assert torch.equal(kept[1][:, 0], whole[1][:, 0])


@pytest.mark.parametrize("name", ["Llama", "Gemma2", "GptOss"])
def test_what_a_mask_hides_gets_no_attention(name: str) -> None:
    """Padding on the left: the first token has none before it, and the others do not notice."""
    model, ids = build(name), tokens()
    mask = torch.ones_like(ids)
    mask[:, :4] = 0
    places = (mask.cumsum(1) - 1).clamp(min=0)
    clamps = "PrevToken(0:*)+Temperature(1:0, 0.5)+NoPrevToken(1:1)"
    found = under(model, clamps, ids, attention_mask=mask, position_ids=places)[:, 4:]
    alone = under(model, clamps, ids[:, 4:])
    torch.testing.assert_close(found, alone, **TOLERANCE)
    assert found.isfinite().all()


def state_of(model: Any) -> list[Any]:
    configs = [module.config for module in model.modules() if hasattr(module, "config")]
    hooks = [
        (len(module._forward_hooks), len(module._forward_pre_hooks), module.training, sorted(vars(module)))
        for module in model.modules()
    ]
    weights = [(name, parameter.data.clone(), parameter.requires_grad) for name, parameter in model.named_parameters()]
    return [hooks, [config.to_dict() for config in configs], [c._attn_implementation for c in configs], weights]


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind(attention: str, fails: bool) -> None:
    model, ids = build("Llama", attention=attention), tokens()
    model.train()
    model.model.layers[1].eval()
    before, whole = state_of(model), logits(model, ids)
    generator = torch.get_rng_state()
    if fails:
        with pytest.raises(IndexError), clamped(model, "Ablate(1:0)+Temperature(0:0, 2)"):
            logits(model, ids + VOCABULARY)
    else:
        with clamped(model, "Ablate(1:0)+Temperature(0:0, 2)"):
            assert not torch.equal(logits(model, ids), whole)
            with clamped(model, "Ablate(1:1)"):  # nested
                logits(model, ids)
    assert torch.equal(torch.get_rng_state(), generator)
    assert not _get_current_function_mode_stack()
    after = state_of(model)
    assert after[:3] == before[:3]
    assert all(
        a == b and torch.equal(x, y) and c == d for (a, x, c), (b, y, d) in zip(after[3], before[3], strict=True)
    )
    assert torch.equal(logits(model, ids), whole)


def test_nested_clamps_are_the_same_as_together() -> None:
    model, ids = build("GPT2"), tokens()
    with clamped(model, "Ablate(1:0)"):
        found = under(model, "PrevToken(0:1)", ids)
    together = under(model, "Ablate(1:0)+PrevToken(0:1)", ids)
    torch.testing.assert_close(found, together, atol=1e-6, rtol=1e-6)
    assert not torch.allclose(found, under(model, "PrevToken(0:1)", ids), **TOLERANCE)


def test_gradients_stop_at_constants_and_flow_through_first_passes() -> None:
    model, ids = build("Llama"), tokens()
    with clamped(model, "PrevToken(1:*)"):
        F.cross_entropy(model(ids, use_cache=False).logits.flatten(0, 1), ids.flatten()).backward()
    attention = model.model.layers[1].self_attn
    assert not attention.q_proj.weight.grad.any() and attention.v_proj.weight.grad.any()
    model.zero_grad()
    with clamped(model, "Temperature(1:*, 2)"):
        F.cross_entropy(model(ids, use_cache=False).logits.flatten(0, 1), ids.flatten()).backward()
    assert attention.q_proj.weight.grad.any()


def test_generation_with_a_cache_is_that_without() -> None:
    model, ids = build("Llama"), tokens(1)
    with clamped(model, "PrevToken(0:*)+Ablate(1:1)"):
        cached, anew = (
            model.generate(ids, max_new_tokens=6, do_sample=False, use_cache=use_cache, pad_token_id=0)
            for use_cache in (True, False)
        )
    assert torch.equal(cached, anew) and cached.shape == (1, 18)
    with clamped(model, "Temperature(0:0, 2)"), pytest.raises(ValueError, match="expected use_cache=False"):
        model.generate(ids, max_new_tokens=2, do_sample=False, use_cache=True, pad_token_id=0)


@pytest.mark.parametrize(
    ("make", "clamps", "message"),
    [
        (lambda: build("GPT2"), "Induction(1:0)", r"Induction\(1:0\) is about exemplars and labels"),
        (lambda: build("GPT2"), "PrevToken(1:0, only_labels=true)", "is about exemplars and labels"),
        (lambda: build("GPT2"), "Ablate(2:0)", "layer 2 does not attend; layers that do are 0, 1"),
        (lambda: build("GPT2"), "Ablate(1:4)", "layer 1 has no head 4; heads are 0 to 3"),
        (lambda: build("GPT2"), "Ablate(1:0)+Temperature(1:0)", "Temperature needs tau"),
        (lambda: build("GPT2"), "Live(z, 1:0)", "no hook point is called"),
        (lambda: build("GPT2"), "Live(v, 1:0)", "values can only be ablated"),
        (lambda: build("Falcon", attention="sdpa"), "Ablate(1:0)", "in one fused step"),
        (
            lambda: transformers.MambaForCausalLM(
                transformers.MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2)
            ),
            "Ablate(1:0)",
            "MambaForCausalLM gives no attention patterns",
        ),
    ],
)
def test_what_cannot_be_clamped_is_one_sentence(make: Any, clamps: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught, clamped(make(), clamps):
        pass
    assert "\n" not in str(caught.value)


def test_a_hybrid_has_the_layers_that_attend_by_their_own_numbers() -> None:
    model = hybrid()
    ids = tokens()
    assert list(patterns(model, ids)) == [1, 3]
    assert not torch.allclose(under(model, "Ablate(3:0)", ids), logits(model, ids), **TOLERANCE)
    kept = patterns(model, ids, "PreservePatterns()+Ablate(1:*)")
    torch.testing.assert_close(kept[3], patterns(model, ids)[3], atol=1e-6, rtol=0.0)
    with (
        pytest.raises(ValueError, match="layer 2 does not attend; layers that do are 1, 3"),
        clamped(model, "Ablate(2:0)"),
    ):
        pass
