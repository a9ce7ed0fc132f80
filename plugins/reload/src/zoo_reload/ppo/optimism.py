"""ReLOAD's optimism: each player's step extrapolates its gradient, 2 x_k - x_{k-1}.

Equations 14 and 15 of docs/methods/reload.md. What is extrapolated is the Lagrangian itself, with weights (1, -s mu);
the size of the mixture is divided out once, afterwards. Extrapolated normalised weights could have a negative weight
of the reward: after a large step of a multiplier the policy would learn to earn less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.backend import on_device, on_host
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.objective import LearnerView
from zoo_onpolicy.rollout import Floats as Singles
from zoo_onpolicy.rollout import Rollout

from zoo import Array
from zoo_reload.core import Floats
from zoo_reload.ppo.action_values import ActionValues, action_values_of
from zoo_reload.ppo.config import ReloadPPOConfig
from zoo_reload.ppo.lagrangian import LagrangianObjective
from zoo_reload.sampling.constraints import Constraints


class ReloadObjective(LagrangianObjective):
    """Optimistic gradients for the policy, the multipliers, both or neither; S members.

    Args:
        members: S.
        constraints: the constraints.
        config: the options.
    """

    def __init__(self, members: int, constraints: Constraints, config: ReloadPPOConfig) -> None:
        super().__init__(members, constraints, config)
        self._optimistic_policy = config.optimism in ("both", "policy")
        self._optimistic_multiplier = config.optimism in ("both", "multiplier")
        self._source = config.optimism_source
        self._has_previous: NDArray[np.bool_] = np.zeros(members, dtype=bool)
        """whether there is an iteration k - 1"""
        self._gradient: Floats = np.zeros_like(self.x)
        """gradient by x in the last rollout in which an episode ended, [S, N]"""
        self._has_gradient: NDArray[np.bool_] = np.zeros(members, dtype=bool)
        """whether there is such a gradient"""
        self._critic: Array | None = None
        """parameters of the networks at iteration k - 1, [S, P], where the source is the critic"""
        self._previous_values: ActionValues | None = None
        """A_{k-1}(s, a), where the source are the action values"""

    def bind(self, learner: LearnerView) -> None:
        """See Objective."""
        super().bind(learner)
        if self._optimistic_policy and self._source == "critic":
            self._critic = learner.network.parameters.flat + 0.0
        if self._optimistic_policy and self._source == "action-value":
            self._previous_values = action_values_of(cast(Learner, learner))

    def advantages(self, rollout: Rollout) -> Singles:
        """A_kj of each head j, and those of iteration k - 1 for the same states and actions.

        Returns:
            [S, 2 (1 + N), T, B], or [S, 1 + N, T, B] where both are the same.
        """
        before, plain = self.used, super().advantages(rollout)
        if not self._optimistic_policy:
            return plain
        # x_{-1} = x_0: the first step is a plain one.
        first = ~self._has_previous
        before = np.where(first[:, None], self.used, before)
        size = self.used[:, :1]
        # L_k = w_k / size and L_{k-1} = before / before_0 weigh the reward by 1; the size of k is divided out of both.
        now, earlier = 2 * self.used, -before * (size / before[:, :1])
        if self._source == "weights":
            self._mixture = self.on_device(now + earlier)
            followed = plain
        else:
            self._mixture = self.on_device(np.concatenate([now, earlier], axis=1))
            previous = self._previous(rollout)
            previous[first] = plain[first]
            followed = np.concatenate([plain, previous], axis=1)
        self._has_previous[:] = True
        return followed

    def _previous(self, rollout: Rollout) -> Singles:
        """A_{k-1}(s, a) of each head at the transitions of iteration k, which then become the earlier ones."""
        if self._previous_values is not None:
            previous = self._previous_values.predict(rollout)
            self._previous_values.fit(rollout)
            return previous
        learner, critic = self.learner, cast(Array, self._critic)
        values, next_values = learner.compute_values(rollout, critic)
        critic[:] = learner.network.parameters.flat
        return learner.gae(rollout.signals, values, next_values, rollout.done)

    def ascent(self, gradient: Floats, known: NDArray[np.bool_]) -> Floats:
        """2 g_k - g_{k-1}, the first time g_k (equation 15)."""
        optimistic = self._has_gradient[:, None] & self._optimistic_multiplier
        ascent = np.where(optimistic, 2 * gradient - self._gradient, gradient)
        self._gradient = np.where(known[:, None], gradient, self._gradient)
        self._has_gradient |= known
        return np.asarray(ascent)

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        state = {
            **super().state(member),
            "gradient": self._gradient[member].copy(),
            "begun": bool(self._has_previous[member]),
            "stepped": bool(self._has_gradient[member]),
        }
        if self._critic is not None:
            state["critic"] = on_host(self._critic[member]).copy()
        if self._previous_values is not None:
            state["action_values"] = self._previous_values.state(member)
        return state

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        super().load_state(member, state)
        self._gradient[member], self._has_gradient[member] = state["gradient"], state["stepped"]
        self._has_previous[member] = state["begun"]
        if self._critic is not None:
            self._critic[member] = on_device(np.asarray(state["critic"]), self.learner.device)
        if self._previous_values is not None:
            # Runs stored before there were any take a plain step first.
            self._has_previous[member] = state["begun"] and "action_values" in state
            if "action_values" in state:
                self._previous_values.load_state(member, state["action_values"])
