"""What gradients do at clamps, each rule of docs/methods/icl.md, section 3, by itself."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from zoo_icl import clamps as c
from zoo_icl.model import ICLTransformer

H = 4
Gradients = dict[str, torch.Tensor]


def model_of(seed: int = 0, depth: int = 2) -> ICLTransformer:
    g = torch.Generator().manual_seed(seed)
    return ICLTransformer(5, 4, 16, H, depth, dtype=torch.float64, generator=g)


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    labels = rng.permuted(np.tile(np.arange(4), (6, 1)), axis=1)[:, :3]
    return torch.from_numpy(rng.normal(size=(6, 4, 5))), torch.from_numpy(np.hstack([labels, labels[:, :1]]))


def loss_of(model: ICLTransformer, batch: tuple[torch.Tensor, torch.Tensor], clamps: object) -> torch.Tensor:
    logits = model(*batch, clamps=clamps)
    return F.cross_entropy(logits.clamp(min=-30), batch[1][:, -1])


def gradients(model: ICLTransformer, batch: tuple[torch.Tensor, torch.Tensor], clamps: object) -> Gradients:
    names, parameters = zip(*model.named_parameters(), strict=True)
    found = torch.autograd.grad(loss_of(model, batch, clamps), parameters, materialize_grads=True)
    return dict(zip(names, found, strict=True))


def agrees_with_differences(
    model: ICLTransformer, batch: tuple[torch.Tensor, torch.Tensor], clamps: object, names: Iterable[str]
) -> None:
    """Central differences of the whole computation, first passes included."""
    found, rng, step = gradients(model, batch, clamps), np.random.default_rng(1), 1e-6
    parameters = dict(model.named_parameters())
    for name in names:
        values = parameters[name].detach().view(-1)
        for place in rng.integers(values.numel(), size=2):
            values[place] += step
            above = loss_of(model, batch, clamps).item()
            values[place] -= 2 * step
            below = loss_of(model, batch, clamps).item()
            values[place] += step
            assert abs((above - below) / (2 * step) - found[name].flatten()[place].item()) < 1e-7, name


# 1. Constants let no gradient through.


@pytest.mark.parametrize(
    "clamp",
    [
        "PrevToken(0:1)",
        "PrevToken(1:1)",
        "Induction(1:1)",
        "Match(1:1,0.1)",
        c.Constant("pattern", 0.2, "0:1"),
        c.Constant("pattern", 0.2, "1:1"),
    ],
)
def test_a_clamped_pattern_teaches_its_head_no_queries_and_keys(
    batch: tuple[torch.Tensor, torch.Tensor], clamp: object
) -> None:
    model, layer = model_of(), int("1:" in str(clamp))
    found = gradients(model, batch, clamp)
    for name in ("W_q", "W_k"):
        gradient = found[f"blocks.{layer}.attn.{name}"]
        assert (gradient[1] == 0).all(), "exactly"
        assert all(gradient[head].abs().max() > 0 for head in (0, 2, 3))
    assert found[f"blocks.{layer}.attn.W_v"][1].abs().max() > 0
    agrees_with_differences(model, batch, clamp, ["W_ex", "blocks.0.attn.W_q", "blocks.1.attn.W_v", "W_lab"])


def test_rows_that_stay_teach(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    found = gradients(model_of(), batch, "PrevToken(0:1, only_labels=true)")
    assert found["blocks.0.attn.W_q"][1].abs().max() > 0  # the query's row is still the head's own
    found = gradients(model_of(depth=3), batch, "Induction(1:1)")
    assert found["blocks.1.attn.W_q"][1].abs().max() > 0  # and here the other rows reach the loss


def test_ablated_heads_learn_nothing_and_pass_nothing_on(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    found = gradients(model_of(), batch, "Ablate(1:0-2)")
    for name in ("W_q", "W_k", "W_v", "W_o"):
        gradient = found[f"blocks.1.attn.{name}"]
        assert (gradient[:3] == 0).all() and gradient[3].abs().max() > 0
    found = gradients(model_of(), batch, "AblateEmbedding()")
    assert not found["W_ex"].any() and not found["W_lab"].any()


def test_a_constant_tensor_keeps_no_graph(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    value = torch.ones((), dtype=torch.float64, requires_grad=True)
    loss_of(model_of(), batch, c.Constant("z", value, "0:0")).backward()
    assert value.grad is None


# 2. Live values carry their gradient through the first pass.


@pytest.mark.parametrize(
    "clamps",
    [
        "Ablate(0:*)+PreservePatterns()",
        "Ablate(0:*)+PreserveValues()",
        "Ablate(0:0)+PreserveQueries()+PreserveKeys()",
        "Temperature(1:1,0.5)+Ablate(0:0)",
        "Copy(1:2)",
        "Layer1()",
        "Layer1()+Copy(1:2)",
        [c.Live("blocks.1.attn.q"), "PrevToken(0:0)"],
        "NoPrevToken(0:*)",
        "LabelsOnly(1:*)",
    ],
)
def test_gradients_flow_through_first_passes(batch: tuple[torch.Tensor, torch.Tensor], clamps: object) -> None:
    names = ["W_ex", "W_lab", *(f"blocks.{layer}.attn.W_{w}" for layer in range(2) for w in "qkvo"), "ln_f.w"]
    agrees_with_differences(model_of(), batch, clamps, names)


def test_detached_values_are_constants(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model = model_of()
    flowing = gradients(model, batch, ["Ablate(0:*)", c.PreservePatterns()])
    stopped = gradients(model, batch, ["Ablate(0:*)", c.PreservePatterns(detach=True)])
    assert flowing["blocks.1.attn.W_q"].abs().max() > 0 and flowing["blocks.0.attn.W_q"].abs().max() > 0
    assert not stopped["blocks.1.attn.W_q"].any() and not stopped["blocks.0.attn.W_q"].any()
    live = gradients(model, batch, c.Live("scores", "1:0", detach=True))
    assert (live["blocks.1.attn.W_q"][0] == 0).all() and live["blocks.1.attn.W_q"][1].any()


def test_layer1_teaches_block_0_exactly_nothing(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model = model_of()
    loss_of(model, batch, "Layer1()").backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        assert bool(parameter.grad.any()) != name.startswith("blocks.0."), name


# 3. Grafts never learn.


def test_grafts_get_no_gradient_and_stay_what_they_were(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model, other = model_of(0), model_of(1)
    for clamp in (c.Graft(other, 0), c.GraftOut(other, 1), c.GraftOut(model, 1)):
        found = gradients(model, batch, clamp)
        assert found["W_ex"].any() == isinstance(clamp, c.GraftOut)
        assert not any(found[f"blocks.{int(isinstance(clamp, c.GraftOut))}.attn.W_{w}"].any() for w in "qkvo")
        assert not any(parameter.requires_grad for parameter in clamp.model.parameters())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in other.parameters())
    graft, before = c.Graft(other, 0), model(*batch, clamps=c.Graft(other, 0))
    with torch.no_grad():
        other.W_ex += 1
    assert torch.equal(model(*batch, clamps=graft), before)
    agrees_with_differences(model, batch, c.GraftOut(other, 1), ["W_ex", "blocks.0.attn.W_q", "blocks.0.attn.W_o"])


# 6. Nothing stays behind.


def test_no_clamp_survives_its_call(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model = model_of()
    free = model(*batch)
    clamped = model(*batch, clamps="Ablate(0:*)")
    assert not torch.equal(free, clamped)
    with pytest.raises(ValueError, match="no head 9"):
        model(*batch, clamps="Ablate(0:*)+PrevToken(1:9)")
    assert torch.equal(model(*batch), free)
    assert model.state_dict().keys() == model_of().state_dict().keys()


def test_calls_may_nest(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    model = model_of()
    inner: list[torch.Tensor] = []
    handle = model.blocks[1].ln1.register_forward_hook(
        lambda *_: inner.append(model(*batch, clamps="Ablate(1:*)")) if not inner and not inner.append(None) else None
    )  # type: ignore[func-returns-value, arg-type]
    outer = model(*batch, clamps="PrevToken(0:*)")
    handle.remove()
    assert torch.equal(inner[1], model(*batch, clamps="Ablate(1:*)"))
    assert torch.equal(outer, model(*batch, clamps="PrevToken(0:*)"))


@pytest.mark.parametrize("text", ["PrevToken(0:0)", "Layer1()+Copy(1:2)", "Ablate(0:*)+PreserveValues()"])
def test_clamps_work_without_gradients_copied_and_pickled(batch: tuple[torch.Tensor, torch.Tensor], text: str) -> None:
    model, clamps = model_of(), c.compose(text)
    there = pickle.loads(pickle.dumps(clamps))
    assert there == clamps and hash(there) == hash(clamps)
    want = model(*batch, clamps=clamps)
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode:
            torch.testing.assert_close(model(*batch, clamps=there), want.detach())
    assert torch.equal(copy.deepcopy(model)(*batch, clamps=copy.deepcopy(clamps)), want)
    loss_of(model, batch, clamps).backward()  # also after inference mode
    grafted = pickle.loads(pickle.dumps(c.Graft(model, 0)))
    torch.testing.assert_close(model(*batch, clamps=grafted), model(*batch))
