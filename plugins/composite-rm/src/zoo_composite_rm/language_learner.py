"""The on-policy learner whose policy is a language model: a rollout keeps a few numbers of each token, and windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gymnasium import spaces
from zoo_onpolicy.backend import namespace
from zoo_onpolicy.distributions import Distribution
from zoo_onpolicy.loss import Minibatch
from zoo_onpolicy.rollout import Floats, Rollout

from zoo import Array, UsageError, lookup
from zoo_composite_rm.language import LanguageNetwork, Reference, Tokens
from zoo_composite_rm.learner import CompositeLearner


class LanguageLearner(CompositeLearner):
    """See Learner; the environment offers ``language_model(device)``, ``reference_model()`` and ``top_k``.

    Raises:
        UsageError: the actions are not tokens.
    """

    network: LanguageNetwork

    def make_distribution(self) -> Distribution:
        """Tokens, of which the reference's most probable ones may be all that are possible."""
        space = self.contexts[0].env.single_action_space
        if not isinstance(space, spaces.Discrete):
            raise UsageError(f"a language model writes tokens, and the actions are {space}: expected Discrete ones.")
        return Tokens(space, lookup(self.contexts[0].env, "top_k"), kl=bool(self.config.reference_kl))

    def make_network(self) -> LanguageNetwork:
        """A fresh copy of the environment's reference for each member."""
        env = self.contexts[0].env
        return LanguageNetwork(
            len(self), len(self.heads), lookup(env, "language_model"), Reference.of(env), self.device,
            kl=bool(self.config.reference_kl),
        )  # fmt: skip

    def update(self) -> list[dict[str, float]]:
        """See Learner. What was read before is forgotten, so that a resumed run reads as this one does."""
        self.network.restart()
        metrics = super().update()
        self.network.restart()
        return metrics

    def forward(self, batch: Minibatch) -> tuple[Array, Array]:
        """See Learner: the loss needs no more of the policy than what it says of the tokens that were written."""
        return self.network.forward(namespace(batch.obs).concat([batch.obs, batch.actions.mT], -1))

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Learner."""
        super().load_state(member, state)
        self.network.restart()

    def _reference(self, rollout: Rollout) -> Floats | None:
        """None: the divergence from the reference is measured with each minibatch."""
        return None
