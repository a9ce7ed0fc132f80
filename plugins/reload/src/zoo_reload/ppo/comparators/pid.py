"""PID Lagrangian (Stooke, Achiam and Abbeel 2020, arXiv:2007.03964): multipliers from a controller of the violation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.objective import LearnerView
from zoo_onpolicy.rollout import Floats as Singles
from zoo_onpolicy.rollout import Rollout

from zoo import Array
from zoo_reload.core import Floats
from zoo_reload.ppo.comparators.config import PPOPIDConfig
from zoo_reload.ppo.objective import ConstrainedObjective
from zoo_reload.sampling.constraints import Constraints
from zoo_reload.sampling.multipliers import Projected


class PIDObjective(ConstrainedObjective):
    """Algorithm 2 of the paper for N constraints and S members; the policy's update is PPO's."""

    def __init__(self, members: int, constraints: Constraints, config: PPOPIDConfig) -> None:
        super().__init__(members, constraints, config)
        self._gains = config.kp, config.ki, config.kd
        self._kind = Projected(constraints.sign, constraints.equality, config.cap)
        self.bounds = self._kind.high
        self._integral: Floats = np.zeros_like(self.x)
        self._previous: Floats = np.zeros_like(self.x)
        self._stepped: NDArray[np.bool_] = np.zeros(members, dtype=bool)
        """whether there is a violation before this one"""
        self._used: Floats = self._kind.weights(self.x)

    def bind(self, learner: LearnerView) -> None:
        """See Objective."""
        super().bind(learner)
        self._mixture = self.on_device(self._used)

    def weights(self) -> Floats:
        """(1, -s lambda) / (1 + sum |lambda|), the rescaled objective of section 6."""
        return self._used

    def multipliers(self) -> Floats:
        """lambda_i in reward per unit of the signal, [S, N]."""
        return np.asarray(self.x / self.measurements.scale.unit)

    def advantages(self, rollout: Rollout) -> Singles:
        """Those of each head; the weights of the iteration are fixed here."""
        self._used = self._kind.weights(self.x)
        self._mixture = self.on_device(self._used)
        return rollout.advantages

    def mix(self, advantages: Array, index: Array) -> Array:
        """The weighted sum, [S, M]."""
        return (self._mixture * advantages).sum(1)

    def step(self, g: Floats, known: NDArray[np.bool_]) -> None:
        """The controller: error Delta = g_k, its positive increase, and its sum, which is kept at 0 or above.

        For equalities neither the increase nor the sum is cut at 0.
        """
        kp, ki, kd = self._gains
        free = self.constraints.equality
        Delta = g
        increase = np.where(self._stepped[:, None], Delta - self._previous, 0.0)
        derivative = np.where(free, increase, np.maximum(increase, 0.0))
        integral = self._integral + Delta
        integral = np.where(free, integral, np.maximum(integral, 0.0))
        controlled = self._kind.clip(kp * Delta + ki * integral + kd * derivative)
        moves = known[:, None]
        self.x = np.where(moves, controlled, self.x)
        self._integral = np.where(moves, integral, self._integral)
        self._previous = np.where(moves, Delta, self._previous)
        self._stepped |= known

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        return {
            **super().state(member),
            "used": self._used[member].copy(),
            "integral": self._integral[member].copy(),
            "previous": self._previous[member].copy(),
            "stepped": bool(self._stepped[member]),
        }

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        super().load_state(member, state)
        self._used[member], self._integral[member] = state["used"], state["integral"]
        self._previous[member], self._stepped[member] = state["previous"], state["stepped"]
