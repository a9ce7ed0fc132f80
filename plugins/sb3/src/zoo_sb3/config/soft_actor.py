"""Options of SAC, TQC and CrossQ: maximum-entropy actor-critics.

Written by generate_config.py: change that instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoo_sb3.config.checks import ActionNoise, Checked, EntropyCoefficient, Schedule, TrainFrequency
from zoo_sb3.config.network import BatchNormNetwork, SoftActorNetwork, TruncatedQuantileNetwork


@dataclass(frozen=True, kw_only=True)
class SACConfig(Checked):
    """Options of SAC."""

    network: SoftActorNetwork = field(default_factory=SoftActorNetwork)
    """the network's shape"""
    learning_rate: Schedule = 0.0003
    """step size of the optimiser(s); two numbers decay linearly over the budget"""
    buffer_size: int = 1000000
    """transitions kept for replay, of all environments together"""
    learning_starts: int = 100
    """environment steps of random actions before learning starts"""
    batch_size: int = 256
    """transitions per gradient step"""
    tau: float = 0.005
    """step of the target networks towards the learned ones, in [0, 1]; 1: a copy"""
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
    target_update_interval: int = 1
    """gradient steps between two updates of the target networks"""
    target_entropy: float | Literal["auto"] = "auto"
    """entropy a learned temperature aims at, in nats; auto: minus the number of action dimensions"""
    use_sde: bool = False
    """explore by noise that depends on the state (gSDE) instead of independent noise; box actions only"""
    sde_sample_freq: int = -1
    """vector steps between two draws of the gSDE noise; -1: once in a rollout"""
    use_sde_at_warmup: bool = False
    """explore by gSDE, not uniformly, before learning starts"""


@dataclass(frozen=True, kw_only=True)
class TQCConfig(Checked):
    """Options of TQC."""

    network: TruncatedQuantileNetwork = field(default_factory=TruncatedQuantileNetwork)
    """the network's shape"""
    learning_rate: Schedule = 0.0003
    """step size of the optimiser(s); two numbers decay linearly over the budget"""
    buffer_size: int = 1000000
    """transitions kept for replay, of all environments together"""
    learning_starts: int = 100
    """environment steps of random actions before learning starts"""
    batch_size: int = 256
    """transitions per gradient step"""
    tau: float = 0.005
    """step of the target networks towards the learned ones, in [0, 1]; 1: a copy"""
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
    target_update_interval: int = 1
    """gradient steps between two updates of the target networks"""
    target_entropy: float | Literal["auto"] = "auto"
    """entropy a learned temperature aims at, in nats; auto: minus the number of action dimensions"""
    top_quantiles_to_drop_per_net: int = 2
    """the largest quantiles left out of the target, for each critic"""
    use_sde: bool = False
    """explore by noise that depends on the state (gSDE) instead of independent noise; box actions only"""
    sde_sample_freq: int = -1
    """vector steps between two draws of the gSDE noise; -1: once in a rollout"""
    use_sde_at_warmup: bool = False
    """explore by gSDE, not uniformly, before learning starts"""


@dataclass(frozen=True, kw_only=True)
class CrossQConfig(Checked):
    """Options of CrossQ."""

    network: BatchNormNetwork = field(default_factory=BatchNormNetwork)
    """the network's shape"""
    learning_rate: Schedule = 0.001
    """step size of the optimiser(s); two numbers decay linearly over the budget"""
    buffer_size: int = 1000000
    """transitions kept for replay, of all environments together"""
    learning_starts: int = 100
    """environment steps of random actions before learning starts"""
    batch_size: int = 256
    """transitions per gradient step"""
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
