"""Options of the networks.

Written by generate_config.py: change that instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zoo_sb3.config.checks import Checked, Policy


@dataclass(frozen=True, kw_only=True)
class ActorAndCritic(Checked):
    """Network with an actor and critics."""

    kind: Policy = "auto"
    """SB3's kind of policy; auto: by the observation space (images, dictionaries, or flat)"""
    net_arch: tuple[int, ...] | None = None
    """units of each hidden layer, e.g. 64 64; none: SB3's choice for the algorithm"""
    critic_arch: tuple[int, ...] | None = None
    """units of each hidden layer of the critic(s); none: as the actor's"""
    activation_fn: Literal["tanh", "relu", "elu", "leaky-relu", "silu"] = "relu"
    """non-linearity between layers"""


@dataclass(frozen=True, kw_only=True)
class StochasticActor(ActorAndCritic):
    """Network with a squashed Gaussian actor."""

    log_std_init: float = -3.0
    """initial logarithm of the standard deviation of the actions"""
    use_expln: bool = False
    """with gSDE: a softplus-like standard deviation instead of the exponential"""
    clip_mean: float = 2.0
    """with gSDE: bound on the absolute mean of the actions"""
    normalize_images: bool = True
    """divide image pixels by 255"""


@dataclass(frozen=True, kw_only=True)
class ActorCriticNetwork(ActorAndCritic):
    """Network of PPO, A2C, TRPO."""

    activation_fn: Literal["tanh", "relu", "elu", "leaky-relu", "silu"] = "tanh"
    ortho_init: bool = True
    """orthogonal initial weights"""
    log_std_init: float = 0.0
    """initial logarithm of the standard deviation of the actions"""
    full_std: bool = True
    """with gSDE: one standard deviation for each feature and action, not for each action only"""
    use_expln: bool = False
    """with gSDE: a softplus-like standard deviation instead of the exponential"""
    squash_output: bool = False
    """with gSDE: squash the actions by tanh"""
    share_features_extractor: bool = True
    """one feature extractor for actor and critic"""
    normalize_images: bool = True
    """divide image pixels by 255"""


@dataclass(frozen=True, kw_only=True)
class RecurrentNetwork(ActorCriticNetwork):
    """Network of RecurrentPPO."""

    lstm_hidden_size: int = 256
    """units of each LSTM layer"""
    n_lstm_layers: int = 1
    """LSTM layers"""
    shared_lstm: bool = False
    """one LSTM for actor and critic; needs enable_critic_lstm false"""
    enable_critic_lstm: bool = True
    """an LSTM for the critic too"""


@dataclass(frozen=True, kw_only=True)
class QNetwork(Checked):
    """Network of DQN."""

    kind: Policy = "auto"
    """SB3's kind of policy; auto: by the observation space (images, dictionaries, or flat)"""
    net_arch: tuple[int, ...] | None = None
    """units of each hidden layer, e.g. 64 64; none: SB3's choice for the algorithm"""
    activation_fn: Literal["tanh", "relu", "elu", "leaky-relu", "silu"] = "relu"
    """non-linearity between layers"""
    normalize_images: bool = True
    """divide image pixels by 255"""


@dataclass(frozen=True, kw_only=True)
class QuantileNetwork(Checked):
    """Network of QRDQN."""

    kind: Policy = "auto"
    """SB3's kind of policy; auto: by the observation space (images, dictionaries, or flat)"""
    n_quantiles: int = 200
    """quantiles of the return that each critic estimates"""
    net_arch: tuple[int, ...] | None = None
    """units of each hidden layer, e.g. 64 64; none: SB3's choice for the algorithm"""
    activation_fn: Literal["tanh", "relu", "elu", "leaky-relu", "silu"] = "relu"
    """non-linearity between layers"""
    normalize_images: bool = True
    """divide image pixels by 255"""


@dataclass(frozen=True, kw_only=True)
class SoftActorNetwork(StochasticActor):
    """Network of SAC."""

    n_critics: int = 2
    """number of critics; the target is their least (TQC: their pooled) estimate"""
    share_features_extractor: bool = False
    """one feature extractor for actor and critic"""


@dataclass(frozen=True, kw_only=True)
class TruncatedQuantileNetwork(StochasticActor):
    """Network of TQC."""

    n_quantiles: int = 25
    """quantiles of the return that each critic estimates"""
    n_critics: int = 2
    """number of critics; the target is their least (TQC: their pooled) estimate"""
    share_features_extractor: bool = False
    """one feature extractor for actor and critic"""


@dataclass(frozen=True, kw_only=True)
class BatchNormNetwork(ActorAndCritic):
    """Network of CrossQ."""

    batch_norm: bool = True
    """normalise the critics' (and actor's) layers over batches"""
    batch_norm_momentum: float = 0.01
    """step of the running statistics of batch renormalisation, in [0, 1]"""
    batch_norm_eps: float = 0.001
    """added to the variance in batch renormalisation"""
    renorm_warmup_steps: int = 100000
    """gradient steps of plain batch normalisation before renormalisation starts"""
    log_std_init: float = -3.0
    """initial logarithm of the standard deviation of the actions"""
    use_expln: bool = False
    """with gSDE: a softplus-like standard deviation instead of the exponential"""
    clip_mean: float = 2.0
    """with gSDE: bound on the absolute mean of the actions"""
    normalize_images: bool = True
    """divide image pixels by 255"""
    n_critics: int = 2
    """number of critics; the target is their least (TQC: their pooled) estimate"""
    share_features_extractor: bool = False
    """one feature extractor for actor and critic"""


@dataclass(frozen=True, kw_only=True)
class DeterministicActorNetwork(ActorAndCritic):
    """Network of TD3."""

    normalize_images: bool = True
    """divide image pixels by 255"""
    n_critics: int = 2
    """number of critics; the target is their least (TQC: their pooled) estimate"""
    share_features_extractor: bool = False
    """one feature extractor for actor and critic"""


@dataclass(frozen=True, kw_only=True)
class SingleCriticNetwork(DeterministicActorNetwork):
    """Network of DDPG."""

    n_critics: int = 1
