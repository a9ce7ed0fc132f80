"""The evaluator ``return``: what an algorithm earns in fresh episodes."""

from __future__ import annotations

from typing import Any

from zoo.api import Algorithm, EvalContext, Evaluator, Report
from zoo.evaluators.config import ReturnConfig
from zoo.evaluators.episodes import play
from zoo.stats import FEWEST, interval, iqm, mean


class ReturnEvaluator(Evaluator[ReturnConfig]):
    """Undiscounted return over fresh episodes.

    Scores: ``return`` (mean), ``low`` and ``high`` (95 % interval of the mean over episodes),
    ``sd`` (between episodes, n - 1), ``iqm`` (interquartile mean), ``length`` (mean, in steps), ``episodes``.
    With fewer than three episodes there is no interval.
    """

    def evaluate(self, subject: Algorithm[Any], ctx: EvalContext) -> Report:
        """Play the episodes; one row for each."""
        played = play(subject, ctx, self.config.episodes, greedy=self.config.greedy)
        returns = played.returns
        scores, ends = {"return": float(returns.mean())}, None
        notes = played.notes()
        if len(returns) >= FEWEST:
            low, high = interval(returns, mean, ctx.rng)
            scores |= {"low": float(low), "high": float(high), "sd": float(returns.std(ddof=1))}
            ends = float(low), float(high)
        else:
            notes.append(f"fewer than {FEWEST} episodes: no interval and no standard deviation.")
        scores |= {
            "iqm": float(iqm(returns)),
            "length": float(played.lengths.mean()),
            "episodes": float(len(returns)),
        }
        rows = [
            {
                "episode": index,
                "return": float(total),
                "length": int(played.lengths[index]),
                "ended": played.ending(index),
            }
            for index, total in enumerate(returns)
        ]
        sampled = {name: ends if name == "return" else None for name in scores if name != "episodes"}
        return Report(scores=scores, rows=rows, notes=notes, sampled=sampled)
