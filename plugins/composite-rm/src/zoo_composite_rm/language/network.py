"""A language model as a network of the on-policy learner: one module for each member, all weights in one array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch.func import functional_call
from zoo_onpolicy.backend import on_device, on_host
from zoo_onpolicy.networks import ALL_MEMBERS, Floats, Network, Parameters

from zoo import Array, lookup
from zoo_composite_rm.language.actor_critic import ActorCritic, Allowed, LanguageModel

if TYPE_CHECKING:
    from zoo_onpolicy.learner import Learner


class LanguageNetwork(Network):
    """S language models with H value heads each; their weights and gradients are views of ``parameters``.

    Gradients are autograd's. Members are computed one after the other.

    Args:
        members: S.
        heads: H.
        language_model: returns a fresh model, with the reference's weights.
        allowed: which tokens are possible; the policy gives the others probability 0, as the reference does.
        device: of the parameters.
    """

    def __init__(
        self, members: int, heads: int, language_model: Callable[[], LanguageModel], allowed: Allowed, device: str
    ) -> None:
        self._device, self._allowed = device, allowed
        self._modules = [ActorCritic(language_model(), heads).to(device) for _ in range(members)]
        start = [{name: on_host(p).copy() for name, p in module.named_parameters()} for module in self._modules]
        self.parameters = Parameters(members, {name: array.shape for name, array in start[0].items()}, device)
        for member, module in enumerate(self._modules):
            for name, array in start[member].items():
                self.parameters.assign(name, member, array)
            _tie(module, member, self.parameters)
        self._outputs: list[tuple[torch.Tensor, ...]] = []

    def initialise(self, member: int, rng: np.random.Generator) -> None:
        """See Network; the language model starts as the reference, so that only the value heads are drawn."""
        self._modules[member].initialise(rng)
        self.parameters.mark_changed()

    @torch.no_grad()
    def act(self, obs: NDArray[Any], members: slice = ALL_MEMBERS) -> Floats:
        """See Network."""
        return np.stack([on_host(logits) for (logits,) in self._read(obs, members, values=False)])

    @torch.no_grad()
    def policy(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        return self._reference_logits_feature_major([logits for (logits,) in self._read(obs, flat=flat, values=False)])

    @torch.no_grad()
    def values(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        return self._reference_logits_feature_major([values for (values,) in self._read(obs, flat=flat, policy=False)])

    def forward(self, obs: Array) -> tuple[Array, Array]:
        """See Network."""
        self._outputs = self._read(obs)
        logits, values = zip(*self._outputs, strict=True)
        return self._reference_logits_feature_major(logits), self._reference_logits_feature_major(values)

    def backward(self, d_policy: Array, d_values: Array) -> None:
        """See Network."""
        self.parameters.gradient[:] = 0.0
        for outputs, *derivatives in zip(self._outputs, d_policy, d_values, strict=True):
            torch.autograd.backward(outputs, [self._tensor(d).mT for d in derivatives])
        self._outputs = []

    def _read(
        self,
        obs: Array,
        members: slice = ALL_MEMBERS,
        flat: Array | None = None,
        *,
        policy: bool = True,
        values: bool = True,
    ) -> list[tuple[torch.Tensor, ...]]:
        """For each of ``members``, those asked for of logits [M, V] and values [M, H] at observations [S, M, D]."""
        windows = self._tensor(obs).long()
        allowed = self._allowed(on_host(windows)) if policy else None
        possible = [None] * len(windows) if allowed is None else self._tensor(allowed)
        views = self.parameters.views if flat is None else self.parameters.split(flat)
        outputs = []
        for member, read in zip(range(len(self._modules))[members], zip(windows, possible, strict=True), strict=True):
            weights = {} if flat is None else {name: self._tensor(view[member]) for name, view in views.items()}
            wanted = {"policy": policy, "values": values}
            outputs.append(functional_call(self._modules[member], weights, read, wanted))
        return outputs

    def _tensor(self, array: Array) -> torch.Tensor:
        return torch.as_tensor(array, device=self._device)

    def _reference_logits_feature_major(self, rows: Sequence[torch.Tensor]) -> Array:
        """S tensors [M, n] as one array [S, n, M], the learner's layout: a numpy array on the CPU."""
        stacked = torch.stack([row.detach().mT for row in rows]).contiguous()
        return on_device(stacked.numpy(), self._device) if self._device == "cpu" else stacked


def make_network(learner: Learner, env: VectorEnv[Any, Any, Any]) -> LanguageNetwork:
    """The network of ``learner`` for an environment that offers ``language_model()``, a fresh copy of its reference.

    If it also offers ``allowed_tokens(observations)``, the others are impossible for the policy, too.
    """
    allowed: Allowed = lookup(env, "allowed_tokens") or _all
    return LanguageNetwork(len(learner), len(learner.heads), lookup(env, "language_model"), allowed, learner.device)


def _all(windows: NDArray[np.int64]) -> None:
    """Every token is possible."""


def _tie(module: ActorCritic, member: int, parameters: Parameters) -> None:
    """Let weights and gradients of ``module`` be views of the member's row, which the optimiser changes in place."""
    for name, parameter in module.named_parameters():
        parameter.data = torch.as_tensor(parameters.views[name][member])
        parameter.grad = torch.as_tensor(parameters.gradients[name][member])
