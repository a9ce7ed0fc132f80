"""The learners of sb3-contrib."""

from __future__ import annotations

import sb3_contrib

from zoo_sb3.agent import OffPolicy, OnPolicy


class TRPO(OnPolicy):
    """Trust-region policy optimisation (Schulman et al. 2015)."""

    learner = sb3_contrib.TRPO


class RecurrentPPO(OnPolicy):
    """PPO with an LSTM policy (Schulman et al. 2017)."""

    learner = sb3_contrib.RecurrentPPO


class TQC(OffPolicy):
    """Truncated quantile critics (Kuznetsov et al. 2020)."""

    learner = sb3_contrib.TQC


class QRDQN(OffPolicy):
    """Quantile-regression DQN (Dabney et al. 2018)."""

    learner = sb3_contrib.QRDQN


class CrossQ(OffPolicy):
    """SAC with batch normalisation and no target networks (Bhatt et al. 2024)."""

    learner = sb3_contrib.CrossQ
