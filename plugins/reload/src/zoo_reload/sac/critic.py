"""SAC's twin critics with an output for each signal: the reward, then the constraints."""

from __future__ import annotations

from typing import Any

from stable_baselines3.common.policies import ContinuousCritic
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, create_mlp
from stable_baselines3.sac.policies import SACPolicy
from torch import nn


class SignalCritic(ContinuousCritic):
    """Twin critics (s, a) to [M, 1 + N]; with N = 0 they are SAC's, weight for weight.

    Args:
        heads: 1 + N.
        kwargs: as for ContinuousCritic.
    """

    def __init__(self, *, heads: int, **kwargs: Any) -> None:
        if heads == 1:
            super().__init__(**kwargs)
            return
        super().__init__(**{**kwargs, "n_critics": 0})
        inputs = kwargs["features_dim"] + self.action_space.shape[0]  # type: ignore[index]
        self.n_critics = kwargs["n_critics"]
        for index in range(self.n_critics):
            net = nn.Sequential(*create_mlp(inputs, heads, kwargs["net_arch"], kwargs["activation_fn"]))
            self.add_module(f"qf{index}", net)
            self.q_networks.append(net)


class SignalPolicy(SACPolicy):
    """SAC's policy with these critics.

    Args:
        args: as for SACPolicy.
        heads: 1 + N.
        kwargs: as for SACPolicy.
    """

    def __init__(self, *args: Any, heads: int, **kwargs: Any) -> None:
        self.heads = heads
        super().__init__(*args, **kwargs)

    def make_critic(self, features_extractor: BaseFeaturesExtractor | None = None) -> SignalCritic:
        """See SACPolicy."""
        options = self._update_features_extractor(self.critic_kwargs, features_extractor)
        return SignalCritic(heads=self.heads, **options).to(self.device)
