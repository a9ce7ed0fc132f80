"""Options of TD3 and DDPG: deterministic policy gradients.

Written by generate_config.py: change that instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zoo_sb3.config.checks import ActionNoise, Checked, Schedule, TrainFrequency
from zoo_sb3.config.network import DeterministicActorNetwork, SingleCriticNetwork


@dataclass(frozen=True, kw_only=True)
class TD3Config(Checked):
    """Options of TD3."""

    network: DeterministicActorNetwork = field(default_factory=DeterministicActorNetwork)
    """the network's shape"""
    learning_rate: Schedule = 0.001
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
    policy_delay: int = 2
    """critic steps per actor step"""
    target_policy_noise: float = 0.2
    """standard deviation of the noise on target actions"""
    target_noise_clip: float = 0.5
    """bound on the absolute noise on target actions"""


@dataclass(frozen=True, kw_only=True)
class DDPGConfig(Checked):
    """Options of DDPG."""

    network: SingleCriticNetwork = field(default_factory=SingleCriticNetwork)
    """the network's shape"""
    learning_rate: Schedule = 0.001
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
