"""The options of every algorithm of this plugin; symbols as in docs/methods/reload.md.

The paper (arXiv:2302.01275) works with function approximation and gives no value for the tabular form, so the
defaults below are this project's own, measured on its environments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from zoo import UsageError

Optimism = Literal["both", "none", "policy", "multiplier"]


@dataclass(frozen=True, kw_only=True)
class RunnerConfig:
    """Options that all algorithms share."""

    cap: float = 1e4
    """largest |mu_i|, in the unit of eta_mu: under eta = "auto" that of the scaled problem; reaching it is reported"""
    tol: float = 1e-6
    """the run is converged once kkt, and err where known, stay at or below this over its whole last half; rewards and
    violations are measured by the range of J_r and of each J_i over all policies"""
    check_every: int = 10
    """iterations in one update, after which the residuals are computed"""
    init_std: float = 0.1
    """standard deviation of the initial logits z_0, so that seeds differ; 0: uniform, the same for every seed"""
    oracle: bool | None = None
    """solve the linear program for gap, err and oscillation; unset: only up to 8000 state-actions"""

    def __post_init__(self) -> None:
        """Check every range."""
        _positive("cap", self.cap)
        _positive("tol", self.tol)
        _not_negative("init_std", self.init_std)
        if self.check_every < 1:
            raise UsageError(f"check_every = {self.check_every}: expected an integer of at least 1.")


@dataclass(frozen=True, kw_only=True)
class AutoConfig(RunnerConfig):
    """Options of algorithms whose step size of the policy can be searched for."""

    tune: ClassVar[Mapping[str, str]] = {"eta": ""}
    """what ``zoo tune`` searches unless it is told otherwise, each around its value"""

    eta: float | Literal["auto"] = "auto"
    """step size of the policy, eta; "auto": scale the problem to unit range, then search the steps of both players"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        if self.eta != "auto":
            _positive("eta", self.eta)


@dataclass(frozen=True, kw_only=True)
class SearchedConfig(AutoConfig):
    """Options of algorithms whose step sizes can be searched for, for both players."""

    tune: ClassVar[Mapping[str, str]] = {"eta": "", "eta_mu": ""}

    eta_mu: float | None = None
    """step size of the multipliers, eta_mu; unset: equal to eta; not read when eta is "auto" """

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        if self.eta_mu is not None:
            _positive("eta_mu", self.eta_mu)


@dataclass(frozen=True, kw_only=True)
class ReloadConfig(SearchedConfig):
    """ReLOAD."""

    optimistic: Optimism = "both"
    """which player uses 2 x_k - x_{k-1}; the paper: both"""
    form: Literal["policy", "occupancy"] = "policy"
    """"policy": natural gradient on the logits; "occupancy": projected gradient on occupancies, a slow cross-check that
    needs the extra [projection] and at most 400 state-actions"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        if self.form == "occupancy" and self.optimistic != "both":
            raise UsageError(
                f"optimistic = {self.optimistic!r} with form = 'occupancy', which is optimistic for both players.",
                "leave optimistic at 'both', or use form = 'policy'",
            )


@dataclass(frozen=True, kw_only=True)
class GDAConfig(SearchedConfig):
    """Plain gradient descent-ascent."""


@dataclass(frozen=True, kw_only=True)
class AlternatingConfig(SearchedConfig):
    """Alternating gradient descent-ascent."""


@dataclass(frozen=True, kw_only=True)
class AverageConfig(SearchedConfig):
    """Averaged gradient descent-ascent."""


@dataclass(frozen=True, kw_only=True)
class RPGPDConfig(RunnerConfig):
    """Regularised policy-gradient primal-dual."""

    eta: float = 1.0
    """step size of the policy, eta"""
    eta_mu: float | None = None
    """step size of the multipliers, eta_mu; unset: equal to eta"""
    tau: float = 0.05
    """weight of the regularisers, tau: decay of logits and multipliers; the bias grows with it"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        _positive("eta", self.eta)
        if self.eta_mu is not None:
            _positive("eta_mu", self.eta_mu)
        _not_negative("tau", self.tau)
        if max(self.eta, self.eta_mu or self.eta) * self.tau >= 1:
            raise UsageError(f"tau = {self.tau} is too large for this step size: expected eta * tau < 1.")


@dataclass(frozen=True, kw_only=True)
class PIDConfig(AutoConfig):
    """Multipliers from a PID controller; where eta is "auto", the search multiplies all gains by eta_mu."""

    kp: float = 5.0
    """proportional gain, K_P"""
    ki: float = 0.1
    """integral gain, K_I"""
    kd: float = 0.0
    """derivative gain, K_D, on rising violations only"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        for name in ("kp", "ki", "kd"):
            _not_negative(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class AugmentedLagrangianConfig(SearchedConfig):
    """Augmented Lagrangian."""

    rho: float = 10.0
    """weight of the quadratic penalty, rho"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        _not_negative("rho", self.rho)


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{name} = {value}: expected a number above 0.")


def _not_negative(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise UsageError(f"{name} = {value}: expected a number of at least 0.")
