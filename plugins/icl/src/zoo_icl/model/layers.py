"""The parts of the network. Row vectors throughout: ``h @ W``; H heads of width hd, T tokens, R of them queries."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_icl.hooks import Hooks
from zoo_icl.model.positions import rotate

EPSILON = 1e-5
"""added to the variance by the layer norm"""


class Norm(nn.Module):
    """LayerNorm over the last axis with weight ``w`` and bias ``b``, both [d]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(width))
        self.b = nn.Parameter(torch.zeros(width))

    def forward(self, h: Tensor) -> Tensor:
        """Normalise ``h`` [..., d]."""
        return F.layer_norm(h, self.w.shape, self.w, self.b, EPSILON)


class Attention(nn.Module):
    """H heads without biases: ``W_q, W_k, W_v`` [H, d, hd] and ``W_o`` [H, hd, d]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        head_dim = width // heads
        for name in ("W_q", "W_k", "W_v"):
            self.register_parameter(name, nn.Parameter(torch.empty(heads, width, head_dim)))
        self.W_o = nn.Parameter(torch.empty(heads, head_dim, width))

    def project(self, n: Tensor, *names: str) -> tuple[Tensor, ...]:
        """``n @ W`` of each named weight, ``n`` [B, R, d] to [B, H, R, hd], as one product of matrices."""
        weights = [getattr(self, name) for name in names]
        heads, width, head_dim = weights[0].shape
        joined = torch.cat(weights).transpose(0, 1).reshape(width, len(names) * heads * head_dim)
        projections = (n @ joined).view(*n.shape[:2], len(names), heads, head_dim)
        # This copy costs less than it saves in every later product of narrow heads.
        return projections.permute(2, 0, 3, 1, 4).contiguous().unbind(0)

    def read_out(self, z: Tensor) -> Tensor:
        """The sum over heads of ``z_h @ W_o^h``: ``z`` [B, H, R, hd] to [B, R, d]."""
        return z.transpose(1, 2).flatten(2) @ self.W_o.flatten(0, 1)


class MLP(nn.Module):
    """Two layers with the tanh form of GELU between: ``W_in`` [d, m], ``W_out`` [m, d]."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.W_in = nn.Parameter(torch.empty(width, hidden))
        self.b_in = nn.Parameter(torch.zeros(hidden))
        self.W_out = nn.Parameter(torch.empty(hidden, width))
        self.b_out = nn.Parameter(torch.zeros(width))

    def forward(self, h: Tensor) -> Tensor:
        """``GELU(h W_in + b_in) W_out + b_out``, [..., d]."""
        hidden = F.gelu(torch.matmul(h, self.W_in) + self.b_in, approximate="tanh")
        return hidden @ self.W_out + self.b_out


@lru_cache(maxsize=64)
def causal_mask(tokens: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Added to scores so that no row attends to later tokens: 0, or -inf above the diagonal, [T, T]."""
    with torch.inference_mode(False):
        return torch.full((tokens, tokens), -torch.inf, dtype=dtype, device=device).triu(1)


class Stream(NamedTuple):
    """What every query row of a block needs, computed once for all T tokens."""

    h: Tensor
    """residual stream before the block, [B, T, d]"""
    n: Tensor
    """the same, normalised"""
    q: Tensor | None
    """queries of all rows before rotation [B, H, T, hd], where they were computed with the keys"""
    k: Tensor
    """keys [B, H, T, hd]"""
    v: Tensor
    """values [B, H, T, hd]"""


class Block(nn.Module):
    """One pre-norm block: attention, then an MLP if ``hidden`` is given."""

    def __init__(self, layer: int, width: int, heads: int, hidden: int | None, norm: bool, causal: bool) -> None:
        super().__init__()
        self.prefix, self.causal = f"blocks.{layer}.", causal
        self.ln1 = Norm(width) if norm else None
        self.attn = Attention(width, heads)
        self.ln2 = Norm(width) if norm and hidden else None
        self.mlp = MLP(width, hidden) if hidden else None

    def project_tokens(self, h: Tensor, hook: Hooks, rotary: Tensor | None, *, all_rows: bool) -> Stream:
        """The part that all rows share: keys and values, and with ``all_rows`` the queries too."""
        prefix = self.prefix
        h = hook(prefix + "resid_pre", h)
        n = hook(prefix + "ln1_out", h if self.ln1 is None else self.ln1(h))
        projections = self.attn.project(n, *(("W_q", "W_k", "W_v") if all_rows else ("W_k", "W_v")))
        k, v = projections[-2:]
        k = hook(prefix + "attn.k_pre", k)
        k = hook(prefix + "attn.k", k if rotary is None else rotate(k, rotary))
        return Stream(h, n, projections[0] if all_rows else None, k, hook(prefix + "attn.v", v))

    def pattern(self, stream: Stream, hook: Hooks, rotary: Tensor | None, first: int) -> Tensor:
        """Attention of the rows from ``first``, [B, H, T - first, T]; ``first`` is 0, or T - 1: the last alone."""
        prefix = self.prefix
        q, k = stream.q, stream.k
        if q is None:
            (q,) = self.attn.project(stream.n[:, first:], "W_q")
        q = hook(prefix + "attn.q_pre", q, first)
        q = hook(prefix + "attn.q", q if rotary is None else rotate(q, rotary[:, first:]), first)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        if self.causal and not first:
            scores = scores + causal_mask(k.shape[-2], k.dtype, k.device)
        scores = hook(prefix + "attn.scores", scores, first)
        return hook(prefix + "attn.pattern", scores.softmax(-1), first)

    def forward_rows(self, stream: Stream, hook: Hooks, rotary: Tensor | None, first: int) -> Tensor:
        """The residual stream after the block for the rows from ``first``, [B, T - first, d]."""
        prefix = self.prefix
        pattern = self.pattern(stream, hook, rotary, first)
        z = hook(prefix + "attn.z", pattern @ stream.v, first)
        out = hook(prefix + "attn.out", self.attn.read_out(z), first)
        h = hook(prefix + "resid_mid", stream.h[:, first:] + out, first)
        if self.mlp is not None:
            h = h + hook(prefix + "mlp.out", self.mlp(h if self.ln2 is None else self.ln2(h)), first)
        return hook(prefix + "resid_post", h, first)
