"""``icl-induction``: what a model answers on every evaluation set, and which of its heads do what."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from zoo import EvalContext, Evaluator, Report
from zoo_icl.evaluators.config import InductionConfig
from zoo_icl.evaluators.dense import dense
from zoo_icl.evaluators.subject import Judged, acted, answered, drawn, shown, task
from zoo_icl.probes import (
    Summary,
    context_mask,
    induction_strength,
    mean_pattern,
    prev_token_excess,
    prev_token_strength,
    summaries,
    summarise,
)
from zoo_icl.probes.circuits import composition_scores
from zoo_icl.probes.forward import Answers, Sequences

_HEADS_ON = "train"
_KEPT = ("loss", "acc", "in_context_acc")
"""metrics among the scores; the rows have all"""


class Induction(Evaluator[InductionConfig]):
    """Query metrics of each set, and the strengths of every head on sequences as in training.

    Scores: ``{set}/loss``, ``{set}/acc`` and ``{set}/in_context_acc`` where they are defined (the set "train" is called
    "seen"); ``heads/{block}.{head}/induction_strength`` (where the context tells right from wrong labels),
    ``.../prev_token_strength`` (from labels) and ``.../prev_token_excess`` (above even attention); and
    ``heads/max_induction_strength`` of the last block, ``heads/max_prev_token_strength`` of the first. Rows: one for
    each set and metric (mean, standard error, number of sequences on which it is defined), then for each head, then the
    composition of each pair of heads of neighbouring blocks. A model without patterns gets the sets alone, an agent
    that only acts ``acc`` alone.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Judge.

        Raises:
            UsageError: the environment has no sets, or not one that is asked for.
            InterfaceError: the subject neither acts nor can be called.
        """
        config, source = self.config, task(ctx)
        heads_on = drawn(source, _HEADS_ON, config.sequences, ctx)
        judged = Judged.of(subject, heads_on)
        batches: dict[str, Sequences] = {
            name: heads_on if name == _HEADS_ON else drawn(source, name, config.sequences, ctx)
            for name in config.sets or source.evaluation_names
        }
        if config.dense:
            batches["dense"] = dense(source)
        rows: list[dict[str, Any]] = []
        notes = [judged.note] if judged.note else []
        scores: dict[str, float] = {}
        for name, batch in batches.items():
            found = _summaries(judged, batch, source.num_labels, config.batch_size)
            rows += [_row(shown(name), metric, summary) for metric, summary in found.items() if summary.n]
            scores |= {f"{shown(name)}/{m}": found[m].mean for m in _KEPT if m in found and found[m].n}
        if judged.taps:
            answer = answered(judged, heads_on, config.batch_size, record=judged.taps)
            heads = list(_heads(judged, answer, patterns=config.patterns))
            rows += heads
            scores |= _head_scores(heads)
            notes += _repeats(heads_on, induction_strength(answer.taps[judged.taps[-1]], answer.y).n_used)
            rows += _composition(judged)
        return Report(scores=scores, rows=rows, notes=notes)


def _summaries(judged: Judged, batch: Sequences, num_labels: int, batch_size: int) -> Mapping[str, Summary]:
    if judged.agent is not None:
        return {"acc": summarise(acted(judged.agent, batch, num_labels, batch_size))}
    return summaries(answered(judged, batch, batch_size).metrics)


def _row(of: str, metric: str, summary: Summary) -> dict[str, Any]:
    sem = {} if math.isnan(summary.sem) else {"sem": summary.sem}
    return {"of": of, "metric": metric, "mean": summary.mean, **sem, "n": summary.n}


def _heads(judged: Judged, answer: Answers, *, patterns: bool) -> Iterator[dict[str, Any]]:
    """One row for each head; what is undefined is left out."""
    for block, tap in enumerate(judged.taps):
        pattern = answer.taps[tap]
        strength = induction_strength(pattern, answer.y).heads
        before, excess = prev_token_strength(pattern), prev_token_excess(pattern)
        shape = mean_pattern(pattern, answer.y) if patterns else None
        for head in range(pattern.shape[1]):
            row: dict[str, Any] = {"of": f"{block}:{head}", "block": block, "head": head}
            if np.isfinite(strength[head]):
                row["induction_strength"] = float(strength[head])
            row |= {"prev_token_strength": float(before[head]), "prev_token_excess": float(excess[head])}
            if shape is not None and np.isfinite(shape).all():
                row["pattern"] = shape[head].tolist()
            yield row


def _head_scores(heads: list[dict[str, Any]]) -> dict[str, float]:
    scores = {
        f"heads/{row['block']}.{row['head']}/{name}": row[name]
        for row in heads
        for name in ("induction_strength", "prev_token_strength", "prev_token_excess")
        if name in row
    }
    last = max(row["block"] for row in heads)
    for name, block in (("induction_strength", last), ("prev_token_strength", 0)):
        values = [row[name] for row in heads if row["block"] == block and name in row]
        scores |= {f"heads/max_{name}": max(values)} if values else {}
    return scores


def _composition(judged: Judged) -> Iterator[dict[str, Any]]:
    arrays = getattr(judged.model, "to_arrays", None)
    if arrays is None:
        return
    parameters = arrays()
    for later in range(1, len(judged.taps)):
        scores = composition_scores(parameters, earlier=later - 1, later=later)
        for i, j in np.ndindex(scores["q"].shape):
            row = {"of": f"{later}:{i}", "from": f"{later - 1}:{j}"}
            yield row | {f"{x}_composition": float(values[i, j]) for x, values in scores.items()}


def _repeats(batch: Sequences, used: int) -> Iterator[str]:
    """What the reader should know of the sequences that a strength is of."""
    context = batch.y[:, :-1]
    if used < len(context):
        yield (
            f"strengths are of the {used} of {len(context)} sequences whose context has a right and a wrong label; "
            "labels count as right where they equal the target's."
        )
    largest = int(batch.y.max()) + 1
    repeated = int((context_mask(context, largest).sum(1) < context.shape[1]).sum())
    if repeated:
        yield f"{repeated} of {len(context)} sequences have a label more than once in their context."
