"""The gradient of one training step by hand: several times as fast as autograd on a CPU.

    step = ManualGradients(model)          # once, after the optimiser has placed the parameters in memory
    loss, logits = step(x, y)            # sets every parameter's .grad, without adding to it

Only the last row of the last block is computed. Clamps that set patterns or values to constants are supported; others
need autograd, and a GPU prefers it: see ``supports``.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from zoo_icl.clamps import Ablate, Induction, Match, PrevToken, compose
from zoo_icl.clamps.composition import Clamping, Clamps
from zoo_icl.model.manual_backward import layers
from zoo_icl.model.manual_backward.layers import Floats
from zoo_icl.model.positions import sinusoids
from zoo_icl.model.transformer import Array, ICLTransformer

CONSTANT = (Ablate, Induction, Match, PrevToken)
"""clamps whose values are constants, at patterns or values"""
PER_SEQUENCE = (Induction, Match)
"""those of them whose values differ between sequences"""


def supports(model: ICLTransformer, clamps: Clamping = ()) -> bool:
    """Whether ``ManualGradients`` can be used: float32 or float64 on the CPU, and clamps it knows."""
    on_cpu = model.W_ex.device.type == "cpu" and model.W_ex.dtype in (torch.float32, torch.float64)
    return on_cpu and all(isinstance(clamp, CONSTANT) for clamp in compose(clamps).members)


class ManualGradients:
    """Mean cross-entropy at the query, and its gradient with respect to all parameters.

    Parameters and gradients are read and written in place; when they move to other memory, they are looked up again.

    Args:
        model: on the CPU.
        clamps: in force at every step; of the kinds in ``CONSTANT``.

    Raises:
        ValueError: the model is on another device or of another dtype, or a clamp is not supported.
    """

    def __init__(self, model: ICLTransformer, clamps: Clamping = ()) -> None:
        if not supports(model):
            raise ValueError(f"the model is {model.W_ex.dtype} on {model.W_ex.device}: expected float32 or 64 on cpu.")
        if not supports(model, clamps):
            known = ", ".join(kind.__name__ for kind in CONSTANT)
            raise ValueError(f"{compose(clamps)} has a clamp without a hand-written gradient; supported are {known}.")
        self.model = model
        members = compose(clamps).members
        self._constant = Clamps(tuple(clamp for clamp in members if not isinstance(clamp, PER_SEQUENCE)))
        self._per_sequence = Clamps(tuple(clamp for clamp in members if isinstance(clamp, PER_SEQUENCE)))
        self._constant_edits: dict[int, list[layers.Clamped]] = {}
        self._named = dict(model.named_parameters())
        self._where = (0, 0)
        self._rotations: dict[int, Floats] = {}

    def __call__(self, x: Array, y: Array) -> tuple[float, NDArray[Any]]:
        """One forward and backward pass.

        Args:
            x: exemplars [B, N+1, D], the query last.
            y: labels [B, N+1], the query's last.

        Returns:
            The mean loss, and the logits [B, K].

        Raises:
            ValueError: shapes or labels that do not fit.
        """
        self._look_up()
        x, y = self._inputs(x, y)
        batch, pairs = len(x), x.shape[1] - 1
        h = self._embedded(x, y)
        end = h.shape[1] - 1
        rotation = self._rotation(h.shape[1])
        clamped_values = self._clamped(x, y)
        for (attention, ln1, mlp, ln2), clamped in zip(self.blocks, clamped_values, strict=True):
            first = end if attention is self.blocks[-1][0] else 0
            mixed = h[:, first:] + attention.forward(h if ln1 is None else ln1.forward(h), first, rotation, clamped)
            h = mixed if mlp is None else mixed + mlp.forward(mixed if ln2 is None else ln2.forward(mixed))
        final = h if self.ln_f is None else self.ln_f.forward(h)
        logits = self.W_un[0].T @ final[:, 0]
        logits += self.b_un[0][:, None]

        shifted = logits - np.maximum.reduce(logits)
        right = y[:, pairs], np.arange(batch)
        p = np.exp(shifted)
        total = np.add.reduce(p)
        loss = float((np.log(total) - shifted[right]).mean())
        p /= total
        p[right] -= 1.0
        p /= batch
        self._backward(x, y, final, p)
        return loss, logits.T

    def _backward(self, x: Floats, y: NDArray[np.int64], final: Floats, dlogits: Floats) -> None:
        """Set all gradients from that of the logits [K, B]."""
        self.W_un[1][...] = final[:, 0] @ dlogits.T
        self.b_un[1][...] = dlogits.sum(1)
        dh = (self.W_un[0] @ dlogits)[:, None]
        if self.ln_f is not None:
            dh = self.ln_f.backward(dh)
        for attention, ln1, mlp, ln2 in reversed(self.blocks):
            if mlp is not None:
                dm = mlp.backward(dh)
                dh = dh + (dm if ln2 is None else ln2.backward(dm))
            dn = attention.backward(dh)
            passed = dn if ln1 is None else ln1.backward(dn)
            passed[:, attention.first :] += dh
            dh = passed
        if self.W_pos is not None:
            self.W_pos[1][...] = 0.0
            self.W_pos[1][: dh.shape[1]] = dh.sum(2).T
        batch, pairs = len(x), x.shape[1] - 1
        dexemplars = dh[:, ::2].transpose(2, 1, 0).reshape(batch * (pairs + 1), -1)
        self.W_ex[1][...] = x.reshape(len(dexemplars), -1).T @ dexemplars
        self.b_ex[1][...] = dexemplars.sum(0)
        labels = np.zeros((len(self.W_lab[0]), pairs, batch), dtype=dh.dtype)
        labels[y[:, :pairs].T, np.arange(pairs)[:, None], np.arange(batch)] = 1.0
        self.W_lab[1][...] = layers.sum_outer_products(labels, dh[:, 1::2])

    def _embedded(self, x: Floats, y: NDArray[np.int64]) -> Floats:
        """Tokens with their positions, [d, T, B]."""
        batch, pairs = len(x), x.shape[1] - 1
        width = self.model.d_model
        exemplars = x.reshape(batch * (pairs + 1), -1) @ self.W_ex[0]
        exemplars += self.b_ex[0]
        h = np.empty((width, 2 * pairs + 1, batch), dtype=x.dtype)
        h[:, ::2] = exemplars.reshape(batch, pairs + 1, width).transpose(2, 1, 0)
        h[:, 1::2] = self.W_lab[0][y[:, :pairs]].transpose(2, 1, 0)
        if self.W_pos is not None:
            h += self.W_pos[0][: h.shape[1]].T[:, :, None]
        elif self.model.pos == "sinusoidal":
            like = self.model.W_ex
            table = sinusoids(h.shape[1], width, self.model.sinusoid_base, like.dtype, like.device)
            h += table.numpy().T[:, :, None]
        return h

    def _rotation(self, tokens: int) -> Floats:
        """Matrices that rotate queries and keys, [2, T, hd, hd]; cached by sequence length."""
        if tokens not in self._rotations:
            head_dim = self.model.head_dim
            rotation = np.zeros((2, tokens, head_dim, head_dim), dtype=self.W_ex[0].dtype)
            rotation[:] = np.eye(head_dim)
            if (table := self.model.rotary(tokens, self.model.W_ex)) is not None:
                cosine, sine = table.numpy()
                rotation *= cosine[:, :, None]
                even = np.arange(0, head_dim, 2)
                rotation[:, :, even, even + 1], rotation[:, :, even + 1, even] = sine[:, even], sine[:, even + 1]
            rotation[0] *= head_dim**-0.5
            self._rotations[tokens] = rotation
        return self._rotations[tokens]

    def _clamped(self, x: Floats, y: NDArray[np.int64]) -> list[layers.Clamped]:
        """The replacements by all clamps, block by block."""
        tokens = 2 * x.shape[1] - 1
        if tokens not in self._constant_edits:
            self._constant_edits[tokens] = self._edits(self._constant, x, y)
        if not self._per_sequence:
            return self._constant_edits[tokens]
        now = self._edits(self._per_sequence, x, y)
        return [
            layers.Clamped(a.v + b.v, a.pattern + b.pattern)
            for a, b in zip(self._constant_edits[tokens], now, strict=True)
        ]

    def _edits(self, clamps: Clamps, x: Floats, y: NDArray[np.int64]) -> list[layers.Clamped]:
        """The replacements by some clamps, block by block."""
        exemplars, labels = torch.from_numpy(x), torch.from_numpy(y)
        edits, _ = clamps.edits(self.model, exemplars, labels[:, :-1], labels[:, -1])

        def sequences_last(part: Any) -> Floats:
            array = np.asarray(part.numpy())
            return array.reshape((1,) * (4 - array.ndim) + array.shape).transpose(2, 3, 1, 0)

        def at(hook: str) -> list[tuple[Floats, Floats]]:
            return [(sequences_last(edit.mask), sequences_last(edit.value)) for edit in edits.get(hook, ())]

        blocks = [f"blocks.{layer}.attn" for layer in range(self.model.depth)]
        return [layers.Clamped(at(f"{block}.v"), at(f"{block}.pattern")) for block in blocks]

    def _inputs(self, x: Array, y: Array) -> tuple[Floats, NDArray[np.int64]]:
        """As arrays of the model's dtype, checked."""
        arrays = (part.numpy() if isinstance(part, torch.Tensor) else part for part in (x, y))
        exemplars, labels = (np.ascontiguousarray(part, dtype) for part, dtype in zip(arrays, self._types, strict=True))
        self.model.check_shapes(exemplars.shape, labels.shape)
        if labels.shape[1] < exemplars.shape[1]:
            raise ValueError(f"labels of shape {labels.shape}: the query's label must be there, last.")
        if (
            np.maximum.reduce(labels.view(np.uint64), None) >= self.model.n_outputs
        ):  # negative labels are huge as unsigned numbers
            raise ValueError(f"labels from {labels.min()} to {labels.max()}: expected 0 to {self.model.n_outputs - 1}.")
        return exemplars, labels

    def _look_up(self) -> None:
        """Look up the arrays, if they are new or have moved."""
        first = self._named["W_ex"]
        if first.grad is not None and (first.data_ptr(), first.grad.data_ptr()) == self._where:
            return
        for parameter in self._named.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self._where = (first.data_ptr(), cast("torch.Tensor", first.grad).data_ptr())
        self._rotations, self._constant_edits = {}, {}

        def lookup(name: str) -> tuple[Floats, Floats]:
            parameter = self._named[name]
            return parameter.detach().numpy(), cast("torch.Tensor", parameter.grad).numpy()

        def norm(prefix: str) -> layers.Norm | None:
            return layers.Norm(lookup, prefix) if f"{prefix}.w" in self._named else None

        self._types = (lookup("W_ex")[0].dtype, np.dtype(np.int64))
        self.W_ex, self.b_ex, self.W_lab = lookup("W_ex"), lookup("b_ex"), lookup("W_lab")
        self.W_pos = lookup("W_pos") if "W_pos" in self._named else None
        self.blocks = []
        for layer in range(self.model.depth):
            at = f"blocks.{layer}"
            mlp = layers.MLP(lookup, f"{at}.mlp") if f"{at}.mlp.W_in" in self._named else None
            attention = layers.Attention(lookup, f"{at}.attn", self.model.causal)
            self.blocks.append((attention, norm(f"{at}.ln1"), mlp, norm(f"{at}.ln2")))
        self.ln_f, self.W_un, self.b_un = norm("ln_f"), lookup("W_un"), lookup("b_un")
