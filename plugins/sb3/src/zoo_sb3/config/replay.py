"""Options of learners from a replay buffer: what several families share.

Written by generate_config.py: change that instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zoo_sb3.config.checks import ActionNoise, Checked, Schedule, TrainFrequency


@dataclass(frozen=True, kw_only=True)
class ReplayConfig(Checked):
    """Options of learners from a replay buffer."""

    network: Checked = field(default_factory=Checked)
    """the network's shape"""
    learning_rate: Schedule = 0.0003
    """step size of the optimiser(s); two numbers decay linearly over the budget"""
    buffer_size: int = 1000000
    """transitions kept for replay, of all environments together"""
    learning_starts: int = 100
    """environment steps of random actions before learning starts"""
    batch_size: int = 256
    """transitions per gradient step"""


@dataclass(frozen=True, kw_only=True)
class TargetNetworkConfig(ReplayConfig):
    """Options of learners with a target network."""

    tau: float = 0.005
    """step of the target networks towards the learned ones, in [0, 1]; 1: a copy"""
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    train_freq: TrainFrequency = 1
    """vector steps between two training phases, or 'N episode'"""
    gradient_steps: int = 1
    """gradient steps per training phase; -1: as many as vector steps were taken"""


@dataclass(frozen=True, kw_only=True)
class NoisyActionConfig(TargetNetworkConfig):
    """Options of learners for box actions."""

    action_noise: ActionNoise | None = None
    """noise added to the actions, in units of actions scaled to [-1, 1]; none: no noise"""
    action_noise_std: float = 0.1
    """standard deviation of action_noise, in units of actions scaled to [-1, 1]"""
    n_steps: int = 1
    """rewards summed before the bootstrap; 1 is the ordinary target"""
