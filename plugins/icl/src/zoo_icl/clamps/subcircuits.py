"""Clamps that replace a whole part of the circuit: copying, the first layer, or layers of another model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from zoo_icl.clamps.attention import MASKED_SCORE
from zoo_icl.clamps.base import Call, Clamp, Region, Transformer
from zoo_icl.clamps.heads import HEAD, by_layer
from zoo_icl.clamps.values import all_entries
from zoo_icl.hooks import Edit, Hooks


@dataclass(frozen=True)
class Layer1(Clamp):
    """A perfect first layer: block 1 matches by exemplars shifted one token to the right, and block 0 is bypassed.

    With ``e`` the embedded tokens, e' has ``e'_0 = e_0``, ``e'_t = e_{t-1}`` for 1 <= t <= T-2 and
    ``e'_{T-1} = e_{T-1}``. Queries and keys of block 1 come from e', its values and residual from e. Block 0 is still
    computed and recorded; its parameters get gradient 0. For models with two blocks.
    """

    def regions(self) -> tuple[Region, ...]:
        """Input, queries and keys of block 1."""
        inputs = Region("blocks.0.resid_post"), Region("blocks.1.resid_pre")
        return inputs + tuple(Region(f"blocks.1.attn.{hook}") for hook in ("q_pre", "k_pre", "q", "k"))

    def check(self, model: Transformer) -> None:
        """Check that the depth is 2."""
        if model.depth != 2:
            raise ValueError(f"{self} is for models with 2 blocks; this one has {model.depth}.")

    def same_pass_reads(self) -> tuple[str, ...]:
        """The embedded tokens."""
        return ("embed",)

    def edits(self, call: Call) -> Iterator[Edit]:
        """Everything is computed from the embedded tokens of the same pass."""
        model, everywhere = call.model, all_entries(call)

        def shifted(running: Hooks) -> Tensor:
            e = running.held["embed"]
            return torch.cat((e[:, :1], e[:, :-2], e[:, -1:]), dim=1)

        def project(weight: str, rotated: bool) -> Callable[[Hooks], Tensor]:
            return lambda running: model.project(1, shifted(running), weight, rotated=rotated)

        yield Edit("blocks.1.resid_pre", everywhere, lambda running: running.held["embed"])
        for hook, weight in (("q", "W_q"), ("k", "W_k")):
            yield Edit(f"blocks.1.attn.{hook}_pre", everywhere, project(weight, rotated=False))
            yield Edit(f"blocks.1.attn.{hook}", everywhere, project(weight, rotated=True))


@dataclass(frozen=True)
class Copy(Clamp):
    """Perfect copying: logits of the context's labels are one head's scores at (last row, label), all others -1e9.

    The scores are those of a first pass without the other clamps except ``Layer1``; a label that is more than once in
    the context gets the largest.
    """

    first_pass_clamps: ClassVar[tuple[type[Clamp], ...]] = (Layer1,)
    heads: str
    """one head"""

    def __post_init__(self) -> None:
        """Check that it is one head."""
        super().__post_init__()
        match = HEAD.fullmatch(self.heads.strip())
        if match is None or not match[2].isdigit():
            raise ValueError(f"Copy({self.heads}): expected one head, such as Copy(1:3).")

    def regions(self) -> tuple[Region, ...]:
        """The logits."""
        return (Region("logits"),)

    def reads(self, model: Transformer) -> tuple[str, ...]:
        """The scores of the head's layer."""
        return tuple(f"blocks.{layer}.attn.scores" for layer in by_layer(self.heads))

    def edits(self, call: Call) -> Iterator[Edit]:
        """Logits [B, K]."""
        (hook,) = self.reads(call.model)
        head = int(self.heads.partition(":")[2])
        scores = call.live[hook][:, head, -1, 1::2]
        floor = scores.new_full((len(scores), call.model.n_outputs), MASKED_SCORE)
        yield Edit("logits", all_entries(call), floor.scatter_reduce(1, call.y, scores, "amax"))


def _frozen(model: Transformer) -> Transformer:
    """A copy whose parameters are not trained."""
    return copy.deepcopy(model).requires_grad_(False)


@dataclass(frozen=True, eq=False)
class Graft(Clamp):
    """The residual stream after block ``upto_layer`` is another model's, whose weights are frozen as they are now."""

    model: Transformer
    upto_layer: int

    def __post_init__(self) -> None:
        """Keep a frozen copy."""
        object.__setattr__(self, "model", _frozen(self.model))

    def __str__(self) -> str:
        """Name and layer."""
        return f"Graft(upto_layer={self.upto_layer})"

    def regions(self) -> tuple[Region, ...]:
        """The residual stream after that block, which is the one before the next."""
        layer = self.upto_layer
        return Region(f"blocks.{layer}.resid_post"), Region(f"blocks.{layer + 1}.resid_pre")

    def check(self, model: Transformer) -> None:
        """Check for models of another width, or without that block."""
        _check_same_width(str(self), model, self.model)
        _check_layer_exists(str(self), self.upto_layer, min(model.depth, self.model.depth))

    def edits(self, call: Call) -> Iterator[Edit]:
        """The other model's residual stream [B, T, d]."""
        hook = f"blocks.{self.upto_layer}.resid_post"
        _, cache = self.model(call.x, call.y, record=hook)
        yield Edit(hook, all_entries(call), cache[hook])


@dataclass(frozen=True, eq=False)
class GraftOut(Clamp):
    """From block ``from_layer`` on, another model computes, whose weights are frozen; gradients flow through it."""

    model: Transformer
    from_layer: int

    def __post_init__(self) -> None:
        """Keep a frozen copy."""
        object.__setattr__(self, "model", _frozen(self.model))

    def __str__(self) -> str:
        """Name and layer."""
        return f"GraftOut(from_layer={self.from_layer})"

    def regions(self) -> tuple[Region, ...]:
        """The logits."""
        return (Region("logits"),)

    def check(self, model: Transformer) -> None:
        """Check for models of another width or with other labels, or without that block."""
        _check_same_width(str(self), model, self.model)
        _check_layer_exists(str(self), self.from_layer, min(model.depth, self.model.depth))
        if model.n_outputs != self.model.n_outputs:
            raise ValueError(f"{self}: the graft has {self.model.n_outputs} outputs, the model {model.n_outputs}.")

    def same_pass_reads(self) -> tuple[str, ...]:
        """The residual stream that the other model continues from."""
        return (f"blocks.{self.from_layer}.resid_pre",)

    def edits(self, call: Call) -> Iterator[Edit]:
        """The other model's logits."""
        (hook,) = self.same_pass_reads()

        def logits(running: Hooks) -> Tensor:
            return self.model.compute_logits(running.held[hook], Hooks({}, frozenset()), self.from_layer)

        yield Edit("logits", all_entries(call), logits)


def _check_same_width(owner: str, model: Transformer, other: Transformer) -> None:
    if model.d_model != other.d_model:
        raise ValueError(f"{owner}: the graft is {other.d_model} wide, the model {model.d_model}.")


def _check_layer_exists(owner: str, layer: int, depth: int) -> None:
    if not 0 <= layer < depth:
        raise ValueError(f"{owner}: there is no layer {layer} in both models; they share 0 to {depth - 1}.")
