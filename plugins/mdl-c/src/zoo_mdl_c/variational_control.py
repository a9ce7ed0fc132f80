"""A control policy whose description length is penalised: the actor of ``mdl-c-vdo-po``.

Weights are drawn once for each update, w = mu + sigma epsilon, for collecting and learning alike, so that the policy
gradient is that of the policy that acted. Between updates, as in evaluation, w = mu where log alpha < 3, else 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.distributions import Distribution
from zoo_onpolicy.networks import ALL_MEMBERS, MLP, Floats, Parameters

from zoo import Array, Context, UsageError
from zoo_mdl_c.config import VDOPOConfig
from zoo_mdl_c.description_length import THRESHOLD, kl_gradients, kl_per_weight, log_alpha

__all__ = ["VariationalMLP"]


class VariationalMLP(MLP):
    """An actor with variational dropout in all its layers, and an ordinary critic; see ``MLP``.

    Raises:
        UsageError: the device is not the CPU.
    """

    def __init__(
        self,
        members: int,
        inputs: int,
        heads: int,
        distribution: Distribution,
        config: VDOPOConfig,
        contexts: Sequence[Context],
    ) -> None:
        device = contexts[0].device
        if device != "cpu":
            raise UsageError(f"device {device!r}: mdl-c-vdo-po runs on the cpu alone.")
        super().__init__(members, inputs, heads, distribution, config.network, device)
        self._options, self._contexts = config, contexts
        shapes = {**self._actor.shapes(), **self._critic.shapes()}
        if self._num_log_stds:
            shapes["log_std"] = (self._num_log_stds, 1)
        self._penalised = [weight for weight, _ in self._actor.names]
        self.parameters = Parameters(
            members, shapes | {f"{name}.log_sigma": shapes[name] for name in self._penalised}, device
        )
        self._epsilon: dict[str, Floats] | None = None  # None: evaluation
        self._steps: NDArray[np.int64] = np.zeros(members, dtype=np.int64)

    def initialise(self, member: int, rng: np.random.Generator) -> None:
        """See MLP; the weights' standard deviations start at exp(log_sigma_init)."""
        super().initialise(member, rng)
        for name in self._penalised:
            shape = self.parameters.views[name].shape[1:]
            self.parameters.assign(f"{name}.log_sigma", member, np.full(shape, self._options.log_sigma_init))

    def sample_weights(self, steps: Sequence[int]) -> None:
        """Draw the noise epsilon of each member from its own stream; ``steps``: gradient steps of each so far."""
        self._steps[:] = steps
        shapes = {name: self.parameters.views[name].shape[1:] for name in self._penalised}
        self._epsilon = {
            name: np.stack([ctx.rng.standard_normal(shape, dtype=np.float32) for ctx in self._contexts])
            for name, shape in shapes.items()
        }

    def use_means(self) -> None:
        """Act with the pruned mean weights from now on."""
        self._epsilon = None

    def _effective(self, views: Mapping[str, Any]) -> dict[str, Any]:
        weights = {}
        for name in self._penalised:
            mu, log_sigma = views[name], views[f"{name}.log_sigma"]
            if self._epsilon is None:
                weights[name] = mu * (log_alpha(mu, log_sigma) < THRESHOLD)
            else:
                weights[name] = mu + np.exp(log_sigma) * self._epsilon[name]
        return {**views, **weights}

    def act(self, obs: NDArray[Any], members: slice = ALL_MEMBERS) -> Floats:
        """See Network."""
        arrays = self._effective(self.parameters.host())
        outputs = self._actor.act(obs, arrays, members)
        if not self._num_log_stds:
            return outputs
        log_std = np.broadcast_to(arrays["log_std"][members].mT, outputs.shape)
        return np.concatenate([outputs, log_std], axis=-1)

    def policy(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        views = self._effective(self.parameters.views if flat is None else self.parameters.split(flat))
        return self._with_log_std(self._actor.forward(obs, views), views)

    def forward(self, obs: Array) -> tuple[Array, Array]:
        """See Network."""
        self._drawn = views = self._effective(self.parameters.views)
        outputs = self._with_log_std(self._actor.forward(obs, views, keep=True), views)
        return outputs, self._critic.forward(obs, views, keep=True)

    def backward(self, d_policy: Array, d_values: Array) -> None:
        """See Network: dw = dmu and dw sigma epsilon = dlog sigma, plus the gradients of the penalty."""
        gradients, views = self.parameters.gradients, self.parameters.views
        if self._num_log_stds:
            gradients["log_std"][:, :, 0] = d_policy[:, self._num_log_stds :].sum(2)
            d_policy = d_policy[:, : self._num_log_stds]
        self._actor.backward(d_policy, self._drawn, gradients)
        self._critic.backward(d_values, views, gradients)
        count = sum(views[name][0].size for name in self._penalised)
        price = [self._options.coefficient(int(step), count) for step in self._steps]
        coefficient = np.array(price, dtype=np.float32)[:, None, None]
        for name in self._penalised:
            mu, log_sigma = views[name], views[f"{name}.log_sigma"]
            by_mu, by_log_sigma = kl_gradients(mu, log_sigma)
            epsilon = self._epsilon[name] if self._epsilon is not None else 0.0
            spread = gradients[name] * np.exp(log_sigma) * epsilon
            gradients[f"{name}.log_sigma"][:] = spread + coefficient * by_log_sigma
            gradients[name][:] += coefficient * by_mu
        self._steps += 1

    def report(self, member: int) -> dict[str, float]:
        """``control/sparsity`` and ``control/length`` (nats), over all weights of the actor."""
        views = self.parameters.views
        alphas = [
            log_alpha(views[name][member], views[f"{name}.log_sigma"][member]).ravel() for name in self._penalised
        ]
        alpha = np.concatenate(alphas)
        return {
            "control/sparsity": float((alpha >= THRESHOLD).mean()),
            "control/length": float(kl_per_weight(alpha).sum()),
        }
