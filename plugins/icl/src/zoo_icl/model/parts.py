"""Forward and backward of the network's parts by hand, in numpy, features first: [d, R, B] for B sequences.

With the sequences last, every operation of attention on narrow heads is one on long contiguous rows; the batched
products of 8-wide heads that torch makes cost several times as much. Each part keeps what its backward needs from its
last forward, and sets gradients (never adds to them). Same symbols as in the specification of the probes, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoo_icl.model.layers import EPSILON

Floats: TypeAlias = NDArray[Any]
Look: TypeAlias = Callable[[str], tuple[Floats, Floats]]
"""a parameter's values and gradient, as arrays that share their memory, by name"""
GELU = np.sqrt(2.0 / np.pi)
CUBIC = 0.044715


def product(one: Floats, other: Floats) -> Floats:
    """Sum over columns and sequences of ``one`` [a, R, B] times ``other`` [c, R, B]: [a, c]."""
    found: Floats = one.reshape(len(one), -1) @ other.reshape(len(other), -1).T
    return found


class Norm:
    """LayerNorm over the first axis."""

    def __init__(self, look: Look, prefix: str) -> None:
        (self.w, self.dw), (self.b, self.db) = look(f"{prefix}.w"), look(f"{prefix}.b")

    def forward(self, h: Floats) -> Floats:
        """``h`` [d, R, B], normalised, scaled and shifted."""
        self.hat = h - h.mean(0)
        variance = np.einsum("d...,d...->...", self.hat, self.hat) / len(h)
        self.rate = 1.0 / np.sqrt(variance + EPSILON)
        self.hat *= self.rate
        n = self.hat * self.w[:, None, None]
        n += self.b[:, None, None]
        return n

    def backward(self, dn: Floats) -> Floats:
        """The gradient of ``h`` from that of the result."""
        self.db[...] = dn.reshape(len(dn), -1).sum(1)
        self.dw[...] = np.einsum("drb,drb->d", dn, self.hat)
        g = dn * self.w[:, None, None]
        along = np.einsum("drb,drb->rb", g, self.hat) / len(g)
        g -= g.mean(0)
        g -= self.hat * along
        g *= self.rate
        return g


class Rotary:
    """Rotation of the pairs (2i, 2i+1) of queries and keys [H, hd, R, B]."""

    def __init__(self, cosine: Floats, sine: Floats) -> None:
        self.cosine, self.sine = cosine[:, :, None], sine[:, :, None]

    def turn(self, vectors: Floats, first: int, sign: float = 1.0) -> None:
        """Rotate in place the rows from ``first``; ``sign`` -1 rotates back, which is the gradient's way."""
        even, odd = vectors[:, ::2], vectors[:, 1::2]
        cosine, sine = self.cosine[:, first:], sign * self.sine[:, first:]
        turned = even * sine
        turned += odd * cosine
        even *= cosine
        even -= odd * sine
        odd[...] = turned


class Attention:
    """H heads for the rows from ``first``; the tables of angles are None where positions are not rotary."""

    def __init__(self, look: Look, prefix: str, causal: bool) -> None:
        names = ("W_q", "W_k", "W_v")
        self.weights, self.gradients = zip(*(look(f"{prefix}.{name}") for name in names), strict=True)
        self.W_o, self.dW_o = (part.reshape(-1, part.shape[-1]) for part in look(f"{prefix}.W_o"))
        self.heads, self.width, self.head_dim = self.weights[0].shape
        self.causal = causal

    def forward(self, n: Floats, first: int, rotary: Rotary | None) -> Floats:
        """What the heads write to the rows from ``first``, [d, R, B], from normalised tokens ``n`` [d, T, B]."""
        heads, width, head_dim = self.heads, self.width, self.head_dim
        tokens, batch = n.shape[1:]
        self.n, self.first, self.rotary = n, first, rotary
        # Three weights as one [3 H hd, d], so that all tokens are projected by one product of matrices.
        self.W = np.stack(self.weights).transpose(0, 1, 3, 2).reshape(-1, width)
        columns = n.reshape(width, -1)
        if first:
            q = (self.W[: heads * head_dim] @ columns[:, first * batch :]).reshape(heads, head_dim, -1, batch)
            k, v = (self.W[heads * head_dim :] @ columns).reshape(2, heads, head_dim, tokens, batch)
        else:
            q, k, v = (self.W @ columns).reshape(3, heads, head_dim, tokens, batch)
        if rotary is not None:
            rotary.turn(q, first)
            rotary.turn(k, 0)
        q *= head_dim**-0.5
        A = np.einsum("hetb,hesb->htsb", q, k)
        if self.causal and not first:
            A[:, np.triu(np.ones((tokens, tokens), dtype=np.bool_), 1)] = -np.inf
        A -= A.max(2, keepdims=True)
        np.exp(A, out=A)
        A /= A.sum(2, keepdims=True)
        self.q, self.k, self.v, self.A = q, k, v, A
        self.z = np.einsum("htsb,hesb->hetb", A, v).reshape(width, -1)
        out: Floats = (self.W_o.T @ self.z).reshape(width, -1, batch)
        return out

    def backward(self, dout: Floats) -> Floats:
        """The gradient of ``n`` from that of the result."""
        heads, width, head_dim = self.heads, self.width, self.head_dim
        tokens, batch = self.n.shape[1:]
        size = heads * head_dim
        flat = dout.reshape(width, -1)
        self.dW_o[...] = self.z @ flat.T
        dz = (self.W_o @ flat).reshape(heads, head_dim, -1, batch)
        dkv = np.empty((2, heads, head_dim, tokens, batch), dtype=dout.dtype)
        np.einsum("htsb,hetb->hesb", self.A, dz, out=dkv[1])
        dA = np.einsum("hetb,hesb->htsb", dz, self.v)
        dA -= np.einsum("htsb,htsb->htb", dA, self.A)[:, :, None]
        dA *= self.A
        dq = np.einsum("htsb,hesb->hetb", dA, self.k)
        dq *= head_dim**-0.5
        np.einsum("htsb,hetb->hesb", dA, self.q, out=dkv[0])
        if self.rotary is not None:
            self.rotary.turn(dq, self.first, -1.0)
            self.rotary.turn(dkv[0], 0, -1.0)
        columns, dq, dkv = self.n.reshape(width, -1), dq.reshape(size, -1), dkv.reshape(2 * size, -1)
        dn = self.W[size:].T @ dkv
        dn[:, self.first * batch :] += self.W[:size].T @ dq
        found = (columns[:, self.first * batch :] @ dq.T, *np.hsplit(columns @ dkv.T, 2))
        for gradient, dW in zip(self.gradients, found, strict=True):
            gradient[...] = dW.reshape(width, heads, head_dim).transpose(1, 0, 2)
        result: Floats = dn.reshape(self.n.shape)
        return result


class MLP:
    """Two layers with the tanh form of GELU between."""

    def __init__(self, look: Look, prefix: str) -> None:
        (self.W_in, self.dW_in), (self.b_in, self.db_in) = look(f"{prefix}.W_in"), look(f"{prefix}.b_in")
        (self.W_out, self.dW_out), (self.b_out, self.db_out) = look(f"{prefix}.W_out"), look(f"{prefix}.b_out")

    def forward(self, m: Floats) -> Floats:
        """``GELU(m W_in + b_in) W_out + b_out``, features first."""
        self.m = m.reshape(len(m), -1)
        self.u = u = self.W_in.T @ self.m
        u += self.b_in[:, None]
        inner = u * u
        inner *= GELU * CUBIC
        inner += GELU
        inner *= u
        self.tanh = np.tanh(inner, out=inner)
        self.a = (self.tanh + 1.0) * (0.5 * u)
        out = self.W_out.T @ self.a
        out += self.b_out[:, None]
        found: Floats = out.reshape(m.shape)
        return found

    def backward(self, dout: Floats) -> Floats:
        """The gradient of ``m`` from that of the result."""
        flat, u, tanh = dout.reshape(len(dout), -1), self.u, self.tanh
        self.dW_out[...] = self.a @ flat.T
        self.db_out[...] = flat.sum(1)
        # d/du of u (1 + tanh(g(u))) / 2, with g' = GELU (1 + 3 CUBIC u^2)
        slope = u * u
        slope *= 3.0 * CUBIC * GELU
        slope += GELU
        slope *= u
        slope *= 1.0 - tanh * tanh
        slope += 1.0 + tanh
        slope *= 0.5
        du = self.W_out @ flat
        du *= slope
        self.dW_in[...] = self.m @ du.T
        self.db_in[...] = du.sum(1)
        found: Floats = (self.W_in @ du).reshape(dout.shape)
        return found
