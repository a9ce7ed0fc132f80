"""Peers of ``icl.py``: the same transformer and Adam step in JAX and in eager PyTorch, each in its own plain way.

Two attention-only blocks with rotary positions, pre-norm; cross-entropy at the query. Both take over the weights of our
model by name, so that all can be checked to do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Arrays = Mapping[str, NDArray[Any]]


def angles(tokens: int, head_dim: int) -> NDArray[np.float32]:
    """The angles ``pos * 10000^(-2i / head_dim)``, [tokens, head_dim / 2]."""
    rate = 10_000.0 ** (-np.arange(0, head_dim, 2) / head_dim)
    return (np.arange(tokens)[:, None] * rate).astype(np.float32)


def jax_logits(p: Any, x: Any, y: Any, *, last_row: bool) -> Any:
    """Logits of B sequences; ``last_row``: the last block computes the query's row alone, as ours does."""
    B, pairs, D = x.shape[0], x.shape[1] - 1, p["W_ex"].shape[1]
    T = 2 * pairs + 1
    ex, lab = x @ p["W_ex"] + p["b_ex"], p["W_lab"][y[:, :pairs]]
    h = jnp.concatenate([jnp.stack([ex[:, :-1], lab], axis=2).reshape(B, T - 1, D), ex[:, -1:]], axis=1)
    turn = angles(T, p["blocks.0.attn.W_q"].shape[2])

    def norm(h: Any, name: str) -> Any:
        mean, var = h.mean(-1, keepdims=True), h.var(-1, keepdims=True)
        return (h - mean) * jax.lax.rsqrt(var + 1e-5) * p[f"{name}.w"] + p[f"{name}.b"]

    def rope(v: Any, angle: Any) -> Any:
        even, odd = v[..., ::2], v[..., 1::2]
        cos, sin = jnp.cos(angle)[:, None], jnp.sin(angle)[:, None]
        return jnp.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1).reshape(v.shape)

    for layer in range(2):
        at = f"blocks.{layer}.attn"
        n = norm(h, f"blocks.{layer}.ln1")
        first = T - 1 if last_row and layer == 1 else 0
        q = rope(jnp.einsum("btd,hde->bthe", n[:, first:], p[f"{at}.W_q"]), turn[first:])
        k = rope(jnp.einsum("btd,hde->bthe", n, p[f"{at}.W_k"]), turn)
        v = jnp.einsum("btd,hde->bthe", n, p[f"{at}.W_v"])
        scores = jnp.einsum("bthe,bshe->bhts", q, k) / q.shape[-1] ** 0.5
        allowed = np.tril(np.ones((T, T), dtype=bool))[first:]
        pattern = jax.nn.softmax(jnp.where(allowed, scores, -jnp.inf), axis=-1)
        z = jnp.einsum("bhts,bshe->bthe", pattern, v)
        h = h[:, first:] + jnp.einsum("bthe,hed->btd", z, p[f"{at}.W_o"])
    return norm(h[:, -1], "ln_f") @ p["W_un"] + p["b_un"]


def jax_steps(
    arrays: Arrays, x: NDArray[Any], y: NDArray[Any], lr: float, *, last_row: bool = False, looped: bool = True
) -> Callable[[], Any]:
    """A function that takes one Adam step for each batch of ``x`` [steps, B, N+1, D].

    ``looped``: all steps in one compiled loop, for which the data of all must be there before; else a call for each.
    """
    optimiser = optax.adam(lr)

    def loss(p: Any, batch: Any) -> Any:
        logits = jax_logits(p, *batch, last_row=last_row)
        return optax.softmax_cross_entropy_with_integer_labels(logits, batch[1][:, -1]).mean()

    def step(carry: Any, batch: Any) -> Any:
        p, state = carry
        value, gradient = jax.value_and_grad(loss)(p, batch)
        updates, state = optimiser.update(gradient, state)
        return (optax.apply_updates(p, updates), state), value

    run = jax.jit(lambda carry, batches: jax.lax.scan(step, carry, batches))
    parameters = {name: jnp.asarray(array) for name, array in arrays.items()}
    carry = (parameters, optimiser.init(parameters))

    def loop() -> Any:
        nonlocal carry
        carry, losses = run(carry, (x, y))
        return np.asarray(losses)

    one = jax.jit(step)

    def calls() -> Any:
        nonlocal carry
        losses = []
        for batch in zip(x, y, strict=True):
            carry, value = one(carry, batch)
            losses.append(value)
        return np.asarray(jnp.stack(losses))

    return loop if looped else calls


class Eager(torch.nn.Module):
    """A straightforward transformer: every row of every block, softmax written out."""

    def __init__(self, arrays: Arrays) -> None:
        super().__init__()
        self.p = torch.nn.ParameterDict({k.replace(".", "_"): torch.tensor(v) for k, v in arrays.items()})

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Logits of B sequences at the query."""
        p, (B, slots, _) = self.p, x.shape
        T = 2 * slots - 1
        ex, lab = x @ p["W_ex"] + p["b_ex"], p["W_lab"][y[:, : slots - 1]]
        h = torch.cat([torch.stack([ex[:, :-1], lab], dim=2).flatten(1, 2), ex[:, -1:]], dim=1)
        turn = torch.from_numpy(angles(T, p["blocks_0_attn_W_q"].shape[2]))

        def norm(h: Tensor, name: str) -> Tensor:
            w, b = p[f"{name}_w"], p[f"{name}_b"]
            return F.layer_norm(h, w.shape, w, b)

        def rope(v: Tensor) -> Tensor:
            even, odd = v[..., ::2], v[..., 1::2]
            return torch.stack(
                [even * turn.cos() - odd * turn.sin(), even * turn.sin() + odd * turn.cos()], dim=-1
            ).flatten(-2)

        def project(n: Tensor, name: str) -> Tensor:
            W = p[name]
            flat = W.transpose(0, 1).flatten(1)
            return (n @ flat).view(B, T, W.shape[0], W.shape[2]).transpose(1, 2)

        for layer in range(2):
            at = f"blocks_{layer}_attn"
            n = norm(h, f"blocks_{layer}_ln1")
            q, k, v = rope(project(n, f"{at}_W_q")), rope(project(n, f"{at}_W_k")), project(n, f"{at}_W_v")
            scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
            scores = scores.masked_fill(torch.ones(T, T, dtype=torch.bool).triu(1), -torch.inf)
            z = scores.softmax(-1) @ v
            h = h + z.transpose(1, 2).flatten(2) @ p[f"{at}_W_o"].flatten(0, 1)
        return norm(h, "ln_f")[:, -1] @ p["W_un"] + p["b_un"]


def eager_steps(
    arrays: Arrays, x: NDArray[Any], y: NDArray[Any], lr: float, *, compiled: bool = False
) -> Callable[[], NDArray[Any]]:
    """The same with autograd and ``torch.optim.Adam``."""
    model = Eager(arrays)
    run: Any = torch.compile(model) if compiled else model
    optimiser = torch.optim.Adam(model.parameters(), lr)
    batches = list(zip(torch.from_numpy(x), torch.from_numpy(y), strict=True))

    def steps() -> NDArray[Any]:
        losses = []
        for exemplars, labels in batches:
            optimiser.zero_grad()
            loss = F.cross_entropy(run(exemplars, labels), labels[:, -1])
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
        return torch.stack(losses).numpy()

    return steps
