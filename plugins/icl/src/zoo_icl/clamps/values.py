"""Clamps with constant values, and clamps whose values come from a live first pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from zoo_icl.clamps.base import Call, Clamp, Region, Transformer, attention
from zoo_icl.clamps.heads import by_layer
from zoo_icl.taps import Edit


def everything(call: Call) -> Tensor:
    """A mask of all entries, bool []."""
    return torch.ones((), dtype=torch.bool, device=call.x.device)


def _addressed(tap: str, heads: str) -> tuple[Region, ...]:
    """Some heads at ``blocks.{l}.attn.{tap}``, or the whole of one tap by its full name."""
    return attention(heads, tap) if heads else (Region(tap),)


def _masks(call: Call, tap: str, heads: str) -> Iterator[tuple[str, Tensor]]:
    """Full names and masks of what ``_addressed`` says."""
    if not heads:
        yield tap, everything(call)
    for layer in by_layer(heads) if heads else ():
        yield f"blocks.{layer}.attn.{tap}", call.heads(heads, layer)


@dataclass(frozen=True)
class Ablate(Clamp):
    """Values of the heads are 0, and with them the heads' outputs: attention has no biases."""

    heads: str

    def regions(self) -> tuple[Region, ...]:
        """The values."""
        return attention(self.heads, "v")

    def edits(self, call: Call) -> Iterator[Edit]:
        """Zero."""
        for tap, mask in _masks(call, "v", self.heads):
            yield Edit(tap, mask, call.x.new_zeros(()))


@dataclass(frozen=True)
class AblateEmbedding(Clamp):
    """Tokens are 0 before positions are added."""

    def regions(self) -> tuple[Region, ...]:
        """Both kinds of tokens."""
        return Region("ex_embed"), Region("label_embed")

    def edits(self, call: Call) -> Iterator[Edit]:
        """Zero."""
        for region in self.regions():
            yield Edit(region.tap, everything(call), call.x.new_zeros(()))


@dataclass(frozen=True, eq=False)
class Constant(Clamp):
    """A constant at a tap: ``Constant("v", 0.0, "1:3")`` or ``Constant("embed", tensor)``.

    The value broadcasts to the tap's shape. It is kept without a graph.
    """

    tap: str
    """short name within attention where ``heads`` are given (``"pattern"``), else the full name"""
    value: float | Tensor
    heads: str = ""

    def regions(self) -> tuple[Region, ...]:
        """The tap."""
        return _addressed(self.tap, self.heads)

    def edits(self, call: Call) -> Iterator[Edit]:
        """The value, where and as the model computes."""
        value = torch.as_tensor(self.value).detach().to(call.x)
        for tap, mask in _masks(call, self.tap, self.heads):
            yield Edit(tap, mask, value)


@dataclass(frozen=True)
class Live(Clamp):
    """What a first pass without the other clamps, with the same weights, has at a tap; its gradient flows.

    ``Live("pattern", "0:*")`` or ``Live("blocks.0.resid_post")``; ``detach``: a constant instead.
    """

    tap: str
    """short name within attention where ``heads`` are given, else the full name"""
    heads: str = ""
    detach: bool = False

    def regions(self) -> tuple[Region, ...]:
        """The tap."""
        return _addressed(self.tap, self.heads)

    def reads(self, model: Transformer) -> tuple[str, ...]:
        """The tap."""
        return tuple(region.tap for region in self.regions())

    def edits(self, call: Call) -> Iterator[Edit]:
        """The first pass's value."""
        for tap, mask in _masks(call, self.tap, self.heads):
            value = call.live[tap]
            yield Edit(tap, mask, value.detach() if self.detach else value)


@dataclass(frozen=True)
class _Preserve(Clamp):
    """One attention tap of every layer stays what it would be without the other clamps; others override it."""

    kind: ClassVar[str]
    yields: ClassVar[bool] = True
    detach: bool = False

    def regions(self) -> tuple[Region, ...]:
        """Every layer."""
        return (Region(f"blocks.*.attn.{self.kind}"),)

    def reads(self, model: Transformer) -> tuple[str, ...]:
        """Every layer."""
        return tuple(f"blocks.{layer}.attn.{self.kind}" for layer in range(model.depth))

    def edits(self, call: Call) -> Iterator[Edit]:
        """The first pass's values."""
        for tap in self.reads(call.model):
            value = call.live[tap]
            yield Edit(tap, everything(call), value.detach() if self.detach else value)


@dataclass(frozen=True)
class PreservePatterns(_Preserve):
    """Patterns of all layers from a live first pass without the other clamps."""

    kind: ClassVar[str] = "pattern"


@dataclass(frozen=True)
class PreserveValues(_Preserve):
    """Values of all layers from a live first pass without the other clamps."""

    kind: ClassVar[str] = "v"


@dataclass(frozen=True)
class PreserveQueries(_Preserve):
    """Queries of all layers from a live first pass without the other clamps."""

    kind: ClassVar[str] = "q"


@dataclass(frozen=True)
class PreserveKeys(_Preserve):
    """Keys of all layers from a live first pass without the other clamps."""

    kind: ClassVar[str] = "k"
