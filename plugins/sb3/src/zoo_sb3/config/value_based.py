"""Options of DQN and QR-DQN: learners of action values.

Written by generate_config.py: change that instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zoo_sb3.config.checks import Schedule, TrainFrequency
from zoo_sb3.config.network import QNetwork, QuantileNetwork
from zoo_sb3.config.replay import TargetNetworkConfig


@dataclass(frozen=True, kw_only=True)
class ValueConfig(TargetNetworkConfig):
    """Options of learners of action values."""

    learning_rate: Schedule = 0.0001
    batch_size: int = 32
    tau: float = 1.0
    train_freq: TrainFrequency = 4
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
    max_grad_norm: float | None = 10.0
    """clip the norm of the gradient to this"""


@dataclass(frozen=True, kw_only=True)
class DQNConfig(ValueConfig):
    """Options of DQN."""

    network: QNetwork = field(default_factory=QNetwork)
    max_grad_norm: float = 10.0


@dataclass(frozen=True, kw_only=True)
class QRDQNConfig(ValueConfig):
    """Options of QRDQN."""

    network: QuantileNetwork = field(default_factory=QuantileNetwork)
    learning_rate: Schedule = 5e-05
    exploration_fraction: float = 0.005
    exploration_final_eps: float = 0.01
    max_grad_norm: float | None = None
