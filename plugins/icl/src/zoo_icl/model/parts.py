"""Forward and backward of the network's parts by hand, in numpy, features first: [d, R, B] for B sequences.

With the sequences last, every operation of attention on narrow heads is one on long contiguous rows; the batched
products of 8-wide heads that torch makes cost several times as much. Each part keeps what its backward needs from its
last forward, and sets gradients (never adds to them). Same symbols as in the specification of the probes, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
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


@lru_cache(maxsize=16)
def future(tokens: int) -> Floats:
    """What is added to scores [H, T, T, B] so that no row sees what comes after it: 0 or -inf, [T, T, 1]."""
    shut: Floats = np.triu(np.full((tokens, tokens), -np.inf, dtype=np.float32), 1)[:, :, None]
    return shut


class Norm:
    """LayerNorm over the first axis."""

    def __init__(self, look: Look, prefix: str) -> None:
        (self.w, self.dw), (self.b, self.db) = look(f"{prefix}.w"), look(f"{prefix}.b")

    def forward(self, h: Floats) -> Floats:
        """``h`` [d, R, B], normalised, scaled and shifted."""
        self.hat: Floats = h - np.add.reduce(h) / len(h)
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
        g -= np.add.reduce(g) / len(g)
        g -= self.hat * along
        g *= self.rate
        return g


class Rotary:
    """Rotation of the pairs (2i, 2i+1) of queries and keys [..., hd, R, B]."""

    def __init__(self, cosine: Floats, sine: Floats) -> None:
        self.cosine, self.sine = cosine[:, :, None], sine[:, :, None]

    def turn(self, vectors: Floats, sign: float = 1.0) -> None:
        """Rotate in place the last R rows; ``sign`` -1 rotates back, which is the gradient's way."""
        rows = vectors.shape[-2]
        even, odd = vectors[..., ::2, :, :], vectors[..., 1::2, :, :]
        cosine, sine = self.cosine[:, -rows:], sign * self.sine[:, -rows:]
        turned = even * sine
        turned += odd * cosine
        even *= cosine
        odd *= sine
        even -= odd
        odd[...] = turned


class Attention:
    """H heads, which read all T tokens and write the rows from ``first``: 0, or T - 1, the last."""

    def __init__(self, look: Look, prefix: str, causal: bool) -> None:
        names = ("W_q", "W_k", "W_v")
        self.weights, self.gradients = zip(*(look(f"{prefix}.{name}") for name in names), strict=True)
        self.W_o, self.dW_o = (part.reshape(-1, part.shape[-1]) for part in look(f"{prefix}.W_o"))
        self.heads, self.width, self.head_dim = self.weights[0].shape
        self.causal = causal

    def forward(self, n: Floats, first: int, rotary: Rotary | None) -> Floats:
        """What the heads add to the rows from ``first``, [d, R, B], from normalised tokens ``n`` [d, T, B]."""
        size, (width, tokens, batch) = self.heads * self.head_dim, n.shape
        self.n, self.first, self.rotary = n, first, rotary
        # One [d, 3 H hd], so that a token's query, key and value are one product.
        self.W = np.concatenate([W.transpose(1, 0, 2) for W in self.weights], axis=1).reshape(width, 3 * size)
        columns = n.reshape(width, -1)
        shape = (self.heads, self.head_dim, -1, batch)
        if first:
            q = (self.W[:, :size].T @ columns[:, first * batch :]).reshape(shape)
            k, v = (self.W[:, size:].T @ columns).reshape(2, *shape)
            turning: tuple[Floats, ...] = (q, k)
        else:
            all_three = (self.W.T @ columns).reshape(3, *shape)
            q, k, v = all_three
            turning = (all_three[:2],)
        if rotary is not None:
            for vectors in turning:
                rotary.turn(vectors)
        q *= self.head_dim**-0.5
        A = np.einsum("hetb,hesb->htsb", q, k)
        if self.causal and not first:
            A += future(tokens)
        A -= np.maximum.reduce(A, 2, keepdims=True)
        np.exp(A, out=A)
        A /= np.add.reduce(A, 2, keepdims=True)
        self.q, self.k, self.v, self.A = q, k, v, A
        self.z = np.einsum("htsb,hesb->hetb", A, v).reshape(size, -1)
        out: Floats = (self.W_o.T @ self.z).reshape(width, -1, batch)
        return out

    def backward(self, dout: Floats) -> Floats:
        """The gradient of ``n`` from that of the result."""
        size, (width, tokens, batch) = self.heads * self.head_dim, self.n.shape
        flat = dout.reshape(width, -1)
        np.matmul(self.z, flat.T, out=self.dW_o)
        dz = (self.W_o @ flat).reshape(self.q.shape)
        rows = tokens - self.first
        # Gradients of queries, keys and values in one piece, for one product; of the queries only some rows are there.
        piece = np.empty((size * (rows + 2 * tokens), batch), dtype=dout.dtype)
        dq = piece[: size * rows].reshape(self.q.shape)
        dk, dv = piece[size * rows :].reshape(2, *self.k.shape)
        np.einsum("htsb,hetb->hesb", self.A, dz, out=dv)
        dA = np.einsum("hetb,hesb->htsb", dz, self.v)
        dA -= np.einsum("htsb,htsb->htb", dA, self.A)[:, :, None]
        dA *= self.A
        np.einsum("htsb,hesb->hetb", dA, self.k, out=dq)
        dq *= self.head_dim**-0.5
        np.einsum("htsb,hetb->hesb", dA, self.q, out=dk)
        if self.rotary is not None:
            self.rotary.turn(dq, -1.0)
            self.rotary.turn(dk, -1.0)
        columns = self.n.reshape(width, -1)
        if self.first:
            late, dq = columns[:, self.first * batch :], dq.reshape(size, -1)
            dkv = piece[size * rows :].reshape(2 * size, -1)
            dW = np.concatenate((late @ dq.T, columns @ dkv.T), axis=1)
            dn = self.W[:, size:] @ dkv
            dn[:, self.first * batch :] += self.W[:, :size] @ dq
        else:
            dqkv = piece.reshape(3 * size, -1)
            dW, dn = columns @ dqkv.T, self.W @ dqkv
        parts = dW.reshape(width, 3, self.heads, self.head_dim).transpose(1, 2, 0, 3)
        for gradient, part in zip(self.gradients, parts, strict=True):
            gradient[...] = part
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
