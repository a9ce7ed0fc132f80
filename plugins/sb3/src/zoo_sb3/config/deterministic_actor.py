"""Options of TD3 and DDPG: deterministic policy gradients.

Written by generate_config.py: change that instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zoo_sb3.config.checks import Schedule
from zoo_sb3.config.network import DeterministicActorNetwork, SingleCriticNetwork
from zoo_sb3.config.replay import NoisyActionConfig


@dataclass(frozen=True, kw_only=True)
class TD3Config(NoisyActionConfig):
    """Options of TD3."""

    network: DeterministicActorNetwork = field(default_factory=DeterministicActorNetwork)
    learning_rate: Schedule = 0.001
    policy_delay: int = 2
    """critic steps per actor step"""
    target_policy_noise: float = 0.2
    """standard deviation of the noise on target actions"""
    target_noise_clip: float = 0.5
    """bound on the absolute noise on target actions"""


@dataclass(frozen=True, kw_only=True)
class DDPGConfig(NoisyActionConfig):
    """Options of DDPG."""

    network: SingleCriticNetwork = field(default_factory=SingleCriticNetwork)
    learning_rate: Schedule = 0.001
