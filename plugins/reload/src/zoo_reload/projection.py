"""ReLOAD on occupancies: projected optimistic gradients, a slow and independent cross-check of the policy form."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from zoo import UsageError
from zoo_reload.config import RunnerConfig
from zoo_reload.core import FLOOR, Floats
from zoo_reload.game import Game, Point
from zoo_reload.rules import Evaluate, Iterate, Rule, Step

LARGEST = 400
"""most state-action pairs, so that the quadratic programs stay quick"""


class OccupancyRule(Rule):
    """Past extra-gradient on the bilinear game over ``d`` in the flow polytope ``D`` and ``mu``.

    ``d_{k+1/2} = proj_D(d_k + eta F(mu_{k-1/2}))``, ``d_{k+1} = proj_D(d_k + eta F(mu_{k+1/2}))`` with
    ``F(mu) = r - sum_i mu_i s_i c_i``; ``mu`` likewise with ``g(d) = s (<c, d> - b)`` on its box.

    Raises:
        UsageError: the problem is too large, or cvxpy is not installed.
    """

    stacks: ClassVar[bool] = False

    def __init__(self, game: Game, config: RunnerConfig) -> None:
        super().__init__(game, config)
        size = game.cmdp.r.size
        if size > LARGEST:
            raise UsageError(
                f"form = 'occupancy' on {size} state-actions: expected at most {LARGEST}.", "use --form policy"
            )
        self._project = _projection(game)

    def start(self, z: Floats, mu: Floats, point: Point) -> Iterate:
        """Iterate 0; the first half step uses its gradients."""
        return Iterate(z, mu, {"d": point.occupancy(), "d_half": point.occupancy(), "mu_half": mu})

    def step(self, x: Iterate, point: Point, eta: Step, eta_mu: Step, evaluate: Evaluate) -> tuple[Iterate, Point]:
        """Take both half steps; the logits returned are ``log pi`` of ``d_{k+1}``."""
        d, mu, cmdp = x.memory["d"], x.mu, self.game.cmdp
        d_half = self._project(d + eta * cmdp.lagrangian_reward(x.memory["mu_half"]))
        mu_half = self.clipped(mu, eta_mu, self._violation(x.memory["d_half"]))
        d = self._project(d + eta * cmdp.lagrangian_reward(mu_half))
        mu = self.clipped(mu, eta_mu, self._violation(d_half))
        mass = d.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(mass > 0, np.maximum(np.log(d / mass), FLOOR), x.z)
        return Iterate(z, mu, {"d": d, "d_half": d_half, "mu_half": mu_half}), evaluate(z)

    def _violation(self, d: Floats) -> Floats:
        return self.game.cmdp.signed_violation(np.tensordot(self.game.cmdp.c, d, axes=2))


def _projection(game: Game) -> Callable[[Floats], Floats]:
    """``proj_D``: the nearest occupancy ``[S, A]`` in Euclidean distance."""
    try:
        cvxpy: Any = import_module("cvxpy")
    except ImportError as error:
        raise UsageError("form = 'occupancy' needs cvxpy.", "pip install 'zoo-reload[projection]'") from error
    cmdp = game.cmdp
    S, A = cmdp.r.shape
    outflow = sp.kron(sp.eye_array(S), np.ones((1, A)), format="csr")
    target = cvxpy.Parameter(S * A)
    d = cvxpy.Variable(S * A, nonneg=True)
    flow = (outflow - cmdp.gamma * cmdp.kernel.T) @ d == (1.0 - cmdp.gamma) * cmdp.rho
    problem = cvxpy.Problem(cvxpy.Minimize(cvxpy.sum_squares(d - target)), [flow])

    def project(point: Floats) -> Floats:
        target.value = point.reshape(-1)
        problem.solve(solver=cvxpy.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
        nearest: Floats = np.maximum(d.value, 0.0).reshape(S, A)
        return nearest

    return project
