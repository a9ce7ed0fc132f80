"""The evaluator ``composite``: exact means of a policy where the environment can enumerate its sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo import EvalContext, Evaluator, Report, UsageError, lookup
from zoo_composite_rm.agent import Composite
from zoo_composite_rm.config import ExactConfig


class CompositeEvaluator(Evaluator[ExactConfig]):
    """Mean scores, sequence KL and the truth of a policy, exactly (docs/methods/composite-rm.md, section 8).

    Scores: ``value/`` of each reward model, ``kl`` in nats, ``kl_projection``, the least KL of any policy with these
    mean scores, and ``evaluation``, the true value of the policy.

    Raises:
        UsageError: the algorithm is none of this plugin's, or the environment has no exact oracle.
    """

    def evaluate(self, subject: Composite[Any], ctx: EvalContext) -> Report:
        """Enumerate all sequences."""
        if not isinstance(subject, Composite):
            raise UsageError(f"composite judges the algorithms of zoo-composite-rm: got {type(subject).__name__}.")
        env = ctx.make_env(1) if ctx.make_env is not None else None
        find = lookup(env, "oracle") if env is not None else None
        if not callable(find):
            raise UsageError(
                "composite needs an environment with an exact oracle, as tiny-composite has.",
                "zoo eval RUN constraints estimates the mean scores from episodes.",
            )
        oracle = find()
        exact = oracle.evaluate(subject.logits)
        names = subject.objective.task.names
        means = {name: float(getattr(exact, name)) for name in names}
        scores = {f"value/{name}": mean for name, mean in means.items()} | {"kl": float(exact.kl)}
        notes = ["exact: all sequences are enumerated."]
        try:
            scores["kl_projection"] = float(oracle.project(list(means.values()))[1].kl)
        except ValueError as error:
            notes.append(f"the least KL with these mean scores is not known: {error}.")
        evaluate = subject.objective.task.evaluate
        statistics = np.array([float(getattr(exact, name)) for name in subject.objective.task.evaluation_names])
        if evaluate is not None:
            scores["evaluation"] = float(evaluate(np.array(list(means.values())), exact.kl, statistics))
        return Report(scores=scores, rows=[{"reward model": name, "value": mean} for name, mean in means.items()],
                      notes=notes)  # fmt: skip
