"""The action values of the previous policy for each head, which optimism extrapolates from.

What is learned is A_k(s, a) = Q_k(s, a) - V_k(s): a baseline of the state changes no policy gradient in expectation,
and without it the differences between actions need not be found beside much larger ones between states. The targets
are the generalised advantages of rollout k. As a function of state and action, A_k can be asked about the transitions
of rollout k + 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from zoo_onpolicy.adam import Adam, clip_norm
from zoo_onpolicy.backend import namespace, on_device, on_host
from zoo_onpolicy.config import scheduled
from zoo_onpolicy.distributions import Categorical
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.networks import Parameters, Perceptron
from zoo_onpolicy.rollout import Floats as Singles
from zoo_onpolicy.rollout import Rollout

from zoo import Array, UsageError

_PRIOR = 1.0
"""transitions that the estimate of the iteration before counts for, in each state and action"""


class ActionValues(ABC):
    """A_k(s, a) of the 1 + N heads of S members, learned from one rollout and evaluated on the next one."""

    @abstractmethod
    def predict(self, rollout: Rollout) -> Singles:
        """A_{k-1}(s, a) at the transitions of rollout k, minus a baseline of the state; [S, 1 + N, T, B]."""

    @abstractmethod
    def fit(self, rollout: Rollout) -> None:
        """Learn A_k from rollout k, whose advantages are set."""

    @abstractmethod
    def state(self, member: int) -> Mapping[str, Any]:
        """Everything one member needs to continue bit for bit."""

    @abstractmethod
    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""


def action_values_of(learner: Learner) -> ActionValues:
    """A table where the learner's own network is one, else a perceptron."""
    if learner.encoder.as_indices and learner.explicit:
        return TableOfValues(
            len(learner.contexts), learner.encoder.size, learner.distribution.outputs, len(learner.heads)
        )
    if learner.encoder.image is not None:
        raise UsageError(
            "optimism by action values reads vectors, and these observations are images: expected network.kind = mlp, "
            "or another optimism_source."
        )
    return NetworkOfValues(learner)


def centred(values: Singles, logits: Singles) -> Singles:
    """``values`` [..., A, H] minus their mean under the policy of ``logits`` [..., A]."""
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return np.asarray(values - (p[..., None] * values).sum(axis=-2, keepdims=True))


class TableOfValues(ActionValues):
    """The mean advantage of each state and action.

    Args:
        members: S.
        states: n.
        actions: A.
        heads: H.
    """

    def __init__(self, members: int, states: int, actions: int, heads: int) -> None:
        self._table: Singles = np.zeros((members, states * actions, heads), np.float32)
        self._actions = actions

    def predict(self, rollout: Rollout) -> Singles:
        """See ActionValues; minus the mean over actions under the present policy."""
        S = len(rollout.obs)
        table = self._table.reshape(S, -1, self._actions, self._table.shape[-1])
        members = np.arange(S)[:, None, None]
        values = centred(table[members, rollout.obs], rollout.outputs)
        chosen: Singles = np.take_along_axis(values, rollout.actions[..., None, None], axis=3)[:, :, :, 0]
        return np.ascontiguousarray(np.moveaxis(chosen, -1, 1))

    def fit(self, rollout: Rollout) -> None:
        """See ActionValues: the mean of this rollout's advantages and ``_PRIOR`` times the earlier estimate."""
        S, rows, H = self._table.shape
        row = (rollout.obs * self._actions + rollout.actions).reshape(S, -1) + np.arange(S)[:, None] * rows
        count = np.bincount(row.ravel(), minlength=S * rows).reshape(S, rows)
        for head in range(H):
            total = np.bincount(row.ravel(), rollout.advantages[:, head].ravel(), S * rows).reshape(S, rows)
            self._table[:, :, head] = (total + _PRIOR * self._table[:, :, head]) / (count + _PRIOR)

    def state(self, member: int) -> Mapping[str, Any]:
        """See ActionValues."""
        return {"table": self._table[member].copy()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See ActionValues."""
        self._table[member] = state["table"]


class NetworkOfValues(ActionValues):
    """A perceptron: from observations to A * H numbers where actions are discrete, else from both to H.

    Its targets are divided by the root mean square of each head's advantages, so that its steps have no unit.
    The steps are on minibatches of every m-th transition, which do not neighbour in an episode, and on half of the m of
    them: a pass over the whole rollout would cost a tenth of an update.
    """

    def __init__(self, learner: Learner) -> None:
        self._learner, self._config, self._heads = learner, learner.config, len(learner.heads)
        self._discrete = isinstance(learner.distribution, Categorical)
        config, heads = self._config, self._heads
        S, arch = len(learner.contexts), config.network.critic_arch or config.network.net_arch
        actions = learner.distribution.encoded
        inputs = learner.encoder.size + (0 if self._discrete else actions)
        self._choices = actions if self._discrete else 1
        self._net = Perceptron("value", (inputs, *arch, self._choices * heads), config.network.activation_fn)
        self._parameters = Parameters(S, self._net.shapes(), learner.device)
        for member, ctx in enumerate(learner.contexts):
            self._net.initialise(self._parameters, member, 0.0, ctx.stream("action values"))
        self._adam = Adam(self._parameters.flat, learner.device)
        self._size: Singles = np.ones((S, heads), np.float32)
        """root mean square of the advantages that were fitted last, [S, H]"""

    def _inputs(self, rollout: Rollout) -> Array:
        """What the perceptron sees of each transition, [S, N, D]."""
        S = len(rollout.obs)
        obs = rollout.obs.reshape(S, self._learner.transitions, -1)
        if self._learner.encoder.as_indices:
            obs = (obs == np.arange(self._learner.encoder.size)).astype(np.float32)
        if not self._discrete:
            obs = np.concatenate([obs, rollout.encoded.reshape(S, self._learner.transitions, -1)], axis=2)
        return on_device(obs, self._learner.device)

    def predict(self, rollout: Rollout) -> Singles:
        """See ActionValues; where actions are discrete, minus the mean over them under the present policy."""
        S, T, B = rollout.terminated.shape
        out = on_host(self._net.forward(self._inputs(rollout), self._parameters.views))
        values = out.reshape(S, self._choices, self._heads, T, B).transpose(0, 3, 4, 1, 2)
        if self._discrete:
            values = centred(values, rollout.outputs)
            values = np.take_along_axis(values, rollout.actions[..., None, None], axis=3)
        return np.ascontiguousarray(np.moveaxis(values[:, :, :, 0] * self._size[:, None, None], -1, 1))

    def fit(self, rollout: Rollout) -> None:
        """See ActionValues."""
        S, N, H = len(rollout.obs), self._learner.transitions, self._heads
        targets = rollout.advantages.reshape(S, H, N)
        size = np.sqrt(np.square(targets).mean(axis=2))
        self._size = np.where(size > 0, size, 1.0).astype(np.float32)
        inputs, device = self._inputs(rollout), self._learner.device
        target = on_device(np.ascontiguousarray(targets / self._size[:, :, None]), device)
        chosen = on_device(np.ascontiguousarray(rollout.encoded.reshape(S, N, -1).mT), device)
        rate = np.array([scheduled(self._config.learning_rate, share) for share in self._used()])
        views, gradients = self._parameters.views, self._parameters.gradients
        count = max(N // self._config.batch_size, 1)
        for first in range(0, count, 2):
            part = slice(first, None, count)
            out = self._net.forward(inputs[:, part], views, keep=True)
            M = out.shape[-1]
            xp = namespace(out)
            if self._discrete:
                taken = chosen[:, :, None, part]
                error = (out.reshape(S, self._choices, H, M) * taken).sum(1) - target[:, :, part]
                d = (taken * error[:, None]).reshape(S, self._choices * H, M)
            else:
                d = out - target[:, :, part]
            self._net.backward(xp.multiply(d, 2 / M), views, gradients)
            clip_norm(self._parameters.gradient, self._config.max_grad_norm)
            self._adam.step(self._parameters.gradient, rate)

    def _used(self) -> list[float]:
        """The share of each member's budget that is used."""
        learner = self._learner
        return [steps / max(ctx.budget, 1) for steps, ctx in zip(learner.steps.tolist(), learner.contexts, strict=True)]

    def state(self, member: int) -> Mapping[str, Any]:
        """See ActionValues."""
        weights = on_host(self._parameters.flat[member]).copy()
        return {"weights": weights, "adam": self._adam.state(member), "size": self._size[member].copy()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See ActionValues."""
        self._parameters.flat[member] = on_device(np.asarray(state["weights"]), self._learner.device)
        self._adam.load_state(member, state["adam"])
        self._size[member] = state["size"]
