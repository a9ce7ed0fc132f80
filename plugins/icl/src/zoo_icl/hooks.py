"""Hook points: named places in the forward pass, where activations are recorded and replaced."""

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
"""hook points of one block, in the order of the computation"""
ALL_ROWS = frozenset({"resid_pre", "ln1_out", "attn.k_pre", "attn.k", "attn.v"})
"""hook points whose values every row of a block needs; elsewhere the last row suffices for the logits"""
UP_TO_PATTERN = ALL_ROWS | {"attn.q_pre", "attn.q", "attn.scores", "attn.pattern"}
"""hook points up to the attention pattern"""


def names(depth: int, mlp: bool) -> tuple[str, ...]:
    """Every hook point of a model with ``depth`` blocks, in the order of the computation."""
    blocks = [f"blocks.{layer}.{hook}" for layer in range(depth) for hook in BLOCK if mlp or hook != "mlp.out"]
    return ("ex_embed", "label_embed", "embed", *blocks, "final", "logits", "logits_all")


def resolve(record: str | Iterable[str] | None, known: Sequence[str]) -> frozenset[str]:
    """The hook points that ``record`` names: None, a name or glob, or several of them.

    Raises:
        KeyError: one of them is unknown; the message lists the nearest names.
    """
    if record is None:
        return frozenset()
    patterns = (record,) if isinstance(record, str) else tuple(record)
    hook_points: set[str] = set()
    for name in patterns:
        matching = [hook for hook in known if fnmatchcase(hook, name)]
        if not matching:
            near = get_close_matches(name, known, n=5, cutoff=0.5) or list(known)
            raise KeyError(f"no hook point is called {name!r}; near: {', '.join(near)}.")
        hook_points.update(matching)
    return frozenset(hook_points)


class Edit(NamedTuple):
    """``where(mask, value, computed)`` at one hook point.

    ``mask`` and ``value`` broadcast to the whole shape at the hook point, all T rows. A ``value`` that is a
    function is called with the current pass, for values that depend on activations of the same pass.
    """

    hook: str
    mask: Tensor
    value: Tensor | Callable[[Hooks], Tensor]

    def apply(self, computed: Tensor, running: Hooks, first: int) -> Tensor:
        """``computed``, the rows from ``first`` at the hook point, with the masked entries replaced."""
        value = self.value(running) if callable(self.value) else self.value
        return torch.where(_rows_from(self.mask, first), _rows_from(value, first), computed)


def _rows_from(whole: Tensor, first: int) -> Tensor:
    """The rows from ``first``, unless the rows are broadcast."""
    return whole[..., first:, :] if first and whole.ndim > 1 and whole.shape[-2] > 1 else whole


class Hooks:
    """The hooks of one forward pass: called at every hook point, they replace and record its value.

    Args:
        edits: what to replace, by hook point.
        recorded: hook points to record.
        detach: record values without their graph.
        held: hook points whose values edits of this pass read from ``held``, with their graph.
    """

    def __init__(
        self,
        edits: Mapping[str, Sequence[Edit]],
        recorded: frozenset[str],
        *,
        detach: bool = True,
        held: frozenset[str] = frozenset(),
    ) -> None:
        self.edits, self.recorded, self.detach = edits, recorded, detach
        self.cache: Cache = {}
        self.held: Cache = dict.fromkeys(held, torch.empty(0))

    def __call__(self, name: str, computed: Tensor, first: int = 0) -> Tensor:
        """The value with which the pass continues; rows are recorded only where ``first`` is 0."""
        if name in self.edits:
            for edit in self.edits[name]:
                computed = edit.apply(computed, self, first)
        if not first:
            if name in self.recorded:
                self.cache[name] = computed.detach() if self.detach else computed
            if name in self.held:
                self.held[name] = computed
        return computed
