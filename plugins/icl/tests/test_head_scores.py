"""Scores of heads against loops over tokens, formulas of single models, and the test of repeated tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from zoo_icl.adapters import HuggingFacePatterns, padded, random_repeated, repeated_token_test, score_heads
from zoo_icl.adapters.token_scores import attended, attention_scores, predictable

from plugins.icl.tests.language_models import MODELS, OUTPUT_MAPS, VOCABULARY, build, logits, transformers


def by_loops(pattern: Any, ids: list[int], ordinary: list[bool]) -> dict[str, float]:
    """The definitions, word by word, of one sequence and head."""
    sums: dict[str, list[float]] = {"prefix": [], "previous": [], "duplicate": []}
    for t in range(len(ids)):
        if not ordinary[t]:
            continue
        copies = [s for s in range(t) if ids[s] == ids[t] and ordinary[s]]
        after = [s + 1 for s in copies if s + 1 < t and ordinary[s + 1]]
        before = [t - 1] if t and ordinary[t - 1] else []
        for name, columns in (("prefix", after), ("previous", before), ("duplicate", copies)):
            if columns:
                sums[name].append(sum(float(pattern[t, s]) for s in columns))
    return {name: float(np.mean(values)) if values else float("nan") for name, values in sums.items()}


def test_attention_is_summed_over_the_tokens_that_a_score_is_about() -> None:
    rng = np.random.default_rng(0)
    ids = torch.as_tensor(rng.integers(5, size=(6, 11)))
    ordinary = torch.as_tensor(rng.random((6, 11)) < 0.8)
    ids[5], ordinary[5] = torch.arange(11), True  # nothing repeats
    pattern = torch.as_tensor(rng.dirichlet(np.ones(11), size=(6, 3, 11)))
    for name, (columns, rows) in attended(ids, ordinary).items():
        found = attention_scores(pattern, columns, rows)
        for b in range(6):
            for h in range(3):
                expected = by_loops(pattern[b, h], ids[b].tolist(), ordinary[b].tolist())[name]
                assert np.isclose(float(found[b, h]), expected, equal_nan=True)


def test_what_is_predictable_completes_a_pair() -> None:
    rng = np.random.default_rng(1)
    ids, ordinary = rng.integers(3, size=(8, 9)), rng.random((8, 9)) < 0.9
    found = predictable(torch.as_tensor(ids), torch.as_tensor(ordinary))
    for b in range(8):
        for t in range(9):
            pairs = [tuple(ids[b, s - 1 : s + 1]) for s in range(1, t) if ordinary[b, s - 1 : s + 1].all()]
            expected = t > 0 and bool(ordinary[b, t - 1 : t + 1].all()) and tuple(ids[b, t - 1 : t + 1]) in pairs
            assert bool(found[b, t]) == expected


def repeated(size: int = 5, start: int | None = None) -> Any:
    return random_repeated(np.arange(10, VOCABULARY), 12, size, np.random.default_rng(0), start=start)


@pytest.mark.parametrize("name", MODELS)
def test_on_repeated_tokens_it_is_the_test_of_repeated_tokens(name: str) -> None:
    model, tokens = build(name), repeated()
    found = score_heads(model, tokens, scores=("prefix", "previous"))

    class Given:
        vocabulary = VOCABULARY

        def patterns(self, _: Any) -> Any:
            return HuggingFacePatterns(model).patterns(tokens.ids)

    expected = repeated_token_test(Given(), np.random.default_rng(0), period=12, size=5)
    np.testing.assert_allclose(found.matrix("prefix"), expected.induction, atol=1e-6)
    np.testing.assert_allclose(found.matrix("previous"), expected.previous, atol=1e-6)
    summary = found.layers[1].summary("prefix", 2)
    sequences = found.layers[1].sequences["prefix"][:, 2]
    assert summary.n == 5 and np.isclose(summary.sem, sequences.std(ddof=1) / np.sqrt(5))


def test_padding_and_special_tokens_do_not_count() -> None:
    model, rng = build("Llama"), np.random.default_rng(2)
    sequences = [[1, *rng.integers(3, 12, size=length).tolist(), 2] for length in (30, 17, 23)]
    together = score_heads(model, padded(sequences, {1, 2}))
    for index, sequence in enumerate(sequences):
        alone = score_heads(model, padded([sequence], {1, 2}))
        for one, other in zip(together.layers, alone.layers, strict=True):
            for score in together.measured:
                np.testing.assert_allclose(one.sequences[score][index], other.sequences[score][0], atol=1e-5)
    assert together.measured == ("prefix", "copying", "previous", "duplicate", "loss")


def copying_by_formula(name: str, model: Any, ids: torch.Tensor, layer: int) -> torch.Tensor:
    """Ranks [B, T, H] of each token's logit after the OV circuit, from the weights of three architectures."""
    with torch.no_grad():
        hidden = model(ids, output_hidden_states=True, use_cache=False).hidden_states[layer]
        if name == "GPT2":
            block, unembed = model.transformer.h[layer], model.lm_head.weight
            values = torch.nn.functional.layer_norm(hidden, (32,), block.ln_1.weight, block.ln_1.bias)
            values = (values @ block.attn.c_attn.weight + block.attn.c_attn.bias)[..., 64:]
            out = block.attn.c_proj.weight
            final = model.transformer.ln_f
            normed = lambda w: (w - w.mean(-1, keepdim=True)) * final.weight  # noqa: E731
        else:
            block, unembed = model.model.layers[layer], model.lm_head.weight
            gain = lambda norm: norm.weight + (1.0 if name == "Gemma2" else 0.0)  # noqa: E731
            rms = hidden.pow(2).mean(-1, keepdim=True).add(1e-6).rsqrt()
            values = (hidden * rms * gain(block.input_layernorm)) @ block.self_attn.v_proj.weight.T
            values = values.view(*ids.shape, 2, 8).repeat_interleave(2, 2).flatten(2)
            out = block.self_attn.o_proj.weight.T
            after = gain(block.post_attention_layernorm) if name == "Gemma2" else 1.0
            normed = lambda w: w * after * gain(model.model.norm)  # noqa: E731
        ranks = []
        for head in range(4):
            of_head = slice(8 * head, 8 * head + 8)
            found = normed(values[..., of_head] @ out[of_head]) @ unembed.T
            own = found.gather(-1, ids[..., None])
            ranks.append(2.0 * (found < own).double().sum(-1) / (VOCABULARY - 1) - 1.0)
    return torch.stack(ranks, -1)


@pytest.mark.parametrize("name", ["GPT2", "Llama", "Gemma2"])
def test_copying_ranks_the_token_by_the_output_value_circuit(name: str) -> None:
    model = build(name)
    ids = torch.randint(VOCABULARY, (4, 8), generator=torch.Generator().manual_seed(3))
    found = score_heads(model, padded(ids.tolist(), ()), scores=("copying",))
    for layer in (0, 1):
        expected = copying_by_formula(name, model, ids, layer).mean(1)
        np.testing.assert_allclose(found.layers[layer].sequences["copying"], expected.numpy(), atol=0.01)


def test_the_loss_without_a_head_is_that_of_a_model_without_it() -> None:
    model, tokens = build("Llama"), repeated(start=3)
    found = score_heads(model, tokens, scores=("loss",))
    ids = torch.as_tensor(tokens.ids)

    def cost(cut: Any) -> Any:
        loss = torch.nn.functional.cross_entropy(logits(cut, ids)[:, :-1].transpose(1, 2), ids[:, 1:], reduction="none")
        return loss[:, 13:].double().mean(1).numpy()  # the second copy but for its first token

    whole = cost(model)
    assert np.isclose(found.losses["predictable"].mean, whole.mean())
    cut = build("Llama")
    cut.get_submodule(OUTPUT_MAPS["Llama"].format(1)).weight.data[:, 16:24] = 0.0
    np.testing.assert_allclose(found.layers[1].sequences["loss"][:, 2], cost(cut) - whole, atol=1e-4)


def test_ablated_heads_have_no_scores() -> None:
    found = score_heads(build("GPT2"), repeated(), clamps="Ablate(1:1)")
    for score in found.measured:
        assert np.isnan(found.matrix(score)).sum() == 1 and np.isnan(found.matrix(score)[1, 1])


def test_a_model_that_looks_ahead_is_refused() -> None:
    config = transformers.BertConfig(**MODELS["GPTNeoX"], is_decoder=False)
    model = transformers.BertLMHeadModel._from_config(config, attn_implementation="eager")
    with pytest.raises(ValueError, match="BertLMHeadModel attends to later tokens"):
        score_heads(model, repeated(), scores=("prefix",))
