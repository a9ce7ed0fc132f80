"""The options of PPO; names and defaults as in stable-baselines3 where it has them, so that runs compare."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from zoo import UsageError

Schedule: TypeAlias = float | tuple[float, float]
"""a constant, or (start, end): linear in the fraction of the budget that has been used"""


def scheduled(schedule: Schedule, used: float) -> float:
    """The value of ``schedule`` after the fraction ``used`` of the budget, which is clipped to [0, 1]."""
    if not isinstance(schedule, tuple):
        return schedule
    start, end = schedule
    return start + (end - start) * min(max(used, 0.0), 1.0)


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Shape and initial values of actor and critic, which share no weights but those of convolutions."""

    kind: Literal["auto", "mlp", "table", "cnn"] = "auto"
    """"table": one row of logits and values for each state; "cnn": convolutions before the mlp, actor and critic
    sharing them; auto: a table where observations are discrete, convolutions where they are images"""
    net_arch: tuple[int, ...] = (64, 64)
    """units of each hidden layer of an mlp"""
    critic_arch: tuple[int, ...] | None = None
    """units of each hidden layer of the critic; none: as the actor's"""
    activation_fn: Literal["tanh", "relu"] = "tanh"
    """non-linearity between layers"""
    policy_gain: float = 0.01
    """scale of the actor's last layer at the start; 0: every action is equally likely, or has mean zero"""
    log_std_init: float = 0.0
    """initial logarithm of the standard deviation of box actions"""

    def __post_init__(self) -> None:
        """Check every range."""
        for name in ("net_arch", "critic_arch"):
            for units in getattr(self, name) or ():
                _at_least(name, units, 1)
        _at_least("policy_gain", self.policy_gain, 0)
        _at_least("log_std_init", self.log_std_init, -20)


@dataclass(frozen=True, kw_only=True)
class PPOConfig:
    """Options of PPO."""

    tune: ClassVar[Mapping[str, str]] = {
        "learning_rate": "1e-4:1e-2:log", "n_steps": "16:512:log", "batch_size": "32:512:log", "n_epochs": "2:30:log",
        "gamma": "", "gae_lambda": "0.7:1", "clip_range": "0.1:0.4", "network.activation_fn": "tanh,relu",
    }  # fmt: skip
    """what ``zoo tune`` searches unless it is told otherwise"""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    """the network's shape"""
    learning_rate: Schedule = 0.0003
    """step size of Adam; two numbers decay linearly over the budget"""
    n_steps: int = 2048
    """vector steps per rollout: each update uses n_steps * num_envs transitions"""
    batch_size: int = 64
    """transitions per gradient step"""
    n_epochs: int = 10
    """passes over each rollout"""
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    gae_lambda: float = 0.95
    """lambda of generalised advantage estimation, in [0, 1]; 1 is the Monte Carlo return"""
    clip_range: Schedule = 0.2
    """epsilon of the clipped surrogate objective; two numbers decay linearly over the budget"""
    clip_range_vf: Schedule | None = None
    """clip the value function by as much, in the unit of the return; none: no clipping"""
    adv_norm: Literal["mixed", "each", "none"] = "mixed"
    """standardise, over each batch, the mixed advantage, or each head's before mixing, or neither"""
    ent_coef: Schedule = 0.0
    """weight of the entropy bonus; two numbers decay linearly over the budget"""
    vf_coef: float | tuple[float, ...] = 0.5
    """weight of the value loss; several numbers: one for each head, the reward's first"""
    max_grad_norm: float = 0.5
    """clip the norm of the gradient to this"""
    target_kl: float | None = None
    """end the epochs of an update once its KL divergence exceeds 1.5 times this; none: no bound"""
    reference_kl: Schedule = 0.0
    """weight of the KL divergence from the reference policy (the initial one, unless a caller has its own)"""

    def __post_init__(self) -> None:
        """Check every range."""
        for name in ("n_steps", "batch_size", "n_epochs"):
            _at_least(name, getattr(self, name), 1)
        for name in ("learning_rate", "clip_range", "clip_range_vf", "ent_coef", "vf_coef", "reference_kl"):
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else () if value is None else (value,):
                _at_least(name, number, 0)
        for name in ("gamma", "gae_lambda"):
            _at_least(name, getattr(self, name), 0)
            if getattr(self, name) > 1:
                raise UsageError(f"{name} = {getattr(self, name)}: expected a number between 0 and 1.")
        for name in ("max_grad_norm", "target_kl"):
            number = getattr(self, name)
            if number is not None and not (math.isfinite(number) and number > 0):
                raise UsageError(f"{name} = {number}: expected a number above 0.")


@dataclass(frozen=True, kw_only=True)
class NormalisedConfig(PPOConfig):
    """Options of PPO that may normalise observations."""

    norm_obs: bool = field(default=False, metadata={"later": True})
    """normalise observations by their running mean and standard deviation, which an evaluation uses as they are"""


@dataclass(frozen=True, kw_only=True)
class NativeConfig(NormalisedConfig):
    """Options of ``ppo-native``."""

    norm_reward: bool = field(default=False, metadata={"later": True})
    """learn from rewards in units of the running standard deviation of the discounted return"""


def check(name: str, number: float, inside: bool, expected: str) -> None:
    """Check a numeric option of an algorithm built on this package.

    Args:
        name: name of the option.
        number: its value, which must be finite.
        inside: whether the value is in its range.
        expected: the range in words for the message, such as "at least 0".

    Raises:
        UsageError: the value is not finite or not in its range.
    """
    if not (math.isfinite(number) and inside):
        raise UsageError(f"{name} = {number}: expected a finite number of {expected}.")


def _at_least(name: str, number: float, least: float) -> None:
    if not (math.isfinite(number) and number >= least):
        raise UsageError(f"{name} = {number}: expected a number of at least {least}.")
