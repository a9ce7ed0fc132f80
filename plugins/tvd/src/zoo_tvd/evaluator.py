"""The evaluator ``transfer``: return of the transferred policy, compared with the source's own and uniform actions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import EvalContext, Evaluator, Report, UsageError, lookup
from zoo_tvd.agent import TvD
from zoo_tvd.config import EvaluationConfig
from zoo_tvd.rollout import returns, uniform
from zoo_tvd.transfer import Transfer

Floats = NDArray[np.float64]


class TransferEvaluator(Evaluator[EvaluationConfig]):
    """Evaluates a run of this plugin.

    Scores: ``return`` of new greedy episodes in the target; ``source``, that of the source policy in the source;
    ``uniform``, that of uniform actions in the target; ``recovered``, (return - uniform) / (source - uniform). Where
    the environment's transformation g is known and affine with matrix A, and f is W o + c: ``error``, the largest
    entry of |W A - I|. For any known g and any f: ``distance``, the root mean square of (f(g(s)) - s) / sd(s) over
    states s of the source. For tvd with an affine map: ``imitation``, the relative difference of the derivatives at a
    fixed plan and of the weighted regression. ``unmodified`` is 1 where the source policy's files are unchanged.
    """

    def evaluate(self, subject: Transfer[Any], ctx: EvalContext) -> Report:
        """Run the episodes, and compute the scores.

        Raises:
            UsageError: the subject is not a method of this plugin, or its environment cannot be built.
        """
        if not isinstance(subject, Transfer):
            raise UsageError(
                "transfer evaluates tvd, tvd-transition and their comparators: expected a run of one of them."
            )
        if ctx.make_env is None:
            raise UsageError("transfer runs episodes: expected a run whose environment can be built.")
        episodes, rng = self.config.episodes, ctx.rng
        copies = min(episodes, 100)
        env, source = ctx.make_env(copies), subject.source_env(copies)
        try:
            source.reset(seed=int(rng.integers(2**31)))
            space = env.single_action_space
            played = returns(env, subject.push, episodes)
            scores = {
                "return": float(played.mean()),
                "source": float(returns(source, subject.act_in_source, episodes).mean()),
                "uniform": float(returns(env, lambda obs: uniform(space, len(obs), rng), episodes).mean()),
            }
            notes = [f"means of {len(played)} fresh episodes each."]
            gap = scores["source"] - scores["uniform"]
            if gap:
                scores["recovered"] = (scores["return"] - scores["uniform"]) / gap
            scores |= self._undone(subject, env, rng)
        finally:
            env.close()
            source.close()
        imitation_gap = subject.imitation_gap(rng) if isinstance(subject, TvD) else None
        if imitation_gap is not None:
            scores["imitation"] = imitation_gap
        scores["unmodified"] = float(subject.source_unchanged())
        rows = [{"episode": index, "return": float(total)} for index, total in enumerate(played)]
        return Report(scores=scores, rows=rows, notes=notes)

    def _undone(self, subject: Transfer[Any], env: Any, rng: np.random.Generator) -> dict[str, float]:
        """The scores ``distance`` and ``error`` of f as the inverse of g; empty where they are not defined."""
        g = lookup(env, "transformation")
        if g is None or g.d != subject.d_source or not subject.maps_states:
            return {}
        s = subject.states_of_source(rng)
        spread = s.std(axis=0)
        varying = spread > 0
        deviation = (subject.f(g.forward(s)) - s)[:, varying] / spread[varying]
        scores = {"distance": float(np.sqrt(np.square(deviation).mean()))}
        W = getattr(subject.f, "W", None)
        if g.affine is not None and W is not None:
            scores["error"] = float(np.abs(np.asarray(W) @ g.affine[0] - np.eye(g.d)).max())
        return scores
