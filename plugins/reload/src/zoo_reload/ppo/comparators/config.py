"""The options of ``ppo-pid``, ``crpo``, ``focops`` and ``cpo``; those of PPO which an algorithm lacks are fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from zoo_onpolicy.config import Schedule, check

from zoo_reload.ppo.config import ConstrainedConfig


@dataclass(frozen=True, kw_only=True)
class PPOPIDConfig(ConstrainedConfig):
    """Options of PPO with multipliers from a PID controller."""

    kp: float = 1.0
    """K_P, of the violation per step, in units of the largest signal seen in the first rollouts"""
    ki: float = 0.1
    """K_I, of its sum over the rollouts"""
    kd: float = 0.0
    """K_D, of its increase since the last rollout"""
    cap: float = 1e4
    """largest |mu_i|, in the unit of the gains; reaching it is reported"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        for name in ("kp", "ki", "kd"):
            check(name, getattr(self, name), getattr(self, name) >= 0, "at least 0")
        check("cap", self.cap, self.cap > 0, "more than 0")


@dataclass(frozen=True, kw_only=True)
class CRPOConfig(ConstrainedConfig):
    """Options of constraint-rectified policy optimisation."""

    tolerance: Schedule = 0.0
    """eta: violations per step up to this are accepted, in units of the largest signal seen in the first rollouts;
    two numbers decay linearly over the budget"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        for number in self.tolerance if isinstance(self.tolerance, tuple) else (self.tolerance,):
            check("tolerance", number, number >= 0, "at least 0")


@dataclass(frozen=True, kw_only=True)
class FOCOPSConfig(ConstrainedConfig):
    """Options of first-order constrained optimisation in policy space."""

    tune: ClassVar[Mapping[str, str]] = {
        name: values for name, values in ConstrainedConfig.tune.items() if name != "clip_range"
    }
    clip_range: ClassVar[float] = 0.0  # type: ignore[misc]
    reference_kl: ClassVar[float] = 1.0  # type: ignore[misc]

    temperature: float = 1.5
    """lambda: how close to the policy that acted the optimal one of its neighbourhood is"""
    target_kl: float = 0.02
    """delta: states whose policy has moved further than this, in nats, have no gradient; when the mean is 1.5 times
    this the epochs of an update end"""
    lr_nu: Schedule = 0.1
    """step size of the multipliers for violations per step, in units of the largest signal seen in the first rollouts;
    two numbers decay linearly over the budget"""
    nu_max: float = 10.0
    """largest |nu_i|, in the unit of lr_nu; reaching it is reported"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        check("temperature", self.temperature, self.temperature > 0, "more than 0")
        check("nu_max", self.nu_max, self.nu_max > 0, "more than 0")
        for number in self.lr_nu if isinstance(self.lr_nu, tuple) else (self.lr_nu,):
            check("lr_nu", number, number >= 0, "at least 0")


@dataclass(frozen=True, kw_only=True)
class CPOConfig(ConstrainedConfig):
    """Options of constrained policy optimisation; ``learning_rate`` and the minibatches are those of the critic."""

    tune: ClassVar[Mapping[str, str]] = {
        "delta": "1e-3:0.1:log", "learning_rate": "1e-4:1e-2:log", "n_steps": "16:512:log", "gamma": "",
        "gae_lambda": "0.7:1", "network.activation_fn": "tanh,relu",
    }  # fmt: skip
    clip_range: ClassVar[float] = 0.0  # type: ignore[misc]
    clip_range_vf: ClassVar[None] = None  # type: ignore[misc]
    reference_kl: ClassVar[float] = 0.0  # type: ignore[misc]
    target_kl: ClassVar[None] = None  # type: ignore[misc]
    ent_coef: ClassVar[float] = 0.0  # type: ignore[misc]
    adv_norm: ClassVar[str] = "none"  # type: ignore[misc]

    delta: Schedule = 0.01
    """the KL divergence from the policy that acted is at most this, in nats; two numbers decay linearly over the
    budget"""
    damping: float = 0.1
    """added to the diagonal of the Fisher information, at least 0"""
    cg_steps: int = 10
    """steps of conjugate gradients for each product with the inverse of the Fisher information"""
    line_search_steps: int = 10
    """step lengths that are tried, each 0.8 times the one before"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        for number in self.delta if isinstance(self.delta, tuple) else (self.delta,):
            check("delta", number, number >= 0, "at least 0")
        check("damping", self.damping, self.damping >= 0, "at least 0")
        for name in ("cg_steps", "line_search_steps"):
            check(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
