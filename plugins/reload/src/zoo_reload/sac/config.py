"""The options of ``reload-sac`` and ``sac-lagrangian``: those of SAC, of the constraints, and of the multipliers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

from zoo_sb3.config.soft_actor import SACConfig

from zoo import UsageError
from zoo_reload.config import Optimism


@dataclass(frozen=True, kw_only=True)
class SACLagrangianConfig(SACConfig):
    """Options of SAC with multipliers by plain gradient steps."""

    n_steps: ClassVar[int] = 1  # type: ignore[misc]

    thresholds: dict[str, float] = field(default_factory=dict)
    """constraint name to threshold, in place of the environment's own"""
    lr_mu: float | tuple[float, float] = 0.1
    """step size of the multipliers (SGD, whenever episodes have ended) for violations per step, in units of the largest
    signal seen before learning; two numbers decay linearly over the budget"""
    cap: float = 1e4
    """largest |mu_i|, in the unit of lr_mu; reaching it is reported"""
    kappa: float = 1.0
    """weight of the violations in penalised_return"""
    tol: float = 0.001
    """violations that stay above ten times this, in the unit of the constraint, while the multipliers rise are reported
    as infeasible"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        rates = self.lr_mu if isinstance(self.lr_mu, tuple) else (self.lr_mu,)
        for name, number, inside, expected in (
            ("lr_mu", min(rates), min(rates) >= 0, "at least 0"),
            ("cap", self.cap, self.cap > 0, "more than 0"),
            ("kappa", self.kappa, self.kappa >= 0, "at least 0"),
            ("tol", self.tol, self.tol > 0, "more than 0"),
            *((f"thresholds[{name!r}]", b, math.isfinite(b), "any size") for name, b in self.thresholds.items()),
        ):
            if not inside:
                raise UsageError(f"{name} = {number}: expected a finite number of {expected}.")


@dataclass(frozen=True, kw_only=True)
class ReloadSACConfig(SACLagrangianConfig):
    """Options of ReLOAD off-policy; with ``optimism = "none"`` it is sac-lagrangian."""

    optimism: Optimism = "both"
    """which player uses 2 x_k - x_{k-1}; none: sac-lagrangian"""
