"""``icl-ablation``: each head of a block alone, and the block without it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from zoo import EvalContext, Evaluator, Report, UsageError
from zoo_icl.evaluators.config import AblationConfig
from zoo_icl.evaluators.subject import JudgedModel, draw, task
from zoo_icl.matrix import matrix, number
from zoo_icl.probes.circuits import AblationTable, Outcome, head_ablation_table, layer_output_contribution


class Ablation(Evaluator[AblationConfig]):
    """Heads removed and added back.

    Scores: ``whole/...``; for each head ``only/{block}.{head}/...`` (all others of the block ablated),
    ``without/{block}.{head}/...`` and ``complementarity/{block}.{head}`` (fraction of the errors of the best head that
    this one alone does not make); ``add_back/{k}/...`` with the k strongest heads; each with ``acc`` and ``loss``;
    ``only/highest_acc`` of the heads alone, and ``without/lowest_acc`` of the blocks without one. For each earlier
    block ``contribution/{block}``: nats that the loss rises by where only patterns and values read what its heads
    write. Rows: which heads of the block are kept, and the outcome.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Evaluate the subject.

        Raises:
            UsageError: the subject has no heads to ablate, or there is no such block or set.
        """
        config = self.config
        batch = draw(task(ctx), config.set, config.sequences, ctx)
        judged = JudgedModel.of(subject, batch)
        model, last = judged.circuits(), len(judged.pattern_hooks) - 1
        block = last if config.block is None else config.block
        if not 0 <= block <= last:
            raise UsageError(f"there is no block {block}: expected 0 to {last}.")
        try:
            table = head_ablation_table(model, batch, block=block, clamps=judged.clamps, batch_size=config.batch_size)
        except ValueError as error:
            raise UsageError(str(error)) from error
        scores, notes = _scores(table), [f"heads are of block {block}; the best alone is {table.best}."]
        for earlier in range(block):
            try:
                scores[f"contribution/{earlier}"] = layer_output_contribution(
                    model, batch, block=earlier, clamps=judged.clamps, batch_size=config.batch_size
                )
            except ValueError as error:  # clamps of the training that ablate the same heads
                notes.append(f"the contribution of block {earlier} is left out: {error}")
        notes += _summary_notes(table)
        return Report(scores=scores, rows=list(_rows(table)), notes=notes, sampled=dict.fromkeys(scores))


def _scores(table: AblationTable) -> dict[str, float]:
    scores = _acc_and_loss("whole", table.whole)
    for head in table.heads:
        name = head.head.replace(":", ".")
        scores |= _acc_and_loss(f"only/{name}", head.only) | _acc_and_loss(f"without/{name}", head.without)
        if math.isfinite(head.complementarity):
            scores[f"complementarity/{name}"] = head.complementarity
    for count, outcome in enumerate(table.add_back, start=1):
        scores |= _acc_and_loss(f"add_back/{count}", outcome)
    scores["only/highest_acc"] = max(head.only.acc for head in table.heads)
    scores["without/lowest_acc"] = min(head.without.acc for head in table.heads)
    return scores


def _summary_notes(table: AblationTable) -> Iterator[str]:
    """The heads as a matrix, and what they are worth alone and together."""
    columns = {
        "strength": [head.strength for head in table.heads],
        "only": [head.only.acc for head in table.heads],
        "without": [head.without.acc for head in table.heads],
    }
    names = [head.head for head in table.heads]
    yield f"induction strength, accuracy of one head alone, and of all but it:\n{matrix(columns, names)}"
    best, worst = max(table.heads, key=lambda head: head.only.acc), min(table.heads, key=lambda head: head.without.acc)
    yield (
        f"{best.head} alone has an accuracy of {number(best.only.acc)} (all heads: {number(table.whole.acc)}); "
        f"the head that is missed most is {worst.head}, without which it is {number(worst.without.acc)}."
    )


def _rows(table: AblationTable) -> Iterator[dict[str, Any]]:
    yield _row("all", table.whole)
    for head in table.heads:
        values = {"induction_strength": head.strength, "complementarity": head.complementarity}
        defined = {name: value for name, value in values.items() if math.isfinite(value)}
        yield _row(f"only {head.head}", head.only) | defined
    for head in table.heads:
        yield _row(f"all but {head.head}", head.without)
    for count, outcome in enumerate(table.add_back, start=1):
        yield _row(f"only {' '.join(table.order[:count])}", outcome)


def _row(kept: str, outcome: Outcome) -> dict[str, Any]:
    return {"kept": kept, "acc": outcome.acc, "loss": outcome.loss}


def _acc_and_loss(name: str, outcome: Outcome) -> dict[str, float]:
    return {f"{name}/acc": outcome.acc, f"{name}/loss": outcome.loss}
