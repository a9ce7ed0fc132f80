"""CRPO (Xu, Liang and Lan 2021, arXiv:2011.05869): reward while all constraints hold, else less of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from zoo_onpolicy.objective import LearnerView
from zoo_onpolicy.rollout import Floats as Singles
from zoo_onpolicy.rollout import Rollout

from zoo import Array
from zoo_reload.core import Floats
from zoo_reload.ppo.comparators.config import CRPOConfig
from zoo_reload.ppo.objective import ConstrainedObjective
from zoo_reload.sampling.constraints import Constraints


class CRPOObjective(ConstrainedObjective):
    """Algorithm 1 of the paper for S members; one step of the policy is an update of PPO.

    The paper answers with an iterate drawn from those that took a step of the reward; here it is the last iterate.
    """

    def __init__(self, members: int, constraints: Constraints, config: CRPOConfig) -> None:
        super().__init__(members, constraints, config)
        self._tolerance = config.tolerance
        self._weights: Floats = np.zeros((members, 1 + self.x.shape[1]))
        self._weights[:, 0] = 1.0

    def bind(self, learner: LearnerView) -> None:
        """See Objective."""
        super().bind(learner)
        self._mixture = self.on_device(self._weights)

    def weights(self) -> Floats:
        """1 for what this iteration pursues and 0 for the rest; -s_i for the violated constraint i."""
        return self._weights

    def advantages(self, rollout: Rollout) -> Singles:
        """Decide by the values of this rollout; where no episode ended, go on as before."""
        values = self.measure(rollout)
        g, known = values.g, values.known
        if g.shape[1]:
            excess = np.where(self.constraints.equality, np.abs(g), g) - self.scheduled(self._tolerance)
            worst = excess.argmax(axis=1)
            rows = np.arange(len(g))
            chosen = np.zeros_like(self._weights)
            violated = excess[rows, worst] > 0
            chosen[~violated, 0] = 1.0
            direction = np.where(self.constraints.equality, np.sign(g), 1.0) * self.constraints.sign
            chosen[rows[violated], 1 + worst[violated]] = -direction[rows, worst][violated]
            self._weights = np.where(known[:, None], chosen, self._weights)
        self._mixture = self.on_device(self._weights)
        return rollout.advantages

    def mix(self, advantages: Array, index: Array) -> Array:
        """The advantage of the reward, or minus that of the violated constraint, [S, M]."""
        return (self._mixture * advantages).sum(1)

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        return {**super().state(member), "weights": self._weights[member].copy()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        super().load_state(member, state)
        self._weights[member] = state["weights"]
