"""What the policy follows, from the advantages of several heads: the place where relatives of PPO differ from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zoo import Array, Context, Problem
from zoo_onpolicy.gae import Bools
from zoo_onpolicy.networks import Network
from zoo_onpolicy.rollout import Floats, Rollout


class LearnerView(Protocol):
    """What an objective may use of the learner that it is part of, ``zoo_onpolicy.learner.Learner``."""

    contexts: tuple[Context, ...]
    device: str
    network: Network
    steps: NDArray[np.int64]
    transitions: int

    @property
    def explicit(self) -> bool:
        """Whether a policy is a table."""

    def policy(self, member: int) -> NDArray[np.float64]:
        """Action probabilities float64[states, A], where policies are ``explicit``."""

    def critique(self, rollout: Rollout, flat: Array | None = None) -> tuple[Floats, Floats]:
        """Values of the states of a rollout, and of those arrived in."""

    def gae(self, signals: Floats, values: Floats, following: Floats, done: Bools) -> Floats:
        """Advantages [S, H, T, B]."""


class Objective:
    """Follows the reward alone; each method is a place for a subclass to do otherwise.

    It serves S members. Arrays of a rollout are numpy's, [S, heads, T, B], those of a minibatch [S, heads, M].
    """

    learner: LearnerView
    infos: tuple[str, ...] = ()
    """names of what ``rollout.infos`` is to hold of each step's infos; every step must give them"""

    def bind(self, learner: LearnerView) -> None:
        """Called once, when the learner is built."""
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

    def after_minibatch(self, index: Array, active: Bools) -> None:
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
