"""What the advantages of several heads are for: the place where relatives of PPO differ from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoo import Array, Problem
from zoo_onpolicy.rollout import Floats, Rollout

if TYPE_CHECKING:
    from zoo_onpolicy.learner import Learner


class Mixer:
    """Follows the reward alone; each method is a place for a subclass to do otherwise.

    One mixer serves S members. Arrays of a rollout are numpy's, [S, heads, T, B], those of a minibatch [S, heads, M].
    """

    learner: Learner
    infos: tuple[str, ...] = ()
    """names of what ``rollout.infos`` is to hold of each step's infos; every step must give them"""

    def bind(self, learner: Learner) -> None:
        """Called once, when the learner is built; ``self.learner`` gives access to networks and parameters."""
        self.learner = learner

    def heads(self, problem: Problem) -> tuple[str, ...]:
        """Names of the value heads: "reward", then the constraints of the environment."""
        return ("reward", *(problem.constraints.names if problem.constraints else ()))

    def signals(self, rollout: Rollout) -> Floats:
        """What each head predicts the sum of, [S, H, T, B]; ``rollout.log_prob`` is known by now."""
        return rollout.rewards

    def advantages(self, rollout: Rollout) -> Floats:
        """What ``mix`` is given minibatches of, [S, K, T, B]; the whole rollout is known by now."""
        return rollout.advantages

    def mix(self, advantages: Array, index: Array) -> Array:
        """The advantage that the policy follows.

        Args:
            advantages: of the minibatch, [S, K, M].
            index: the numbers of its transitions, t * B + b, int64[S, M].

        Returns:
            [S, M].
        """
        return advantages[:, 0]

    def after_minibatch(self, index: Array, active: NDArray[np.bool_]) -> None:
        """Called after each gradient step, with the transitions int64[S, M] and which members took it, bool[S]."""

    def reference(self, rollout: Rollout) -> Floats | None:
        """Outputs of the actor for a reference policy, [S, T, B, W]; None: the policy at the start of the run."""
        return None

    def finish(self, rollout: Rollout) -> Sequence[Mapping[str, float]]:
        """Called after each update; further metrics for each member."""
        return [{} for _ in range(len(rollout.obs))]

    def state(self, member: int) -> Mapping[str, Any]:
        """All that one member needs to go on bit for bit."""
        return {}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
