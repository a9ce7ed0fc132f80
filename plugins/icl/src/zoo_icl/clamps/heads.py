"""Heads by layer: ``"1:3"``, ``"0:0,0:3"``, ``"1:0-2"``, ``"0:*"``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

HEAD = re.compile(r"(\d+):(\*|\d+(?:-\d+)?)")


@lru_cache(maxsize=256)
def by_layer(heads: str) -> Mapping[int, frozenset[int] | None]:
    """The heads of each layer that ``heads`` names; None: all of them.

    Raises:
        ValueError: not a list of heads.
    """
    layers: dict[int, frozenset[int] | None] = {}
    for word in heads.split(","):
        match = HEAD.fullmatch(word.strip())
        if match is None:
            raise ValueError(f"{word.strip()!r} is not a head: expected layer:head, such as '1:3', '1:0-2' or '0:*'.")
        layer, which = int(match[1]), match[2]
        low, _, high = which.partition("-")
        if high and int(high) < int(low):
            raise ValueError(
                f"{word.strip()!r} names no head: expected a range upwards, such as '{layer}:{high}-{low}'."
            )
        if which == "*":
            layers[layer] = None
        elif (before := layers.get(layer, frozenset())) is not None:
            layers[layer] = before | frozenset(range(int(low), int(high or low) + 1))
    return dict(sorted(layers.items()))


def check(heads: str, depth: int, n_heads: int, owner: str) -> None:
    """Check that a model of this size has these heads.

    Raises:
        ValueError: naming layer and head.
    """
    for layer, which in by_layer(heads).items():
        if layer >= depth:
            raise ValueError(f"{owner}: there is no layer {layer}; layers are 0 to {depth - 1}.")
        for head in sorted(which or ()):
            if head >= n_heads:
                raise ValueError(f"{owner}: layer {layer} has no head {head}; heads are 0 to {n_heads - 1}.")


@lru_cache(maxsize=256)
def mask(heads: str, layer: int, n_heads: int, device: torch.device) -> Tensor:
    """Mask of the named heads of ``layer``, bool [H, 1, 1]."""
    which = by_layer(heads)[layer]
    with torch.inference_mode(False):
        flags = [which is None or head in which for head in range(n_heads)]
        return torch.tensor(flags, dtype=torch.bool, device=device)[:, None, None]
