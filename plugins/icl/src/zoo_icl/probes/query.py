"""Metrics of the logits at the query (docs/methods/icl.md, section 1: metrics)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from zoo import Array
from zoo_icl.probes.arrays import as_float, like, namespace

_EXCLUDED = -1e20
"""Instead of minus infinity, so that a row of excluded labels stays finite; softmax gives such a label exactly 0."""


@dataclass(frozen=True, eq=False)
class QueryMetrics:
    """One value for each of B sequences, in the dtype of the logits; NaN where a metric is undefined.

    Attributes:
        loss: ``-log softmax(z)_t`` in nats, at least 0.
        acc: 1 where the target has the largest logit, else 0.
        prob: ``softmax(z)_t``.
        in_context_loss: the loss among the labels of the context alone; NaN where the target is none of them.
        in_context_acc: likewise.
        in_context_prob: likewise.
        out_context_acc: among the labels that are not in the context; NaN where the target is in the context.
        out_context_prob: likewise.
        use_context_prob: probability of all labels of the context together.
    """

    loss: Array
    acc: Array
    prob: Array
    in_context_loss: Array
    in_context_acc: Array
    in_context_prob: Array
    out_context_acc: Array
    out_context_prob: Array
    use_context_prob: Array

    def __getitem__(self, name: str) -> Array:
        """The metric of this name, ``[B]``."""
        return getattr(self, name)


METRICS = tuple(field.name for field in fields(QueryMetrics))
"""Names of the metrics."""


@dataclass(frozen=True)
class Summary:
    """Mean over the sequences on which a metric is defined.

    Attributes:
        mean: NaN if there is none.
        sem: standard error of the mean (n - 1); NaN for fewer than two sequences.
        n: number of values.
    """

    mean: float
    sem: float
    n: int


def context_mask(labels: Array, num_labels: int) -> Array:
    """Which labels occur in each context.

    Args:
        labels: labels of the context items, int ``[B, N]``, without the target.
        num_labels: K.

    Returns:
        bool ``[B, K]``.
    """
    xp = namespace(labels)
    every = like(np.arange(num_labels), labels)
    return xp.any(labels[:, :, None] == every, 1)


def query_metrics(logits: Array, targets: Array, in_context: Array) -> QueryMetrics:
    """The metrics of each sequence.

    Args:
        logits: z at the query, ``[B, K]``.
        targets: the right label t, int ``[B]``.
        in_context: as from ``context_mask``, bool ``[B, K]``.

    Raises:
        ValueError: the shapes do not fit.
    """
    if logits.shape != in_context.shape or tuple(targets.shape) != tuple(logits.shape[:1]):
        raise ValueError(
            f"logits {tuple(logits.shape)}, targets {tuple(targets.shape)}, in_context {tuple(in_context.shape)}: "
            "expected [B, K], [B] and [B, K]."
        )
    xp = namespace(logits)
    supported = _at(in_context, targets)
    excluded = xp.full_like(logits, _EXCLUDED)
    log_prob = _log_softmax(logits)
    inside = _Answers.of(xp.where(in_context, logits, excluded), targets, supported)
    outside = _Answers.of(xp.where(in_context, excluded, logits), targets, ~supported)
    everywhere = _Answers.of(logits, targets, xp.ones_like(supported))
    return QueryMetrics(
        loss=everywhere.loss,
        acc=everywhere.acc,
        prob=everywhere.prob,
        in_context_loss=inside.loss,
        in_context_acc=inside.acc,
        in_context_prob=inside.prob,
        out_context_acc=outside.acc,
        out_context_prob=outside.prob,
        use_context_prob=(xp.exp(log_prob) * as_float(in_context, logits)).sum(1),
    )


def summarise(values: Array) -> Summary:
    """Mean, standard error and number of the values that are not NaN, ``[B]``, summed in double precision."""
    numbers = values if namespace(values) is np else values.detach().cpu().numpy()
    defined = numbers[~np.isnan(numbers)].astype(np.float64)
    n = len(defined)
    sem = float(defined.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return Summary(float(defined.mean()) if n else math.nan, sem, n)


def summaries(metrics: QueryMetrics) -> Mapping[str, Summary]:
    """A summary of every metric."""
    return {name: summarise(metrics[name]) for name in METRICS}


@dataclass(frozen=True, eq=False)
class _Answers:
    loss: Any
    acc: Any
    prob: Any

    @classmethod
    def of(cls, logits: Array, targets: Array, defined: Array) -> _Answers:
        xp = namespace(logits)
        nan = xp.full_like(logits[:, 0], float("nan"))
        log_prob = _at(_log_softmax(logits), targets)
        right = as_float(logits.argmax(1) == targets, logits)
        return cls(*(xp.where(defined, value, nan) for value in (-log_prob, right, xp.exp(log_prob))))


def _at(table: Array, columns: Array) -> Array:
    """The entry of each row in its column, ``[B]``."""
    if namespace(table) is np:
        return np.take_along_axis(table, columns[:, None], 1)[:, 0]
    return table.gather(1, columns[:, None])[:, 0]


def _log_softmax(logits: Array) -> Array:
    xp = namespace(logits)
    shifted = logits - xp.amax(logits, 1)[:, None]
    return shifted - xp.log(xp.exp(shifted).sum(1))[:, None]
