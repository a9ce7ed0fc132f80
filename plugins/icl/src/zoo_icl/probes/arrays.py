"""The operations that numpy and torch name differently; everything else in the probes is the same in both."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from zoo import Array


def namespace(x: Array) -> Any:
    """``torch`` for a torch tensor, ``numpy`` for anything else; torch is not imported for that."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(x, torch.Tensor) else np


def like(values: Array, model: Array) -> Array:
    """``values`` as an array of the kind of ``model``, on its device; the dtype is kept."""
    xp = namespace(model)
    return np.asarray(values) if xp is np else xp.as_tensor(values, device=model.device)


def as_float(flags: Array, model: Array) -> Array:
    """Truth values as 0 and 1 in the dtype of ``model``."""
    return flags.astype(model.dtype) if namespace(model) is np else flags.to(model.dtype)


def mean_of(values: Array, usable: Array) -> Array:
    """Mean over the first axis of the rows that ``usable`` marks; NaN if it marks none.

    Args:
        values: ``[B, ...]``; rows that are not usable may hold anything.
        usable: bool ``[B]``.
    """
    xp = namespace(values)
    kept = values[usable]
    return kept.mean(0) if len(kept) else xp.full_like(values.sum(0), float("nan"))
