"""The on-policy learner whose policy starts as the environment's reference policy."""

from __future__ import annotations

from zoo_onpolicy.distributions import Categorical
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.networks import Network

from zoo import UsageError
from zoo_composite_rm.network import ReferenceMLP
from zoo_composite_rm.objective import CompositeObjective


class CompositeLearner(Learner):
    """See Learner.

    Raises:
        UsageError: the observations are states, or the actions not discrete.
    """

    reads_images = False
    objective: CompositeObjective

    def make_network(self) -> Network:
        """The reference's logits plus an MLP."""
        env = self.contexts[0].env
        if self.encoder.discrete or not isinstance(self.distribution, Categorical):
            raise UsageError(
                f"observations are {env.single_observation_space} and actions {env.single_action_space}: expected a "
                "Box of what the reference policy reads, and Discrete tokens."
            )
        return ReferenceMLP(
            len(self), self.encoder.size, len(self.heads), self.distribution, self.config.network, self.device,
            self.objective.task.reference_logits,
        )  # fmt: skip
