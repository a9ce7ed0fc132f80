"""The learners of stable-baselines3."""

from __future__ import annotations

import stable_baselines3

from zoo_sb3.agent import OffPolicy, OnPolicy


class PPO(OnPolicy):
    """Proximal policy optimisation (Schulman et al. 2017)."""

    learner = stable_baselines3.PPO


class A2C(OnPolicy):
    """Advantage actor-critic (Mnih et al. 2016)."""

    learner = stable_baselines3.A2C


class DQN(OffPolicy):
    """Deep Q-network (Mnih et al. 2015)."""

    learner = stable_baselines3.DQN


class SAC(OffPolicy):
    """Soft actor-critic (Haarnoja et al. 2018)."""

    learner = stable_baselines3.SAC


class TD3(OffPolicy):
    """Twin delayed DDPG (Fujimoto et al. 2018)."""

    learner = stable_baselines3.TD3


class DDPG(OffPolicy):
    """Deep deterministic policy gradient (Lillicrap et al. 2015)."""

    learner = stable_baselines3.DDPG
