"""Actors with critics for S members at once: the interface, and the multi-layer perceptron with its backward pass.

Each member has weights of its own; stacked products compute all members together. The backward pass is written out,
from activations that the forward pass keeps: an autograd graph costs more than these small products. While acting
only the actor is evaluated, on the host.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Array
from zoo_onpolicy.backend import compact, namespace, on_device, on_host
from zoo_onpolicy.config import NetworkConfig
from zoo_onpolicy.distributions import Distribution

Floats = NDArray[np.float32]
ALL_MEMBERS = slice(None)


class Parameters:
    """Named parameters of S members as views of one array float32 [S, P], and their gradients likewise.

    Args:
        members: S.
        shapes: name to shape of each parameter of one member.
        device: the device of the arrays.
    """

    def __init__(self, members: int, shapes: Mapping[str, tuple[int, ...]], device: str) -> None:
        self._shapes = dict(shapes)
        size = sum(math.prod(shape) for shape in shapes.values())
        self.flat = on_device(np.zeros((members, size), np.float32), device)
        self.gradient = on_device(np.zeros((members, size), np.float32), device)
        self.views = self.split(self.flat)
        self._device = device
        self.gradients = self.split(self.gradient)
        self._host: dict[str, Floats] | None = None

    def split(self, flat: Array) -> dict[str, Array]:
        """The arrays [S, *shape] in ``flat`` [S, P], as views."""
        views, start = {}, 0
        for name, shape in self._shapes.items():
            stop = start + math.prod(shape)
            views[name] = flat[:, start:stop].reshape(-1, *shape)
            start = stop
        return views

    def host(self) -> dict[str, Floats]:
        """The parameters as numpy arrays [S, *shape]: the same memory on the CPU, else copies made after a change."""
        if self._host is None:
            self._host = {name: on_host(view) for name, view in self.views.items()}
        return self._host

    def assign(self, name: str, member: int, values: NDArray[np.floating]) -> None:
        """Set one parameter of one member."""
        self.views[name][member] = on_device(values.astype(np.float32), self._device)
        self.mark_changed()

    def mark_changed(self) -> None:
        """Discard the copy on the host; to be called after the parameters have been changed."""
        if not isinstance(self.flat, np.ndarray):
            self._host = None


class Network(ABC):
    """Actor and critic with H value heads for S members."""

    parameters: Parameters

    @abstractmethod
    def initialise(self, member: int, rng: np.random.Generator) -> None:
        """Draw the initial weights of one member."""

    @abstractmethod
    def act(self, obs: NDArray[Any], members: slice = ALL_MEMBERS) -> Floats:
        """Outputs of the actor [S, B, W] for encoded observations [S, B, ...], as numpy arrays."""

    def sample(self, obs: NDArray[Any], distribution: Distribution, noise: Floats) -> tuple[Floats, NDArray[Any]]:
        """Outputs of the actor [S, B, W], and actions [S, B, ...] made of them and of ``noise``, for a rollout."""
        outputs = self.act(obs)
        return outputs, distribution.sample(outputs, noise)

    @abstractmethod
    def policy(self, obs: Array, flat: Array | None = None) -> Array:
        """Outputs of the actor [S, W, M] for observations [S, M, ...], with the parameters ``flat`` [S, P] if given."""

    @abstractmethod
    def values(self, obs: Array, flat: Array | None = None) -> Array:
        """Values [S, H, M] of observations [S, M, ...], with the parameters ``flat`` [S, P] if given."""

    @abstractmethod
    def forward(self, obs: Array) -> tuple[Array, Array]:
        """Outputs of the actor [S, W, M] and values [S, H, M]; keeps the activations for one call of ``backward``."""

    @abstractmethod
    def backward(self, d_policy: Array, d_values: Array) -> None:
        """Write the gradient into ``parameters.gradient``, given the derivatives by the outputs of ``forward``."""


class Perceptron:
    """One perceptron for each of S members: layers of ``sizes``, the last one linear.

    Args:
        prefix: prefix of its parameters' names.
        sizes: units of the input, the hidden layers and the output.
        activation: "tanh" or "relu".
    """

    def __init__(self, prefix: str, sizes: tuple[int, ...], activation: str) -> None:
        self._tanh = activation == "tanh"
        self.sizes = sizes
        self.names = [(f"{prefix}.{i}.weight", f"{prefix}.{i}.bias") for i in range(len(sizes) - 1)]
        self._inputs: list[Array] = []

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name to shape of its parameters: weights [in, out], biases [1, out]."""
        shapes: dict[str, tuple[int, ...]] = {}
        for (weight, bias), (inputs, outputs) in zip(self.names, pairwise(self.sizes), strict=True):
            shapes[weight], shapes[bias] = (inputs, outputs), (1, outputs)
        return shapes

    def initialise(self, parameters: Parameters, member: int, gain: float, rng: np.random.Generator) -> None:
        """Draw orthogonal weights of scale sqrt(2), in the last layer of scale ``gain``; biases are 0."""
        for number, ((weight, bias), shape) in enumerate(zip(self.names, pairwise(self.sizes), strict=True)):
            scale = gain if number == len(self.names) - 1 else math.sqrt(2)
            parameters.assign(weight, member, scale * orthogonal(rng, *shape))
            parameters.assign(bias, member, np.zeros((1, shape[1])))

    def act(self, h: NDArray[Any], arrays: Mapping[str, Floats], members: slice) -> Floats:
        """Outputs [S, B, out] for inputs [S, B, in], as numpy arrays."""
        for number, (weight, bias) in enumerate(self.names):
            if number:
                h = np.tanh(h, out=h) if self._tanh else np.maximum(h, 0, out=h)
            h = h @ arrays[weight][members]
            h += arrays[bias][members]
        return h

    def forward(self, h: Array, views: Mapping[str, Array], *, keep: bool = False) -> Array:
        """Outputs [S, out, M] for inputs [S, M, in]; ``keep``: keep the inputs of the layers for ``backward``."""
        inputs, xp = [], namespace(h)
        for number, (weight, bias) in enumerate(self.names):
            if number:
                h = self._activate(h, xp)
            inputs.append(h)
            h = xp.matmul(h, views[weight])
            h += views[bias]
        if keep:
            self._inputs = inputs
        return compact(h.mT)

    def _activate(self, h: Array, xp: Any) -> Array:
        if self._tanh:
            return xp.tanh(h, out=h)
        h *= h > 0
        return h

    def backward(self, d: Array, views: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Write the gradients of all layers, given the derivatives ``d`` [S, out, M] of the loss by the outputs."""
        d, xp = compact(d.mT), namespace(d)
        ones = xp.ones_like(d[:, :, :1]).mT  # sums over transitions as products: several times faster
        for number in range(len(self.names) - 1, -1, -1):
            weight, bias = self.names[number]
            h = self._inputs[number]
            xp.matmul(h.mT, d, out=gradients[weight])
            xp.matmul(ones, d, out=gradients[bias])
            if number:
                d = xp.matmul(d, views[weight].mT)
                # 1 - tanh^2, or the step function: both from the activation itself.
                if self._tanh:
                    h *= h
                    h *= d
                    d -= h
                else:
                    d *= h > 0


def orthogonal(rng: np.random.Generator, inputs: int, outputs: int) -> Floats:
    """A random matrix [inputs, outputs] whose shorter side is orthonormal (Saxe et al. 2014, arXiv:1312.6120)."""
    normal = rng.standard_normal((max(inputs, outputs), min(inputs, outputs)))
    q, r = np.linalg.qr(normal)
    q = q * np.sign(np.diag(r))  # uniform over orthogonal matrices, which the factorisation alone is not
    return (q if inputs >= outputs else q.T).astype(np.float32)


class MLP(Network):
    """Separate perceptrons for actor and critic; the critic's last layer has one output for each head.

    Args:
        members: S.
        inputs: D, the length of an observation.
        heads: H, the number of value heads.
        distribution: the family of action distributions.
        config: layers and initial scales.
        device: the device of the parameters.
    """

    def __init__(
        self, members: int, inputs: int, heads: int, distribution: Distribution, config: NetworkConfig, device: str
    ) -> None:
        self._config = config
        critic = config.net_arch if config.critic_arch is None else config.critic_arch
        self._actor = Perceptron("actor", (inputs, *config.net_arch, distribution.learned), config.activation_fn)
        self._critic = Perceptron("critic", (inputs, *critic, heads), config.activation_fn)
        self._num_log_stds = distribution.outputs - distribution.learned
        log_std = {"log_std": (self._num_log_stds, 1)} if self._num_log_stds else {}
        self.parameters = Parameters(members, {**self._actor.shapes(), **self._critic.shapes(), **log_std}, device)

    @property
    def activation(self) -> str:
        """Between the layers: "tanh" or "relu"."""
        return self._config.activation_fn

    @property
    def actor_names(self) -> list[tuple[str, str]]:
        """Parameters of the actor, layer by layer: weights [in, out] and biases [1, out]."""
        return self._actor.names

    def initialise(self, member: int, rng: np.random.Generator) -> None:
        """See Network."""
        self._actor.initialise(self.parameters, member, self._config.policy_gain, rng)
        self._critic.initialise(self.parameters, member, 1.0, rng)
        if self._num_log_stds:
            self.parameters.assign("log_std", member, np.full((self._num_log_stds, 1), self._config.log_std_init))

    def act(self, obs: NDArray[Any], members: slice = ALL_MEMBERS) -> Floats:
        """See Network."""
        arrays = self.parameters.host()
        outputs = self._actor.act(obs, arrays, members)
        if not self._num_log_stds:
            return outputs
        log_std = np.broadcast_to(arrays["log_std"][members].mT, outputs.shape)
        return np.concatenate([outputs, log_std], axis=-1)

    def policy(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        views = self.parameters.views if flat is None else self.parameters.split(flat)
        return self._with_log_std(self._actor.forward(obs, views), views)

    def values(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        return self._critic.forward(obs, self.parameters.views if flat is None else self.parameters.split(flat))

    def forward(self, obs: Array) -> tuple[Array, Array]:
        """See Network."""
        views = self.parameters.views
        outputs = self._with_log_std(self._actor.forward(obs, views, keep=True), views)
        return outputs, self._critic.forward(obs, views, keep=True)

    def _with_log_std(self, outputs: Array, views: Mapping[str, Array]) -> Array:
        if not self._num_log_stds:
            return outputs
        xp = namespace(outputs)
        return xp.concat([outputs, xp.broadcast_to(views["log_std"], outputs.shape)], 1)

    def backward(self, d_policy: Array, d_values: Array) -> None:
        """See Network."""
        views, gradients = self.parameters.views, self.parameters.gradients
        if self._num_log_stds:
            gradients["log_std"][:, :, 0] = d_policy[:, self._num_log_stds :].sum(2)
            d_policy = d_policy[:, : self._num_log_stds]
        self._actor.backward(d_policy, views, gradients)
        self._critic.backward(d_values, views, gradients)
