"""The gradient by hand against autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_icl.model import ICLTransformer
from zoo_icl.model.manual_backward.step import ManualGradients, supports


def autograd(
    model: ICLTransformer, x: torch.Tensor, y: torch.Tensor, clamps: str = ""
) -> tuple[float, torch.Tensor, dict[str, Any]]:
    """Loss, logits and gradients."""
    logits = model(x, y, clamps=clamps)
    loss = F.cross_entropy(logits, y[:, -1])
    names, parameters = zip(*model.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters, materialize_grads=True)
    return loss.item(), logits.detach(), dict(zip(names, gradients, strict=True))


def drawn(seed: int, batch: int, pairs: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, pairs + 1, 7, generator=g, dtype=dtype)
    return x, torch.randint(4, (batch, pairs + 1), generator=g)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    batch=st.integers(1, 9),
    pairs=st.integers(1, 4),
    depth=st.integers(1, 3),
    mlp=st.sampled_from([None, 1.5]),
    pos=st.sampled_from(["rope", "ape", "sinusoidal"]),
    norm=st.sampled_from(["layernorm", "none"]),
    causal=st.booleans(),
)
def test_it_equals_autograd(
    seed: int, batch: int, pairs: int, depth: int, mlp: float | None, pos: Any, norm: Any, causal: bool
) -> None:
    double = torch.float64
    model = ICLTransformer(
        7, 4, 8, 2, depth, mlp, pos, norm=norm, causal=causal, max_tokens=11, dtype=double,
        generator=torch.Generator().manual_seed(seed),
    )  # fmt: skip
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.split(".")[-1].startswith("W_"):
                parameter += 0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed)).to(
                    double
                )
            parameter.grad = torch.full_like(parameter, torch.nan)
    x, y = drawn(seed, batch, pairs, double)
    loss, logits, gradients = autograd(model, x, y)
    told, ours = ManualGradients(model)(x, y)
    assert abs(told - loss) < 1e-12
    np.testing.assert_allclose(ours, logits, atol=1e-12)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], atol=1e-12, rtol=1e-9, msg=name)


@pytest.mark.parametrize(
    "clamps",
    [
        "PrevToken(0:0)+Ablate(1:0,1:2-3)",
        "PrevToken(0:*, strength=0.7, only_labels=true)",
        "PrevToken(1:1, strength=0.3)",
        "Induction(1:3, 0.9)+Ablate(0:1)",
        "Induction(0:*, 0.8)",
        "Match(1:*, 0.5)+PrevToken(0:1)",
        "Match(0:2, 0.5)+PrevToken(0:0-1)",
    ],
)
@pytest.mark.parametrize("pos", ["rope", "sinusoidal"])
def test_constant_clamps_too(clamps: str, pos: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    model = ICLTransformer(7, 4, 16, 4, pos=pos, dtype=torch.float64, generator=generator)
    x, y = drawn(0, 6, 3, torch.float64)
    y[:, 0], y[:, 1] = y[:, -1], (y[:, -1] + 1) % 4
    loss, logits, gradients = autograd(model, x, y, clamps)
    told, ours = ManualGradients(model, clamps)(x, y)
    assert abs(told - loss) < 1e-12
    np.testing.assert_allclose(ours, logits, atol=1e-12)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], atol=1e-12, rtol=1e-9, msg=name)
        assert torch.equal(parameter.grad == 0, gradients[name] == 0), name


def test_in_single_precision_it_stays_close() -> None:
    model = ICLTransformer(7, 4, mlp_ratio=2.0, generator=torch.Generator().manual_seed(0))
    x, y = drawn(0, 32, 3, torch.float32)
    loss, _, gradients = autograd(model, x, y)
    told, logits = ManualGradients(model)(x.numpy(), y.numpy())
    assert abs(told - loss) < 1e-6 and logits.dtype == np.float32
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], atol=2e-6, rtol=2e-5, msg=name)


def test_parameters_may_change_or_move_between_steps() -> None:
    model = ICLTransformer(7, 4, 8, 2, dtype=torch.float64)
    x, y = drawn(1, 5, 2, torch.float64)
    step = ManualGradients(model)
    step(x, y)

    def check() -> None:
        loss, _, gradients = autograd(model, x, y)
        assert abs(step(x, y)[0] - loss) < 1e-12
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(parameter.grad, gradients[name], atol=1e-12, rtol=1e-9, msg=name)

    with torch.no_grad():
        model.blocks[1].attn.W_q += 0.5  # in place
    check()
    model.zero_grad(set_to_none=True)  # gradients gone
    check()
    model.float().double()  # all elsewhere
    check()
    flat = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    start = 0
    for parameter in model.parameters():  # views of one vector, as an optimiser lays them out
        parameter.data = flat[start : start + parameter.numel()].view_as(parameter)
        start += parameter.numel()
    check()


def test_what_it_cannot_do_is_refused() -> None:
    model = ICLTransformer(7, 4, 8, 2, pos="ape", max_tokens=5)
    x, y = drawn(1, 5, 2, torch.float32)
    step = ManualGradients(model)
    with pytest.raises(ValueError, match="the query's label must be there"):
        step(x, y[:, :-1])
    with pytest.raises(ValueError, match="labels from 0 to 4: expected 0 to 3"):
        step(x, torch.arange(15).view(5, 3) % 5)
    with pytest.raises(ValueError, match="T = 7 tokens"):
        step(*drawn(1, 5, 3, torch.float32))
    assert not supports(model, "Layer1()") and supports(model, "PrevToken(0:0)+Ablate(1:0)")
    with pytest.raises(ValueError, match=r"Ablate\(1:0\)\+Copy\(1:1\) has a clamp without a hand-written gradient"):
        ManualGradients(model, "Ablate(1:0)+Copy(1:1)")
    half = ICLTransformer(7, 4, 8, 2).bfloat16()
    assert not supports(half)
    with pytest.raises(ValueError, match=r"torch.bfloat16 on cpu: expected float32 or 64 on cpu"):
        ManualGradients(half)
