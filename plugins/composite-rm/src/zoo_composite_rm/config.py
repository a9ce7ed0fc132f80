"""The options: those of PPO, and what each algorithm does with several reward models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from zoo_onpolicy.config import NetworkConfig, PPOConfig, check

from zoo import UsageError


@dataclass(frozen=True, kw_only=True)
class CompositeConfig(PPOConfig):
    """Options that all these algorithms share; defaults as in the paper where it gives them."""

    network: NetworkConfig = field(default_factory=lambda: NetworkConfig(policy_gain=0.0))
    """the network's shape; what it adds to the reference's logits starts as 0 with policy_gain = 0"""
    batch_size: int = 64
    """transitions per gradient step"""
    n_epochs: int = 5
    """passes over each rollout"""
    vf_coef: float | tuple[float, ...] = 0.5
    """weight of the value loss of each reward model; several numbers: one for each head, the KL's last"""
    vf_coef_kl: float = 0.2
    """weight of the value loss of the KL reward, where vf_coef is one number"""
    kl_coef: float = 0.2
    """alpha of the KL reward -alpha (log pi - log pi0) of each token"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        check("vf_coef_kl", self.vf_coef_kl, self.vf_coef_kl >= 0, "at least 0")
        check("kl_coef", self.kl_coef, self.kl_coef >= 0, "at least 0")


@dataclass(frozen=True, kw_only=True)
class WeightedConfig(CompositeConfig):
    """Options shared by the algorithms that maximise a weighted sum of the reward models and the KL reward."""

    weights: dict[str, float] = field(default_factory=dict)
    """reward model name to its weight in the sum; those not named have 1"""
    kl_target: float | None = None
    """adapt kl_coef after each update towards this KL of a sequence, in nats; none: it stays as it is"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        _check_named("weights", self.weights)
        if self.kl_target is not None:
            check("kl_target", self.kl_target, self.kl_target > 0, "more than 0")


@dataclass(frozen=True, kw_only=True)
class SumConfig(WeightedConfig):
    """Options of ``ppo-sum``: maximise the weighted sum of the reward models and the KL reward."""


@dataclass(frozen=True, kw_only=True)
class SatConfig(SumConfig):
    """Options of ``ppo-sat``: maximise -sum weights_i (r_i - theta_i)^2 of each sample, and the KL reward."""

    thresholds: dict[str, float] = field(default_factory=dict)
    """reward model name to threshold, in place of the environment's own"""
    kl_coef: float = 0.0
    """alpha of the KL reward -alpha (log pi - log pi0) of each token; the published form has none"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        _check_named("thresholds", self.thresholds)


@dataclass(frozen=True, kw_only=True)
class LagrangianConfig(CompositeConfig):
    """Options shared by the algorithms with multipliers."""

    thresholds: dict[str, float] = field(default_factory=dict)
    """reward model name to threshold of its mean score, in place of the environment's own"""
    lr_mu: float = 0.1
    """step size of the multipliers: SGD, one step for each minibatch, gradient norm clipped at max_grad_norm"""
    momentum: float = 0.1
    """of the multipliers' steps, in [0, 1)"""
    cap: float = 1e4
    """largest |mu_i|; "sigmoid" and "tanh": of exp |m_i|; reaching it is reported"""
    tol: float = 0.01
    """violations above this count towards the report that a multiplier is saturated"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        _check_named("thresholds", self.thresholds)
        check("lr_mu", self.lr_mu, self.lr_mu >= 0, "at least 0")
        check("momentum", self.momentum, 0 <= self.momentum < 1, "at least 0 and less than 1")
        check("cap", self.cap, self.cap > 1, "more than 1")
        check("tol", self.tol, self.tol > 0, "more than 0")


@dataclass(frozen=True, kw_only=True)
class MuConfig(LagrangianConfig):
    """Options of ``mu-ppo``: maximise the KL reward subject to v_i >= theta_i."""

    multiplier: Literal["projected", "sigmoid"] = "projected"
    """"projected": mu >= 0 and weights (1, mu) / (1 + sum mu); "sigmoid": N - sum sigma(m_i) and sigma(m_i)"""


@dataclass(frozen=True, kw_only=True)
class XiConfig(LagrangianConfig):
    """Options of ``xi-ppo``: maximise the KL reward subject to v_i = theta_i."""

    multiplier: Literal["projected", "tanh"] = "projected"
    """"projected": mu of any sign and weights (1, mu) / (1 + sum |mu|); "tanh": N - sum tanh(m_i) and tanh(m_i)"""


@dataclass(frozen=True, kw_only=True)
class AllConfig(MuConfig, WeightedConfig):
    """Options of ``all-ppo``: maximise the weighted sum and the KL reward subject to v_i <= theta_i."""


@dataclass(frozen=True, kw_only=True)
class ExactConfig:
    """The evaluator ``composite`` has no options."""


def _check_named(name: str, numbers: object) -> None:
    if not isinstance(numbers, Mapping):
        raise UsageError(
            f"{name} = {numbers!r}: expected a mapping from the names of reward models to numbers, never a list, "
            "whose order is easily confused."
        )
    for key, number in numbers.items():
        check(f"{name}[{key!r}]", number, True, "any size")
