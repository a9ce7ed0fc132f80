"""Clamps that replace a whole part of the circuit: copying, the first layer, or layers of another model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from zoo_icl.clamps.attention import SHUT
from zoo_icl.clamps.base import Call, Clamp, Region, Transformer
from zoo_icl.clamps.heads import HEAD, by_layer
from zoo_icl.clamps.values import everything
from zoo_icl.taps import Edit, Taps


@dataclass(frozen=True)
class Layer1(Clamp):
    """A perfect first layer: block 1 matches by exemplars that stand one token late, and block 0 is bypassed.

    With ``e`` the embedded tokens, e' has ``e'_0 = e_0``, ``e'_t = e_{t-1}`` for 1 <= t <= T-2 and
    ``e'_{T-1} = e_{T-1}``. Queries and keys of block 1 come from e', its values and residual from e. Block 0 is still
    computed and recorded; its parameters get gradient 0. For models with two blocks.
    """

    def regions(self) -> tuple[Region, ...]:
        """Input, queries and keys of block 1."""
        inputs = Region("blocks.0.resid_post"), Region("blocks.1.resid_pre")
        return inputs + tuple(Region(f"blocks.1.attn.{tap}") for tap in ("q_pre", "k_pre", "q", "k"))

    def check(self, model: Transformer) -> None:
        """Refuse other depths than 2."""
        if model.depth != 2:
            raise ValueError(f"{self} is for models with 2 blocks; this one has {model.depth}.")

    def holds(self) -> tuple[str, ...]:
        """The embedded tokens."""
        return ("embed",)

    def edits(self, call: Call) -> Iterator[Edit]:
        """All computed from the running pass's tokens."""
        model, everywhere = call.model, everything(call)

        def late(running: Taps) -> Tensor:
            e = running.held["embed"]
            return torch.cat((e[:, :1], e[:, :-2], e[:, -1:]), dim=1)

        def projected(weight: str, rotated: bool) -> Callable[[Taps], Tensor]:
            return lambda running: model.projected(1, late(running), weight, rotated=rotated)

        yield Edit("blocks.1.resid_pre", everywhere, lambda running: running.held["embed"])
        for tap, weight in (("q", "W_q"), ("k", "W_k")):
            yield Edit(f"blocks.1.attn.{tap}_pre", everywhere, projected(weight, rotated=False))
            yield Edit(f"blocks.1.attn.{tap}", everywhere, projected(weight, rotated=True))


@dataclass(frozen=True)
class Copy(Clamp):
    """Perfect copying: logits of the context's labels are one head's scores at (last row, label), all others -1e9.

    The scores are those of a live first pass without the other clamps, ``Layer1`` excepted; a label that stands in the
    context more than once gets the largest.
    """

    through: ClassVar[tuple[type[Clamp], ...]] = (Layer1,)
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
        (tap,) = self.reads(call.model)
        head = int(self.heads.partition(":")[2])
        scores = call.live[tap][:, head, -1, 1::2]
        floor = scores.new_full((len(scores), call.model.n_outputs), SHUT)
        yield Edit("logits", everything(call), floor.scatter_reduce(1, call.y, scores, "amax"))


def _frozen(model: Transformer) -> Transformer:
    """A copy that never learns."""
    return copy.deepcopy(model).requires_grad_(False)


@dataclass(frozen=True, eq=False)
class Graft(Clamp):
    """The residual stream after block ``upto_layer`` is another model's, which is kept as it is now."""

    model: Transformer
    upto_layer: int

    def __post_init__(self) -> None:
        """Keep a frozen copy."""
        object.__setattr__(self, "model", _frozen(self.model))

    def __str__(self) -> str:
        """Name and layer."""
        return f"Graft(upto_layer={self.upto_layer})"

    def regions(self) -> tuple[Region, ...]:
        """The stream after that block, which is the stream before the next."""
        layer = self.upto_layer
        return Region(f"blocks.{layer}.resid_post"), Region(f"blocks.{layer + 1}.resid_pre")

    def check(self, model: Transformer) -> None:
        """Refuse models of another width, or without that block."""
        _same_width(str(self), model, self.model)
        _has_layer(str(self), self.upto_layer, min(model.depth, self.model.depth))

    def edits(self, call: Call) -> Iterator[Edit]:
        """The other model's stream [B, T, d]."""
        tap = f"blocks.{self.upto_layer}.resid_post"
        _, cache = self.model(call.x, call.y, record=tap)
        yield Edit(tap, everything(call), cache[tap])


@dataclass(frozen=True, eq=False)
class GraftOut(Clamp):
    """From block ``from_layer`` on another model goes on, which is kept as it is now; gradient flows through it."""

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
        """Refuse models of another width or with other labels, or without that block."""
        _same_width(str(self), model, self.model)
        _has_layer(str(self), self.from_layer, min(model.depth, self.model.depth))
        if model.n_outputs != self.model.n_outputs:
            raise ValueError(f"{self}: the graft has {self.model.n_outputs} outputs, the model {model.n_outputs}.")

    def holds(self) -> tuple[str, ...]:
        """The stream that the other model takes over."""
        return (f"blocks.{self.from_layer}.resid_pre",)

    def edits(self, call: Call) -> Iterator[Edit]:
        """The other model's logits."""
        (tap,) = self.holds()

        def continued(running: Taps) -> Tensor:
            return self.model.computed(running.held[tap], Taps({}, frozenset()), self.from_layer)

        yield Edit("logits", everything(call), continued)


def _same_width(who: str, model: Transformer, other: Transformer) -> None:
    if model.d_model != other.d_model:
        raise ValueError(f"{who}: the graft is {other.d_model} wide, the model {model.d_model}.")


def _has_layer(who: str, layer: int, depth: int) -> None:
    if not 0 <= layer < depth:
        raise ValueError(f"{who}: there is no layer {layer} in both models; they share 0 to {depth - 1}.")
