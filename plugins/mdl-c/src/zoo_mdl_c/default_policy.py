"""Default policies: that of MDL-C, with a penalty on the description length of its weights, and plain ones.

Moskovitz, Kao, Sahani and Botvinick 2023 (arXiv:2207.08258): minimise over nu = N(mu, sigma^2)

    E_w[ mean over s of KL(pi_theta(.|s), pi_w(.|s)) ] + mdl_coef KL(nu || p)

with pi_theta fixed. The first term is the description length of the behaviour given the default, the second that of
the default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from zoo_rpo.defaults import DefaultPolicy, Distilled, MaskedInput
from zoo_rpo.distributions import DiagonalGaussian, Distribution
from zoo_rpo.models import TorchModel

from zoo import Array, UsageError
from zoo_mdl_c.config import DefaultOptions, PenalisedDefault
from zoo_mdl_c.variational_dropout import GroupReport, VariationalDropoutLinear

__all__ = ["DefaultNetwork", "VariationalDropoutPolicy", "make_default"]

LOG_STD = (-5.0, 2.0)
"""bounds of a Gaussian default's log standard deviation"""
Layer = Callable[[int, int], nn.Module]


class DefaultNetwork(nn.Module):
    """A perceptron (tanh) from observations to the parameters of action distributions.

    Args:
        sizes: units of the input, the hidden layers and the output.
        family: family of action distributions.
        layer: builds a linear layer from its numbers of inputs and outputs.
    """

    def __init__(self, sizes: tuple[int, ...], family: type[Distribution], layer: Layer) -> None:
        super().__init__()
        self.layers = nn.ModuleList([layer(inputs, outputs) for inputs, outputs in pairwise(sizes)])
        self._gaussian = issubclass(family, DiagonalGaussian)

    def forward(self, obs: Tensor) -> Tensor:
        """Parameters [..., W] for observations [..., D]."""
        h = obs
        for number, layer in enumerate(self.layers):
            h = layer(torch.tanh(h) if number else h)
        if not self._gaussian:
            return h
        mean, log_std = h.chunk(2, dim=-1)
        return torch.cat([mean, log_std.clamp(*LOG_STD)], dim=-1)


class VariationalDropoutPolicy(DefaultPolicy):
    """MDL-C's default policy pi_w.

    Args:
        network: a network whose layers are ``VariationalDropoutLinear``.
        family: family of action distributions.
        config: options of the penalty and of the optimiser.
    """

    def __init__(self, network: DefaultNetwork, family: type[Distribution], config: PenalisedDefault) -> None:
        self.network, self._family, self._config = network, family, config
        self._model = TorchModel(network, torch.optim.Adam(network.parameters(), lr=config.default_lr))
        self.steps = 0
        """gradient steps so far"""

    @property
    def layers(self) -> list[VariationalDropoutLinear]:
        """The layers, in order."""
        return [layer for layer in self.network.layers if isinstance(layer, VariationalDropoutLinear)]

    @property
    def num_weights(self) -> int:
        """The number of weights whose description length is penalised."""
        return sum(layer.mu.numel() for layer in self.layers)

    def distribution(self, obs: Array) -> Distribution:
        """The distribution with the pruned mean weights; probabilities are at least ``FLOOR``."""
        self.network.eval()
        return self._family(self._model.outputs(obs)).floored()

    def update(self, obs: Array, policy: Distribution, weights: Array | None = None) -> Mapping[str, float]:
        """Take one step of Adam on the module's objective, with noise in the weights."""
        self.network.train()
        target = self._family(torch.as_tensor(policy.parameters, dtype=torch.float32))
        for layer in self.layers:
            if layer.noise == "shared":
                layer.sample_weights()
        kl = target.kl(self._family(self.network(torch.as_tensor(obs, dtype=torch.float32))))
        behaviour = kl.mean() if weights is None else (kl * torch.as_tensor(weights, dtype=kl.dtype)).sum()
        length = self.description_length()
        loss = behaviour + self._config.coefficient(self.steps, self.num_weights) * length
        self._model.optimiser.zero_grad()
        loss.backward()
        self._model.optimiser.step()
        self.steps += 1
        return {"default/behaviour": float(behaviour.detach()), "default/length": float(length.detach())}

    def description_length(self) -> Tensor:
        """KL(nu || p), summed over all weights."""
        return torch.stack([layer.kl() for layer in self.layers]).sum()

    def sparsity(self) -> float:
        """Share of all weights that are pruned, in [0, 1]."""
        return sum(layer.sparsity() * layer.mu.numel() for layer in self.layers) / self.num_weights

    def prune_report(self, groups: Mapping[str, slice] | None = None) -> dict[str, GroupReport]:
        """Pruning of the first layer, by groups of the observation's entries."""
        return self.layers[0].prune_report(groups)

    def state(self) -> Mapping[str, Any]:
        """Weights, optimiser, number of steps, and the random stream of the noise."""
        generator = self.layers[0].generator
        noise = {} if generator is None else {"noise": generator.get_state()}
        return {**self._model.state(), "steps": self.steps, **noise}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        load_model(self._model, state)
        self.steps = int(state["steps"])
        generator = self.layers[0].generator
        if generator is not None:
            generator.set_state(torch.as_tensor(state["noise"], dtype=torch.uint8).cpu().clone())


def load_model(model: TorchModel, state: Mapping[str, Any]) -> None:
    """Load a model's state, whose tensors may be numpy arrays, as in a checkpoint."""

    def tensors(part: Any) -> Any:
        if isinstance(part, Mapping):
            return {name: tensors(value) for name, value in part.items()}
        return torch.as_tensor(part).clone() if isinstance(part, (np.ndarray, Tensor)) else part

    model.load_state({"module": tensors(state["module"]), "optimiser": tensors(state["optimiser"])})


def make_default(
    config: DefaultOptions,
    size: int,
    outputs: int,
    family: type[Distribution],
    groups: Mapping[str, slice],
    seed: int,
    hidden: tuple[str, ...] = (),
) -> DefaultPolicy:
    """The default policy that the options describe.

    Args:
        config: its options; its description length is penalised where these are a ``PenalisedDefault``.
        size: D, the length of an observation.
        outputs: W, the number of parameters of an action distribution.
        family: family of action distributions.
        groups: names of parts of the observation.
        seed: seed of the initial weights and the noise.
        hidden: groups that the default does not see.

    Raises:
        UsageError: a hidden group is not one of ``groups``, or all entries are hidden.
    """
    generator = torch.Generator().manual_seed(seed)
    keep = visible(hidden, size, groups) if hidden else None
    sizes = (size if keep is None else len(keep), *config.default_arch, outputs)
    default: DefaultPolicy
    if isinstance(config, PenalisedDefault):
        noise = config.noise
        network = DefaultNetwork(
            sizes, family, lambda i, o: VariationalDropoutLinear(i, o, noise=noise, generator=generator)
        )
        default = VariationalDropoutPolicy(network, family, config)
    else:
        default = _plain(config, sizes, family, generator)
    return default if keep is None else MaskedInput(default, keep)


def _plain(
    config: DefaultOptions, sizes: tuple[int, ...], family: type[Distribution], generator: torch.Generator
) -> Distilled:
    """An unpenalised default, with the same initial weights as a penalised one."""

    def linear(inputs: int, outputs: int) -> nn.Linear:
        # Draws nothing from torch's own generator, as the constructor would.
        layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            layer.weight.copy_((2 * torch.rand(outputs, inputs, generator=generator) - 1) / math.sqrt(inputs))
            layer.bias.zero_()
        return layer

    network = DefaultNetwork(sizes, family, linear)
    return Distilled(TorchModel(network, torch.optim.Adam(network.parameters(), lr=config.default_lr)), family)


def visible(hidden: tuple[str, ...], size: int, groups: Mapping[str, slice]) -> np.ndarray[Any, Any]:
    """Numbers of the entries of an observation that are in none of the ``hidden`` groups.

    Raises:
        UsageError: a group is unknown, or all entries are hidden.
    """
    if not groups:
        raise UsageError("the environment names no groups of features (feature_groups), so that none can be hidden.")
    kept = np.ones(size, dtype=bool)
    for name in hidden:
        if name not in groups:
            raise UsageError(
                f"hidden names {name!r}, but the environment's groups of features are {', '.join(groups)}."
            )
        kept[groups[name]] = False
    if not kept.any():
        raise UsageError(f"hidden = {' '.join(hidden)} leaves the default nothing to see.")
    return np.flatnonzero(kept)
