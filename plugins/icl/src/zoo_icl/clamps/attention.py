"""Clamps of attention patterns and scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_icl.clamps.base import (
    EVERY,
    EXEMPLARS,
    LABELS,
    QUERY,
    Call,
    Clamp,
    Region,
    Transformer,
    attention_regions,
    check_fraction,
)
from zoo_icl.clamps.heads import by_layer
from zoo_icl.hooks import Edit

MASKED_SCORE = -1e9
"""score of a column that must get no attention"""
TIE_TOLERANCE = 1e-6
"""cosines this close to the largest count as ties"""


def _previous(call: Call, only_labels: bool) -> tuple[Tensor, Tensor]:
    """The rows to clamp, bool [T, 1], and column t-1 of every row t, bool [T, T]."""
    rows = torch.ones(call.tokens, dtype=torch.bool, device=call.x.device)
    if only_labels:
        rows[::2] = False
    return rows[:, None], torch.ones(call.tokens - 1, dtype=torch.bool, device=call.x.device).diag(-1)


def _last_row(call: Call) -> Tensor:
    """Bool [T, 1]: the query's row."""
    return (torch.arange(call.tokens, device=call.x.device) == call.tokens - 1)[:, None]


def _on_labels(weights: Tensor) -> Tensor:
    """Weights [B, N] of the context, put on the label columns of a row: [B, 1, 1, T]."""
    row = weights.new_zeros(weights.shape[0], 1, 1, 2 * weights.shape[1] + 1)
    row[..., 1::2] = weights[:, None, None]
    return row


@dataclass(frozen=True)
class PrevToken(Clamp):
    """Pattern: row t puts ``strength`` on t-1 and the rest on t; row 0 attends to itself."""

    heads: str
    strength: float = 1.0
    only_labels: bool = False
    """odd rows only"""

    def __post_init__(self) -> None:
        """Check the strength."""
        super().__post_init__()
        check_fraction("strength", self.strength)

    def regions(self) -> tuple[Region, ...]:
        """The pattern's rows."""
        return attention_regions(self.heads, "pattern", LABELS if self.only_labels else EVERY)

    def edits(self, call: Call) -> Iterator[Edit]:
        """One constant pattern [T, T] for all sequences."""
        rows, previous = _previous(call, self.only_labels)
        value = previous.to(call.x.dtype) * self.strength
        value.diagonal().fill_(1.0 - self.strength)[0] = 1.0
        for layer in by_layer(self.heads):
            yield Edit(f"blocks.{layer}.attn.pattern", call.heads(self.heads, layer) & rows, value)


@dataclass(frozen=True)
class Induction(Clamp):
    """Pattern of the last row: ``strength`` spread over the context's labels that are right, the rest over the others.

    The induction strength is then ``2 strength - 1`` (for two pairs with distinct labels). Needs the queries' labels.
    """

    heads: str
    strength: float = 1.0

    def __post_init__(self) -> None:
        """Check the strength."""
        super().__post_init__()
        check_fraction("strength", self.strength)

    def regions(self) -> tuple[Region, ...]:
        """The last row."""
        return attention_regions(self.heads, "pattern", QUERY)

    def edits(self, call: Call) -> Iterator[Edit]:
        """One row for each sequence.

        Raises:
            ValueError: no queries' labels, or a context in which all labels, or none, are right.
        """
        if call.target is None:
            raise ValueError(f"{self} needs the queries' labels: give y as [B, N+1] with the query's label last.")
        right = call.y == call.target[:, None]
        count = right.sum(1, keepdim=True, dtype=call.x.dtype)  # a number over integers would have single precision
        others = right.shape[1] - count
        if missing := int((count == 0).sum()):
            raise ValueError(f"{self}: {missing} of {len(count)} contexts lack the query's label; there must be one.")
        if self.strength < 1.0 and (full := int((others == 0).sum())):
            raise ValueError(f"{self}: {full} of {len(count)} contexts have no other label for 1 - strength to go to.")
        weights = torch.where(right, self.strength / count, (1.0 - self.strength) / others.clamp(min=1))
        for layer in by_layer(self.heads):
            mask = call.heads(self.heads, layer) & _last_row(call)
            yield Edit(f"blocks.{layer}.attn.pattern", mask, _on_labels(weights))


@dataclass(frozen=True)
class Match(Clamp):
    """Pattern of the last row: softmax over the context of cosine(x_i, x_q) / temperature, put on the labels.

    Temperature 0: equal weight on the nearest exemplars.
    """

    heads: str
    temperature: float

    def __post_init__(self) -> None:
        """Check the temperature."""
        super().__post_init__()
        if not self.temperature >= 0.0:
            raise ValueError(f"temperature = {self.temperature}: expected at least 0.")

    def regions(self) -> tuple[Region, ...]:
        """The last row."""
        return attention_regions(self.heads, "pattern", QUERY)

    def edits(self, call: Call) -> Iterator[Edit]:
        """One row for each sequence."""
        near = F.cosine_similarity(call.x[:, :-1], call.x[:, -1:], dim=-1)
        if self.temperature > 0.0:
            weights = (near / self.temperature).softmax(-1)
        else:
            best = (near >= near.amax(-1, keepdim=True) - TIE_TOLERANCE).to(near.dtype)
            weights = best / best.sum(-1, keepdim=True)
        for layer in by_layer(self.heads):
            mask = call.heads(self.heads, layer) & _last_row(call)
            yield Edit(f"blocks.{layer}.attn.pattern", mask, _on_labels(weights))


@dataclass(frozen=True)
class NoPrevToken(Clamp):
    """Scores: no row t attends to t-1."""

    heads: str
    only_labels: bool = False
    """odd rows only"""

    def regions(self) -> tuple[Region, ...]:
        """Column t-1: an exemplar's in rows of labels, a label's in the others."""
        labels = attention_regions(self.heads, "scores", LABELS, EXEMPLARS)
        return (
            labels if self.only_labels else labels + attention_regions(self.heads, "scores", EXEMPLARS | QUERY, LABELS)
        )

    def edits(self, call: Call) -> Iterator[Edit]:
        """-1e9 below the diagonal."""
        rows, previous = _previous(call, self.only_labels)
        for layer in by_layer(self.heads):
            mask = call.heads(self.heads, layer) & rows & previous
            yield Edit(f"blocks.{layer}.attn.scores", mask, call.x.new_tensor(MASKED_SCORE))


@dataclass(frozen=True)
class LabelsOnly(Clamp):
    """Scores of the last layer: the query attends to labels only."""

    heads: str

    def regions(self) -> tuple[Region, ...]:
        """Even columns of the last row."""
        return attention_regions(self.heads, "scores", QUERY, EXEMPLARS | QUERY)

    def check(self, model: Transformer) -> None:
        """Refuse heads of another layer than the last."""
        super().check(model)
        if other := [layer for layer in by_layer(self.heads) if layer != model.depth - 1]:
            raise ValueError(f"{self}: layer {other[0]} is not the last, {model.depth - 1}.")

    def edits(self, call: Call) -> Iterator[Edit]:
        """-1e9 on exemplars and on the query itself."""
        even = torch.arange(call.tokens, device=call.x.device) % 2 == 0
        for layer in by_layer(self.heads):
            mask = call.heads(self.heads, layer) & _last_row(call) & even
            yield Edit(f"blocks.{layer}.attn.scores", mask, call.x.new_tensor(MASKED_SCORE))


@dataclass(frozen=True)
class Temperature(Clamp):
    """Scores divided by ``tau``, from a first pass without clamps."""

    heads: str
    tau: float

    def __post_init__(self) -> None:
        """Check the temperature."""
        super().__post_init__()
        if not self.tau > 0.0:
            raise ValueError(f"tau = {self.tau}: expected more than 0.")

    def regions(self) -> tuple[Region, ...]:
        """All scores of the heads."""
        return attention_regions(self.heads, "scores")

    def reads(self, model: Transformer) -> tuple[str, ...]:
        """The scores."""
        return tuple(region.hook for region in self.regions())

    def edits(self, call: Call) -> Iterator[Edit]:
        """Scores of the first pass over ``tau``."""
        for layer in by_layer(self.heads):
            hook = f"blocks.{layer}.attn.scores"
            yield Edit(hook, call.heads(self.heads, layer), call.live[hook] / self.tau)
