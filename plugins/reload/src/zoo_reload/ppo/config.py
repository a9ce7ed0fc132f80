"""The options of ``reload-ppo`` and ``ppo-lagrangian``: those of PPO, of the constraints, and of the multipliers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoo_onpolicy.config import NormalisedConfig, Schedule, check

from zoo_reload.config import Optimism


@dataclass(frozen=True, kw_only=True)
class ConstrainedConfig(NormalisedConfig):
    """Options of every algorithm with constraints on this learner."""

    thresholds: dict[str, float] = field(default_factory=dict)
    """constraint name to threshold, in place of the environment's own"""
    kappa: float = 1.0
    """weight of the violations in penalised_return"""
    tol: float = 0.001
    """violations that stay above ten times this while the multipliers rise are reported as infeasible; relative to
    what policies attain where there is an exact model, else in the unit of the constraint"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        check("kappa", self.kappa, self.kappa >= 0, "at least 0")
        check("tol", self.tol, self.tol > 0, "more than 0")
        for name, threshold in self.thresholds.items():
            check(f"thresholds[{name!r}]", threshold, True, "any size")


@dataclass(frozen=True, kw_only=True)
class PPOLagrangianConfig(ConstrainedConfig):
    """Options of PPO-Lagrangian."""

    multiplier: Literal["projected", "sigmoid"] = "projected"
    """"projected": mu >= 0, weights (1, mu) / (1 + sum |mu|); "sigmoid": weights sigma(m), tanh(m) for equalities"""
    lr_mu: Schedule = 0.1
    """step size of the multipliers (SGD, once per rollout) for violations per step, in units of the largest signal
    seen in the first rollouts; two numbers decay linearly over the budget"""
    cap: float = 1e4
    """largest |mu_i|, in the unit of lr_mu; "sigmoid": of exp |m_i|; reaching it is reported"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        for number in self.lr_mu if isinstance(self.lr_mu, tuple) else (self.lr_mu,):
            check("lr_mu", number, number >= 0, "at least 0")
        check("cap", self.cap, self.cap > 1, "more than 1")


@dataclass(frozen=True, kw_only=True)
class ReloadPPOConfig(PPOLagrangianConfig):
    """Options of ReLOAD with function approximation; with ``optimism = "none"`` it is PPO-Lagrangian."""

    optimism: Optimism = "both"
    """which player uses 2 x_k - x_{k-1}; none: ppo-lagrangian"""
    optimism_source: Literal["action-value", "critic", "weights"] = "action-value"
    """what the policy's x_{k-1} is taken from: the action values of the previous policy, the previous critic on the
    present transitions, or the previous multipliers alone"""
