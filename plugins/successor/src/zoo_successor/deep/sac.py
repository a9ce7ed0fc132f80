"""lambda-sac: the registered algorithm around ``LambdaSAC``."""

from __future__ import annotations

from typing import cast

import torch  # noqa: F401  loaded here so that the core seeds it before the networks are built
from zoo_sb3.agent import OffPolicy

from zoo import State
from zoo_successor.deep.learner import LambdaSAC


class LambdaSoftActorCritic(OffPolicy):
    """SB3's SAC with a lambda-feature head and the critic's correction."""

    learner = LambdaSAC

    @property
    def _model(self) -> LambdaSAC:
        return cast(LambdaSAC, self.model)

    def state(self) -> State:
        """As of the learner, with the bandit's."""
        return {
            **super().state(),
            "bandit": self._model.bandit.state(),
            "rounds": self._model.rounds.state(),
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        super().load_state(state)
        self._model.bandit.load_state(state["bandit"])
        self._model.rounds.load_state(state["rounds"])
