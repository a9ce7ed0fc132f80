"""The gradient of one training step by hand: several times as quick as autograd on a CPU.

    step = ManualGradients(model)          # once, after the optimiser has laid the parameters out
    loss, logits = step(x, y)            # sets every parameter's .grad; nothing to zero before

Only the last row of the last block is computed. Clamps that set patterns or values to constants are understood; others
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
CHANGING = (Induction, Match)
"""those of them that differ from sequence to sequence"""


def supports(model: ICLTransformer, clamps: Clamping = ()) -> bool:
    """Whether ``ManualGradients`` can be used: float32 or float64 on the CPU, and clamps it knows."""
    on_cpu = model.W_ex.device.type == "cpu" and model.W_ex.dtype in (torch.float32, torch.float64)
    return on_cpu and all(isinstance(clamp, CONSTANT) for clamp in compose(clamps).members)


class ManualGradients:
    """Mean cross-entropy at the query, and its gradient with respect to all parameters.

    Parameters and gradients are read and written where they are; moving either to other memory is noticed.

    Args:
        model: on the CPU.
        clamps: in force at every step; of the kinds in ``CONSTANT``.

    Raises:
        ValueError: the model is elsewhere, or another clamp.
    """

    def __init__(self, model: ICLTransformer, clamps: Clamping = ()) -> None:
        if not supports(model):
            raise ValueError(f"the model is {model.W_ex.dtype} on {model.W_ex.device}: expected float32 or 64 on cpu.")
        if not supports(model, clamps):
            known = ", ".join(kind.__name__ for kind in CONSTANT)
            raise ValueError(f"{compose(clamps)} has a clamp whose gradient is not known by hand; known are {known}.")
        self.model = model
        members = compose(clamps).members
        self._steady = Clamps(tuple(clamp for clamp in members if not isinstance(clamp, CHANGING)))
        self._changing = Clamps(tuple(clamp for clamp in members if isinstance(clamp, CHANGING)))
        self._always: dict[int, list[layers.Fixed]] = {}
        self._named = dict(model.named_parameters())
        self._where = (0, 0)
        self._turns: dict[int, Floats] = {}

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
        self._bind()
        x, y = self._inputs(x, y)
        batch, pairs = len(x), x.shape[1] - 1
        h = self._embedded(x, y)
        end = h.shape[1] - 1
        turn = self._turn(h.shape[1])
        fixed = self._fixed(x, y)
        for (attention, ln1, mlp, ln2), clamped in zip(self.blocks, fixed, strict=True):
            first = end if attention is self.blocks[-1][0] else 0
            mixed = h[:, first:] + attention.forward(h if ln1 is None else ln1.forward(h), first, turn, clamped)
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
        self.W_lab[1][...] = layers.product(labels, dh[:, 1::2])

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

    def _turn(self, tokens: int) -> Floats:
        """What queries and keys are multiplied by, [2, T, hd, hd]; kept for the next batch of the same length."""
        if tokens not in self._turns:
            head_dim = self.model.head_dim
            turn = np.zeros((2, tokens, head_dim, head_dim), dtype=self.W_ex[0].dtype)
            turn[:] = np.eye(head_dim)
            if (table := self.model.rotary(tokens, self.model.W_ex)) is not None:
                cosine, sine = table.numpy()
                turn *= cosine[:, :, None]
                even = np.arange(0, head_dim, 2)
                turn[:, :, even, even + 1], turn[:, :, even + 1, even] = sine[:, even], sine[:, even + 1]
            turn[0] *= head_dim**-0.5
            self._turns[tokens] = turn
        return self._turns[tokens]

    def _fixed(self, x: Floats, y: NDArray[np.int64]) -> list[layers.Fixed]:
        """What the clamps put in place, block by block."""
        tokens = 2 * x.shape[1] - 1
        if tokens not in self._always:
            self._always[tokens] = self._edits(self._steady, x, y)
        if not self._changing:
            return self._always[tokens]
        now = self._edits(self._changing, x, y)
        return [layers.Fixed(a.v + b.v, a.pattern + b.pattern) for a, b in zip(self._always[tokens], now, strict=True)]

    def _edits(self, clamps: Clamps, x: Floats, y: NDArray[np.int64]) -> list[layers.Fixed]:
        """What some clamps put in place."""
        exemplars, labels = torch.from_numpy(x), torch.from_numpy(y)
        edits, _ = clamps.edits(self.model, exemplars, labels[:, :-1], labels[:, -1])

        def sequences_last(part: Any) -> Floats:
            array = np.asarray(part.numpy())
            return array.reshape((1,) * (4 - array.ndim) + array.shape).transpose(2, 3, 1, 0)

        def at(tap: str) -> list[tuple[Floats, Floats]]:
            return [(sequences_last(edit.mask), sequences_last(edit.value)) for edit in edits.get(tap, ())]

        blocks = [f"blocks.{layer}.attn" for layer in range(self.model.depth)]
        return [layers.Fixed(at(f"{block}.v"), at(f"{block}.pattern")) for block in blocks]

    def _inputs(self, x: Array, y: Array) -> tuple[Floats, NDArray[np.int64]]:
        """As arrays of the model's dtype, checked."""
        arrays = (part.numpy() if isinstance(part, torch.Tensor) else part for part in (x, y))
        exemplars, labels = (np.ascontiguousarray(part, dtype) for part, dtype in zip(arrays, self._types, strict=True))
        self.model.check_shapes(exemplars.shape, labels.shape)
        if labels.shape[1] < exemplars.shape[1]:
            raise ValueError(f"labels of shape {labels.shape}: the query's label must be there, last.")
        if np.maximum.reduce(labels.view(np.uint64), None) >= self.model.n_outputs:  # negative ones are huge here
            raise ValueError(f"labels from {labels.min()} to {labels.max()}: expected 0 to {self.model.n_outputs - 1}.")
        return exemplars, labels

    def _bind(self) -> None:
        """Look the arrays up, if they are new or have moved."""
        first = self._named["W_ex"]
        if first.grad is not None and (first.data_ptr(), first.grad.data_ptr()) == self._where:
            return
        for parameter in self._named.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self._where = (first.data_ptr(), cast("torch.Tensor", first.grad).data_ptr())
        self._turns, self._always = {}, {}

        def look(name: str) -> tuple[Floats, Floats]:
            parameter = self._named[name]
            return parameter.detach().numpy(), cast("torch.Tensor", parameter.grad).numpy()

        def norm(prefix: str) -> layers.Norm | None:
            return layers.Norm(look, prefix) if f"{prefix}.w" in self._named else None

        self._types = (look("W_ex")[0].dtype, np.dtype(np.int64))
        self.W_ex, self.b_ex, self.W_lab = look("W_ex"), look("b_ex"), look("W_lab")
        self.W_pos = look("W_pos") if "W_pos" in self._named else None
        self.blocks = []
        for layer in range(self.model.depth):
            at = f"blocks.{layer}"
            mlp = layers.MLP(look, f"{at}.mlp") if f"{at}.mlp.W_in" in self._named else None
            attention = layers.Attention(look, f"{at}.attn", self.model.causal)
            self.blocks.append((attention, norm(f"{at}.ln1"), mlp, norm(f"{at}.ln2")))
        self.ln_f, self.W_un, self.b_un = norm("ln_f"), look("W_un"), look("b_un")
