"""The objective: how advantages of several value heads are combined, which is where algorithms built on PPO differ."""

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
    """The part of ``zoo_onpolicy.learner.Learner`` that an objective may use."""

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

    def compute_values(self, rollout: Rollout, flat: Array | None = None) -> tuple[Floats, Floats]:
        """Values V(s_t) and V(s_{t+1}) of a rollout, each [S, H, T, B]."""

    def gae(self, signals: Floats, values: Floats, next_values: Floats, done: Bools) -> Floats:
        """Advantages [S, H, T, B]."""


class Objective:
    """The policy follows the advantage of the reward alone; subclasses override the methods.

    One objective serves S members. Arrays of a rollout are numpy's, [S, heads, T, B]; those of a minibatch are on the
    learner's device, [S, heads, M].
    """

    learner: LearnerView
    infos: tuple[str, ...] = ()
    """keys of the infos to be recorded in ``rollout.infos``; every step must give them"""

    def bind(self, learner: LearnerView) -> None:
        """Called once, when the learner is built."""
        self.learner = learner

    def heads(self, problem: Problem) -> tuple[str, ...]:
        """Names of the value heads: "reward", then the constraints of the environment."""
        return ("reward", *(problem.constraints.names if problem.constraints else ()))

    def signals(self, rollout: Rollout) -> Floats:
        """The signal whose discounted sum each head predicts, [S, H, T, B]; ``rollout.log_prob`` is already set."""
        return rollout.rewards

    def advantages(self, rollout: Rollout) -> Floats:
        """The advantages whose minibatches are passed to ``mix``, [S, K, T, B]; the whole rollout is already set."""
        return rollout.advantages

    def mix(self, advantages: Array, index: Array) -> Array:
        """The advantage that the policy follows.

        Args:
            advantages: advantages of the minibatch, [S, K, M].
            index: the numbers of its transitions, t * B + b, int64[S, M].

        Returns:
            The combined advantage, [S, M].
        """
        return advantages[:, 0]

    def after_minibatch(self, index: Array, active: Bools) -> None:
        """Called after each gradient step.

        Args:
            index: numbers of the minibatch's transitions, int64[S, M].
            active: members that took the step, bool[S].
        """

    def reference(self, rollout: Rollout) -> Floats | None:
        """Outputs of the actor for a reference policy, [S, T, B, W]; None: the policy at the start of the run."""
        return None

    def finish(self, rollout: Rollout) -> Sequence[Mapping[str, float]]:
        """Called after each update; returns further metrics for each member."""
        return [{} for _ in range(len(rollout.obs))]

    def state(self, member: int) -> Mapping[str, Any]:
        """Everything one member needs to continue bit for bit."""
        return {}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
