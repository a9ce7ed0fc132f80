"""The two-player game of a constrained MDP, in its original or in scaled units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from zoo.tabular import Evaluation, TabularCMDP, Units, attainable_range, evaluate
from zoo_reload.core import Floats, softmax


@dataclass(frozen=True, eq=False)
class Point:
    """Exact values of one policy (or, with a leading axis, of many) in the game.

    Attributes:
        pi: the policy ``[S, A]``.
        Q: action values ``[N+1, S, A]``, reward first.
        g: signed violations ``g_i = s_i (J_i - b_i)``, ``[N]``; positive is bad.
        occupancy: computes ``d(s, a)``, ``[S, A]``, which sums to 1.
        evaluation: the full evaluation, where the game is in the environment's own units; else None.
    """

    pi: Floats
    Q: Floats
    g: Floats
    occupancy: Callable[[], Floats]
    evaluation: Evaluation | None = None


@dataclass(frozen=True, eq=False)
class Game:
    """``max_pi min_mu J_r(pi) - sum_i mu_i g_i(pi)``, possibly with rescaled rewards and signals.

    Attributes:
        cmdp: the problem as the players see it.
        original: the problem as the environment states it.
        reward_unit: original reward / reward in the game.
        units: original constraint signal / signal in the game, ``[N]``.
        lo, cap: range of the multipliers in the game, ``[N]``.
        ranges: the ranges of J_r and J_i over all policies, the units in which residuals are compared with ``tol``.
    """

    cmdp: TabularCMDP
    original: TabularCMDP
    reward_unit: float
    units: Floats
    lo: Floats
    cap: Floats
    ranges: Units

    @classmethod
    def of(cls, cmdp: TabularCMDP, cap: float) -> Game:
        """The game in the environment's own units, in which ``cap`` bounds the multipliers too."""
        return cls._build(cmdp, cmdp, 1.0, np.ones(cmdp.num_constraints), Units.of(cmdp), cap)

    @classmethod
    def scaled(cls, cmdp: TabularCMDP, cap: float) -> Game:
        """The game scaled to reward range 1 and ``max |J_i - b_i| = 1``; ``cap`` bounds the scaled multipliers."""
        ranges = Units.of(cmdp)
        distances = np.abs(attainable_range(cmdp) - cmdp.b[:, None]).max(axis=1, initial=0.0)
        # Where all policies have J_i = b_i the distance is 0, and cannot be divided by.
        units = np.maximum(distances, ranges.signals)
        played = replace(cmdp, r=cmdp.r / ranges.reward, c=cmdp.c / units[:, None, None], b=cmdp.b / units)
        return cls._build(played, cmdp, ranges.reward, units, ranges, cap)

    @classmethod
    def _build(
        cls, played: TabularCMDP, original: TabularCMDP, reward: float, units: Floats, ranges: Units, cap: float
    ) -> Game:
        caps = np.full(played.num_constraints, cap)
        lo = np.where(played.equality, -caps, 0.0)
        return cls(played, original, reward, units, lo, caps, ranges)

    def evaluate(self, z: Floats) -> Point:
        """Exact values of ``softmax(z)``, ``z [S, A]``: one factorisation for the reward and all constraints."""
        evaluation = evaluate(self.cmdp, softmax(z))
        return Point(
            pi=evaluation.policy,
            Q=evaluation.Q,
            g=self.cmdp.signed_violation(evaluation.J),
            occupancy=lambda: evaluation.occupancy,
            evaluation=evaluation if self.cmdp is self.original else None,
        )

    @cached_property
    def _dense_kernel(self) -> Floats:
        P: Floats = self.cmdp.kernel.toarray()
        return P

    def evaluate_many(self, z: Floats) -> Point:
        """``evaluate`` for the ``R`` policies of ``z [R, S, A]`` at once, by one stacked dense solve."""
        cmdp, P = self.cmdp, self._dense_kernel
        S, A = cmdp.r.shape
        gamma, one_minus_gamma = cmdp.gamma, 1.0 - cmdp.gamma
        pi = softmax(z)
        P_pi = np.matmul(pi[..., None, :], P.reshape(S, A, S))[..., 0, :]
        system = np.eye(S) - gamma * P_pi
        V = np.linalg.solve(system, one_minus_gamma * np.einsum("rsa,nsa->rsn", pi, cmdp.rewards))
        Q = one_minus_gamma * cmdp.rewards + gamma * np.matmul(P, V).swapaxes(1, 2).reshape(len(z), -1, S, A)

        def occupancy() -> Floats:
            start = np.broadcast_to(one_minus_gamma * cmdp.rho[:, None], (len(z), S, 1))
            d: Floats = np.linalg.solve(system.swapaxes(1, 2), start) * pi
            return d

        return Point(pi=pi, Q=Q, g=cmdp.signs * (cmdp.rho @ V[..., 1:] - cmdp.b), occupancy=occupancy)

    def original_multipliers(self, mu: Floats) -> Floats:
        """``mu [N]`` in the environment's own unit: reward per unit of signal."""
        return mu * self.reward_unit / self.units
