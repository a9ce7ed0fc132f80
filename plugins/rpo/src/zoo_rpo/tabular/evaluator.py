"""The evaluator ``default-policy``: total variation of default policies to the optimal policies of a run's tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo import EvalContext, Evaluator, InterfaceError, Report
from zoo_rpo.config import DefaultPolicyConfig
from zoo_rpo.task_model import Floats, Ints, TaskModel

__all__ = ["DefaultPolicyTV", "expected_tv", "least_tv", "majority", "optimal_policies"]


class DefaultPolicyTV(Evaluator[DefaultPolicyConfig]):
    """Expected total variation to the optimal policies, all decisions of all tasks having equal weight.

    Scores: ``learned`` for the run's default policy, ``uniform``, and ``majority`` for the most frequent optimal action
    in each state; ``least`` over all deterministic defaults, by enumeration, and ``gap = majority - least``. Of tied
    actions only the lowest counts as optimal here. With pi* uniform over tied actions instead, ``gap_with_ties``
    compares the majority with the best default that has a deterministic or an optimal policy in each state: the
    majority need not be best then. ``tied`` is the share of decisions with a tie. Rows: each state with a decision.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Compute the scores of a run's default policy.

        Raises:
            InterfaceError: the subject is not rpo or tvpo, or there are more deterministic defaults than ``limit``.
        """
        if not (callable(getattr(subject, "task_models", None)) and callable(getattr(subject, "default_policy", None))):
            raise InterfaceError(f"{type(subject).__name__} has no tabular default policy: expected rpo or tvpo.")
        models: list[TaskModel] = subject.task_models()
        p, decisions = optimal_policies(models, ties="lowest")
        vote, learned = majority(p, decisions), np.asarray(subject.default_policy())
        least = least_tv(p, decisions, self.config.limit)
        with_ties, _ = optimal_policies(models, ties="uniform")
        scores = {
            "learned": expected_tv(learned, p, decisions),
            "uniform": expected_tv(np.full_like(learned, 1 / learned.shape[1]), p, decisions),
            "majority": expected_tv(vote, p, decisions),
            "least": least,
            "gap": expected_tv(vote, p, decisions) - least,
            "gap_with_ties": expected_tv(vote, with_ties, decisions) - _least_of_candidates(with_ties, decisions),
            "tied": float((with_ties.max(-1) < 1)[decisions].mean()),
        }
        rows = [
            {"state": int(s), "tasks": int(decisions[:, s].sum()), "majority": int(vote[s].argmax()),
             **{f"pi_0({a})": float(x) for a, x in enumerate(learned[s])}}
            for s in np.flatnonzero(decisions.any(axis=0))
        ]  # fmt: skip
        return Report(scores=scores, rows=rows)


def optimal_policies(models: Sequence[TaskModel], *, ties: str) -> tuple[Floats, Any]:
    """Optimal policies of K tasks, and the states in which each has a decision.

    Args:
        models: the tasks' models, with equal S and A.
        ties: "lowest": the lowest of tied actions; "uniform": all of them, uniformly.

    Returns:
        float64[K, S, A] and bool[K, S].
    """
    best = np.stack([model.optimal_actions for model in models])
    if ties == "lowest":
        best = best & (best.cumsum(-1) == 1)
    decisions = np.zeros(best.shape[:2], dtype=bool)
    for k, model in enumerate(models):
        decisions[k, model.decisions] = True
    return best / best.sum(-1, keepdims=True), decisions


def expected_tv(pi_0: Floats, p: Floats, decisions: Any) -> float:
    """Mean of TV(p_k(.|s), pi_0(.|s)) over ``decisions`` bool[K, S], for pi_0 [S, A] and p [K, S, A]."""
    return float((abs(p - pi_0).sum(-1) / 2)[decisions].mean())


def majority(p: Floats, decisions: Any) -> Floats:
    """The most frequent optimal action in each state (of several the lowest), as a policy [S, A]."""
    votes = (p * decisions[..., None]).sum(0)
    return np.asarray(np.eye(p.shape[-1])[votes.argmax(-1)])


def least_tv(p: Floats, decisions: Any, limit: int) -> float:
    """Least expected total variation of all deterministic defaults, by enumeration.

    Raises:
        InterfaceError: there are more than ``limit``.
    """
    A, states = p.shape[-1], np.flatnonzero(decisions.any(axis=0))
    count = A ** len(states)
    if count > limit:
        raise InterfaceError(f"there are {count:,} deterministic default policies: expected at most {limit:,}.")
    # cost[s, a]: sum over tasks of TV(p_k(.|s), onehot(a)) = 1 - p_k(a|s)
    cost = ((1 - p) * decisions[..., None]).sum(0)[states]
    number: Ints = np.arange(count)
    total = np.zeros(count)
    for row in cost:
        number, action = np.divmod(number, A)
        total += row[action]
    return float(total.min() / decisions.sum())


def _least_of_candidates(p: Floats, decisions: Any) -> float:
    """Least expected total variation where each state takes a deterministic choice or one of the optimal policies."""
    S, A = p.shape[1:]
    candidates = np.concatenate([np.broadcast_to(np.eye(A)[:, None], (A, S, A)), p])
    distance = abs(candidates[:, None] - p[None]).sum(-1) / 2  # [A + K, K, S] of K tasks
    return float((distance * decisions).sum(1).min(0).sum() / decisions.sum())
