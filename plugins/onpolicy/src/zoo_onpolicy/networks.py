"""Actors with critics for S members at once: the interface, and the multi-layer perceptron with its backward pass.

Each member has weights of its own; stacked products compute all members together. The forward pass for learning
keeps what the backward pass needs, which is written out: an autograd graph costs more than these small products.
While acting only the actor is evaluated, in numpy, whose calls on a few rows cost a third of torch's.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo_onpolicy.config import NetworkConfig
from zoo_onpolicy.distributions import Distribution

Floats = NDArray[np.float32]
EVERY = slice(None)


class Parameters:
    """Named arrays of S members as views of one tensor float32 [S, P], and the same for their gradients."""

    def __init__(self, members: int, shapes: Mapping[str, tuple[int, ...]], device: str) -> None:
        self._shapes = dict(shapes)
        size = sum(math.prod(shape) for shape in shapes.values())
        self.flat = torch.zeros(members, size, device=device)
        self.gradient = torch.zeros_like(self.flat)
        self.views = self.split(self.flat)
        self.gradients = self.split(self.gradient)
        self._host: dict[str, Floats] | None = None

    def split(self, flat: Tensor) -> dict[str, Tensor]:
        """The arrays [S, *shape] in ``flat`` [S, P], as views."""
        views, start = {}, 0
        for name, shape in self._shapes.items():
            stop = start + math.prod(shape)
            views[name] = flat[:, start:stop].view(-1, *shape)
            start = stop
        return views

    def host(self) -> dict[str, Floats]:
        """The arrays for numpy: views of the same memory on the CPU, else copies made after each change."""
        if self._host is None:
            self._host = {name: view.cpu().numpy() for name, view in self.views.items()}
        return self._host

    def changed(self) -> None:
        """To be called after the parameters have been changed."""
        if self.flat.device.type != "cpu":
            self._host = None


class Network(ABC):
    """Actor and critic with H value heads for S members."""

    parameters: Parameters

    @abstractmethod
    def initialise(self, member: int, generator: torch.Generator) -> None:
        """Draw the initial weights of one member."""

    @abstractmethod
    def act(self, obs: NDArray[Any], members: slice = EVERY) -> Floats:
        """Outputs of the actor [S, B, W] for encoded observations [S, B, ...], in numpy."""

    @abstractmethod
    def policy(self, obs: Tensor, flat: Tensor) -> Tensor:
        """Outputs of the actor [S, W, M] for observations [S, M, ...] with other parameters ``flat`` [S, P]."""

    @abstractmethod
    def values(self, obs: Tensor) -> Tensor:
        """Values [S, H, M] of observations [S, M, ...]."""

    @abstractmethod
    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of the actor [S, W, M] and values [S, H, M], ready for ``backward``."""

    @abstractmethod
    def backward(self, d_policy: Tensor, d_values: Tensor) -> None:
        """Write into ``parameters.gradient`` the gradient for derivatives by what the last ``forward`` returned."""


class Perceptron:
    """One perceptron for each of S members: layers of ``sizes``, the last one linear.

    Args:
        prefix: of its parameters' names.
        sizes: of the input, the hidden layers and the output.
        activation: "tanh" or "relu".
    """

    def __init__(self, prefix: str, sizes: tuple[int, ...], activation: str) -> None:
        self._tanh = activation == "tanh"
        self.sizes = sizes
        self.names = [(f"{prefix}.{i}.weight", f"{prefix}.{i}.bias") for i in range(len(sizes) - 1)]
        self._inputs: list[Tensor] = []

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of its parameters: weights [in, out], biases [1, out]."""
        shapes: dict[str, tuple[int, ...]] = {}
        for (weight, bias), (inputs, outputs) in zip(self.names, pairwise(self.sizes), strict=True):
            shapes[weight], shapes[bias] = (inputs, outputs), (1, outputs)
        return shapes

    def initialise(self, views: Mapping[str, Tensor], member: int, gain: float, generator: torch.Generator) -> None:
        """Orthogonal weights of scale sqrt(2), the last layer's of scale ``gain``; biases 0."""
        for number, (weight, bias) in enumerate(self.names):
            scale = gain if number == len(self.names) - 1 else math.sqrt(2)
            drawn = torch.empty(*views[weight].shape[:0:-1])
            torch.nn.init.orthogonal_(drawn, scale, generator=generator)
            views[weight][member] = drawn.T
            views[bias][member] = 0.0

    def act(self, h: NDArray[Any], arrays: Mapping[str, Floats], members: slice) -> Floats:
        """Outputs [S, B, out] for inputs [S, B, in], in numpy."""
        for number, (weight, bias) in enumerate(self.names):
            if number:
                h = np.tanh(h, out=h) if self._tanh else np.maximum(h, 0, out=h)
            h = h @ arrays[weight][members]
            h += arrays[bias][members]
        return h

    def forward(self, h: Tensor, views: Mapping[str, Tensor], *, keep: bool = False) -> Tensor:
        """Outputs [S, out, M] for inputs [S, M, in]."""
        inputs = []
        for number, (weight, bias) in enumerate(self.names):
            if number:
                h = h.tanh_() if self._tanh else h.relu_()
            inputs.append(h)
            h = torch.bmm(h, views[weight]).add_(views[bias])
        if keep:
            self._inputs = inputs
        return h.mT.contiguous()

    def backward(self, d: Tensor, views: Mapping[str, Tensor], gradients: Mapping[str, Tensor]) -> None:
        """The gradient of all layers for derivatives ``d`` [S, out, M] by the outputs."""
        d = d.mT.contiguous()
        for number in range(len(self.names) - 1, -1, -1):
            weight, bias = self.names[number]
            h = self._inputs[number]
            torch.bmm(h.mT, d, out=gradients[weight])
            torch.sum(d, dim=1, keepdim=True, out=gradients[bias])
            if number:
                d = torch.bmm(d, views[weight].mT)
                # 1 - tanh^2, or the step function: both from the activation itself.
                d = torch.ops.aten.tanh_backward(d, h) if self._tanh else d.mul_(h > 0)


class MLP(Network):
    """Separate perceptrons for actor and critic; the critic's last layer has one output for each head.

    Args:
        members: S.
        inputs: length D of an observation.
        heads: H.
        distribution: of the actions.
        config: layers and initial scales.
        device: of the parameters.
    """

    def __init__(
        self, members: int, inputs: int, heads: int, distribution: Distribution, config: NetworkConfig, device: str
    ) -> None:
        self._config = config
        critic = config.net_arch if config.critic_arch is None else config.critic_arch
        self._actor = Perceptron("actor", (inputs, *config.net_arch, distribution.learned), config.activation_fn)
        self._critic = Perceptron("critic", (inputs, *critic, heads), config.activation_fn)
        self._spread = distribution.outputs - distribution.learned
        spread = {"log_std": (self._spread, 1)} if self._spread else {}
        self.parameters = Parameters(members, {**self._actor.shapes(), **self._critic.shapes(), **spread}, device)

    def initialise(self, member: int, generator: torch.Generator) -> None:
        """See Network."""
        views = self.parameters.views
        self._actor.initialise(views, member, self._config.policy_gain, generator)
        self._critic.initialise(views, member, 1.0, generator)
        if self._spread:
            views["log_std"][member] = self._config.log_std_init
        self.parameters.changed()

    def act(self, obs: NDArray[Any], members: slice = EVERY) -> Floats:
        """See Network."""
        arrays = self.parameters.host()
        outputs = self._actor.act(obs, arrays, members)
        if not self._spread:
            return outputs
        log_std = np.broadcast_to(arrays["log_std"][members].mT, outputs.shape)
        return np.concatenate([outputs, log_std], axis=-1)

    def policy(self, obs: Tensor, flat: Tensor) -> Tensor:
        """See Network."""
        views = self.parameters.split(flat)
        return self._with_spread(self._actor.forward(obs, views), views)

    def values(self, obs: Tensor) -> Tensor:
        """See Network."""
        return self._critic.forward(obs, self.parameters.views)

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """See Network."""
        views = self.parameters.views
        outputs = self._with_spread(self._actor.forward(obs, views, keep=True), views)
        return outputs, self._critic.forward(obs, views, keep=True)

    def _with_spread(self, outputs: Tensor, views: Mapping[str, Tensor]) -> Tensor:
        return torch.cat([outputs, views["log_std"].expand_as(outputs)], dim=1) if self._spread else outputs

    def backward(self, d_policy: Tensor, d_values: Tensor) -> None:
        """See Network."""
        views, gradients = self.parameters.views, self.parameters.gradients
        if self._spread:
            d_policy, d_log_std = d_policy.chunk(2, dim=1)
            torch.sum(d_log_std, dim=2, keepdim=True, out=gradients["log_std"])
        self._actor.backward(d_policy, views, gradients)
        self._critic.backward(d_values, views, gradients)
