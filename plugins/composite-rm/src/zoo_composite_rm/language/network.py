"""A language model as a network of the on-policy learner: one module for each member, all weights in one array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.func import functional_call
from zoo_onpolicy.backend import on_device, on_host
from zoo_onpolicy.distributions import Distribution
from zoo_onpolicy.networks import ALL_MEMBERS, Floats, Network, Parameters

from zoo import Array
from zoo_composite_rm.language.actor_critic import ActorCritic, LanguageModel, Reader
from zoo_composite_rm.language.reference import Reference
from zoo_composite_rm.language.scoring import drawn, scored

IMPOSSIBLE = -1e4
"""logit of a token that is not possible: its probability is 0 exactly, and all sums stay finite"""


class LanguageNetwork(Network):
    """S language models with H value heads each; their weights and gradients are views of ``parameters``.

    Gradients are autograd's. Members are computed one after the other. Rows of the vocabulary's length live no longer
    than one step of a rollout or one minibatch.

    Args:
        members: S.
        heads: H.
        language_model: returns a fresh model on a device, with the reference's weights.
        reference: says which tokens are possible; the policy gives the others probability 0, as the reference does.
        device: of the parameters.
        kl: whether ``forward`` measures the KL divergence from the reference.
    """

    def __init__(
        self,
        members: int,
        heads: int,
        language_model: Callable[[str], LanguageModel],
        reference: Reference,
        device: str,
        *,
        kl: bool = False,
    ) -> None:
        self._device, self._reference, self._kl = device, reference, kl
        self._modules = [ActorCritic(language_model(device), heads).to(device) for _ in range(members)]
        start = [{name: on_host(p).copy() for name, p in _trained(module)} for module in self._modules]
        self.parameters = Parameters(members, {name: array.shape for name, array in start[0].items()}, device)
        for member, module in enumerate(self._modules):
            for name, array in start[member].items():
                self.parameters.assign(name, member, array)
            _tie(module, member, self.parameters)
        self._outputs: list[tuple[torch.Tensor, ...]] = []
        self._readers: dict[tuple[str, int], tuple[Reader, Reader]] = {}

    def restart(self) -> None:
        """Forget what was read: the weights are others, or what is computed must not depend on the past."""
        self._readers.clear()

    def initialise(self, member: int, rng: np.random.Generator) -> None:
        """See Network; the language model starts as the reference, so that only the value heads are drawn."""
        self._modules[member].initialise(rng)
        self.parameters.mark_changed()

    @torch.no_grad()
    def sample(self, obs: NDArray[Any], distribution: Distribution, noise: Floats) -> tuple[Floats, NDArray[Any]]:
        """Outputs [S, B, W] and actions [S, B, E] as of ``Tokens``; windows that grew by a token cost one token."""
        outputs = np.zeros((*obs.shape[:2], distribution.outputs), np.float32)
        actions = np.empty((*obs.shape[:2], *distribution.action_shape), np.int64)
        for member, windows in enumerate(self._tensor(obs).long()):
            logits, possible = self._next("rollout", member, windows)
            tokens = drawn(logits, possible, self._tensor(noise[member]))
            outputs[member, :, :2] = on_host(scored(logits, tokens, possible))
            actions[member, :, 0] = on_host(tokens)
            if possible is not None:
                actions[member, :, 1:] = on_host(possible)
        return outputs, actions

    @torch.no_grad()
    def act(self, obs: NDArray[Any], members: slice = ALL_MEMBERS) -> Floats:
        """See Network: logits [S, B, V]."""
        rows = []
        for member, windows in zip(range(len(self._modules))[members], self._tensor(obs).long(), strict=True):
            rows.append(on_host(_restricted(*self._next("evaluation", member, windows))))
        return np.stack(rows)

    def _next(self, use: str, member: int, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Logits [B, V] of the next token after windows [B, D], and which are possible, int64[B, k] or None."""
        model, reference = self._modules[member].language_model, self._reference.model
        if (use, member) not in self._readers:
            width = windows.shape[1]
            self._readers[use, member] = model.reader(width), reference.reader(width)
        mine, its = self._readers[use, member]
        logits = model.logits(mine.hidden(windows)).float()
        if self._reference.top_k is None:
            return logits, None
        device = next(iter(reference.parameters())).device
        possible = self._reference.possible(its.hidden(windows.to(device)))
        return logits, None if possible is None else possible.to(windows.device)

    @torch.no_grad()
    def policy(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network: logits [S, V, M]."""
        found = []
        for windows, (logits,) in zip(self._tensor(obs).long(), self._read(obs, flat, values=False), strict=True):
            every = None if self._reference.top_k is None else self._reference.logits(windows)
            top = None if every is None else every.topk(self._reference.top_k or 1, dim=-1).indices
            found.append(_restricted(logits, top))
        return self._feature_major(found)

    @torch.no_grad()
    def values(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        return self._feature_major([values for (values,) in self._read(obs, flat, policy=False)])

    def forward(self, obs: Array) -> tuple[Array, Array]:
        """Outputs as of ``Tokens``, [S, W, M], and values [S, H, M].

        Args:
            obs: windows, each followed by the action that was taken, [S, M, D + E].
        """
        self.restart()  # the weights are about to change
        E = 1 + (self._reference.top_k or 0)
        written = self._tensor(obs)[..., -E:].long()
        self._outputs = []
        for actions, windows, (logits, values) in zip(
            written, self._tensor(obs)[..., :-E].long(), self._read(obs[..., :-E]), strict=True
        ):
            reference = self._reference.logits(windows) if self._kl else None
            possible = actions[:, 1:] if self._reference.top_k is not None else None
            self._outputs.append((scored(logits, actions[:, 0], possible, reference), values))
        outputs, critics = zip(*self._outputs, strict=True)
        return self._feature_major(outputs), self._feature_major(critics)

    def backward(self, d_policy: Array, d_values: Array) -> None:
        """See Network."""
        self.parameters.gradient[:] = 0.0
        for outputs, *derivatives in zip(self._outputs, d_policy, d_values, strict=True):
            torch.autograd.backward(outputs, [self._tensor(d).mT for d in derivatives])
        self._outputs = []

    def _read(
        self, obs: Array, flat: Array | None = None, *, policy: bool = True, values: bool = True
    ) -> list[tuple[torch.Tensor, ...]]:
        """For each member, those asked for of logits [M, V] and values [M, H] at observations [S, M, D]."""
        views = self.parameters.views if flat is None else self.parameters.split(flat)
        outputs = []
        for member, windows in enumerate(self._tensor(obs).long()):
            weights = {} if flat is None else {name: self._tensor(view[member]) for name, view in views.items()}
            wanted = {"policy": policy, "values": values}
            outputs.append(functional_call(self._modules[member], weights, (windows,), wanted))
        return outputs

    def _tensor(self, array: Array) -> torch.Tensor:
        return torch.as_tensor(array, device=self._device)

    def _feature_major(self, rows: Sequence[torch.Tensor]) -> Array:
        """S tensors [M, n] as one array [S, n, M], the learner's layout: a numpy array on the CPU."""
        stacked = torch.stack([row.detach().mT for row in rows]).contiguous()
        return on_device(stacked.numpy(), self._device) if self._device == "cpu" else stacked


def _restricted(logits: torch.Tensor, possible: torch.Tensor | None) -> torch.Tensor:
    """The logits [M, V], impossible tokens' made ``IMPOSSIBLE``."""
    if possible is None:
        return logits
    return torch.full_like(logits, IMPOSSIBLE).scatter(1, possible, logits.gather(1, possible))


def _trained(module: ActorCritic) -> list[tuple[str, torch.nn.Parameter]]:
    """The parameters that are trained: all, but those below an adapter."""
    return [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]


def _tie(module: ActorCritic, member: int, parameters: Parameters) -> None:
    """Let weights and gradients of ``module`` be views of the member's row, which the optimiser changes in place."""
    for name, parameter in _trained(module):
        parameter.data = torch.as_tensor(parameters.views[name][member])
        parameter.grad = torch.as_tensor(parameters.gradients[name][member])
