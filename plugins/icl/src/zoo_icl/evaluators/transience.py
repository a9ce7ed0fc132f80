"""``icl-transience``: whether in-context learning came and went, from the curves of the run and from its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo import EvalContext, Evaluator, Report, UsageError, open_runs
from zoo_icl.evaluators.config import TransienceConfig
from zoo_icl.evaluators.subject import JudgedModel, agent_accuracies, draw, run_judged, set_label, task
from zoo_icl.probes import phase_change, summaries, summarise, transience

_SETS = ("icl", "flip", "ciwl", "iwl")

Curve = tuple[list[float], list[float]]


class TransienceEvaluator(Evaluator[TransienceConfig]):
    """Events of the run's logged curves, and the strategies that the model uses now.

    Scores, each only where it is defined: ``transience/peak``, ``/peak_at``, ``/final``, ``/drop``, ``/t_cross`` and
    ``/transient`` (1 or 0) of the accuracy ``icl``; ``phase/plateau_start``, ``/plateau_end``, ``/onset``,
    ``/t_half`` and ``/t_04`` of the loss (sequences seen); and for each of the sets icl, flip and ciwl that the
    environment has ``{set}/in_context_acc``, for iwl ``iwl/acc``. Events that did not happen are named in the notes.
    Rows: one for each event.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Evaluate the subject.

        Raises:
            UsageError: there is neither a curve nor a set to judge.
        """
        scores, notes = self._now(subject, ctx)
        events = self._events(ctx.path, notes)
        happened = {name: value for name, value in events.items() if value is not None}
        if missing := [name for name, value in events.items() if value is None]:
            notes.append(f"these events did not happen: {', '.join(missing)}.")
        if not scores and not happened:
            raise UsageError(
                f"there is no curve {self.config.icl} or {self.config.loss} to judge, and no set {', '.join(_SETS)}.",
                "zoo plot RUN --list shows what a run has logged.",
            )
        rows = [{"event": name, "value": value} for name, value in events.items()]
        return Report(scores={**happened, **scores}, rows=rows, notes=notes, sampled=dict.fromkeys(scores))

    def _now(self, subject: Any, ctx: EvalContext) -> tuple[dict[str, float], list[str]]:
        """Accuracies of the model on the sets that tell the strategies apart."""
        config, source = self.config, task(ctx)
        scores: dict[str, float] = {}
        notes: dict[str, None] = {}
        for name in (name for name in _SETS if name in source.evaluation_names):
            batch = draw(source, name, config.sequences, ctx)
            judged = JudgedModel.of(subject, batch)
            if judged.note:
                notes[judged.note] = None
            if judged.agent is not None:
                right = agent_accuracies(judged.agent, batch, source.num_labels, config.batch_size)
                scores[f"{set_label(name)}/acc"] = summarise(right).mean
                continue
            metric = "acc" if name == "iwl" else "in_context_acc"
            summary = summaries(run_judged(judged, batch, config.batch_size).metrics)[metric]
            if summary.n:
                scores[f"{set_label(name)}/{metric}"] = summary.mean
        return scores, list(notes)

    def _events(self, run: Path | None, notes: list[str]) -> Mapping[str, float | None]:
        """Events of the curves by name; those of a curve that was not logged are left out."""
        config = self.config
        curves = _curves(run, (config.icl, config.flip, config.loss)) if run is not None else {}
        events: dict[str, float | None] = {}
        if config.icl in curves:
            seqs, values = curves[config.icl]
            flip = _values_at(seqs, curves.get(config.flip))
            result = transience(seqs, values, flip)
            names = ("peak", "peak_at", "final", "drop")
            events |= {f"transience/{name}": getattr(result, name) for name in names}
            events["transience/transient"] = float(result.transient)
            if flip is not None:
                events["transience/t_cross"] = result.t_cross
        if config.loss in curves:
            change = phase_change(*curves[config.loss], config.floor)
            start, end = change.plateau or (None, None)
            events |= {"phase/plateau_start": start, "phase/plateau_end": end}
            events |= {f"phase/{name}": getattr(change, name) for name in ("onset", "t_half")}
            events["phase/t_04"] = change.below_40_percent
        if unknown := [name for name in (config.icl, config.loss) if name not in curves]:
            notes.append(f"no curve of {' or '.join(unknown)} was logged: its events are left out.")
        return events


def _curves(path: Path, names: Sequence[str]) -> dict[str, Curve]:
    """Curves of the metrics that were logged: increasing steps, and values."""
    (run,) = open_runs([path]).runs
    curves = {name: run.series(name) for name in names}
    return {name: (series.steps, series.values) for name, series in curves.items() if series.values}


def _values_at(seqs: list[float], curve: Curve | None) -> list[float] | None:
    """The values of ``curve`` at ``seqs``; None where it was not logged at all of them."""
    points = dict(zip(*curve, strict=True)) if curve else {}
    return [points[step] for step in seqs] if all(step in points for step in seqs) else None
