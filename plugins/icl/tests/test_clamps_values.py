"""What each clamp writes, and that everything downstream is computed from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from zoo_icl import clamps as c
from zoo_icl.model import ICLTransformer

B, N, T, H, K = 6, 3, 7, 4, 6
PATTERN = "blocks.{}.attn.pattern"


def model_of(seed: int = 0, **options: object) -> ICLTransformer:
    model = ICLTransformer(5, K, 16, H, dtype=torch.float64, generator=torch.Generator().manual_seed(seed), **options)  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 2
    return model


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Distinct labels in each context; the query's label is one of them."""
    rng = np.random.default_rng(0)
    labels = rng.permuted(np.tile(np.arange(K), (B, 1)), axis=1)[:, :N]
    y = np.hstack([labels, labels[np.arange(B), rng.integers(N, size=B)][:, None]])
    return torch.from_numpy(rng.normal(size=(B, N + 1, 5))), torch.from_numpy(y)


def downstream_agrees(model: ICLTransformer, cache: dict[str, torch.Tensor], skip: tuple[str, ...] = ()) -> None:
    """Every hook point but those in ``skip`` follows from the hook points before it, as recorded."""
    future = torch.ones(T, T, dtype=torch.bool).triu(1)
    for layer, block in enumerate(model.blocks):
        got = {
            hook.removeprefix(f"blocks.{layer}."): v for hook, v in cache.items() if hook.startswith(f"blocks.{layer}.")
        }
        want = {"ln1_out": block.ln1(got["resid_pre"]).detach()}
        for hook, weight in (("q_pre", block.attn.W_q), ("k_pre", block.attn.W_k), ("v", block.attn.W_v)):
            want[f"attn.{hook}"] = torch.einsum("btd,hde->bhte", got["ln1_out"], weight).detach()
        scores = torch.einsum("bhte,bhse->bhts", got["attn.q"], got["attn.k"]) / 2
        want["attn.scores"] = scores.masked_fill(future, -torch.inf)
        want["attn.pattern"] = got["attn.scores"].softmax(-1)
        want["attn.z"] = got["attn.pattern"] @ got["attn.v"]
        want["attn.out"] = torch.einsum("bhte,hed->btd", got["attn.z"], block.attn.W_o).detach()
        want["resid_mid"] = got["resid_pre"] + got["attn.out"]
        want["resid_post"] = got["resid_mid"]
        if layer:
            want["resid_pre"] = cache[f"blocks.{layer - 1}.resid_post"]
        for hook, value in want.items():
            if f"{layer}.{hook}" not in skip:
                torch.testing.assert_close(got[hook], value, msg=f"{layer}.{hook}")
    final = model.ln_f(cache[f"blocks.{model.depth - 1}.resid_post"]).detach()
    torch.testing.assert_close(cache["final"], final)
    torch.testing.assert_close(cache["logits_all"], (final @ model.W_un + model.b_un).detach()[:, ::2])
    if "logits" not in skip:
        torch.testing.assert_close(cache["logits"], cache["logits_all"][:, -1])


@pytest.mark.parametrize(("strength", "only_labels"), [(1.0, False), (0.7, False), (0.6, True)])
def test_prev_token(batch: tuple[torch.Tensor, torch.Tensor], strength: float, only_labels: bool) -> None:
    model, (x, y) = model_of(), batch
    _, free = model(x, y, "*")
    _, cache = model(x, y, "*", c.PrevToken("0:1-2,1:0", strength, only_labels))
    for layer, heads in ((0, [1, 2]), (1, [0])):
        for head in range(H):
            for t in range(T):
                row = cache[PATTERN.format(layer)][:, head, t]
                if head in heads and (not only_labels or t % 2):
                    want = torch.zeros(T, dtype=torch.float64)
                    want[max(t - 1, 0)] += strength if t else 1.0
                    want[t] += (1 - strength) if t else 0.0
                    torch.testing.assert_close(row, want.expand(B, T))
                elif layer == 0:
                    torch.testing.assert_close(row, free[PATTERN.format(0)][:, head, t])
    downstream_agrees(model, cache, ("0.attn.pattern", "1.attn.pattern"))


@settings(max_examples=20, deadline=None)
@example(seed=0, strength=0.5000302258162163, pairs=2)
@given(seed=st.integers(0, 1000), strength=st.floats(0, 1), pairs=st.integers(2, 4))
def test_induction_has_the_strength_it_says(seed: int, strength: float, pairs: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=(8, pairs + 1))
    y[:, 0], y[:, 1] = y[:, -1], (y[:, -1] + 1) % 3  # one is right, one is not; others may be either
    _, cache = model_of()(rng.normal(size=(8, pairs + 1, 5)), y, PATTERN.format(1), c.Induction("1:2", strength))
    last = cache[PATTERN.format(1)][:, 2, -1].numpy()
    for b in range(8):
        right = [i for i in range(pairs) if y[b, i] == y[b, -1]]
        want = np.zeros(2 * pairs + 1)
        for i in range(pairs):
            want[2 * i + 1] = strength / len(right) if i in right else (1 - strength) / (pairs - len(right))
        np.testing.assert_allclose(last[b], want, atol=1e-12)
        assert want[1::2].sum() == pytest.approx(1)
        strengths = sum(last[b, 2 * i + 1] * (1 if i in right else -1) for i in range(pairs))
        assert strengths == pytest.approx(2 * strength - 1)


def test_induction_leaves_other_rows_and_heads(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, (x, y) = model_of(), batch
    (_, free), (_, cache) = model(x, y, "*"), model(x, y, "*", c.Induction("1:2"))
    mine, other = cache[PATTERN.format(1)].clone(), free[PATTERN.format(1)].clone()
    mine[:, 2, -1] = other[:, 2, -1] = 0
    torch.testing.assert_close(mine, other)
    downstream_agrees(model, cache, ("1.attn.pattern",))


def test_induction_refuses_what_it_is_not_defined_for(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, (x, y) = model_of(), batch
    with pytest.raises(ValueError, match=r"Induction\(1:0\) needs the queries' labels: give y as \[B, N\+1\]"):
        model(x, y[:, :-1], clamps=c.Induction("1:0"))
    wrong = y.clone()
    wrong[:2, -1] = (set(range(K)) - set(y[0].tolist()) - set(y[1].tolist()) or {0}).pop()
    lacking = int((wrong[:, :-1] != wrong[:, -1:]).all(1).sum())
    assert lacking
    with pytest.raises(ValueError, match=f"{lacking} of 6 contexts lack the query's label"):
        model(x, wrong, clamps=c.Induction("1:0"))
    same = torch.zeros_like(y)
    with pytest.raises(ValueError, match="6 of 6 contexts have no other label"):
        model(x, same, clamps=c.Induction("1:0", 0.5))
    _, cache = model(x, same, PATTERN.format(1), c.Induction("1:0"))
    assert torch.allclose(cache[PATTERN.format(1)][:, 0, -1, 1::2], torch.tensor(1 / 3, dtype=torch.float64))


def test_match_looks_where_exemplars_are_alike(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, (x, y) = model_of(), batch
    x = x.clone()
    x[:, 2] = 3 * x[:, 0]  # the same direction: a tie
    x[0, -1] = 2 * x[0, 0]
    for temperature in (0.0, 0.3):
        _, cache = model(x, y, "*", c.Match("1:3", temperature))
        downstream_agrees(model, cache, ("1.attn.pattern",))
        last = cache[PATTERN.format(1)][:, 3, -1].numpy()
        assert (last[:, ::2] == 0).all()
        for b in range(B):
            near = [float(x[b, i] @ x[b, N] / x[b, i].norm() / x[b, N].norm()) for i in range(N)]
            raw = [n > max(near) - 1e-9 for n in near] if temperature == 0 else np.exp(np.array(near) / temperature)
            np.testing.assert_allclose(last[b, 1::2], np.array(raw) / np.sum(raw), atol=1e-12)
        if temperature == 0:
            np.testing.assert_allclose(last[0, 1::2], [0.5, 0, 0.5])


def test_no_prev_token_labels_only_and_temperature(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, (x, y) = model_of(), batch
    _, free = model(x, y, "*")
    for only in (False, True):
        _, cache = model(x, y, "*", c.NoPrevToken("0:*", only))
        pattern = cache[PATTERN.format(0)]
        for t in range(1, T):
            shut = not only or t % 2 == 1
            assert ((pattern[:, :, t, t - 1] == 0) == shut).all(), t
        downstream_agrees(model, cache, ("0.attn.scores",))
    _, cache = model(x, y, "*", c.LabelsOnly("1:0,1:2"))
    pattern = cache[PATTERN.format(1)]
    for head in range(H):
        assert (pattern[:, head, -1, ::2] == 0).all() == (head in (0, 2))
        assert (pattern[:, head, :-1, ::2] > 0).any()
    downstream_agrees(model, cache, ("1.attn.scores",))
    _, cache = model(x, y, "*", c.Temperature("1:1", 0.25))
    scores = free["blocks.1.attn.scores"].clone()
    scores[:, 1] *= 4
    torch.testing.assert_close(cache["blocks.1.attn.scores"], scores)
    downstream_agrees(model, cache, ("1.attn.scores",))


def test_ablations_and_constants(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, (x, y) = model_of(), batch
    _, cache = model(x, y, "*", "Ablate(1:0,1:2-3)")
    assert not cache["blocks.1.attn.v"][:, [0, 2, 3]].any() and cache["blocks.1.attn.v"][:, 1].any()
    downstream_agrees(model, cache, ("1.attn.v",))
    # No biases after the values: an ablated head is a head without output weights.
    arrays = model.to_arrays()
    arrays["blocks.1.attn.W_o"][[0, 2, 3]] = 0
    without = ICLTransformer.from_arrays(arrays, **model.options, dtype=torch.float64)
    torch.testing.assert_close(cache["logits"], without(x, y).detach())
    _, cache = model_of(pos="ape", max_tokens=T)(x, y, "*", c.AblateEmbedding())
    torch.testing.assert_close(cache["embed"], cache["embed"][:1].expand(B, T, 16))
    assert cache["embed"].any() and not cache["ex_embed"].any() and not cache["label_embed"].any()
    z = torch.arange(4.0)
    _, cache = model(x, y, "*", c.Constant("z", z, "0:1"))
    assert (cache["blocks.0.attn.z"][:, 1] == z).all()
    downstream_agrees(model, cache, ("0.attn.z",))
    _, cache = model(x, y, "*", c.Constant("blocks.1.resid_mid", 1.5))
    assert (cache["blocks.1.resid_post"] == 1.5).all()


def test_preserved_values_are_those_without_the_other_clamps(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, (x, y) = model_of(), batch
    _, free = model(x, y, "*")
    kinds = {"pattern": c.PreservePatterns(), "v": c.PreserveValues(), "q": c.PreserveQueries(), "k": c.PreserveKeys()}
    for hook, kind in kinds.items():
        _, cache = model(x, y, "*", ["Ablate(0:*)", kind])
        _, without = model(x, y, "*", "Ablate(0:*)")
        for layer in range(2):
            name = f"blocks.{layer}.attn.{hook}"
            if (layer, hook) == (0, "v"):  # said explicitly, so the ablation stands
                assert not cache[name].any()
            else:
                torch.testing.assert_close(cache[name], free[name])
        assert (without[f"blocks.1.attn.{hook}"] - free[f"blocks.1.attn.{hook}"]).abs().max() > 1e-3
        downstream_agrees(model, cache, (f"0.attn.{hook}", f"1.attn.{hook}", "0.attn.v"))
    _, cache = model(x, y, "*", ["Ablate(0:*)", c.Live("pattern", "1:2")])
    torch.testing.assert_close(cache[PATTERN.format(1)][:, 2], free[PATTERN.format(1)][:, 2])
    assert (cache[PATTERN.format(1)][:, 1] - free[PATTERN.format(1)][:, 1]).abs().max() > 1e-3


@pytest.mark.parametrize("options", [{}, {"pos": "ape", "max_tokens": T}])
def test_layer1_reads_block_1_off_tokens_one_late(
    batch: tuple[torch.Tensor, torch.Tensor], options: dict[str, object]
) -> None:
    model, (x, y) = model_of(**options), batch
    _, free = model(x, y, "*")
    logits, cache = model(x, y, "*", c.Layer1())
    e = free["embed"]
    late = torch.stack([e[:, 0], *(e[:, t - 1] for t in range(1, T - 1)), e[:, T - 1]], dim=1)
    block = model.blocks[1]
    n, n_late = block.ln1(e), block.ln1(late)
    q, k = (torch.einsum("btd,hde->bhte", n_late, w) for w in (block.attn.W_q, block.attn.W_k))
    v = torch.einsum("btd,hde->bhte", n, block.attn.W_v)
    if not options:
        for pair, angle in ((0, 1.0), (1, 0.01)):  # base 10000 and hd = 4: 10000^0 and 10000^(-1/2)
            for t in range(T):
                a = torch.tensor(t * angle, dtype=torch.float64)
                turn = torch.stack([torch.stack([a.cos(), a.sin()]), torch.stack([-a.sin(), a.cos()])])
                at = slice(2 * pair, 2 * pair + 2)
                q[:, :, t, at], k[:, :, t, at] = q[:, :, t, at].clone() @ turn, k[:, :, t, at].clone() @ turn
    pattern = (q @ k.mT / 2).masked_fill(torch.ones(T, T, dtype=torch.bool).triu(1), -torch.inf).softmax(-1)
    h = e + torch.einsum("bhte,hed->btd", pattern @ v, block.attn.W_o)
    torch.testing.assert_close(cache[PATTERN.format(1)], pattern.detach())
    torch.testing.assert_close(logits, model.ln_f(h[:, -1]) @ model.W_un + model.b_un)
    for name in ("resid_pre", "attn.pattern", "resid_post"):  # block 0 is still there to be looked at
        torch.testing.assert_close(cache[f"blocks.0.{name}"], free[f"blocks.0.{name}"])


def test_copy_reads_the_answer_off_scores(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, (x, y) = model_of(), batch
    y = y.clone()
    y[0, 1] = y[0, 0]  # twice in one context: the larger score counts
    for text, alone in (("Copy(1:2)", ()), ("Layer1()+Copy(1:2)", "Layer1()"), ("Ablate(0:*)+Copy(1:2)", ())):
        _, cache = model(x, y, "blocks.1.attn.scores", alone)
        scores = cache["blocks.1.attn.scores"][:, 2, -1]
        want = np.full((B, K), -1e9)
        for b in range(B):
            for i in range(N):
                want[b, y[b, i]] = max(want[b, y[b, i]], float(scores[b, 2 * i + 1]))
        np.testing.assert_allclose(model(x, y, clamps=text).detach(), want, rtol=1e-12)


def test_grafts_take_over(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, other, (x, y) = model_of(0), model_of(1), batch
    _, theirs = other(x, y, "*")
    _, mine = model(x, y, "*")
    _, cache = model(x, y, "*", c.Graft(other, 0))
    torch.testing.assert_close(cache["blocks.0.resid_post"], theirs["blocks.0.resid_post"])
    torch.testing.assert_close(cache["blocks.0.attn.pattern"], mine["blocks.0.attn.pattern"])
    downstream_agrees(model, cache, ("0.resid_post",))
    taken = model.ln_f(theirs["blocks.1.resid_post"][:, -1]) @ model.W_un + model.b_un
    torch.testing.assert_close(model(x, y, clamps=c.Graft(other, 1)), taken)
    late = {name: a for name, a in other.to_arrays().items() if name.startswith(("blocks.1", "ln_f", "W_un", "b_un"))}
    mixed = model.to_arrays() | late
    both = ICLTransformer.from_arrays(mixed, **model.options, dtype=torch.float64)
    torch.testing.assert_close(model(x, y, clamps=c.GraftOut(other, 1)), both(x, y))
    wide = ICLTransformer(5, K, 32, H)
    with pytest.raises(ValueError, match=r"Graft\(upto_layer=0\): the graft is 32 wide, the model 16"):
        model(x, y, clamps=c.Graft(wide, 0))
    with pytest.raises(ValueError, match=r"there is no layer 2 in both models; they share 0 to 1"):
        model(x, y, clamps=c.GraftOut(other, 2))
