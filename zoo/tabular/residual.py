"""How far a policy and its multipliers are from optimal (docs/methods/reload.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo.errors import UsageError
from zoo.tabular.evaluation import Evaluation, evaluate
from zoo.tabular.model import TabularCMDP
from zoo.tabular.plan import policy_iteration
from zoo.tabular.solution import CMDPSolution
from zoo.tabular.units import Units


@dataclass(frozen=True, eq=False)
class Residuals:
    """Distances from optimality, 0 at an optimum.

    ``kkt``, ``gap`` and ``err`` are the largest of numbers each in the unit of one step's reward or of its signal: to
    judge by, take ``relative``, which does not depend on these units.
    """

    kkt: float
    """``max(V*_mu - V^pi_mu, max_i violation_i, max_i |mu_i g_i|)`` at the start distribution; needs no oracle."""
    gap: float | None
    """``max_pi' L(pi', mu) - min_mu' L(pi, mu')`` over ``0 <= mu' <= M``; ``None`` without solution and cap."""
    err: float | None
    """``max(|J_r - J*_r|, max_i violation_i)``; ``None`` without a solution."""
    violations: NDArray[np.float64]
    """``max(g_i, 0)``, or ``|g_i|`` for equalities, ``[N]``."""
    suboptimality: float
    """``V*_mu - V^pi_mu`` at the start distribution, in the unit of the reward."""
    slackness: NDArray[np.float64]
    """``|mu_i g_i|``, ``[N]``, in the unit of the reward."""
    value_error: float | None
    """``|J_r - J*_r|``; ``None`` without a solution."""
    evaluation: Evaluation
    """The policy's values."""
    best_response: NDArray[np.int64]
    """The optimal action of ``r - sum_i mu_i s_i c_i`` in each state, ``[S]``: give it back as ``warm``."""

    def relative(self, units: Units) -> tuple[float, float | None]:
        """``kkt`` and ``err`` with rewards measured by the range of ``J_r``, violations by that of their own ``J_i``.

        The same for a problem whose reward and signals are given in any other units.
        """
        violation = float((self.violations / units.signals).max(initial=0.0))
        reward = max(self.suboptimality, float(self.slackness.max(initial=0.0))) / units.reward
        err = None if self.value_error is None else max(self.value_error / units.reward, violation)
        return max(reward, violation), err


def residuals(
    cmdp: TabularCMDP,
    policy: NDArray[np.float64],
    mu: ArrayLike,
    *,
    solution: CMDPSolution | None = None,
    cap: ArrayLike | None = None,
    warm: NDArray[np.int64] | None = None,
    evaluation: Evaluation | None = None,
) -> Residuals:
    """Residuals of ``policy [S, A]`` with the multipliers ``mu [N]``.

    Args:
        cmdp: the process.
        policy: action probabilities, ``[S, A]``.
        mu: multipliers, ``[N]``, in the unit reward per signal.
        solution: the exact optimum, for ``err`` and for ``M = 2 (1 + max |mu*|)`` of ``gap``.
        cap: ``M`` for ``gap`` instead, a number or ``[N]``.
        warm: a deterministic policy ``[S]`` to start the inner policy iteration from: the last ``best_response``.
        evaluation: ``evaluate(cmdp, policy)`` where it is already known.

    Raises:
        UsageError: if a shape does not fit or a multiplier is not finite.
    """
    multipliers = np.asarray(mu, dtype=np.float64)
    if multipliers.shape != (cmdp.num_constraints,) or not np.isfinite(multipliers).all():
        raise UsageError(
            f"mu = {multipliers}: expected {cmdp.num_constraints} finite numbers, one for each constraint."
        )
    values = evaluate(cmdp, policy) if evaluation is None else evaluation
    g = cmdp.signed_violation(values.J)
    violations = cmdp.violation(values.J)
    if warm is None:
        mixed = values.Q[0] - np.tensordot(multipliers * cmdp.signs, values.Q[1:], axes=1)
        warm = mixed.argmax(axis=1)
    plan = policy_iteration(cmdp, cmdp.lagrangian_reward(multipliers), policy=warm)
    best = float(cmdp.rho @ plan.value)
    attained = values.J_r - float((multipliers * cmdp.signs) @ values.J)
    worst = float(violations.max(initial=0.0))
    slackness = np.abs(multipliers * g)
    value_error = None if solution is None else abs(values.J_r - solution.value)
    gap = None
    if cap is None and solution is not None:
        cap = 2.0 * (1.0 + float(np.abs(solution.multipliers).max(initial=0.0)))
    if cap is not None:
        upper = best + float((multipliers * cmdp.signs) @ cmdp.b)
        gap = upper - (values.J_r - float((np.asarray(cap) * violations).sum()))
    return Residuals(
        kkt=max(best - attained, worst, float(slackness.max(initial=0.0))),
        gap=gap,
        err=None if value_error is None else max(value_error, worst),
        violations=violations,
        suboptimality=best - attained,
        slackness=slackness,
        value_error=value_error,
        evaluation=values,
        best_response=plan.policy,
    )
