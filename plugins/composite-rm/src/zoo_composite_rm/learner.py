"""The on-policy learner with a reference policy, and a step of the multipliers after each minibatch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.arrays import on_host
from zoo_onpolicy.config import PPOConfig
from zoo_onpolicy.distributions import Categorical
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.networks import Network
from zoo_onpolicy.rollout import Rollout

from zoo import Context, UsageError, lookup
from zoo_composite_rm.mixer import CompositeMixer
from zoo_composite_rm.network import ReferenceMLP

if TYPE_CHECKING:
    from zoo_onpolicy.loss import Coefficients, Loss, Minibatch


class CompositeLearner(Learner):
    """See Learner.

    Raises:
        UsageError: the observations are states, or the actions not discrete.
    """

    mixer: CompositeMixer

    def __init__(self, contexts: Sequence[Context], config: PPOConfig, mixer: CompositeMixer) -> None:
        self._active: NDArray[np.bool_] = np.ones(len(contexts), dtype=bool)
        super().__init__(contexts, config, mixer)

    def make_network(self) -> Network:
        """The environment's language model where it has one, else the reference's logits plus a perceptron."""
        env = self.contexts[0].env
        if self.encoder.discrete or not isinstance(self.distribution, Categorical):
            raise UsageError(
                f"observations are {env.single_observation_space} and actions {env.single_action_space}: expected a "
                "Box of what the reference policy reads, and Discrete tokens."
            )
        if lookup(env, "language_model") is not None:
            from zoo_composite_rm.language import make_network

            network: Network = make_network(self, env)
            return network
        return ReferenceMLP(
            len(self), self.encoder.size, len(self.heads), self.distribution, self.config.network, self.device,
            self.mixer.task.reference_logits,
        )  # fmt: skip

    def improve(self, rollout: Rollout) -> list[dict[str, float]]:
        """See Learner."""
        self._active[:] = True
        return super().improve(rollout)

    def gradient(self, batch: Minibatch, weights: Coefficients) -> Loss:
        """See Learner; then the mixer learns from the same minibatch, where a member is not done for this rollout."""
        loss = super().gradient(batch, weights)
        self.mixer.after_minibatch(on_host(batch.index), self._active)
        if self.config.target_kl is not None:
            self._active &= on_host(loss.approx_kl) <= 1.5 * self.config.target_kl
        return loss
