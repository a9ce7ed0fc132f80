"""Forward and backward of the network's parts by hand, in numpy, features first: [d, R, B] for B sequences.

With the sequences last, every operation of attention on narrow heads is one on long contiguous rows; the batched
products of 8-wide heads that torch makes cost several times as much. Each part keeps what its backward needs from its
last forward, and sets gradients (never adds to them). Same symbols as in docs/methods/icl.md, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from zoo_icl.model.layers import EPSILON

Floats: TypeAlias = NDArray[Any]
Lookup: TypeAlias = Callable[[str], tuple[Floats, Floats]]
"""a parameter's name to its values and its gradient, as arrays that share the parameter's memory"""
SQRT_2_OVER_PI = np.sqrt(2.0 / np.pi)
GELU_CUBIC = 0.044715


def sum_outer_products(one: Floats, other: Floats) -> Floats:
    """Sum over columns and sequences of ``one`` [a, R, B] times ``other`` [c, R, B]: [a, c]."""
    total: Floats = one.reshape(len(one), -1) @ other.reshape(len(other), -1).T
    return total


@lru_cache(maxsize=16)
def causal_mask(tokens: int) -> Floats:
    """Added to scores [T, T, H, B] so that no row attends to later tokens: 0 or -inf, [T, T, 1, 1]."""
    mask: Floats = np.triu(np.full((tokens, tokens), -np.inf, dtype=np.float32), 1)[:, :, None, None]
    return mask


class Clamped(NamedTuple):
    """Replacements of one block's values and pattern by clamps: (mask, value) pairs, applied in order."""

    v: list[tuple[Floats, Floats]]
    """broadcast to [T, hd, H, B]"""
    pattern: list[tuple[Floats, Floats]]
    """broadcast to [T, T, H, B]: rows, columns"""


UNCLAMPED = Clamped([], [])


def rotated(rotation: Floats, vectors: Floats) -> Floats:
    """The matrices ``rotation`` [n, R, hd, hd] times ``vectors`` [n, R, hd, H, B]."""
    *lead, heads, batch = vectors.shape
    sum_outer_products: Floats = np.matmul(rotation, vectors.reshape(*lead, heads * batch)).reshape(vectors.shape)
    return sum_outer_products


class Norm:
    """LayerNorm over the first axis."""

    def __init__(self, lookup: Lookup, prefix: str) -> None:
        (self.w, self.dw), (self.b, self.db) = lookup(f"{prefix}.w"), lookup(f"{prefix}.b")

    def forward(self, h: Floats) -> Floats:
        """``h`` [d, R, B], normalised, scaled and shifted."""
        self.normalised: Floats = h - np.add.reduce(h) / len(h)
        variance = np.einsum("d...,d...->...", self.normalised, self.normalised) / len(h)
        self.rate = 1.0 / np.sqrt(variance + EPSILON)
        self.normalised *= self.rate
        n = self.normalised * self.w[:, None, None]
        n += self.b[:, None, None]
        return n

    def backward(self, dn: Floats) -> Floats:
        """The gradient of ``h`` from that of the result."""
        self.db[...] = dn.reshape(len(dn), -1).sum(1)
        self.dw[...] = np.einsum("drb,drb->d", dn, self.normalised)
        g = dn * self.w[:, None, None]
        along = np.einsum("drb,drb->rb", g, self.normalised) / len(g)
        g -= np.add.reduce(g) / len(g)
        g -= self.normalised * along
        g *= self.rate
        return g


class Attention:
    """H heads, which read all T tokens and write the rows from ``first``: 0, or T - 1, the last.

    Between the projections the layout is [T, hd, H, B]: heads beside sequences, for long contiguous rows.
    """

    def __init__(self, lookup: Lookup, prefix: str, causal: bool) -> None:
        names = ("W_q", "W_k", "W_v")
        self.weights, self.gradients = zip(*(lookup(f"{prefix}.{name}") for name in names), strict=True)
        self.W_o, self.dW_o = (part.reshape(-1, part.shape[-1]) for part in lookup(f"{prefix}.W_o"))
        self.heads, self.width, self.head_dim = self.weights[0].shape
        self.causal = causal

    def _split(self, rows: Floats, batch: int) -> Floats:
        """[n H hd, R B] to [n, R, hd, H, B]."""
        parts = rows.reshape(-1, self.heads, self.head_dim, rows.shape[1] // batch, batch)
        return np.ascontiguousarray(parts.transpose(0, 3, 2, 1, 4))

    def _joined(self, parts: Floats) -> Floats:
        """[n, R, hd, H, B] to [n H hd, R B]."""
        return parts.transpose(0, 3, 2, 1, 4).reshape(len(parts) * self.heads * self.head_dim, -1)

    def forward(self, n: Floats, first: int, rotation: Floats, clamped_values: Clamped = UNCLAMPED) -> Floats:
        """The output of the heads for the rows from ``first``, [d, R, B], from normalised tokens ``n`` [d, T, B].

        ``rotation`` [2, T, hd, hd] is multiplied onto queries and keys: rotations by position, 1/sqrt(hd) for queries.
        """
        size, (width, tokens, batch) = self.heads * self.head_dim, n.shape
        self.n, self.first, self.rotation = n, first, rotation
        of_rows = [tuple(part[first:] if len(part) > 1 else part for part in pair) for pair in clamped_values.pattern]
        self.clamped_values = Clamped(clamped_values.v, cast("list[tuple[Floats, Floats]]", of_rows))
        # One [d, 3 H hd], so that a token's query, key and value are one product.
        self.W = np.concatenate([W.transpose(1, 0, 2) for W in self.weights], axis=1).reshape(width, 3 * size)
        columns = n.reshape(width, -1)
        if first:
            (q,) = rotated(rotation[:1, first:], self._split(self.W[:, :size].T @ columns[:, first * batch :], batch))
            k, v = self._split(self.W[:, size:].T @ columns, batch)
            (k,) = rotated(rotation[1:], k[None])
        else:
            qkv = self._split(self.W.T @ columns, batch)
            (q, k), v = rotated(rotation, qkv[:2]), qkv[2]
        for mask, value in self.clamped_values.v:
            v = np.where(mask, value, v)
        A = np.einsum("tehb,sehb->tshb", q, k)
        if self.causal and not first:
            A += causal_mask(tokens)
        A -= np.maximum.reduce(A, 1, keepdims=True)
        np.exp(A, out=A)
        A /= np.add.reduce(A, 1, keepdims=True)
        self.softmax = A
        for mask, value in self.clamped_values.pattern:
            A = np.where(mask, value, A)
        self.q, self.k, self.v, self.A = q, k, v, A
        self.z = self._joined(np.einsum("tshb,sehb->tehb", A, v)[None])
        out: Floats = (self.W_o.T @ self.z).reshape(width, -1, batch)
        return out

    def backward(self, dout: Floats) -> Floats:
        """The gradient of ``n`` from that of the result."""
        size, (width, _, batch) = self.heads * self.head_dim, self.n.shape
        flat = dout.reshape(width, -1)
        np.matmul(self.z, flat.T, out=self.dW_o)
        (dz,) = self._split(self.W_o @ flat, batch)
        dA = np.einsum("tehb,sehb->tshb", dz, self.v)
        for mask, _ in self.clamped_values.pattern:
            np.copyto(dA, 0.0, where=mask)
        dA -= np.einsum("tshb,tshb->thb", dA, self.softmax)[:, None]
        dA *= self.softmax
        # Gradients of queries, keys and values; with the last row alone, only its entry of the queries is set.
        d = np.empty((3, *self.k.shape), dtype=dout.dtype)
        dq, dk = d[:1, self.first :], d[1:2]
        np.einsum("tshb,sehb->tehb", dA, self.k, out=dq[0])
        np.einsum("tshb,tehb->sehb", dA, self.q, out=dk[0])
        np.einsum("tshb,tehb->sehb", self.A, dz, out=d[2])
        for mask, _ in self.clamped_values.v:
            np.copyto(d[2], 0.0, where=mask)
        transposed = self.rotation.swapaxes(-1, -2)
        columns = self.n.reshape(width, -1)
        if self.first:
            drow = self._joined(rotated(transposed[:1, self.first :], dq))
            d[1:2] = rotated(transposed[1:], dk)
            last_columns, dkv = columns[:, self.first * batch :], self._joined(d[1:])
            dW = np.concatenate((last_columns @ drow.T, columns @ dkv.T), axis=1)
            dn = self.W[:, size:] @ dkv
            dn[:, self.first * batch :] += self.W[:, :size] @ drow
        else:
            d[:2] = rotated(transposed, d[:2])
            dqkv = self._joined(d)
            dW, dn = columns @ dqkv.T, self.W @ dqkv
        parts = dW.reshape(width, 3, self.heads, self.head_dim).transpose(1, 2, 0, 3)
        for gradient, part in zip(self.gradients, parts, strict=True):
            gradient[...] = part
        result: Floats = dn.reshape(self.n.shape)
        return result


class MLP:
    """Two layers with the tanh form of GELU between."""

    def __init__(self, lookup: Lookup, prefix: str) -> None:
        (self.W_in, self.dW_in), (self.b_in, self.db_in) = lookup(f"{prefix}.W_in"), lookup(f"{prefix}.b_in")
        (self.W_out, self.dW_out), (self.b_out, self.db_out) = lookup(f"{prefix}.W_out"), lookup(f"{prefix}.b_out")

    def forward(self, m: Floats) -> Floats:
        """``GELU(m W_in + b_in) W_out + b_out``, features first."""
        self.m = m.reshape(len(m), -1)
        self.u = u = self.W_in.T @ self.m
        u += self.b_in[:, None]
        inner = u * u
        inner *= SQRT_2_OVER_PI * GELU_CUBIC
        inner += SQRT_2_OVER_PI
        inner *= u
        self.tanh = np.tanh(inner, out=inner)
        self.a = (self.tanh + 1.0) * (0.5 * u)
        out = self.W_out.T @ self.a
        out += self.b_out[:, None]
        result: Floats = out.reshape(m.shape)
        return result

    def backward(self, dout: Floats) -> Floats:
        """The gradient of ``m`` from that of the result."""
        flat, u, tanh = dout.reshape(len(dout), -1), self.u, self.tanh
        self.dW_out[...] = self.a @ flat.T
        self.db_out[...] = flat.sum(1)
        # d/du of u (1 + tanh(g(u))) / 2, with g' = GELU (1 + 3 CUBIC u^2)
        slope = u * u
        slope *= 3.0 * GELU_CUBIC * SQRT_2_OVER_PI
        slope += SQRT_2_OVER_PI
        slope *= u
        slope *= 1.0 - tanh * tanh
        slope += 1.0 + tanh
        slope *= 0.5
        du = self.W_out @ flat
        du *= slope
        self.dW_in[...] = self.m @ du.T
        self.db_in[...] = du.sum(1)
        dm: Floats = (self.W_in @ du).reshape(dout.shape)
        return dm
