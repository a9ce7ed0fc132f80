"""The evaluator ``transfer``: return of the transferred policy, compared with the source's own and uniform actions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import EvalContext, Evaluator, Report, UsageError, lookup
from zoo.stats import FEWEST, interval, mean, wilson
from zoo_tvd.agent import TvD
from zoo_tvd.config import EvaluationConfig
from zoo_tvd.rollout import returns, uniform
from zoo_tvd.transfer import Transfer

Floats = NDArray[np.float64]


class TransferEvaluator(Evaluator[EvaluationConfig]):
    """Evaluates a run of this plugin.

    Scores: ``return`` of fresh greedy episodes in the target; ``source`` of the source policy in the source;
    ``uniform`` of uniform actions in the target; ``recovered``, (return - uniform) / (source - uniform). Where the
    environment tells its transformation g, and it is affine with matrix A, and f is W o + c: ``error``, the largest
    entry of |W A - I|. For any g and f: ``distance``, the root mean square of (f(g(s)) - s) / sd(s) over states s of
    the source. Of tvd with an affine map: ``imitation``, how far the derivative at a fixed plan is from that of a
    weighted regression, relative. ``unmodified`` is 1 where the source policy's files are, byte for byte, what they
    were. Returns, and what follows from them, are of episodes drawn anew, with 95 % intervals; ``distance`` and
    ``imitation`` are at drawn states.
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
            played = {
                "return": returns(env, subject.push, episodes),
                "source": returns(source, subject.act_in_source, episodes),
                "uniform": returns(env, lambda obs: uniform(space, len(obs), rng), episodes),
            }
            scores = {name: float(earned.mean()) for name, earned in played.items()}
            sampled = {name: mean_interval(earned, rng) for name, earned in played.items()}
            notes = [f"means of {len(played['return'])} fresh episodes each."]
            gap = scores["source"] - scores["uniform"]
            if gap:
                scores["recovered"] = (scores["return"] - scores["uniform"]) / gap
                sampled["recovered"] = _recovered(**sampled)
            scores |= self._undone(subject, env, rng)
        finally:
            env.close()
            source.close()
        imitation_gap = subject.imitation_gap(rng) if isinstance(subject, TvD) else None
        if imitation_gap is not None:
            scores["imitation"] = imitation_gap
        scores["unmodified"] = float(subject.source_unchanged())
        rows = [{"episode": index, "return": float(total)} for index, total in enumerate(played["return"])]
        drawn = sampled | dict.fromkeys(scores.keys() & {"distance", "imitation"})
        return Report(scores=scores, rows=rows, notes=notes, sampled=drawn)

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


Ends = tuple[float, float] | None


def mean_interval(values: Floats, rng: np.random.Generator) -> Ends:
    """95 % interval of a mean: Wilson's where each value is 0 or 1, which is not a point where all are alike."""
    if len(values) < FEWEST:
        return None
    if np.isin(values, (0.0, 1.0)).all():
        low, high = wilson(values.sum(), len(values))
    else:
        low, high = interval(values, mean, rng)
    return float(low), float(high)


def _recovered(**ends: Ends) -> Ends:
    """Interval of (return - uniform) / (source - uniform): the least and the most of it over the three intervals."""
    least, most = [], []
    for name in ("return", "source", "uniform"):
        found = ends[name]
        if found is None:
            return None
        least.append(found[0])
        most.append(found[1])
    corners = np.stack(np.meshgrid(*zip(least, most, strict=True)), axis=-1).reshape(-1, 3)
    gap = corners[:, 1] - corners[:, 2]
    if gap.min() <= 0 <= gap.max():
        return None
    shares = (corners[:, 0] - corners[:, 2]) / gap
    return float(shares.min()), float(shares.max())
