"""The policy of one member as a torch module, for those who export it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zoo_onpolicy.distributions import Categorical, Gaussian, MultiCategorical
from zoo_onpolicy.images.network import ConvNetwork
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.networks import MLP
from zoo_onpolicy.normalisation.running import BOUND


class Policy(nn.Module):
    """Observations [B, ...] to actions, int64[B], int64[B, ...] or float32[B, ...] within the bounds.

    Args:
        learner: whose policy.
        member: of the learner.
        network: its network.
        sampled: noise [B, N] decides between the actions; else the most probable ones are taken.

    Attributes:
        noise: the distribution of the noise, in words, and N; None where there is none.
    """

    def __init__(self, learner: Learner, member: int, network: MLP | ConvNetwork, *, sampled: bool) -> None:
        super().__init__()
        arrays = network.parameters.host()
        if isinstance(network, ConvNetwork):
            self.actor = network.actor(member)
        else:
            activation = nn.Tanh if network.activation == "tanh" else nn.ReLU
            layers: list[nn.Module] = [nn.Flatten()]
            if learner.norm is not None:
                layers.append(_Normalised(learner.norm.mean[member], learner.norm.scale[member]))
            for number, (weight, bias) in enumerate(network.actor_names):
                layers += [activation()] if number else []
                layers.append(_linear(arrays[weight][member], arrays[bias][member][0]))
            self.actor = nn.Sequential(*layers)
        self._to_actions = distribution = learner.distribution
        self.noise = (distribution.noise_name, distribution.learned) if sampled else None
        self._shape = learner.contexts[0].env.single_action_space.shape or ()
        if isinstance(distribution, Gaussian):
            for name in ("low", "high"):
                self.register_buffer(name, torch.as_tensor(getattr(distribution.space, name)))
            self.register_buffer("std", torch.exp(torch.as_tensor(arrays["log_std"][member].ravel())))

    @classmethod
    def of(cls, learner: Learner, member: int, *, sampled: bool) -> Policy | None:
        """The module; None where the actor is a table, or observations are neither plain numbers nor images."""
        network = learner.network
        known = isinstance(network, ConvNetwork) or (isinstance(network, MLP) and learner.encoder.plain)
        return cls(learner, member, network, sampled=sampled) if known else None  # type: ignore[arg-type]

    def forward(self, obs: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the actions."""
        outputs: Tensor = self.actor(obs.float())
        if noise is not None:
            outputs = outputs + (self.get_buffer("std") * noise if isinstance(self._to_actions, Gaussian) else noise)
        if isinstance(self._to_actions, Categorical):
            return outputs.argmax(-1) + self._to_actions.start
        if isinstance(self._to_actions, MultiCategorical):
            parts = [outputs[:, span].argmax(-1) for span in self._to_actions.spans]
            return (torch.stack(parts, -1) + torch.as_tensor(self._to_actions.start)).reshape(-1, *self._shape)
        low, high = self.get_buffer("low"), self.get_buffer("high")
        return torch.clamp(outputs.reshape(-1, *low.shape), low, high)


class _Normalised(nn.Module):
    """Observations [B, D] by frozen statistics [D]."""

    def __init__(self, mean: NDArray[np.float32], scale: NDArray[np.float32]) -> None:
        super().__init__()
        for name, values in (("mean", mean), ("scale", scale)):
            self.register_buffer(name, torch.as_tensor(values.copy()))

    def forward(self, obs: Tensor) -> Tensor:
        """Normalise."""
        normalised = (obs - self.get_buffer("mean")) * self.get_buffer("scale")
        return torch.clamp(normalised, -float(BOUND), float(BOUND))


def _linear(weight: NDArray[np.float32], bias: NDArray[np.float32]) -> nn.Linear:
    layer = nn.Linear(*weight.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.as_tensor(weight.T))
        layer.bias.copy_(torch.as_tensor(bias))
    return layer
