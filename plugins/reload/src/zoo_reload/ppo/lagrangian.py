"""PPO-Lagrangian: the weighted advantage that the policy follows, and the step of the multipliers.

Equations 12, 13 and 15 of docs/methods/reload.md; 15 without optimism.
"""

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
from zoo_reload.ppo.config import PPOLagrangianConfig
from zoo_reload.ppo.objective import ConstrainedObjective
from zoo_reload.sampling.constraints import Constraints
from zoo_reload.sampling.multipliers import Multipliers, Projected, Sigmoid


class LagrangianObjective(ConstrainedObjective):
    """Gradient ascent of the policy and descent of the multipliers on the Lagrangian, for S members.

    Args:
        members: S.
        constraints: the constraints.
        config: the options.
    """

    def __init__(self, members: int, constraints: Constraints, config: PPOLagrangianConfig) -> None:
        super().__init__(members, constraints, config)
        kind: type[Multipliers] = Projected if config.multiplier == "projected" else Sigmoid
        self.kind = kind(constraints.sign, constraints.equality, config.cap)
        self.bounds = self.kind.high
        self.lr_mu = config.lr_mu
        self.used: Floats = self.kind.weights(self.x)
        """w_k of the iteration whose rollout was collected last, [S, 1 + N]"""

    def bind(self, learner: LearnerView) -> None:
        """See Objective."""
        super().bind(learner)
        self._mixture = self.on_device(self.used)

    def weights(self) -> Floats:
        """w_k = (1, -s_1 mu_1, ..., -s_N mu_N) / (1 + sum |mu_i|), or bounded ones (equation 12)."""
        return self.used

    def multipliers(self) -> Floats:
        """mu_i in reward per unit of the signal, [S, N]."""
        return np.asarray(self.kind.effective(self.x) / self.measurements.scale.unit)

    def advantages(self, rollout: Rollout) -> Singles:
        """A_kj of each head j; the weights of iteration k are fixed here."""
        self.used = self.kind.weights(self.x)
        self._mixture = self.on_device(self.used)
        return rollout.advantages

    def mix(self, advantages: Array, index: Array) -> Array:
        """A_k = sum_j w_kj A_kj (equation 13), [S, M]."""
        return (self._mixture * advantages).sum(1)

    def step(self, g: Floats, known: NDArray[np.bool_]) -> None:
        """mu_{k+1} = clip(mu_k + lr_mu g_k): see ``ascent`` (equation 15)."""
        gradient = self.kind.slope(self.x) * g
        moved = self.kind.clip(self.x + self.scheduled(self.lr_mu) * self.ascent(gradient, known))
        self.x = np.where(known[:, None], moved, self.x)

    def ascent(self, gradient: Floats, known: NDArray[np.bool_]) -> Floats:
        """The direction of the multipliers' step, [S, N]."""
        return gradient

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        return {**super().state(member), "weights": self.used[member].copy()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        super().load_state(member, state)
        self.used[member] = state["weights"]
