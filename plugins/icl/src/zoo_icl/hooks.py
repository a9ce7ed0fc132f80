"""Named places in the forward pass, where values are recorded and replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

Cache: TypeAlias = dict[str, Tensor]

BLOCK = (
    "resid_pre",
    "ln1_out",
    "attn.q_pre",
    "attn.k_pre",
    "attn.q",
    "attn.k",
    "attn.v",
    "attn.scores",
    "attn.pattern",
    "attn.z",
    "attn.out",
    "resid_mid",
    "mlp.out",
    "resid_post",
)
"""taps of one block, in the order of the computation"""
SHARED = frozenset({"resid_pre", "ln1_out", "attn.k_pre", "attn.k", "attn.v"})
"""those that all rows of a block need; of the others the last row suffices for the answer"""
LOOKING = SHARED | {"attn.q_pre", "attn.q", "attn.scores", "attn.pattern"}
"""those up to the pattern"""


def names(depth: int, mlp: bool) -> tuple[str, ...]:
    """Every tap of a model with ``depth`` blocks, in the order of the computation."""
    blocks = [f"blocks.{layer}.{tap}" for layer in range(depth) for tap in BLOCK if mlp or tap != "mlp.out"]
    return ("ex_embed", "label_embed", "embed", *blocks, "final", "logits", "logits_all")


def resolve(record: str | Iterable[str] | None, known: Sequence[str]) -> frozenset[str]:
    """The taps that ``record`` names: None, a name or glob, or several of them.

    Raises:
        KeyError: one of them names no tap; the message lists the nearest names.
    """
    if record is None:
        return frozenset()
    patterns = (record,) if isinstance(record, str) else tuple(record)
    taps: set[str] = set()
    for name in patterns:
        matching = [tap for tap in known if fnmatchcase(tap, name)]
        if not matching:
            near = get_close_matches(name, known, n=5, cutoff=0.5) or list(known)
            raise KeyError(f"no tap is called {name!r}; near: {', '.join(near)}.")
        taps.update(matching)
    return frozenset(taps)


class Edit(NamedTuple):
    """``where(mask, value, computed)`` at one tap.

    ``mask`` and ``value`` broadcast to the tap's whole shape, all T rows of it. A ``value`` that is a function gets the
    running pass, for what depends on taps of the same pass.
    """

    tap: str
    mask: Tensor
    value: Tensor | Callable[[Taps], Tensor]

    def applied(self, computed: Tensor, running: Taps, first: int) -> Tensor:
        """``computed``, the rows from ``first`` of the tap, with the masked entries replaced."""
        value = self.value(running) if callable(self.value) else self.value
        return torch.where(_from(self.mask, first), _from(value, first), computed)


def _from(whole: Tensor, first: int) -> Tensor:
    """The rows from ``first``, unless the rows are broadcast."""
    return whole[..., first:, :] if first and whole.ndim > 1 and whole.shape[-2] > 1 else whole


class Taps:
    """One forward pass: called at every tap, it replaces and records.

    Args:
        edits: what to replace, by tap.
        wanted: taps to record.
        detach: record values without their graph.
        held: taps that edits of this pass read through ``held``, with their graph.
    """

    def __init__(
        self,
        edits: Mapping[str, Sequence[Edit]],
        wanted: frozenset[str],
        *,
        detach: bool = True,
        held: frozenset[str] = frozenset(),
    ) -> None:
        self.edits, self.wanted, self.detach = edits, wanted, detach
        self.cache: Cache = {}
        self.held: Cache = dict.fromkeys(held, torch.empty(0))

    def __call__(self, name: str, computed: Tensor, first: int = 0) -> Tensor:
        """``computed`` as the pass goes on with it; of the rows from ``first`` nothing is recorded unless it is 0."""
        if name in self.edits:
            for edit in self.edits[name]:
                computed = edit.applied(computed, self, first)
        if not first:
            if name in self.wanted:
                self.cache[name] = computed.detach() if self.detach else computed
            if name in self.held:
                self.held[name] = computed
        return computed
