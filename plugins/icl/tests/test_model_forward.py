"""The forward pass against loops written from the formulas, gradients against differences, recording, and bad input."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from zoo_icl.model import ICLTransformer

Floats = NDArray[np.float64]
DOUBLE: dict[str, Any] = {"dtype": torch.float64}
KINDS: list[dict[str, Any]] = [
    {},
    {"pos": "ape", "max_tokens": 9, "mlp_ratio": 1.5},
    {"pos": "sinusoidal", "norm": "none", "depth": 3},
    {"causal": False, "mlp_ratio": 2.0, "rope_base": 50.0, "depth": 1},
]


def model_of(**options: Any) -> ICLTransformer:
    sizes = {"d_in": 6, "n_outputs": 5, "d_model": 12, "n_heads": 3, "pos": "sinusoidal"}
    model = ICLTransformer(**{**sizes, **options}, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for parameter in model.parameters():  # biases and norms that matter
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
    return model


def batch_of(batch: int = 4, pairs: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.normal(size=(batch, pairs + 1, 6)))
    return x, torch.from_numpy(rng.integers(5, size=(batch, pairs + 1)))


def expected(model: ICLTransformer, x: Floats, y: NDArray[np.int64]) -> tuple[Floats, list[Floats]]:
    """Logits [N+1, K] at all exemplars of one sequence, and patterns, one row at a time."""
    p, H, d = model.to_arrays(), model.n_heads, model.d_model
    hd, T = d // H, 2 * len(x) - 1
    tokens = [x[t // 2] @ p["W_ex"] + p["b_ex"] if t % 2 == 0 else p["W_lab"][y[t // 2]] for t in range(T)]
    for t in range(T):
        if model.pos == "ape":
            tokens[t] = tokens[t] + p["W_pos"][t]
        if model.pos == "sinusoidal":
            wave = [np.sin if c % 2 == 0 else np.cos for c in range(d)]
            tokens[t] = tokens[t] + [wave[c](t * 30.0 ** (-2 * (c // 2) / d)) for c in range(d)]

    def norm(h: Floats, name: str) -> Floats:
        if model.norm == "none":
            return h
        return (h - h.mean()) / np.sqrt(((h - h.mean()) ** 2).mean() + 1e-5) * p[f"{name}.w"] + p[f"{name}.b"]

    def rope(v: Floats, t: int) -> Floats:
        if model.pos != "rope":
            return v
        out = v.copy()
        for i in range(hd // 2):
            a = t * model.rope_base ** (-2 * i / hd)
            turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
            out[2 * i : 2 * i + 2] = turn @ v[2 * i : 2 * i + 2]
        return out

    h, patterns = np.array(tokens), []
    for block in range(model.depth):
        at = f"blocks.{block}"
        n = np.array([norm(row, f"{at}.ln1") for row in h])
        A, out = np.zeros((H, T, T)), np.zeros((T, d))
        for head in range(H):
            W_q, W_k, W_v, W_o = (p[f"{at}.attn.W_{w}"][head] for w in "qkvo")
            for t in range(T):
                seen = range(t + 1) if model.causal else range(T)
                scores = np.array([rope(n[t] @ W_q, t) @ rope(n[s] @ W_k, s) / np.sqrt(hd) for s in seen])
                weights = np.exp(scores) / np.exp(scores).sum()
                A[head, t, : len(weights)] = weights
                out[t] += sum(w * (n[s] @ W_v) for w, s in zip(weights, seen, strict=True)) @ W_o
        patterns.append(A)
        h = h + out
        if model.mlp_ratio is not None:
            for t in range(T):
                u = norm(h[t], f"{at}.ln2") @ p[f"{at}.mlp.W_in"] + p[f"{at}.mlp.b_in"]
                gelu = 0.5 * u * (1 + np.tanh(np.sqrt(2 / np.pi) * (u + 0.044715 * u**3)))
                h[t] += gelu @ p[f"{at}.mlp.W_out"] + p[f"{at}.mlp.b_out"]
    return np.array([norm(row, "ln_f") @ p["W_un"] + p["b_un"] for row in h[::2]]), patterns


@pytest.mark.parametrize("options", [{"pos": "rope"}, *KINDS[1:], {"pos": "rope", "depth": 3}])
def test_logits_and_patterns_are_those_of_the_formulas(options: dict[str, Any]) -> None:
    model = model_of(**options, **DOUBLE)
    x, y = batch_of()
    logits, cache = model(x, y, record="*")
    for b in range(len(x)):
        every, patterns = expected(model, x[b].numpy(), y[b].numpy())
        np.testing.assert_allclose(logits[b].detach(), every[-1], atol=1e-10)
        np.testing.assert_allclose(cache["logits_all"][b], every, atol=1e-10)
        for layer, pattern in enumerate(patterns):
            np.testing.assert_allclose(cache[f"blocks.{layer}.attn.pattern"][b], pattern, atol=1e-12)


def test_parameter_count_of_the_papers_model() -> None:
    model = ICLTransformer(512, 5)
    assert sum(parameter.numel() for parameter in model.parameters()) == 66_629


def test_first_weights_have_the_stated_scales() -> None:
    model = ICLTransformer(512, 300, generator=torch.Generator().manual_seed(0))
    p = model.to_arrays()
    for name, variance in {
        "W_ex": 1 / 512,
        "blocks.0.attn.W_q": 1 / 64,
        "W_un": 1 / 64,
        "W_lab": 0.02**2 * 0.774,
    }.items():
        # The sample variance of n draws has standard error below variance * sqrt(2 / n).
        assert abs(p[name].var() / variance - 1) < 5 * np.sqrt(2 / p[name].size), name
    assert np.abs(p["W_lab"]).max() <= 0.04
    assert not p["b_un"].any() and (p["ln_f.w"] == 1).all()
    again = ICLTransformer(512, 300, generator=torch.Generator().manual_seed(0)).to_arrays()
    assert all((again[name] == p[name]).all() for name in p)


@pytest.mark.parametrize("options", KINDS)
def test_autograd_agrees_with_central_differences(options: dict[str, Any]) -> None:
    model = model_of(**options, **DOUBLE)
    x, y = batch_of()
    F.cross_entropy(model(x, y), y[:, -1]).backward()
    rng, step = np.random.default_rng(3), 1e-6
    for name, parameter in model.named_parameters():
        gradient, values = parameter.grad.flatten(), parameter.detach().view(-1)
        for place in rng.integers(values.numel(), size=2):
            losses = []
            for sign in (1, -1):
                values[place] += sign * step
                losses.append(F.cross_entropy(model(x, y), y[:, -1]).item())
                values[place] -= sign * step
            assert abs((losses[0] - losses[1]) / (2 * step) - gradient[place]) < 1e-7, (name, place)


@pytest.mark.parametrize("options", KINDS)
@settings(max_examples=15, deadline=None)
@given(chosen=st.sets(st.integers(0, 19), max_size=5))
def test_recording_never_changes_a_bit(options: dict[str, Any], chosen: set[int]) -> None:
    model = model_of(**options)
    x, y = (part.float() if part.is_floating_point() else part for part in batch_of())
    names = [model.hook_points[i % len(model.hook_points)] for i in chosen]
    for grad in (True, False):
        with torch.set_grad_enabled(grad):
            logits, cache = model(x, y, record=names)
            assert torch.equal(logits, model(x, y))
            assert set(cache) == set(names)
            assert not any(value.requires_grad for value in cache.values())


def test_hook_points_have_the_stated_shapes_and_agree_with_each_other() -> None:
    model, (x, y) = model_of(mlp_ratio=2.0, pos="rope", d_model=12, **DOUBLE), batch_of(4, 3)
    logits, c = model(x, y, record=["*"])
    B, N, T, d, H, hd, K = 4, 3, 7, 12, 3, 4, 5
    shapes = {"ex_embed": (B, N + 1, d), "label_embed": (B, N, d), "embed": (B, T, d), "final": (B, T, d)}
    shapes |= {"logits": (B, K), "logits_all": (B, N + 1, K)}
    for layer in range(2):
        for hook in ("resid_pre", "ln1_out", "attn.out", "resid_mid", "mlp.out", "resid_post"):
            shapes[f"blocks.{layer}.{hook}"] = (B, T, d)
        for hook in ("q", "k", "v", "q_pre", "k_pre", "z"):
            shapes[f"blocks.{layer}.attn.{hook}"] = (B, H, T, hd)
        for hook in ("scores", "pattern"):
            shapes[f"blocks.{layer}.attn.{hook}"] = (B, H, T, T)
    assert {name: tuple(value.shape) for name, value in c.items()} == shapes
    assert set(model.hook_points) == set(shapes)
    torch.testing.assert_close(c["embed"][:, ::2], c["ex_embed"])  # rope adds nothing to tokens
    torch.testing.assert_close(c["embed"][:, 1::2], c["label_embed"])
    torch.testing.assert_close(c["blocks.1.attn.scores"].softmax(-1), c["blocks.1.attn.pattern"])
    torch.testing.assert_close(c["blocks.0.attn.pattern"] @ c["blocks.0.attn.v"], c["blocks.0.attn.z"])
    torch.testing.assert_close(c["blocks.0.resid_mid"] + c["blocks.0.mlp.out"], c["blocks.0.resid_post"])
    torch.testing.assert_close(c["blocks.0.resid_post"], c["blocks.1.resid_pre"])
    torch.testing.assert_close(c["logits_all"][:, -1], logits.detach())
    turned = (c["blocks.1.attn.q_pre"] - c["blocks.1.attn.q"]).abs().amax((0, 1, 3))
    assert turned[0] == 0 and turned[1:].min() > 0.01


def test_nothing_is_kept_after_the_call() -> None:
    model, (x, y) = model_of(), batch_of()
    _, cache = model(x, y, record="blocks.*.attn.pattern", detach=False)
    assert all(value.requires_grad for value in cache.values())
    alive = [weakref.ref(value) for value in cache.values()]
    del cache, _
    gc.collect()
    assert not any(ref() is not None for ref in alive)


def test_float32_and_float64_agree() -> None:
    model, (x, y) = model_of(mlp_ratio=2.0, **DOUBLE), batch_of()
    single = ICLTransformer.from_arrays(model.to_arrays(), **model.options)
    assert single(x, y).dtype == torch.float32
    torch.testing.assert_close(single(x, y).double(), model(x, y), atol=1e-4, rtol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_computes_the_same() -> None:
    model, (x, y) = model_of(**DOUBLE), batch_of()
    there = model_of(**DOUBLE).to("cuda")
    torch.testing.assert_close(there(x, y).cpu(), model(x, y))


def test_arrays_go_out_and_in() -> None:
    model = model_of(pos="ape", max_tokens=7, mlp_ratio=2.0)
    arrays = model.to_arrays()
    assert arrays["blocks.1.attn.W_o"].shape == (3, 4, 12) and arrays["W_pos"].shape == (7, 12)
    other = ICLTransformer.from_arrays(arrays, **model.options)
    x, y = batch_of()
    assert torch.equal(other(x, y), model(x, y))
    arrays["W_ex"][...] = 0
    assert torch.equal(other(x, y), model(x, y))
    assert not any(".ln" in name or "ln_f" in name for name in model_of(norm="none").to_arrays())


def test_wrong_arrays_are_refused_and_change_nothing() -> None:
    model = model_of()
    before = model.to_arrays()
    arrays = model.to_arrays()
    with pytest.raises(ValueError, match=r"'W_ux' of shape \(12, 5\).*did you mean 'W_un'"):
        model.load_arrays(arrays | {"W_ux": arrays["W_un"]})
    with pytest.raises(ValueError, match=r"'W_un': shape \(5, 12\), expected \(12, 5\)"):
        model.load_arrays({name: array * 0 for name, array in arrays.items()} | {"W_un": arrays["W_un"].T})
    del arrays["b_un"]
    with pytest.raises(ValueError, match=r"'b_un' is missing: expected shape \(5,\), got none"):
        model.load_arrays(arrays)
    after = model.to_arrays()
    assert all((before[name] == after[name]).all() for name in before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"d_model": 12, "n_heads": 5}, "d_model = 12 is not divisible by n_heads = 5"),
        ({"d_model": 9, "n_heads": 3, "pos": "rope"}, "head_dim = 9 / 3 = 3: rope needs an even number"),
        ({"pos": "rotary"}, "pos = 'rotary': expected 'rope', 'ape' or 'sinusoidal'"),
        ({"norm": "rms"}, "norm = 'rms'"),
        ({"pos": "ape"}, "needs max_tokens"),
        ({"depth": 0}, "depth = 0: expected at least 1"),
        ({"mlp_ratio": 0.01}, "mlp_ratio = 0.01"),
    ],
)
def test_impossible_models_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ICLTransformer(6, 5, **options)


def test_bad_input_is_refused() -> None:
    model, (x, y) = model_of(pos="ape", max_tokens=5), batch_of(4, 2)
    assert model(x.numpy(), y.numpy()).shape == (4, 5)
    with pytest.raises(
        KeyError, match=r"no hook point is called 'blocks.0.attn.patern'; near: .*blocks.0.attn.pattern"
    ):
        model(x, y, record="blocks.0.attn.patern")
    with pytest.raises(ValueError, match=r"exemplars of shape \(4, 3, 5\): expected \[B, N\+1, 6\]"):
        model(x[..., :5], y)
    with pytest.raises(ValueError, match=r"labels of shape \(4, 1\): expected \[4, 2\] or \[4, 3\]"):
        model(x, y[:, :1])
    with pytest.raises(ValueError, match=r"labels from 5 to 5: expected 0 to 4"):
        model(x, y * 0 + 5)
    with pytest.raises(ValueError, match=r"T = 7 tokens: learned positions end at max_tokens = 5"):
        model(*batch_of(4, 3))
