"""Options of DQN and QR-DQN: learners of action values.

Written by generate_config.py: change that instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zoo_sb3.config.checks import Checked, Schedule, TrainFrequency
from zoo_sb3.config.network import QNetwork, QuantileNetwork


@dataclass(frozen=True, kw_only=True)
class DQNConfig(Checked):
    """Options of DQN."""

    network: QNetwork = field(default_factory=QNetwork)
    """the network's shape"""
    learning_rate: Schedule = 0.0001
    """step size of the optimiser(s); two numbers decay linearly over the budget"""
    buffer_size: int = 1000000
    """transitions kept for replay, of all environments together"""
    learning_starts: int = 100
    """environment steps of random actions before learning starts"""
    batch_size: int = 32
    """transitions per gradient step"""
    tau: float = 1.0
    """step of the target networks towards the learned ones, in [0, 1]; 1: a copy"""
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    train_freq: TrainFrequency = 4
    """vector steps between two training phases, or 'N episode'"""
    gradient_steps: int = 1
    """gradient steps per training phase; -1: as many as vector steps were taken"""
    n_steps: int = 1
    """rewards summed before the bootstrap; 1 is the ordinary target"""
    target_update_interval: int = 10000
    """environment steps between two updates of the target network"""
    exploration_fraction: float = 0.1
    """fraction of the budget over which epsilon decays"""
    exploration_initial_eps: float = 1.0
    """probability of a random action at the start"""
    exploration_final_eps: float = 0.05
    """probability of a random action once it has decayed"""
    max_grad_norm: float = 10.0
    """clip the norm of the gradient to this"""


@dataclass(frozen=True, kw_only=True)
class QRDQNConfig(Checked):
    """Options of QRDQN."""

    network: QuantileNetwork = field(default_factory=QuantileNetwork)
    """the network's shape"""
    learning_rate: Schedule = 5e-05
    """step size of the optimiser(s); two numbers decay linearly over the budget"""
    buffer_size: int = 1000000
    """transitions kept for replay, of all environments together"""
    learning_starts: int = 100
    """environment steps of random actions before learning starts"""
    batch_size: int = 32
    """transitions per gradient step"""
    tau: float = 1.0
    """step of the target networks towards the learned ones, in [0, 1]; 1: a copy"""
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    train_freq: TrainFrequency = 4
    """vector steps between two training phases, or 'N episode'"""
    gradient_steps: int = 1
    """gradient steps per training phase; -1: as many as vector steps were taken"""
    n_steps: int = 1
    """rewards summed before the bootstrap; 1 is the ordinary target"""
    target_update_interval: int = 10000
    """environment steps between two updates of the target network"""
    exploration_fraction: float = 0.005
    """fraction of the budget over which epsilon decays"""
    exploration_initial_eps: float = 1.0
    """probability of a random action at the start"""
    exploration_final_eps: float = 0.01
    """probability of a random action once it has decayed"""
    max_grad_norm: float | None = None
    """clip the norm of the gradient to this"""
