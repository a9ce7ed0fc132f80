"""Running a model over sequences, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from zoo_icl.probes.query import QueryMetrics, context_mask, query_metrics
from zoo_icl.sequences import Sequences

Floats = NDArray[np.floating[Any]]

BATCH = 1000
"""default number of sequences in one forward pass"""


class Model(Protocol):
    """What a model offers: logits ``[B, K]`` and, for ``record``, patterns by the names of their hook points.

    With ``record`` the result is ``(logits, {hook point: array})``; ``blocks.{l}.attn.pattern`` is ``[B, H, T, T]``.
    Labels are given whole, ``[B, N+1]``: some clamps are defined by the target, and nothing else reads it.
    """

    def __call__(self, x: Any, y: Any, *, record: Any = None, clamps: Any = ()) -> Any:
        """Answer the query of each sequence."""


@dataclass(frozen=True, eq=False)
class Answers:
    """A model's outputs on B sequences.

    Attributes:
        logits: float64 ``[B, K]``.
        y: labels, the target last, int64 ``[B, N+1]``.
        recorded: activations by hook point, each ``[B, ...]``.
    """

    logits: NDArray[np.float64]
    y: NDArray[np.int64]
    recorded: Mapping[str, Floats]

    @property
    def metrics(self) -> QueryMetrics:
        """The metrics of every sequence."""
        return query_metrics(self.logits, self.y[:, -1], context_mask(self.y[:, :-1], self.logits.shape[1]))


def pattern_hook(block: int) -> str:
    """Name of a block's attention pattern."""
    return f"blocks.{block}.attn.pattern"


def run_model(
    model: Model, batch: Sequences, *, record: Sequence[str] = (), clamps: Sequence[Any] = (), batch_size: int = BATCH
) -> Answers:
    """Run ``model`` without gradients, ``batch_size`` sequences at a time, on which the result does not depend.

    Args:
        model: the model.
        batch: the sequences, at least one.
        record: hook points to keep.
        clamps: as the model takes them.
        batch_size: at least 1.

    Raises:
        ValueError: the batch is empty, or ``batch_size`` is below 1.
    """
    if batch_size < 1 or not len(batch.y):
        raise ValueError(f"{len(batch.y)} sequences, {batch_size} at a time: expected at least 1 of both.")
    logits: list[NDArray[np.float64]] = []
    recorded: dict[str, list[Floats]] = {name: [] for name in record}
    with torch.no_grad():
        for start in range(0, len(batch.y), batch_size):
            part = slice(start, start + batch_size)
            options = {"record": tuple(record)} if record else {}
            options |= {"clamps": tuple(clamps)} if clamps else {}
            output = model(batch.x[part], batch.y[part], **options)
            if record:
                output, cache = output
                for name, kept in recorded.items():
                    kept.append(_numpy(cache[name]))
            logits.append(_numpy(output).astype(np.float64))
    return Answers(np.concatenate(logits), batch.y, {name: np.concatenate(kept) for name, kept in recorded.items()})


def _numpy(values: Any) -> Floats:
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
