"""Options of PPO, A2C, TRPO and recurrent PPO: learners from fresh rollouts.

Written by generate_config.py: change that instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zoo_sb3.config.checks import Checked, Schedule
from zoo_sb3.config.network import ActorCriticNetwork, RecurrentNetwork


@dataclass(frozen=True, kw_only=True)
class PPOConfig(Checked):
    """Options of PPO."""

    network: ActorCriticNetwork = field(default_factory=ActorCriticNetwork)
    """the network's shape"""
    learning_rate: Schedule = 0.0003
    """step size of the optimiser(s); two numbers decay linearly over the budget"""
    n_steps: int = 2048
    """vector steps per rollout: each update uses n_steps * num_envs transitions"""
    batch_size: int = 64
    """transitions per gradient step"""
    n_epochs: int = 10
    """passes over each rollout"""
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    gae_lambda: float = 0.95
    """lambda of generalised advantage estimation, in [0, 1]; 1 is the Monte Carlo return"""
    clip_range: Schedule = 0.2
    """epsilon of the clipped surrogate objective; two numbers decay linearly over the budget"""
    clip_range_vf: Schedule | None = None
    """clip the value function by as much, in the unit of the return; none: no clipping"""
    normalize_advantage: bool = True
    """standardise the advantages of each batch"""
    ent_coef: float = 0.0
    """weight of the entropy bonus"""
    vf_coef: float = 0.5
    """weight of the value loss"""
    max_grad_norm: float = 0.5
    """clip the norm of the gradient to this"""
    use_sde: bool = False
    """explore by noise that depends on the state (gSDE) instead of independent noise; box actions only"""
    sde_sample_freq: int = -1
    """vector steps between two draws of the gSDE noise; -1: once in a rollout"""
    target_kl: float | None = None
    """bound on the KL divergence of an update; none: no bound"""


@dataclass(frozen=True, kw_only=True)
class A2CConfig(Checked):
    """Options of A2C."""

    network: ActorCriticNetwork = field(default_factory=ActorCriticNetwork)
    """the network's shape"""
    learning_rate: Schedule = 0.0007
    """step size of the optimiser(s); two numbers decay linearly over the budget"""
    n_steps: int = 5
    """vector steps per rollout: each update uses n_steps * num_envs transitions"""
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    gae_lambda: float = 1.0
    """lambda of generalised advantage estimation, in [0, 1]; 1 is the Monte Carlo return"""
    ent_coef: float = 0.0
    """weight of the entropy bonus"""
    vf_coef: float = 0.5
    """weight of the value loss"""
    max_grad_norm: float = 0.5
    """clip the norm of the gradient to this"""
    rms_prop_eps: float = 1e-05
    """epsilon of RMSprop"""
    use_rms_prop: bool = True
    """RMSprop instead of Adam"""
    use_sde: bool = False
    """explore by noise that depends on the state (gSDE) instead of independent noise; box actions only"""
    sde_sample_freq: int = -1
    """vector steps between two draws of the gSDE noise; -1: once in a rollout"""
    normalize_advantage: bool = False
    """standardise the advantages of each batch"""


@dataclass(frozen=True, kw_only=True)
class TRPOConfig(Checked):
    """Options of TRPO."""

    network: ActorCriticNetwork = field(default_factory=ActorCriticNetwork)
    """the network's shape"""
    learning_rate: Schedule = 0.001
    """step size of the optimiser(s); two numbers decay linearly over the budget"""
    n_steps: int = 2048
    """vector steps per rollout: each update uses n_steps * num_envs transitions"""
    batch_size: int = 128
    """transitions per gradient step"""
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    cg_max_steps: int = 15
    """most steps of the conjugate-gradient solver"""
    cg_damping: float = 0.1
    """added to the diagonal of the Fisher matrix"""
    line_search_shrinking_factor: float = 0.8
    """factor by which the line search shortens the step at each try, in [0, 1]"""
    line_search_max_iter: int = 10
    """most tries of the line search"""
    n_critic_updates: int = 10
    """passes of the critic over each rollout"""
    gae_lambda: float = 0.95
    """lambda of generalised advantage estimation, in [0, 1]; 1 is the Monte Carlo return"""
    use_sde: bool = False
    """explore by noise that depends on the state (gSDE) instead of independent noise; box actions only"""
    sde_sample_freq: int = -1
    """vector steps between two draws of the gSDE noise; -1: once in a rollout"""
    normalize_advantage: bool = True
    """standardise the advantages of each batch"""
    target_kl: float = 0.01
    """bound on the KL divergence of an update; none: no bound"""
    sub_sampling_factor: int = 1
    """estimate the natural gradient from one in this many transitions"""


@dataclass(frozen=True, kw_only=True)
class RecurrentPPOConfig(PPOConfig):
    """Options of RecurrentPPO."""

    network: RecurrentNetwork = field(default_factory=RecurrentNetwork)
    n_steps: int = 128
    batch_size: int = 128
