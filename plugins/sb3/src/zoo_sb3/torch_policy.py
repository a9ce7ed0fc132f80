"""The greedy policy of an SB3 model as one torch module, for those who export it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from torch import Tensor, nn


class GreedyPolicy(nn.Module):
    """Observations [B, ...] to the actions of ``predict(deterministic=True)``."""

    def __init__(self, policy: BasePolicy, actions: spaces.Space[Any]) -> None:
        super().__init__()
        self.policy = policy
        self._bounded = isinstance(actions, spaces.Box)
        self._start = int(actions.start) if isinstance(actions, spaces.Discrete) else 0
        if isinstance(actions, spaces.Box):
            for name in ("low", "high"):
                self.register_buffer(name, torch.as_tensor(getattr(actions, name)))

    def forward(self, obs: Tensor) -> Tensor:
        """Return the actions."""
        actions = self.policy._predict(obs, deterministic=True)
        if not self._bounded:
            return actions + self._start
        low, high = self.get_buffer("low"), self.get_buffer("high")
        shaped = actions.reshape(-1, *low.shape)
        if self.policy.squash_output:
            return low + 0.5 * (shaped + 1.0) * (high - low)
        return torch.clamp(shaped, low, high)


def greedy_policy(model: BaseAlgorithm, actions: spaces.Space[Any]) -> GreedyPolicy | None:
    """The module; None for recurrent policies, and where observations are no arrays of real numbers.

    Args:
        model: whose policy.
        actions: the environment's action space.
    """
    space = model.observation_space
    plain = isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating)
    recurrent = hasattr(model.policy, "lstm_actor")
    return GreedyPolicy(model.policy, actions) if plain and not recurrent else None
