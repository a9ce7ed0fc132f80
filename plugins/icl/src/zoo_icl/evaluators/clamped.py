"""``icl-clamped``: how much of a circuit a model has learned, where clamps supply the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from zoo import EvalContext, Evaluator, Report, UsageError
from zoo_icl.evaluators.checkpoints import earlier_models
from zoo_icl.evaluators.config import ClampedConfig
from zoo_icl.evaluators.subject import JudgedModel, draw, task
from zoo_icl.probes import induction_strength, prev_token_strength
from zoo_icl.probes.circuits import clamped_progress
from zoo_icl.probes.forward import Model, run_model
from zoo_icl.sequences import Sequences

NONE = "none"
"""name of the condition without clamps"""


class Clamped(Evaluator[ClampedConfig]):
    """Loss under clamps that the model was not trained with: the progress measure of what they leave to be learned.

    Each clamp acts alone, instead of those of the training; "none" and, if there were any, "trained" stand beside them.
    By default: ``PrevToken(p)`` supplies the attention of the strongest previous-token head p; ``Layer1()`` all of the
    first layer, so that match and copying remain; ``Induction(1:*)`` the attention of the second, so that copying
    remains; ``Copy(h)`` the copying, by the strongest induction head h; ``Layer1()+Copy(h)`` all but the match.

    Scores: ``{clamp}/loss``, ``{clamp}/acc``. Rows: ``sequences``, ``clamp``, ``loss``, ``acc``, for every checkpoint
    that the run has kept, and last for the model judged.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Evaluate the subject.

        Raises:
            UsageError: the subject takes no clamps, or there is no such set.
        """
        config = self.config
        batch = draw(task(ctx), config.set, config.sequences, ctx)
        judged = JudgedModel.of(subject, batch)
        model = judged.circuits()
        conditions: dict[str, tuple[Any, ...]] = {NONE: ()}
        if judged.clamps:
            conditions["trained"] = judged.clamps
        conditions |= {text: (text,) for text in config.clamps or _subcircuits(model, batch, judged, config.batch_size)}
        notes: list[str] = []
        now = list(self._rows(model, batch, conditions, notes))
        if config.clamps and notes:
            raise UsageError(notes[0])
        known = {name: conditions[name] for name in (row["clamp"] for row in now)}
        rows: list[dict[str, Any]] = []
        steps = int(getattr(subject, "env_steps", 0))
        if config.checkpoints and ctx.path is not None:
            for step, then in earlier_models(model, ctx.path, steps):
                rows += [{"sequences": step, **row} for row in self._rows(then, batch, known, [])]
        rows += [{"sequences": steps, **row} for row in now]
        scores = {f"{row['clamp']}/{name}": row[name] for row in now for name in ("loss", "acc")}
        return Report(scores=scores, rows=rows, notes=notes, sampled=dict.fromkeys(scores))

    def _rows(
        self, model: Model, batch: Sequences, conditions: dict[str, tuple[Any, ...]], notes: list[str]
    ) -> Iterator[dict[str, Any]]:
        """One row for each clamp; one that does not apply to the model or the batch becomes a note."""
        for name, clamps in conditions.items():
            try:
                progress = clamped_progress(model, batch, clamps, batch_size=self.config.batch_size)
            except ValueError as error:
                notes.append(f"{name} is left out: {error}")
                continue
            yield {"clamp": name, "loss": progress.loss, "acc": progress.acc}


def _subcircuits(model: Model, batch: Sequences, judged: JudgedModel, batch_size: int) -> tuple[str, ...]:
    """The clamps that each isolate a part of the circuit of two layers."""
    first, last, block = judged.pattern_hooks[0], judged.pattern_hooks[-1], len(judged.pattern_hooks) - 1
    answers = run_model(model, batch, record=(first, last), clamps=judged.clamps, batch_size=batch_size)
    strengths = induction_strength(answers.recorded[last], answers.y).heads
    head = f"{block}:{int(np.argmax(np.nan_to_num(strengths, nan=-1.0)))}"
    before = f"0:{int(np.argmax(prev_token_strength(answers.recorded[first])))}"
    return f"PrevToken({before})", "Layer1()", f"Induction({block}:*)", f"Copy({head})", f"Layer1()+Copy({head})"
