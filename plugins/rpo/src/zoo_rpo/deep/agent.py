"""``rpo-ppo``: regularised policy optimisation with PPO."""

from __future__ import annotations

from collections.abc import Sequence

from zoo_onpolicy.agent import OnPolicy

from zoo import Context
from zoo_rpo.deep.config import RPOPPOConfig
from zoo_rpo.deep.learner import Defaults, TaskLearner


class RPOPPO(OnPolicy[RPOPPOConfig]):
    """PPO whose policies are regularised towards a default that is kept from task to task."""

    @classmethod
    def make_learner(cls, contexts: Sequence[Context], config: RPOPPOConfig) -> TaskLearner:
        """One learner for all these members."""
        return TaskLearner(contexts, config, Defaults(len(contexts), config))
