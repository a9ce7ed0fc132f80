"""Fixed evaluation sets, and a model's metrics on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo_icl.clamps import Clamps
from zoo_icl.model import ICLTransformer
from zoo_icl.probes import context_mask, induction_strength, prev_token_strength, query_metrics, summaries
from zoo_icl.sequences import Sequences, Task

__all__ = ["EvaluationSets", "tensors"]

_TRAIN = "train"
_SEEN = "seen"


def tensors(batch: Sequences, like: Tensor) -> tuple[Tensor, Tensor]:
    """``x`` and ``y`` of a batch, with the device of ``like``, and its dtype for ``x``."""
    return torch.from_numpy(batch.x).to(like), torch.from_numpy(batch.y).to(like.device)


@dataclass(frozen=True)
class EvaluationSets:
    """One fixed set of sequences for each evaluation.

    Attributes:
        sets: name to x [B,N+1,D] and y [B,N+1].
    """

    sets: Mapping[str, tuple[Tensor, Tensor]]

    @classmethod
    def draw(cls, task: Task, size: int, rng: np.random.Generator, like: Tensor) -> EvaluationSets:
        """Draw ``size`` sequences for every evaluation that ``task`` has."""
        names = task.evaluation_names
        return cls({name: tensors(task.evaluation_batch(name, size, rng), like) for name in names})

    @torch.no_grad()
    def metrics(self, model: ICLTransformer, clamps: tuple[Clamps, ...]) -> dict[str, float]:
        """Means of all query metrics of every set, and the strengths of the heads on training-like sequences.

        The set "train" is reported under "seen": "train/loss" is the loss of the training batches. Undefined metrics
        are left out.
        """
        metrics: dict[str, float] = {}
        heads: dict[str, float] = {}
        last = model.depth - 1
        patterns = ("blocks.0.attn.pattern", f"blocks.{last}.attn.pattern")
        for name, (x, y) in self.sets.items():
            if name == _TRAIN:
                logits, cache = model(x, y, record=patterns, clamps=clamps)
                heads |= _strengths("prev_token_strength", 0, prev_token_strength(cache[patterns[0]]))
                if y.shape[1] > 2:
                    strength = induction_strength(cache[patterns[1]], y)
                    heads |= _strengths("induction_strength", last, strength.heads)
            else:
                logits = model(x, y, clamps=clamps)
            answers = query_metrics(logits, y[:, -1], context_mask(y[:, :-1], logits.shape[1]))
            label = _SEEN if name == _TRAIN else name
            metrics |= {f"{label}/{metric}": summary.mean for metric, summary in summaries(answers).items()}
        return {name: value for name, value in (metrics | heads).items() if not math.isnan(value)}


def _strengths(name: str, layer: int, heads: Tensor) -> dict[str, float]:
    values: Sequence[float] = heads.tolist()
    each = {f"heads/{layer}.{head}/{name}": value for head, value in enumerate(values)}
    return each | {f"heads/max_{name}": max(values)}
