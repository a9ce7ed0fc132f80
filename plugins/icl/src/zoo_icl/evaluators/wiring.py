"""``icl-wiring``: which previous-token heads feed which induction heads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import EvalContext, Evaluator, Report, UsageError, stream
from zoo_icl.evaluators.config import WiringConfig
from zoo_icl.evaluators.subject import JudgedModel, draw, run_judged, task
from zoo_icl.probes import induction_strength, prev_token_excess
from zoo_icl.probes.circuits import composition_scores
from zoo_icl.probes.wiring import chance_composition, fans, strengths_without

_LEVEL = 0.95
_WAYS = ("composition", "ablation")


class Wiring(Evaluator[WiringConfig]):
    """A table of the previous-token heads of the first block and the induction heads of the last.

    An induction head reads a previous-token head *by composition* where the score of its keys is above that of 95 in
    100 random rotations, and *by ablation* where it loses a share of its strength without that head.

    Scores: ``heads/previous`` and ``heads/induction``, how many there are; for both ways ``fan_in/{way}``, the mean
    number of previous-token heads that an induction head reads, and ``fan_out/{way}``, that of induction heads that
    read a previous-token head; left out where there is no head of either kind. Rows: every pair of heads.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Evaluate the subject.

        Raises:
            UsageError: the subject has no heads or no second block, its weights are not to be had, or clamps of its
                training ablate heads of the first block.
        """
        config = self.config
        batch = draw(task(ctx), "train", config.sequences, ctx)
        judged = JudgedModel.of(subject, batch)
        model, later = judged.circuits(), len(judged.pattern_hooks) - 1
        if not later or not hasattr(model, "to_arrays"):
            raise UsageError("wiring is between two blocks: expected a model of at least two, with weights as arrays.")
        answer = run_judged(judged, batch, config.batch_size, record=judged.pattern_hooks)
        strength = np.asarray(
            induction_strength(answer.recorded[judged.pattern_hooks[-1]], answer.y).heads, dtype=np.float64
        )
        excess = np.asarray(prev_token_excess(answer.recorded[judged.pattern_hooks[0]]), dtype=np.float64)
        arrays = model.to_arrays()
        composed = composition_scores(arrays, earlier=0, later=later)["k"]
        chance = chance_composition(
            arrays["blocks.0.attn.W_o"], arrays[f"blocks.{later}.attn.W_k"], _LEVEL, config.rotations,
            stream(ctx.seed, "rotations"),
        )  # fmt: skip
        try:
            without = strengths_without(
                model, batch, len(excess), later=later, clamps=judged.clamps, batch_size=config.batch_size
            )
        except ValueError as error:
            raise UsageError(str(error)) from error
        reads = {"composition": composed > chance, "ablation": without < (1.0 - config.share) * strength[:, None]}
        induction, previous = strength >= config.induction, excess >= config.previous
        scores = {"heads/previous": float(previous.sum()), "heads/induction": float(induction.sum())}
        for way in _WAYS:
            fan_in, fan_out = fans(reads[way][np.ix_(induction, previous)])
            if not math.isnan(fan_in):
                scores |= {f"fan_in/{way}": fan_in, f"fan_out/{way}": fan_out}
        notes = [] if induction.any() and previous.any() else ["there are no heads of one kind, so nothing is wired."]
        measured = {"composition": composed, "chance": chance, "strength without": without}
        return Report(scores=scores, rows=_rows(later, strength, excess, measured, reads), notes=notes)


def _rows(
    later: int, strength: NDArray[np.float64], excess: NDArray[np.float64],
    measured: dict[str, NDArray[np.float64]], reads: dict[str, NDArray[np.bool_]],
) -> list[dict[str, Any]]:  # fmt: skip
    return [
        {
            "head": f"{later}:{i}", "reads": f"0:{j}", "strength": float(strength[i]), "excess": float(excess[j]),
            **{name: float(values[i, j]) for name, values in measured.items()},
            **{f"by {way}": int(reads[way][i, j]) for way in _WAYS},
        }
        for i, j in np.ndindex(measured["composition"].shape)
    ]  # fmt: skip
