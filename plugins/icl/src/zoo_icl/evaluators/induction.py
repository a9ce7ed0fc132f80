"""``icl-induction``: a model's accuracy on every evaluation set, and the function of each of its heads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo import EvalContext, Evaluator, Report
from zoo_icl.animation import Frame, animate
from zoo_icl.evaluators.checkpoints import earlier_models
from zoo_icl.evaluators.config import InductionConfig
from zoo_icl.evaluators.dense import dense_batch
from zoo_icl.evaluators.subject import JudgedModel, agent_accuracies, draw, run_judged, set_label, task
from zoo_icl.matrix import matrix, number
from zoo_icl.probes import (
    Summary,
    context_mask,
    induction_strength,
    mean_pattern,
    prev_token_baseline,
    prev_token_sequences,
    summaries,
    summarise,
)
from zoo_icl.probes.circuits import composition_scores
from zoo_icl.probes.forward import Answers
from zoo_icl.sequences import Sequences

_HEADS_ON = "train"
_INDUCTION = 0.1
"""strength from which a head counts as an induction head"""
_KEPT = ("loss", "acc", "in_context_acc")
"""metrics of sets among the scores; the rows have all"""


class Induction(Evaluator[InductionConfig]):
    """Query metrics of each set, and the strengths of every head on sequences as in training.

    Scores: ``{set}/loss``, ``{set}/acc`` and ``{set}/in_context_acc`` where they are defined (the set "train" is called
    "seen"); ``heads/{block}.{head}/induction_strength`` (where the context has right and wrong labels),
    ``.../prev_token_strength`` (from labels) and ``.../prev_token_excess`` (above uniform attention); and
    ``heads/max_induction_strength`` of the last block, ``heads/max_prev_token_strength`` of the first;
    ``heads/n_used`` sequences have an induction strength. Rows: mean, standard error and number of sequences of each
    metric of each set, of each strength of each head, then the composition of heads of neighbouring blocks. A model
    without patterns gets the sets alone, an agent that only acts ``acc`` alone.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Evaluate the subject.

        Raises:
            UsageError: the environment has no sets, or not one that is asked for.
            InterfaceError: the subject neither acts nor can be called.
        """
        config, source = self.config, task(ctx)
        heads_on = draw(source, _HEADS_ON, config.sequences, ctx)
        judged = JudgedModel.of(subject, heads_on)
        batches: dict[str, Sequences] = {
            name: heads_on if name == _HEADS_ON else draw(source, name, config.sequences, ctx)
            for name in config.sets or source.evaluation_names
        }
        if config.dense:
            batches["dense"] = dense_batch(source)
        rows: list[dict[str, Any]] = []
        notes = [judged.note] if judged.note else []
        scores: dict[str, float] = {}
        for name, batch in batches.items():
            summaries = _summaries(judged, batch, source.num_labels, config.batch_size)
            rows += [_row(set_label(name), metric, summary) for metric, summary in summaries.items() if summary.n]
            scores |= {f"{set_label(name)}/{m}": summaries[m].mean for m in _KEPT if m in summaries and summaries[m].n}
        if judged.pattern_hooks:
            answer = run_judged(judged, heads_on, config.batch_size, record=judged.pattern_hooks)
            heads = list(_heads(judged, answer))
            rows += [_row(f"{block}:{head}", name, summary) for block, head, name, summary in heads]
            rows += _composition(judged)
            if config.patterns:
                rows += _patterns(judged, answer)
            if config.film:
                animate(self._frames(judged, heads_on, subject, ctx), Path(config.film))
            used = induction_strength(answer.recorded[judged.pattern_hooks[-1]], answer.y).n_used
            scores |= {"heads/n_used": float(used)} | _head_scores(heads)
            notes += _sequence_notes(heads_on, used)
            notes += _strength_notes(heads)
        return Report(scores=scores, rows=rows, notes=notes, sampled=dict.fromkeys(scores))

    def _frames(self, judged: JudgedModel, batch: Sequences, subject: Any, ctx: EvalContext) -> list[Frame]:
        """The model at every checkpoint that the run has kept, and now."""
        now = int(getattr(subject, "env_steps", 0))
        frames = []
        if ctx.path is not None:
            for step, then in earlier_models(judged.model, ctx.path, now):
                frames.append(_frame(step, replace(judged, model=then), batch, self.config.batch_size))
        return [*frames, _frame(now, judged, batch, self.config.batch_size)]


def _frame(step: int, judged: JudgedModel, batch: Sequences, batch_size: int) -> Frame:
    answer = run_judged(judged, batch, batch_size, record=judged.pattern_hooks)
    shapes = [mean_pattern(answer.recorded[hook], answer.y) for hook in judged.pattern_hooks]
    return Frame(step, summarise(answer.metrics.loss).mean, shapes)


def _summaries(judged: JudgedModel, batch: Sequences, num_labels: int, batch_size: int) -> Mapping[str, Summary]:
    if judged.agent is not None:
        return {"acc": summarise(agent_accuracies(judged.agent, batch, num_labels, batch_size))}
    return summaries(run_judged(judged, batch, batch_size).metrics)


def _row(of: str, metric: str, summary: Summary) -> dict[str, Any]:
    sem = {} if math.isnan(summary.sem) else {"sem": summary.sem}
    return {"of": of, "metric": metric, "mean": summary.mean, **sem, "n": summary.n}


def _heads(judged: JudgedModel, answer: Answers) -> Iterator[tuple[int, int, str, Summary]]:
    """Block, head, name and value of each strength that is defined."""
    for block, hook in enumerate(judged.pattern_hooks):
        pattern = answer.recorded[hook]
        even = prev_token_baseline(pattern.shape[-1])
        before = prev_token_sequences(pattern)
        strengths = {
            "induction_strength": induction_strength(pattern, answer.y).sequences,
            "prev_token_strength": before,
            "prev_token_excess": before - even,
        }
        for head in range(pattern.shape[1]):
            for name, sequences in strengths.items():
                summary = summarise(sequences[:, head])
                if summary.n:
                    yield block, head, name, summary


def _head_scores(heads: Sequence[tuple[int, int, str, Summary]]) -> dict[str, float]:
    scores: dict[str, float] = {}
    last = max(block for block, *_ in heads)
    for name, of in (("induction_strength", last), ("prev_token_strength", 0)):
        values = [summary.mean for block, _, metric, summary in heads if (block, metric) == (of, name)]
        scores |= {f"heads/max_{name}": max(values)} if values else {}
    return scores | {f"heads/{block}.{head}/{name}": summary.mean for block, head, name, summary in heads}


def _strength_notes(heads: Sequence[tuple[int, int, str, Summary]]) -> Iterator[str]:
    """The strengths by block and head, and whether there is an induction head."""
    strengths = {(block, head): summary for block, head, name, summary in heads if name == "induction_strength"}
    if not strengths:
        return
    blocks = {str(block): [s.mean for (of, _), s in strengths.items() if of == block] for block, _ in strengths}
    yield f"induction strength by block and head:\n{matrix(blocks)}"
    last = max(block for block, _ in strengths)
    (block, head), best = max(
        ((place, summary) for place, summary in strengths.items() if place[0] == last), key=lambda item: item[1].mean
    )
    count = sum(summary.mean >= _INDUCTION for place, summary in strengths.items() if place[0] == last)
    shown = f"{number(best.mean)} (s.e. {number(best.sem)})"
    if best.mean < _INDUCTION:
        yield f"no induction head: the highest strength of block {last} is {shown}, at {block}:{head}."
    else:
        others = f"; {count} heads of the block have {number(_INDUCTION)} or more" if count > 1 else ""
        yield f"an induction head formed at {block}:{head}: strength {shown}{others}."


def _patterns(judged: JudgedModel, answer: Answers) -> Iterator[dict[str, Any]]:
    for block, hook in enumerate(judged.pattern_hooks):
        for head, pattern in enumerate(mean_pattern(answer.recorded[hook], answer.y)):
            if np.isfinite(pattern).all():
                yield {"of": f"{block}:{head}", "metric": "pattern", "pattern": pattern.tolist()}


def _composition(judged: JudgedModel) -> Iterator[dict[str, Any]]:
    arrays = getattr(judged.model, "to_arrays", None)
    if arrays is None:
        return
    parameters = arrays()
    for later in range(1, len(judged.pattern_hooks)):
        scores = composition_scores(parameters, earlier=later - 1, later=later)
        for name, values in scores.items():
            for i, j in np.ndindex(values.shape):
                row = {"of": f"{later}:{i} of {later - 1}:{j}", "metric": f"{name}_composition"}
                yield row | {"mean": float(values[i, j])}


def _sequence_notes(batch: Sequences, used: int) -> Iterator[str]:
    """Notes on the sequences that the strengths are measured on."""
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
