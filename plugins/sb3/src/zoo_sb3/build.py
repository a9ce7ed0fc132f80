"""Build an SB3 model from typed options."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import (
    ActionNoise,
    NormalActionNoise,
    OrnsteinUhlenbeckActionNoise,
    VectorizedActionNoise,
)
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.utils import LinearSchedule

from zoo import InterfaceError, UsageError
from zoo_sb3.vecenv import GymnasiumVecEnv

SCHEDULES = ("learning_rate", "clip_range", "clip_range_vf")
ACTIVATIONS: dict[str, type[torch.nn.Module]] = {
    "tanh": torch.nn.Tanh,
    "relu": torch.nn.ReLU,
    "elu": torch.nn.ELU,
    "leaky-relu": torch.nn.LeakyReLU,
    "silu": torch.nn.SiLU,
}
_SMALLEST_CNN_IMAGE = 36
"""least side in pixels; the three convolutions of SB3's CNN reduce a smaller image to nothing"""


def build(learner: type[BaseAlgorithm], config: Any, env: GymnasiumVecEnv, seed: int, device: str) -> BaseAlgorithm:
    """The SB3 model that ``config`` describes.

    Raises:
        InterfaceError: the learner does not support the environment's actions.
        UsageError: SB3 refuses the options.
    """
    name = learner.__name__
    _check_actions(name, type(config).__name__, env.action_space)
    options = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    policy = _policy(learner, options["network"].kind, env.observation_space)
    network = options.pop("network")
    for key in SCHEDULES:
        if isinstance(options.get(key), tuple):
            start, end = options[key]
            options[key] = LinearSchedule(start, end, 1.0)
    if "action_noise" in options:
        options["action_noise"] = _noise(options["action_noise"], options.pop("action_noise_std"), env)
    if isinstance(options.get("ent_coef"), tuple):
        options["ent_coef"] = f"auto_{options['ent_coef'][1]}"
    try:
        return learner(policy, env, policy_kwargs=_network(network), seed=seed, device=device, **options)
    except (AssertionError, ValueError, NotImplementedError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{name} refuses these options: {reason.rstrip('.')}.") from error


def _check_actions(name: str, config: str, space: spaces.Space[Any]) -> None:
    if name in ("DQN", "QRDQN"):
        suits, expected = isinstance(space, spaces.Discrete), "a Discrete space"
    elif name in ("PPO", "A2C", "TRPO", "RecurrentPPO"):
        kinds = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
        suits, expected = isinstance(space, kinds), "a Box, Discrete, MultiDiscrete or MultiBinary space"
    else:
        suits, expected = isinstance(space, spaces.Box), "a Box space"
    if not suits:
        raise InterfaceError(f"the actions are {space}: {name} expects {expected}.")
    if isinstance(space, spaces.Discrete) and space.start != 0:
        raise InterfaceError(f"the actions are {space}: expected a Discrete space that starts at 0.")
    if isinstance(space, spaces.Box) and not space.is_bounded():
        raise InterfaceError(f"the actions are {space}: expected finite bounds.")


def _policy(learner: type[BaseAlgorithm], policy: str, space: spaces.Space[Any]) -> str:
    """The learner's name for the policy; "auto" chooses by the observation space."""
    if policy == "auto":
        policy = "MlpPolicy"
        if isinstance(space, spaces.Dict):
            policy = "MultiInputPolicy"
        elif is_image_space(space) and min(sorted(space.shape or ())[1:]) >= _SMALLEST_CNN_IMAGE:
            policy = "CnnPolicy"
    aliases = learner.policy_aliases
    name = policy if policy in aliases else policy.replace("Policy", "LstmPolicy")
    if name not in aliases:
        raise UsageError(f"{learner.__name__} does not have {policy}: expected {' or '.join(aliases)}.")
    if isinstance(space, spaces.Dict) != policy.startswith("MultiInput"):
        raise UsageError(f"{policy} does not suit the observations {space}: leave network.kind at auto.")
    return name


def _network(network: Any) -> dict[str, Any]:
    options = {field.name: getattr(network, field.name) for field in dataclasses.fields(network)}
    del options["kind"]
    actor, critic = options.pop("net_arch"), options.pop("critic_arch", None)
    options["activation_fn"] = ACTIVATIONS[options["activation_fn"]]
    if critic is not None and actor is None:
        raise UsageError("network.critic_arch is given without network.net_arch: give both.")
    if critic is not None:
        # SB3's key for the critic is "vf" where it estimates state values, "qf" where it estimates action values.
        key = "vf" if "ortho_init" in options else "qf"
        options["net_arch"] = {"pi": list(actor), key: list(critic)}
    elif actor is not None:
        options["net_arch"] = list(actor)
    return options


def _noise(kind: str | None, std: float, env: GymnasiumVecEnv) -> ActionNoise | None:
    if kind is None or not isinstance(env.action_space, spaces.Box):
        return None
    mean, sigma = np.zeros(env.action_space.shape), np.full(env.action_space.shape, std)
    noise = (NormalActionNoise if kind == "normal" else OrnsteinUhlenbeckActionNoise)(mean, sigma)
    return VectorizedActionNoise(noise, env.num_envs) if env.num_envs > 1 else noise
