"""The evaluator ``harp-agreement``: how often the checker says of a response what a person has said."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zoo import EvalContext, Evaluator, Report
from zoo_harp.backends.math_verify import other_verdicts
from zoo_harp.backends.pairs import Pair, load_pairs
from zoo_harp.checker import check_many
from zoo_harp.config import AgreementConfig
from zoo_harp.evaluation.jsonl import DataError
from zoo_harp.evaluation.metrics import wilson

_PERCENT = 100.0
_PEER = "math-verify"


class Agreement(Evaluator[AgreementConfig]):
    """Judges the checker by pairs that carry a label.

    Scores, in percent: ``agreement`` with Wilson's 95 % interval ``low`` and ``high`` over pairs; of the right
    responses those ``refused`` and of the wrong ones those ``accepted``, each with ``low`` and ``high`` of its own;
    ``n`` pairs. The same for math-verify under ``math-verify/``, where it is asked. A checker that gives no verdict
    refuses. Rows: the pairs on which either checker differs from the label.
    """

    def evaluate(self, subject: Path, ctx: EvalContext) -> Report:
        """Check every pair.

        Raises:
            DataError: the file is not of pairs, or none of them has a label; nothing was checked.
            UsageError: math-verify is asked for and not installed.
        """
        config, path = self.config, Path(subject)
        pairs = [pair for pair in load_pairs(path) if pair.label is not None]
        if not pairs:
            raise DataError('has no pair with the field "correct".', str(path))
        texts = [(pair.gold, pair.response) for pair in pairs]
        ours = [verdict.correct for verdict in check_many(texts, workers=config.workers, timeout_s=config.timeout_s)]
        scores, notes = _scores("", pairs, ours), []
        theirs: list[bool] = []
        if config.beside == _PEER or (config.beside == "installed" and find_spec("math_verify")):
            theirs = [bool(other.correct) for other in other_verdicts(texts, config.timeout_s)]
            scores |= _scores(f"{_PEER}/", pairs, theirs)
        elif config.beside == "installed":
            notes.append(f"{_PEER} is not installed: pip install 'zoo-harp[math-verify]' sets it beside.")
        notes.append("percent, with Wilson's 95 % interval over pairs.")
        return Report(scores=scores, rows=_differing(pairs, ours, theirs), notes=notes)


def _scores(prefix: str, pairs: Sequence[Pair], verdicts: Sequence[bool]) -> dict[str, float]:
    both = list(zip((bool(pair.label) for pair in pairs), verdicts, strict=True))
    share = wilson(sum(label is said for label, said in both), len(both))
    scores = {"agreement": share.value, "low": share.low, "high": share.high}
    for name, of in (("refused", True), ("accepted", False)):
        errors = [said is not of for label, said in both if label is of]
        if errors:
            share = wilson(sum(errors), len(errors))
            scores |= {name: share.value, f"{name} low": share.low, f"{name} high": share.high}
    return {f"{prefix}n": float(len(both))} | {prefix + name: _PERCENT * value for name, value in scores.items()}


def _differing(pairs: Sequence[Pair], ours: Sequence[bool], theirs: Sequence[bool]) -> list[dict[str, Any]]:
    words = {True: "right", False: "wrong"}
    rows = []
    for place, pair in enumerate(pairs):
        said = {"harp": ours[place], **({_PEER: theirs[place]} if theirs else {})}
        if any(verdict is not pair.label for verdict in said.values()):
            row = {"pair": place + 1, "gold": pair.gold, "response": pair.response, "label": words[bool(pair.label)]}
            rows.append(row | {name: words[verdict] for name, verdict in said.items()})
    return rows
