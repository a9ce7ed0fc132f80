"""The update rules: how both players move from iterate k to k+1. The algorithms differ in nothing else.

Symbols and order as in docs/methods/reload.md, equations 9 to 11. All arrays may carry one leading axis, a stack of
runs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np

from zoo_reload.config import AugmentedLagrangianConfig, PIDConfig, ReloadConfig, RPGPDConfig, RunnerConfig
from zoo_reload.core import Floats, extrapolate, lagrangian_q, natural_gradient_step, projected_step
from zoo_reload.game import Game, Point

Evaluate: TypeAlias = Callable[[Floats], Point]
Step: TypeAlias = "float | Floats"


@dataclass(frozen=True, eq=False)
class Iterate:
    """Logits ``z [S, A]`` and multipliers ``mu [N]``, with the earlier gradients and sums that the rule needs."""

    z: Floats
    mu: Floats
    memory: dict[str, Floats]


class Rule(ABC):
    """The update rule of an algorithm in one game."""

    stacks: ClassVar[bool] = True
    """whether arrays may carry a leading axis"""

    def __init__(self, game: Game, config: RunnerConfig) -> None:
        self.game = game
        self.s = game.cmdp.signs

    def start(self, z: Floats, mu: Floats, point: Point) -> Iterate:
        """Iterate 0; the gradients of iterate -1 are set to those of iterate 0, so that the first step is plain."""
        return Iterate(z, mu, {})

    @abstractmethod
    def step(self, x: Iterate, point: Point, eta: Step, eta_mu: Step, evaluate: Evaluate) -> tuple[Iterate, Point]:
        """Iterate k+1 and its values.

        Args:
            x: iterate k.
            point: the exact values of iterate k.
            eta: step size of the policy, broadcast against ``[S, A]``.
            eta_mu: step size of the multipliers, broadcast against ``[N]``.
            evaluate: computes the exact values of given logits.
        """

    def answer(self, x: Iterate, point: Point) -> tuple[Floats, Floats]:
        """The policy ``[S, A]`` and the game's multipliers ``[N]`` that the algorithm returns: the last iterate's."""
        return point.pi, x.mu

    def clipped(self, mu: Floats, eta_mu: Step, direction: Floats) -> Floats:
        """``projected_step`` within the bounds of this game."""
        return projected_step(mu, eta_mu, direction, self.game.lo, self.game.cap)


class SimultaneousRule(Rule, ABC):
    """Both players see iterate k."""

    def step(self, x: Iterate, point: Point, eta: Step, eta_mu: Step, evaluate: Evaluate) -> tuple[Iterate, Point]:
        """Both players' updates, then one exact evaluation."""
        memory: dict[str, Floats] = {}
        z = self.policy_step(x, point, eta, memory)
        mu = self.multiplier_step(x, point, eta_mu, memory)
        return Iterate(z, mu, memory), evaluate(z)

    @abstractmethod
    def policy_step(self, x: Iterate, point: Point, eta: Step, memory: dict[str, Floats]) -> Floats:
        """``z_{k+1}``; stores in ``memory`` what the next step needs."""

    @abstractmethod
    def multiplier_step(self, x: Iterate, point: Point, eta_mu: Step, memory: dict[str, Floats]) -> Floats:
        """``mu_{k+1}``; stores in ``memory`` what the next step needs."""


class GDARule(SimultaneousRule):
    """Plain gradients: ``z_{k+1} = z_k + eta Q_k``, ``mu_{k+1} = clip(mu_k + eta_mu g_k)``."""

    def policy_step(self, x: Iterate, point: Point, eta: Step, memory: dict[str, Floats]) -> Floats:
        """Natural gradient in every state."""
        return natural_gradient_step(x.z, eta, lagrangian_q(point.Q, x.mu, self.s))

    def multiplier_step(self, x: Iterate, point: Point, eta_mu: Step, memory: dict[str, Floats]) -> Floats:
        """Projected gradient."""
        return self.clipped(x.mu, eta_mu, point.g)


class ReloadRule(SimultaneousRule):
    """Optimistic gradients for one player or both."""

    def __init__(self, game: Game, config: ReloadConfig) -> None:
        super().__init__(game, config)
        self.policy_optimism = config.optimistic in ("both", "policy")
        self.multiplier_optimism = config.optimistic in ("both", "multiplier")

    def start(self, z: Floats, mu: Floats, point: Point) -> Iterate:
        """Iterate 0 with its gradients."""
        return Iterate(z, mu, {"Q": lagrangian_q(point.Q, mu, self.s), "g": point.g})

    def policy_step(self, x: Iterate, point: Point, eta: Step, memory: dict[str, Floats]) -> Floats:
        """``z_{k+1} = z_k + eta (2 Q_k - Q_{k-1})``, where ``Q_{k-1}`` is weighted by ``mu_{k-1}``."""
        Q = memory["Q"] = lagrangian_q(point.Q, x.mu, self.s)
        return natural_gradient_step(x.z, eta, extrapolate(Q, x.memory["Q"]) if self.policy_optimism else Q)

    def multiplier_step(self, x: Iterate, point: Point, eta_mu: Step, memory: dict[str, Floats]) -> Floats:
        """``mu_{k+1} = clip(mu_k + eta_mu (2 g_k - g_{k-1}), lo, cap)``."""
        g = memory["g"] = point.g
        return self.clipped(x.mu, eta_mu, extrapolate(g, x.memory["g"]) if self.multiplier_optimism else g)


class AlternatingRule(GDARule):
    """The gradient of the multipliers is that of the new policy."""

    def step(self, x: Iterate, point: Point, eta: Step, eta_mu: Step, evaluate: Evaluate) -> tuple[Iterate, Point]:
        """``z_{k+1}`` from ``mu_k``, then ``mu_{k+1}`` from ``g(pi_{k+1})``."""
        z = self.policy_step(x, point, eta, {})
        next_point = evaluate(z)
        return Iterate(z, self.multiplier_step(x, next_point, eta_mu, {}), {}), next_point


class AverageRule(GDARule):
    """The average occupancy of the gradient descent-ascent iterates, as a policy."""

    def start(self, z: Floats, mu: Floats, point: Point) -> Iterate:
        """Empty sums: iterate k is added in the step from k to k+1."""
        return Iterate(z, mu, {"d": np.zeros_like(z), "mu": np.zeros_like(mu), "k": np.zeros((*z.shape[:-2], 1))})

    def step(self, x: Iterate, point: Point, eta: Step, eta_mu: Step, evaluate: Evaluate) -> tuple[Iterate, Point]:
        """A step of gradient descent-ascent; iterate k is added to the sums."""
        x_next, next_point = super().step(x, point, eta, eta_mu, evaluate)
        d, mu, k = self._sums(x, point)
        return Iterate(x_next.z, x_next.mu, {"d": d, "mu": mu, "k": k}), next_point

    def answer(self, x: Iterate, point: Point) -> tuple[Floats, Floats]:
        """``pi(a|s) = d(s,a) / sum_a d(s,a)`` of the average occupancy ``d``, and the average multipliers.

        The value is linear in the occupancy, so this policy has the average value; the average policy would not.
        """
        d, mu, k = self._sums(x, point)
        mass = d.sum(axis=-1, keepdims=True)
        # A state that no iterate ever visits keeps the last policy's row.
        pi = np.where(mass > 0, d / np.where(mass > 0, mass, 1.0), point.pi)
        return pi, mu / k

    def _sums(self, x: Iterate, point: Point) -> tuple[Floats, Floats, Floats]:
        return x.memory["d"] + point.occupancy(), x.memory["mu"] + x.mu, x.memory["k"] + 1.0


class RPGPDRule(SimultaneousRule):
    """Regularised gradients: logits and multipliers decay by ``tau``, which settles the cycle at a biased point."""

    def __init__(self, game: Game, config: RPGPDConfig) -> None:
        super().__init__(game, config)
        self.tau = config.tau

    def policy_step(self, x: Iterate, point: Point, eta: Step, memory: dict[str, Floats]) -> Floats:
        """``z_{k+1} = (1 - eta tau) z_k + eta Q_k``."""
        return natural_gradient_step((1.0 - eta * self.tau) * x.z, eta, lagrangian_q(point.Q, x.mu, self.s))

    def multiplier_step(self, x: Iterate, point: Point, eta_mu: Step, memory: dict[str, Floats]) -> Floats:
        """``mu_{k+1} = clip((1 - eta_mu tau) mu_k + eta_mu g_k)``."""
        return self.clipped((1.0 - eta_mu * self.tau) * x.mu, eta_mu, point.g)


class PIDRule(SimultaneousRule):
    """Multipliers follow a controller of the violation: ``mu_{k+1} = K_P g_k + I_k + K_D (g_k - g_{k-1})_+``.

    Where step sizes are searched for, all three gains are multiplied by ``eta_mu``.
    """

    def __init__(self, game: Game, config: PIDConfig) -> None:
        super().__init__(game, config)
        self.kp, self.ki, self.kd = config.kp, config.ki, config.kd
        self.searched = config.eta == "auto"

    def start(self, z: Floats, mu: Floats, point: Point) -> Iterate:
        """Integral 0, no change of the violation yet."""
        return Iterate(z, mu, {"I": np.zeros_like(mu), "g": point.g})

    def policy_step(self, x: Iterate, point: Point, eta: Step, memory: dict[str, Floats]) -> Floats:
        """Natural gradient in every state."""
        return natural_gradient_step(x.z, eta, lagrangian_q(point.Q, x.mu, self.s))

    def multiplier_step(self, x: Iterate, point: Point, eta_mu: Step, memory: dict[str, Floats]) -> Floats:
        """``I_k = clip(I_{k-1} + K_I g_k)``, then ``mu_{k+1}``; ``eta_mu`` is used only in the search."""
        gain = eta_mu if self.searched else 1.0
        g = memory["g"] = point.g
        integral = memory["I"] = self.clipped(x.memory["I"], gain * self.ki, g)
        rise = g - x.memory["g"]
        # For an equality both directions are violations, so both are damped.
        rise = np.where(self.game.cmdp.equality, rise, np.maximum(rise, 0.0))
        return self.clipped(integral, gain, self.kp * g + self.kd * rise)


class AugmentedLagrangianRule(SimultaneousRule):
    """The policy sees the multipliers that a quadratic penalty adds: ``clip(mu_k + rho g_k)``."""

    def __init__(self, game: Game, config: AugmentedLagrangianConfig) -> None:
        super().__init__(game, config)
        self.rho = config.rho

    def policy_step(self, x: Iterate, point: Point, eta: Step, memory: dict[str, Floats]) -> Floats:
        """``Q_k`` mixed with ``clip(mu_k + rho g_k, lo, cap)``."""
        return natural_gradient_step(x.z, eta, lagrangian_q(point.Q, self.clipped(x.mu, self.rho, point.g), self.s))

    def multiplier_step(self, x: Iterate, point: Point, eta_mu: Step, memory: dict[str, Floats]) -> Floats:
        """``mu_{k+1} = clip(mu_k + eta_mu g_k, lo, cap)``."""
        return self.clipped(x.mu, eta_mu, point.g)
