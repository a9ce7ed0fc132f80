"""Options of SAC, TQC and CrossQ: maximum-entropy actor-critics.

Written by generate_config.py: change that instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoo_sb3.config.checks import ActionNoise, EntropyCoefficient, Schedule, TrainFrequency
from zoo_sb3.config.network import BatchNormNetwork, SoftActorNetwork, TruncatedQuantileNetwork
from zoo_sb3.config.replay import NoisyActionConfig, ReplayConfig


@dataclass(frozen=True, kw_only=True)
class EntropyConfig(NoisyActionConfig):
    """Options of maximum-entropy learners with a target network."""

    ent_coef: EntropyCoefficient = "auto"
    """entropy temperature alpha; auto: learned, from the initial value in 'auto VALUE' or 1"""
    target_update_interval: int = 1
    """gradient steps between two updates of the target networks"""
    target_entropy: float | Literal["auto"] = "auto"
    """entropy a learned temperature aims at, in nats; auto: minus the number of action dimensions"""


@dataclass(frozen=True, kw_only=True)
class SACConfig(EntropyConfig):
    """Options of SAC."""

    network: SoftActorNetwork = field(default_factory=SoftActorNetwork)
    use_sde: bool = False
    """explore by noise that depends on the state (gSDE) instead of independent noise; box actions only"""
    sde_sample_freq: int = -1
    """vector steps between two draws of the gSDE noise; -1: once in a rollout"""
    use_sde_at_warmup: bool = False
    """explore by gSDE, not uniformly, before learning starts"""


@dataclass(frozen=True, kw_only=True)
class TQCConfig(EntropyConfig):
    """Options of TQC."""

    network: TruncatedQuantileNetwork = field(default_factory=TruncatedQuantileNetwork)
    top_quantiles_to_drop_per_net: int = 2
    """the largest quantiles left out of the target, for each critic"""
    use_sde: bool = False
    """explore by noise that depends on the state (gSDE) instead of independent noise; box actions only"""
    sde_sample_freq: int = -1
    """vector steps between two draws of the gSDE noise; -1: once in a rollout"""
    use_sde_at_warmup: bool = False
    """explore by gSDE, not uniformly, before learning starts"""


@dataclass(frozen=True, kw_only=True)
class CrossQConfig(ReplayConfig):
    """Options of CrossQ."""

    network: BatchNormNetwork = field(default_factory=BatchNormNetwork)
    learning_rate: Schedule = 0.001
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    train_freq: TrainFrequency = 1
    """vector steps between two training phases, or 'N episode'"""
    gradient_steps: int = 1
    """gradient steps per training phase; -1: as many as vector steps were taken"""
    action_noise: ActionNoise | None = None
    """noise added to the actions, in units of actions scaled to [-1, 1]; none: no noise"""
    action_noise_std: float = 0.1
    """standard deviation of action_noise, in units of actions scaled to [-1, 1]"""
    n_steps: int = 1
    """rewards summed before the bootstrap; 1 is the ordinary target"""
    ent_coef: EntropyCoefficient = "auto"
    """entropy temperature alpha; auto: learned, from the initial value in 'auto VALUE' or 1"""
    target_entropy: float | Literal["auto"] = "auto"
    """entropy a learned temperature aims at, in nats; auto: minus the number of action dimensions"""
    policy_delay: int = 3
    """critic steps per actor step"""
    use_sde: bool = False
    """explore by noise that depends on the state (gSDE) instead of independent noise; box actions only"""
    sde_sample_freq: int = -1
    """vector steps between two draws of the gSDE noise; -1: once in a rollout"""
    use_sde_at_warmup: bool = False
    """explore by gSDE, not uniformly, before learning starts"""
