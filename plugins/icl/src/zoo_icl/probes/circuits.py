"""Measures of a model on a batch: heads, blocks and subcircuits alone or ablated (docs/methods/icl.md, section 4).

Heads are called "block:head". All functions run the model without gradients and leave it as it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_icl.clamps import Ablate, compose
from zoo_icl.clamps.heads import by_layer
from zoo_icl.probes.attention import induction_strength
from zoo_icl.probes.forward import BATCH, Model, pattern_hook, run_model
from zoo_icl.probes.heads import complementarity, composition_score
from zoo_icl.sequences import Sequences

_PRESERVED = ("PreservePatterns()", "PreserveValues()")


@dataclass(frozen=True)
class Outcome:
    """A model's performance on a batch.

    Attributes:
        acc: accuracy, in [0, 1].
        loss: mean cross-entropy, in nats.
    """

    acc: float
    loss: float


@dataclass(frozen=True)
class HeadAblation:
    """One head.

    Attributes:
        head: "block:head".
        strength: its induction strength, which does not depend on the other heads of its block.
        only: with all other heads of the block ablated.
        without: with this one ablated.
        complementarity: fraction of the errors of the best head alone that this one alone does not make; NaN if
            the best makes none.
    """

    head: str
    strength: float
    only: Outcome
    without: Outcome
    complementarity: float


@dataclass(frozen=True)
class AblationTable:
    """The heads of one block.

    Attributes:
        whole: nothing ablated.
        heads: one entry for each, in their order; those that are ablated throughout are left out.
        order: heads by falling strength (heads whose strength is undefined last).
        add_back: with the first 1, 2, ..., H of ``order``; the last is ``whole``.
        best: the head with the smallest loss alone, to which ``complementarity`` refers.
    """

    whole: Outcome
    heads: tuple[HeadAblation, ...]
    order: tuple[str, ...]
    add_back: tuple[Outcome, ...]
    best: str


def head_ablation_table(
    model: Model, batch: Sequences, *, block: int = 1, clamps: Sequence[Any] = (), batch_size: int = BATCH
) -> AblationTable:
    """Each head of ``block`` alone, all but it, and the heads added back one by one, the strongest first.

    Args:
        model: the model; it must know the clamp ``Ablate``.
        batch: the sequences.
        block: which block.
        clamps: in force in every condition.
        batch_size: sequences in one forward pass.

    Raises:
        KeyError: the model has no such block.
        ValueError: ``clamps`` leave no head of the block.
    """
    hook = pattern_hook(block)
    whole = run_model(model, batch, record=(hook,), clamps=clamps, batch_size=batch_size)
    every = induction_strength(whole.recorded[hook], whole.y).heads
    kept = [head for head in range(len(every)) if head not in _ablated_heads(clamps, block, len(every))]
    if not kept:
        raise ValueError(f"the clamps ablate every head of block {block}: expected one that is left.")
    strengths, names = every[kept], [f"{block}:{head}" for head in kept]

    def run_with(kept: Sequence[str]) -> tuple[Outcome, NDArray[np.bool_]]:
        off = [name for name in names if name not in kept]
        ablated = (*clamps, f"Ablate({','.join(off)})") if off else tuple(clamps)
        metrics = run_model(model, batch, clamps=ablated, batch_size=batch_size).metrics
        return Outcome(float(metrics.acc.mean()), float(metrics.loss.mean())), metrics.acc == 1.0

    alone = [run_with([name]) for name in names]
    best = min(range(len(names)), key=lambda head: alone[head][0].loss)
    ranks = sorted(range(len(names)), key=lambda head: _descending(strengths[head]))
    order = tuple(names[head] for head in ranks)
    heads = (
        HeadAblation(
            head=name,
            strength=float(strengths[head]),
            only=alone[head][0],
            without=run_with([other for other in names if other != name])[0],
            complementarity=complementarity(alone[best][1], alone[head][1]),
        )
        for head, name in enumerate(names)
    )
    added = [alone[ranks[0]][0], *(run_with(order[:count])[0] for count in range(2, len(names)))]
    everything = _outcome(whole.metrics)
    return AblationTable(everything, tuple(heads), order, (*added[: len(names) - 1], everything), names[best])


def layer_output_contribution(
    model: Model, batch: Sequences, *, block: int = 0, clamps: Sequence[Any] = (), batch_size: int = BATCH
) -> float:
    """Nats that the loss rises by if later blocks no longer read what the heads of ``block`` write.

    Patterns and the values of all other blocks are those of the whole model, so that composition through attention is
    kept and only the direct way to the output is cut.
    """
    cut = (*clamps, *_PRESERVED, f"Ablate({block}:*)")
    return (
        clamped_progress(model, batch, cut, batch_size=batch_size).loss
        - clamped_progress(model, batch, clamps, batch_size=batch_size).loss
    )


def clamped_progress(model: Model, batch: Sequences, clamps: Sequence[Any], *, batch_size: int = BATCH) -> Outcome:
    """The progress of what ``clamps`` leave to be learned: loss and accuracy under clamps unseen in training."""
    return _outcome(run_model(model, batch, clamps=clamps, batch_size=batch_size).metrics)


def composition_scores(
    arrays: Mapping[str, Any], *, earlier: int = 0, later: int = 1
) -> dict[str, NDArray[np.float64]]:
    """How much of one block's output the queries, keys and values of another block read.

    Args:
        arrays: the model's parameters, as from ``to_arrays``.
        earlier: the block that writes.
        later: the block that reads.

    Returns:
        "q", "k" and "v", each ``[H1, H0]``.

    Raises:
        KeyError: there is no such block.
    """
    w_o = np.asarray(arrays[f"blocks.{earlier}.attn.W_o"], dtype=np.float64)
    read = {x: np.asarray(arrays[f"blocks.{later}.attn.W_{x}"], dtype=np.float64) for x in "qkv"}
    return {x: composition_score(w_o, w_x) for x, w_x in read.items()}


def _ablated_heads(clamps: Sequence[Any], block: int, heads: int) -> frozenset[int]:
    """Heads of ``block`` that ``clamps`` ablate."""
    ablated: set[int] = set()
    for clamp in compose(clamps).members:
        if isinstance(clamp, Ablate) and block in (named := by_layer(clamp.heads)):
            which = named[block]
            ablated |= set(range(heads)) if which is None else which
    return frozenset(ablated)


def _outcome(metrics: Any) -> Outcome:
    return Outcome(float(metrics.acc.mean()), float(metrics.loss.mean()))


def _descending(strength: float) -> float:
    return math.inf if math.isnan(strength) else -strength
