"""SB3's soft actor-critic policy whose critics have a lambda-feature head beside their value."""

from __future__ import annotations

from typing import Any, cast

import torch
from stable_baselines3.common.policies import ContinuousCritic
from stable_baselines3.common.preprocessing import get_action_dim, get_flattened_obs_dim
from stable_baselines3.sac.policies import SACPolicy
from torch import Tensor, nn

from zoo_successor.deep.head import LambdaHead

Outputs = tuple[list[Tensor], list[Tensor]]


class LambdaCritic(ContinuousCritic):
    """``ContinuousCritic`` in which network i gives Q_i(s, a) and f_i(s, a) from the same hidden units.

    f_i has one number for each dimension of the flattened observation and of the action.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dim = get_flattened_obs_dim(self.observation_space) + get_action_dim(self.action_space)
        # Drawing the heads' weights must not move the stream that SB3 goes on to use: with lambda = 1 the run is SAC's.
        with torch.random.fork_rng(devices=[]):
            self.heads = nn.ModuleList(
                LambdaHead(None, cast(nn.Linear, cast(nn.Sequential, network)[-1]).in_features, dim)
                for network in self.q_networks
            )

    def both(self, obs: Tensor, actions: Tensor) -> Outputs:
        """Values [B, 1] and lambda features [B, dim] of observations and scaled actions, for each network."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.share_features_extractor):
            features = self.extract_features(obs, self.features_extractor)
        x = torch.cat([features, actions], dim=1)
        values, lambda_features = [], []
        for network, head in zip(self.q_networks, self.heads, strict=True):
            layers = cast(nn.Sequential, network)
            hidden = layers[:-1](x)
            values.append(layers[-1](hidden))
            lambda_features.append(head(hidden))
        return values, lambda_features


class LambdaPolicy(SACPolicy):
    """``SACPolicy`` with ``LambdaCritic``; observations are flattened, not images."""

    def make_critic(self, features_extractor: Any = None) -> LambdaCritic:
        """A critic on the policy's device."""
        arguments = self._update_features_extractor(self.critic_kwargs, features_extractor)
        return LambdaCritic(**arguments).to(self.device)
