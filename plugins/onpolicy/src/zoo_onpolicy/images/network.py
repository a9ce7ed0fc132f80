"""The convolutional network of Mnih et al. 2015 (doi:10.1038/nature14236), with actor and critic behind its features.

Unlike the perceptron's, its backward pass is torch's: the time goes into convolutions, not into what surrounds them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Array, UsageError
from zoo_onpolicy.backend import on_host
from zoo_onpolicy.config import NetworkConfig
from zoo_onpolicy.distributions import Distribution
from zoo_onpolicy.images.layout import ImageLayout
from zoo_onpolicy.networks import ALL_MEMBERS, Floats, Network, Parameters, orthogonal

FILTERS = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
"""channels, side and stride of each layer"""
FEATURES = 512
_AT_ONCE = 512
"""images that are held in single precision where no gradient is asked for"""


class ConvNetwork(Network):
    """Features of images, and on them the perceptrons of actor and critic, with ``net_arch`` and ``critic_arch``.

    Members are evaluated one after the other, so that each has bit for bit what it has alone.

    Args:
        members: S.
        image: how the images lie in flattened observations [..., D] of bytes.
        heads: H, the number of value heads.
        distribution: the family of action distributions.
        config: layers behind the features, and initial scales.
        device: the device of the parameters.

    Raises:
        UsageError: torch is not installed.
    """

    def __init__(
        self, members: int, image: ImageLayout, heads: int, distribution: Distribution, config: NetworkConfig,
        device: str,
    ) -> None:  # fmt: skip
        try:
            import torch
        except ImportError:
            raise UsageError(
                "images are read by convolutions, which need torch: pip install 'zoo-onpolicy[torch]'.",
                "--network.kind mlp flattens them.",
            ) from None
        self._torch, self._image, self._config = torch, image, config
        critic = config.net_arch if config.critic_arch is None else config.critic_arch
        sizes = {
            "actor": (FEATURES, *config.net_arch, distribution.learned), "critic": (FEATURES, *critic, heads),
        }  # fmt: skip
        depths = (image.depth, *(channels for channels, _, _ in FILTERS))
        shapes: dict[str, tuple[int, ...]] = {}
        for number, ((inputs, outputs), (_, side, _)) in enumerate(zip(pairwise(depths), FILTERS, strict=True)):
            shapes |= {f"conv.{number}.weight": (outputs, inputs, side, side), f"conv.{number}.bias": (outputs,)}
        shapes |= {"features.weight": (FEATURES, _flat_size(image.sides)), "features.bias": (FEATURES,)}
        self._layers = {name: len(widths) - 1 for name, widths in sizes.items()}
        for name, widths in sizes.items():
            for number, (inputs, outputs) in enumerate(pairwise(widths)):
                shapes |= {f"{name}.{number}.weight": (outputs, inputs), f"{name}.{number}.bias": (outputs,)}
        self._num_log_stds = distribution.outputs - distribution.learned
        if self._num_log_stds:
            shapes["log_std"] = (self._num_log_stds,)
        self._shapes = shapes
        self.parameters = Parameters(members, shapes, device)
        self._gradients = self.parameters.split(self.parameters.gradient)
        self._graph: tuple[list[dict[str, Any]], Any, Any] | None = None

    def initialise(self, member: int, rng: np.random.Generator) -> None:
        """See Network: orthogonal weights, of scale sqrt(2), in the last layers of ``policy_gain`` and 1."""
        last = {f"{name}.{count - 1}.weight": name for name, count in self._layers.items()}
        scales = {"actor": self._config.policy_gain, "critic": 1.0}
        for name, shape in self._shapes.items():
            values: NDArray[Any] = np.zeros(shape)
            if name.endswith("weight"):
                scale = scales[last[name]] if name in last else math.sqrt(2)
                values = scale * orthogonal(rng, math.prod(shape[1:]), shape[0]).T.reshape(shape)
            elif name == "log_std":
                values = np.full(shape, self._config.log_std_init)
            self.parameters.assign(name, member, values)

    def act(self, obs: NDArray[Any], members: slice = ALL_MEMBERS) -> Floats:
        """See Network."""
        with self._torch.no_grad():
            views = [self._of_member(member) for member in range(len(self.parameters.flat))[members]]
            rows = [self._actor(self._features(images, own), own) for images, own in zip(obs, views, strict=True)]
        return np.stack([on_host(row) for row in rows])

    def policy(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        return self._without_gradient(self._actor, obs, flat)

    def values(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        return self._without_gradient(self._critic, obs, flat)

    def forward(self, obs: Array) -> tuple[Array, Array]:
        """See Network."""
        leaves, outputs, values = [], [], []
        for member, images in enumerate(obs):
            own = {name: view.detach().requires_grad_(True) for name, view in self._of_member(member).items()}
            features = self._features(images, own)
            leaves.append(own)
            outputs.append(self._actor(features, own).mT)
            values.append(self._critic(features, own).mT)
        self._graph = leaves, self._torch.stack(outputs), self._torch.stack(values)
        return self._as_given(self._graph[1]), self._as_given(self._graph[2])

    def backward(self, d_policy: Array, d_values: Array) -> None:
        """See Network."""
        assert self._graph is not None  # noqa: S101 -- forward comes first
        leaves, *outputs = self._graph
        self._graph = None
        parts = [part for own in leaves for part in own.values()]
        found = iter(self._torch.autograd.grad(outputs, parts, [self._tensor(d_policy), self._tensor(d_values)]))
        for member, own in enumerate(leaves):
            for name in own:
                self._gradients[name][member] = self._as_given(next(found))

    def actor(self, member: int) -> Any:
        """One member's actor as a module of torch, from images as the environment gives them."""
        nn, image = self._torch.nn, self._image
        own = {name: view.detach().cpu().clone() for name, view in self._of_member(member).items()}

        class Planes(nn.Module):  # type: ignore[misc, name-defined]
            def forward(self, obs: Any) -> Any:
                return image.planes(obs) / 255

        def with_weights(layer: Any, name: str) -> Any:
            layer.load_state_dict({part: own[f"{name}.{part}"] for part in ("weight", "bias")})
            return layer

        layers = [Planes()]
        for number, (_, side, stride) in enumerate(FILTERS):
            outputs, inputs = own[f"conv.{number}.weight"].shape[:2]
            layers += [with_weights(nn.Conv2d(inputs, outputs, side, stride), f"conv.{number}"), nn.ReLU()]
        names = ["features", *(f"actor.{number}" for number in range(self._layers["actor"]))]
        layers.append(nn.Flatten())
        for number, name in enumerate(names):
            if number:
                layers.append(nn.ReLU() if number == 1 or self._config.activation_fn == "relu" else nn.Tanh())
            layers.append(with_weights(nn.Linear(*reversed(own[f"{name}.weight"].shape)), name))
        return nn.Sequential(*layers)

    def _without_gradient(self, head: Any, obs: Array, flat: Array | None) -> Array:
        """Outputs [S, W, M] of one head, some images at a time."""
        with self._torch.no_grad():
            rows = []
            for member, images in enumerate(obs):
                own = self._of_member(member, None if flat is None else self._tensor(flat))
                parts = [
                    head(self._features(images[first : first + _AT_ONCE], own), own)
                    for first in range(0, len(images), _AT_ONCE)
                ]
                rows.append(self._torch.cat(parts).mT)
            return self._as_given(self._torch.stack(rows))

    def _features(self, images: Array, own: Mapping[str, Any]) -> Any:
        """Features [M, 512] of flattened images [M, D] of bytes."""
        functional = self._torch.nn.functional
        h = self._image.planes(self._tensor(images)).float() / 255
        for number, (_, _, stride) in enumerate(FILTERS):
            h = functional.relu(
                functional.conv2d(h, own[f"conv.{number}.weight"], own[f"conv.{number}.bias"], stride=stride)
            )
        return functional.relu(functional.linear(h.flatten(1), own["features.weight"], own["features.bias"]))

    def _perceptron(self, name: str, h: Any, own: Mapping[str, Any]) -> Any:
        """Outputs [M, W] of the layers called ``name``."""
        activation = self._torch.tanh if self._config.activation_fn == "tanh" else self._torch.relu
        for number in range(self._layers[name]):
            h = activation(h) if number else h
            h = self._torch.nn.functional.linear(h, own[f"{name}.{number}.weight"], own[f"{name}.{number}.bias"])
        return h

    def _actor(self, features: Any, own: Mapping[str, Any]) -> Any:
        """Outputs [M, W] of the actor."""
        outputs = self._perceptron("actor", features, own)
        if not self._num_log_stds:
            return outputs
        return self._torch.cat([outputs, own["log_std"].expand(len(outputs), -1)], dim=1)

    def _critic(self, features: Any, own: Mapping[str, Any]) -> Any:
        """Values [M, H]."""
        return self._perceptron("critic", features, own)

    def _of_member(self, member: int, flat: Any = None) -> dict[str, Any]:
        """One member's parameters by name, from ``flat`` [S, P]; None: the present ones."""
        row = (self._tensor(self.parameters.flat) if flat is None else flat)[member : member + 1]
        return {name: view[0] for name, view in self.parameters.split(row).items()}

    def _tensor(self, array: Array) -> Any:
        """A tensor with the same memory, on the device of the parameters."""
        tensor = self._torch.from_numpy(array) if isinstance(array, np.ndarray) else array
        return tensor if isinstance(self.parameters.flat, np.ndarray) else tensor.to(self.parameters.flat.device)

    def _as_given(self, tensor: Any) -> Array:
        """A numpy array where the parameters are one."""
        return tensor.detach().numpy() if isinstance(self.parameters.flat, np.ndarray) else tensor.detach()


def _flat_size(sides: tuple[int, int]) -> int:
    """Numbers behind the last layer of filters."""
    for _, side, stride in FILTERS:
        sides = tuple((size - side) // stride + 1 for size in sides)  # type: ignore[assignment]
    return FILTERS[-1][0] * math.prod(sides)
