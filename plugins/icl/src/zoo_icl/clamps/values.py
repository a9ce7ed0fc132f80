"""Clamps with constant values, and clamps whose values come from a first pass without clamps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from zoo_icl.clamps.base import Call, Clamp, Region, Transformer, attention_regions
from zoo_icl.clamps.heads import by_layer
from zoo_icl.hooks import Edit


def all_entries(call: Call) -> Tensor:
    """A mask of all entries, bool []."""
    return torch.ones((), dtype=torch.bool, device=call.x.device)


def _regions(hook: str, heads: str) -> tuple[Region, ...]:
    """Some heads at ``blocks.{l}.attn.{hook}``, or all entries of one hook point by its full name."""
    return attention_regions(heads, hook) if heads else (Region(hook),)


def _masks(call: Call, hook: str, heads: str) -> Iterator[tuple[str, Tensor]]:
    """Full names and masks of the same entries."""
    if not heads:
        yield hook, all_entries(call)
    for layer in by_layer(heads) if heads else ():
        yield f"blocks.{layer}.attn.{hook}", call.heads(heads, layer)


@dataclass(frozen=True)
class Ablate(Clamp):
    """Values of the heads are 0, and with them the heads' outputs: attention has no biases."""

    heads: str

    def regions(self) -> tuple[Region, ...]:
        """The values."""
        return attention_regions(self.heads, "v")

    def edits(self, call: Call) -> Iterator[Edit]:
        """Zero."""
        for hook, mask in _masks(call, "v", self.heads):
            yield Edit(hook, mask, call.x.new_zeros(()))


@dataclass(frozen=True)
class AblateEmbedding(Clamp):
    """Tokens are 0 before positions are added."""

    def regions(self) -> tuple[Region, ...]:
        """Both kinds of tokens."""
        return Region("ex_embed"), Region("label_embed")

    def edits(self, call: Call) -> Iterator[Edit]:
        """Zero."""
        for region in self.regions():
            yield Edit(region.hook, all_entries(call), call.x.new_zeros(()))


@dataclass(frozen=True, eq=False)
class Constant(Clamp):
    """A constant at a hook point: ``Constant("v", 0.0, "1:3")`` or ``Constant("embed", tensor)``.

    The value broadcasts to the shape at the hook point. It carries no gradient.
    """

    hook: str
    """short name within attention where ``heads`` are given (``"pattern"``), else the full name"""
    value: float | Tensor
    heads: str = ""

    def regions(self) -> tuple[Region, ...]:
        """The hook point."""
        return _regions(self.hook, self.heads)

    def edits(self, call: Call) -> Iterator[Edit]:
        """The value, with the device and dtype of the model."""
        value = torch.as_tensor(self.value).detach().to(call.x)
        for hook, mask in _masks(call, self.hook, self.heads):
            yield Edit(hook, mask, value)


@dataclass(frozen=True)
class Live(Clamp):
    """The value at a hook point in a first pass without the other clamps; gradients flow through it.

    ``Live("pattern", "0:*")`` or ``Live("blocks.0.resid_post")``; ``detach``: a constant instead.
    """

    hook: str
    """short name within attention where ``heads`` are given, else the full name"""
    heads: str = ""
    detach: bool = False

    def regions(self) -> tuple[Region, ...]:
        """The hook point."""
        return _regions(self.hook, self.heads)

    def reads(self, model: Transformer) -> tuple[str, ...]:
        """The hook point."""
        return tuple(region.hook for region in self.regions())

    def edits(self, call: Call) -> Iterator[Edit]:
        """The first pass's value."""
        for hook, mask in _masks(call, self.hook, self.heads):
            value = call.live[hook]
            yield Edit(hook, mask, value.detach() if self.detach else value)


@dataclass(frozen=True)
class _Preserve(Clamp):
    """One attention tensor of every layer keeps its value without the other clamps; others override it."""

    kind: ClassVar[str]
    overridable: ClassVar[bool] = True
    detach: bool = False

    def regions(self) -> tuple[Region, ...]:
        """Every layer."""
        return (Region(f"blocks.*.attn.{self.kind}"),)

    def reads(self, model: Transformer) -> tuple[str, ...]:
        """Every layer."""
        return tuple(f"blocks.{layer}.attn.{self.kind}" for layer in range(model.depth))

    def edits(self, call: Call) -> Iterator[Edit]:
        """The first pass's values."""
        for hook in self.reads(call.model):
            value = call.live[hook]
            yield Edit(hook, all_entries(call), value.detach() if self.detach else value)


@dataclass(frozen=True)
class PreservePatterns(_Preserve):
    """Patterns of all layers from a first pass without the other clamps."""

    kind: ClassVar[str] = "pattern"


@dataclass(frozen=True)
class PreserveValues(_Preserve):
    """Values of all layers from a first pass without the other clamps."""

    kind: ClassVar[str] = "v"


@dataclass(frozen=True)
class PreserveQueries(_Preserve):
    """Queries of all layers from a first pass without the other clamps."""

    kind: ClassVar[str] = "q"


@dataclass(frozen=True)
class PreserveKeys(_Preserve):
    """Keys of all layers from a first pass without the other clamps."""

    kind: ClassVar[str] = "k"
