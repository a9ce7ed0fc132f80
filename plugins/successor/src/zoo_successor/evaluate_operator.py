"""Evaluator: is an exact table the fixed point of a contraction, and what is it at lambda 0 and 1?"""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo import EvalContext, Evaluator, Report, UsageError
from zoo_successor.config import FixedPointConfig
from zoo_successor.evaluate import policy_table
from zoo_successor.exact import representations as exact
from zoo_successor.learning.problem import dense_kernel
from zoo_successor.learning.tables import SuccessorTable
from zoo_successor.learning.td import Floats


class FixedPoint(Evaluator[FixedPointConfig]):
    """A table beside the operator T of docs/methods/successor.md, (3), and beside (1) and (2) solved without it.

    Scores, largest absolute differences of entries throughout: ``residual`` between the table X and T X; ``sr`` and
    ``fr`` between X and the visits and first occupancies of the same policy; ``modulus``, the largest ratio of the
    distance of T Y and T Z to that of Y and Z, over pairs of tables, of which one differs by a constant; ``gamma``;
    ``sweeps``, the largest ratio of the distance between X and k sweeps from 0 to gamma^k / (1 - gamma lambda), where
    lambda < 1.

    Raises:
        UsageError: the representation is not a table of states, or the environment is not tabular.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Judge ``subject`` without changing it."""
        tabular = isinstance(subject, SuccessorTable) and not subject.config.action_values
        if not tabular or ctx.problem.model is None:
            raise UsageError("fixed-point judges sr, fr and lambda of states on environments with an exact model.")
        model, gamma, lam = ctx.problem.tabular, subject.gamma, subject.lam
        policy = policy_table(ctx.problem, str((ctx.spec.get("collect") or {}).get("policy", "uniform")))
        chain = np.where(model.terminal[:, None], 0.0, exact.policy_chain(dense_kernel(model), policy))
        X = subject.table()
        scores = {
            "residual": _distance(X, sweep(X, chain, gamma, lam)),
            "sr": _distance(X, visits(chain, gamma)),
            "fr": _distance(X, first_occupancies(chain, gamma)),
            "modulus": self._modulus(chain, gamma, lam, ctx.rng),
            "gamma": gamma,
        }
        if lam.max() < 1.0:
            Y, worst = np.zeros_like(X), 0.0
            for k in range(self.config.sweeps):
                worst = max(worst, _distance(X, Y) / (gamma**k / (1 - gamma * float(lam.max()))))
                Y = sweep(Y, chain, gamma, lam)
            scores["sweeps"] = worst
        return Report(scores=scores)

    def _modulus(self, chain: Floats, gamma: float, lam: Floats, rng: np.random.Generator) -> float:
        largest = 0.0
        for k in range(self.config.pairs):
            Y = rng.normal(size=chain.shape)
            Z = Y + 1.0 if k == 0 else rng.normal(size=chain.shape)
            largest = max(
                largest, _distance(sweep(Y, chain, gamma, lam), sweep(Z, chain, gamma, lam)) / _distance(Y, Z)
            )
        return largest


def sweep(X: Floats, chain: Floats, gamma: float, lam: Floats) -> Floats:
    """T X of (3): ``I + gamma (ones - (1 - lambda) I) * (P X)``; X and chain ``[S, S]``, lam ``[S]``."""
    following = chain @ X
    return np.asarray(np.eye(len(X)) + gamma * (following - np.diag((1 - lam) * np.diag(following))))


def visits(chain: Floats, gamma: float) -> Floats:
    """M of (1) by summing ``(gamma P)^t`` over t, twice as many terms each time, until nothing is added."""
    total, power = np.eye(len(chain)), gamma * chain
    while (added := power @ total).max() > np.finfo(np.float64).tiny:
        total, power = total + added, power @ power
    return total


def first_occupancies(chain: Floats, gamma: float) -> Floats:
    """F of (2), one system for each state: from there on nothing is looked at any more."""
    columns = []
    for goal, arrival in enumerate(np.eye(len(chain))):
        on = np.where(np.arange(len(chain))[:, None] == goal, 0.0, gamma * chain)
        columns.append(np.linalg.solve(np.eye(len(chain)) - on, arrival))
    return np.stack(columns, axis=1)


def _distance(X: Floats, Y: Floats) -> float:
    return float(np.abs(X - Y).max())
