"""Every head of a language model on sequences of tokens: what it attends to, what it copies, what it is good for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo_icl.adapters.attention import AttentionLayer, evaluating
from zoo_icl.adapters.context import foreign_errors
from zoo_icl.adapters.copying import Unembedding, copying_scores, values_in_place
from zoo_icl.adapters.intervention import Intervention, clamped
from zoo_icl.adapters.token_scores import (
    DUPLICATE,
    PREFIX,
    PREVIOUS,
    attended,
    attention_scores,
    even_pattern,
    predictable,
)
from zoo_icl.adapters.tokens import Tokens
from zoo_icl.clamps import Ablate
from zoo_icl.clamps.composition import Clamping
from zoo_icl.clamps.heads import by_layer
from zoo_icl.probes import Summary, summarise

COPYING, LOSS = "copying", "loss"
SCORES = (PREFIX, COPYING, PREVIOUS, DUPLICATE, LOSS)
PREDICTABLE, OTHER = "predictable", "other"
_TOKENS_AT_ONCE = 1024
_PLACES = 8
"""tokens of each sequence on which copying is measured, evenly spread"""

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]
"""called with the number of heads that have been ablated, and of all"""


@dataclass(frozen=True, eq=False)
class LayerScores:
    """One layer that attends.

    Attributes:
        number: as the model counts.
        sequences: by score, of each sequence and head ``[B, H]``; NaN where it is not defined.
        sinks: whether a part of the attention goes to no token.
    """

    number: int
    sequences: Mapping[str, Floats]
    sinks: bool

    @property
    def heads(self) -> int:
        """H."""
        return int(next(iter(self.sequences.values())).shape[1])

    def summary(self, score: str, head: int) -> Summary:
        """Mean and standard error over the sequences."""
        return summarise(self.sequences[score][:, head])


@dataclass(frozen=True, eq=False)
class HeadScores:
    """Scores of every head.

    Attributes:
        layers: those that attend, in the order of the computation.
        even: what a head scores that attends evenly to all tokens up to its own.
        losses: mean cross-entropy in nats of the tokens that complete a pair seen before ("predictable") and of the
            "other" ones, under the clamps.
        measured: names of the scores.
    """

    layers: tuple[LayerScores, ...]
    even: Mapping[str, float]
    losses: Mapping[str, Summary]
    measured: tuple[str, ...]

    def matrix(self, score: str) -> Floats:
        """Means, ``[L, H]``; NaN where a head is ablated or a layer has fewer."""
        means = np.full((len(self.layers), max(layer.heads for layer in self.layers)), np.nan)
        for row, layer in zip(means, self.layers, strict=True):
            row[: layer.heads] = [layer.summary(score, head).mean for head in range(layer.heads)]
        return means

    def strongest(self, score: str) -> tuple[LayerScores, int] | None:
        """Layer and head with the highest mean; None if there is none."""
        means = self.matrix(score)
        if np.isnan(means).all():
            return None
        layer, head = np.unravel_index(int(np.nanargmax(means)), means.shape)
        return self.layers[int(layer)], int(head)


def score_heads(
    model: Any,
    tokens: Tokens,
    *,
    clamps: Clamping = (),
    scores: Sequence[str] = SCORES,
    known: NDArray[np.int64] | None = None,
    progress: Progress = lambda done, of: None,
) -> HeadScores:
    """Score every head of ``model`` that is not ablated.

    Args:
        model: a causal language model of transformers; it is left as it was.
        tokens: the sequences.
        clamps: in force throughout.
        scores: which of ``SCORES``: attention to the token after an earlier copy of this one ("prefix"), to the token
            before ("previous"), to an earlier copy ("duplicate"), in [0, 1]; how the head ranks the token that it
            attends to ("copying"), in [-1, 1]; and nats that predictable tokens lose without the head ("loss"), for
            which the model runs once for each head.
        known: ids of ordinary tokens, among which copying ranks; None: all.
        progress: called before each head that "loss" ablates.

    Raises:
        ValueError: the model has no patterns, attends to later tokens or fails, or a clamp is not for it.
    """
    name = type(model).__name__
    parts = list(_parts(tokens))
    found: dict[int, dict[str, list[Floats]]] = {}
    scales: list[dict[str, Floats]] = []
    with ExitStack() as stack:
        stack.enter_context(evaluating(model))
        force = stack.enter_context(clamped(model, clamps))
        collect = _Collect(model, force, scores, known)
        losses = []
        with foreign_errors(name), values_in_place(force.layers if collect.unembedding else (), collect.values):
            force.look = collect.pattern
            for part in parts:
                collect.begin(part)
                losses.append(_losses(model, part))
                for number, of_layer in collect.found.items():
                    for score, values in of_layer.items():
                        found.setdefault(number, {}).setdefault(score, []).append(values)
                scales.append(collect.even())
            force.look = None
        if collect.looks_ahead:
            raise ValueError(f"{name} attends to later tokens: expected a causal language model.")
        base = {which: np.concatenate([loss[which] for loss in losses]) for which in (PREDICTABLE, OTHER)}
        if not all(np.isfinite(values[~np.isnan(values)]).all() for values in base.values()):
            raise ValueError(f"{name} gives logits that are no numbers.")
        per_layer = {
            layer.number: {s: np.concatenate(values) for s, values in found.get(layer.number, {}).items()}
            for layer in force.layers
        }
        if LOSS in scores:
            with foreign_errors(name):
                _add_losses(model, force, parts, base[PREDICTABLE], per_layer, progress)
        off = _ablated(force)
        sinks = {layer.number: layer.sinks > 0 for layer in force.layers}
    for number, head in off:
        for values in per_layer[number].values():
            values[:, head] = np.nan
    measured = tuple(score for score in SCORES if all(score in by for by in per_layer.values()))
    return HeadScores(
        tuple(LayerScores(number, by, sinks[number]) for number, by in per_layer.items()),
        {s: summarise(np.concatenate([scale[s] for scale in scales])).mean for s in scales[0]},
        {which: summarise(values) for which, values in base.items()},
        measured,
    )


class _Collect:
    """Scores of the sequences that run now, layer by layer."""

    def __init__(self, model: Any, force: Intervention, scores: Sequence[str], known: NDArray[np.int64] | None) -> None:
        self._device = model.device
        self._attention = [score for score in scores if score in (PREFIX, PREVIOUS, DUPLICATE)]
        self.unembedding = Unembedding.of(model, force.layers) if COPYING in scores else None
        self._known = known
        self.looks_ahead = False
        self.found: dict[int, dict[str, Floats]] = {}

    def begin(self, part: Tokens) -> None:
        """Expect these sequences."""
        self.found = {}
        self._ids = torch.as_tensor(part.ids, device=self._device)
        self._real = torch.as_tensor(part.real, device=self._device)
        self._attended = attended(self._ids, torch.as_tensor(part.ordinary, device=self._device))
        self._places, self._counted = _places(part.ordinary)

    def pattern(self, layer: AttentionLayer, pattern: Tensor) -> None:
        """Score the patterns of one layer."""
        own = pattern[..., : pattern.shape[3] - layer.sinks]
        self.looks_ahead |= bool(own.triu(1).any())
        by_score = {s: attention_scores(own, *self._attended[s]).cpu().numpy() for s in self._attention}
        self.found.setdefault(layer.number, {}).update(by_score)

    def values(self, layer: AttentionLayer, values: Tensor) -> None:
        """Score what one layer copies."""
        if self.unembedding is None:
            return
        size, places = self._places.shape
        rows = torch.arange(size, device=self._device)[:, None]
        at = torch.as_tensor(self._places, device=self._device)
        chosen, tokens = values[rows, at].flatten(0, 1), self._ids[rows, at].flatten()
        allowed = torch.ones(self.unembedding.vocabulary, dtype=torch.bool, device=self._device)
        if self._known is not None:
            allowed[:] = False
            allowed[torch.as_tensor(self._known, device=self._device)] = True
        scores = copying_scores(chosen, tokens, layer, self.unembedding, allowed).view(size, places, -1).cpu().numpy()
        counted = self._counted[:, :, None]
        means = np.where(counted, scores, 0.0).sum(1) / np.where(counted.any(1), counted.sum(1), np.nan)
        self.found.setdefault(layer.number, {})[COPYING] = means

    def even(self) -> dict[str, Floats]:
        """Scores of a head that attends evenly, on these sequences."""
        pattern = even_pattern(self._real)
        return {s: attention_scores(pattern, *self._attended[s]).cpu().numpy()[:, 0] for s in self._attention}


def _add_losses(
    model: Any,
    force: Intervention,
    parts: Sequence[Tokens],
    whole: Floats,
    per_layer: Mapping[int, dict[str, Floats]],
    progress: Progress,
) -> None:
    """How much more predictable tokens cost without each head."""
    kept, off = force.clamps, _ablated(force)
    heads = [(layer, head) for layer in force.layers for head in range(layer.heads)]
    for layer in force.layers:
        per_layer[layer.number][LOSS] = np.full((len(whole), layer.heads), np.nan)
    for done, (layer, head) in enumerate(heads):
        progress(done, len(heads))
        if (layer.number, head) not in off:
            force.use((kept, f"Ablate({layer.number}:{head})"))
            without = np.concatenate([_losses(model, part)[PREDICTABLE] for part in parts])
            per_layer[layer.number][LOSS][:, head] = without - whole
    force.use(kept)


def _losses(model: Any, part: Tokens) -> dict[str, Floats]:
    """Mean cross-entropy of each sequence's predictable tokens, and of its other ones, ``[B]``; NaN if it has none."""
    ids, real = torch.as_tensor(part.ids, device=model.device), torch.as_tensor(part.real, device=model.device)
    ordinary = torch.as_tensor(part.ordinary, device=model.device)
    logits = model(input_ids=ids, attention_mask=real.long(), use_cache=False).logits[:, :-1].float()
    loss = (logits.logsumexp(-1) - logits.gather(-1, ids[:, 1:, None])[..., 0]).double()
    known = predictable(ids, ordinary)[:, 1:]
    new = ordinary[:, 1:] & ~known
    means = {PREDICTABLE: known, OTHER: new}
    return {
        which: (torch.where(of, loss, 0.0).sum(1) / torch.where(of.any(1), of.sum(1), torch.nan)).cpu().numpy()
        for which, of in means.items()
    }


def _ablated(force: Intervention) -> frozenset[tuple[int, int]]:
    """Layer and head of all that the clamps ablate."""
    heads = {layer.number: layer.heads for layer in force.layers}
    named = [by_layer(clamp.heads) for clamp in force.clamps.members if isinstance(clamp, Ablate)]
    every = [(layer, which) for layers in named for layer, which in layers.items()]
    return frozenset((layer, head) for layer, which in every for head in (which or range(heads[layer])))


def _parts(tokens: Tokens) -> Iterator[Tokens]:
    """The sequences, a few at a time."""
    size = max(1, _TOKENS_AT_ONCE // tokens.ids.shape[1])
    for start in range(0, len(tokens), size):
        yield tokens.part(slice(start, start + size))


def _places(ordinary: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Evenly spread ordinary tokens of each sequence, ``[B, P]``, and which of them count."""
    places = np.zeros((len(ordinary), _PLACES), np.int64)
    counted = np.zeros(places.shape, bool)
    for row, there in enumerate(ordinary):
        at = np.flatnonzero(there)
        chosen = (
            at[np.unique(np.linspace(0, len(at) - 1, min(_PLACES, len(at))).round().astype(int))] if len(at) else at
        )
        places[row, : len(chosen)] = chosen
        counted[row, : len(chosen)] = True
    return places, counted
