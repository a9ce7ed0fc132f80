"""Objectives whose weights are multipliers that learn beside the policy: ``mu-ppo``, ``xi-ppo`` and ``all-ppo``.

The multipliers descend sum_i sigma(m_i) d (v_i - theta_i), where v_i is the mean score of the minibatch's episodes, and
d = -1 where the constraint is an upper bound, else 1 (arXiv:2310.04373, section 4 and appendix).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.backend import on_host
from zoo_onpolicy.rollout import Rollout

from zoo import Array, Context, Outcome
from zoo_composite_rm.config import AllConfig, LagrangianConfig, MuConfig, XiConfig
from zoo_composite_rm.environment import Floats, Singles, Task
from zoo_composite_rm.episode_means import episode_ends
from zoo_composite_rm.multipliers import KINDS, Multipliers
from zoo_composite_rm.objective import CompositeObjective

SATURATED_FROM = 0.99
"""a multiplier is saturated once it uses more than this fraction of its range,"""
SATURATED_AFTER = 10
"""with its constraint violated for at least this many updates in a row"""
_INITIAL_STD = 0.1
"""standard deviation of the initial m, which the paper draws from N(0, 0.01)"""


class LagrangianObjective(CompositeObjective):
    """N constraints v_i >= theta_i, = theta_i or <= theta_i of the mean scores, for S members.

    A subclass may move ``thresholds`` between updates; they belong to the state.

    Args:
        contexts: of the members.
        task: the reward models and the reference policy.
        config: the options.
        multiplier: one of ``KINDS``.

    Raises:
        UnknownNameError: the options give a threshold of an unknown reward model.
    """

    sense: Literal[">=", "==", "<="]
    """the relation of every constraint"""
    config: LagrangianConfig

    def __init__(
        self,
        contexts: Sequence[Context],
        task: Task,
        config: LagrangianConfig,
        multiplier: str,
        *,
        kl_target: float | None = None,
    ) -> None:
        S, N = len(contexts), len(task.names)
        super().__init__(S, task, config, kl_target)
        self.multipliers: Multipliers = KINDS[multiplier](self.sense == "==", config.cap)
        self.thresholds: Floats = np.tile(task.named(config.thresholds, task.thresholds), (S, 1))
        """theta, [S, N]"""
        initial = np.array([ctx.stream("multipliers").normal(0.0, _INITIAL_STD) for ctx in contexts])
        self.x: Floats = self.multipliers.clip(np.repeat(initial[:, None], N, axis=1))
        """the variables that are optimised, [S, N]"""
        self._velocity: Floats = np.zeros((S, N))
        self._saturated_updates: NDArray[np.int64] = np.zeros((S, N), dtype=np.int64)
        """updates in a row with a saturated multiplier and a violated constraint"""
        self._task_weights: Floats = np.append(np.zeros(N), 1.0)
        """weights of the heads in the task's advantage, [N + 1]"""
        self._reward_to_go: Singles = np.zeros((S, N, 0), np.float32)
        self._share: Floats = np.zeros((S, 0))

    @property
    def _direction(self) -> float:
        """The sign d of the module's docstring."""
        return -1.0 if self.sense == "<=" else 1.0

    def weights(self) -> Floats:
        """See CompositeObjective."""
        mixture = self.multipliers.task_weight(self.x)[:, None] * self._task_weights
        mixture[:, :-1] += self._direction * self.multipliers.constraint_weights(self.x)
        return np.asarray(mixture)

    def effective(self) -> Floats:
        """mu_i of the Lagrangian task + sum_i mu_i d (v_i - theta_i), [S, N]."""
        return self.multipliers.effective(self.x)

    def signals(self, rollout: Rollout) -> Singles:
        """See Objective; also keeps, for each transition, what ``after_minibatch`` needs."""
        signals = super().signals(rollout)
        scores = rollout.rewards[:, 1:]
        end, share = episode_ends(rollout.done)
        # Scores are paid at the end only, so the reward-to-go of every transition is its episode's score.
        reward_to_go = np.take_along_axis(scores, np.broadcast_to(end[:, None], scores.shape), axis=2)
        self._reward_to_go = reward_to_go.reshape(*reward_to_go.shape[:2], -1)
        self._share = share.reshape(len(share), -1)
        return signals

    def after_minibatch(self, index: Array, active: NDArray[np.bool_]) -> None:
        """One step of the multipliers: SGD with momentum, gradient clipped in norm.

        Transitions are weighted such that each episode counts alike, however long it is.
        """
        index = on_host(index)
        share = np.take_along_axis(self._share, index, axis=1)
        total = share.sum(axis=1)
        reward_to_go = np.take_along_axis(self._reward_to_go, index[:, None], axis=2)
        v = np.einsum("sm,snm->sn", share, reward_to_go) / np.where(total > 0, total, 1.0)[:, None]
        gradient = self.multipliers.slope(self.x) * self._direction * (v - self.thresholds)
        norm = np.linalg.norm(gradient, axis=1, keepdims=True)
        gradient *= np.minimum(1.0, self.config.max_grad_norm / (norm + 1e-6))
        moves = (active & (total > 0))[:, None]
        self._velocity = np.where(moves, self.config.momentum * self._velocity + gradient, self._velocity)
        stepped = self.multipliers.clip(self.x - self.config.lr_mu * self._velocity)
        self.x = np.where(moves, stepped, self.x)
        self._update_mixture()

    def finish(self, rollout: Rollout) -> Sequence[Mapping[str, float]]:
        """See CompositeObjective."""
        rows = super().finish(rollout)
        saturated = self.multipliers.range_used(self.x) > SATURATED_FROM
        stuck = saturated & (self.violation() > self.config.tol)
        count = (self._saturated_updates + 1) * stuck
        self._saturated_updates = np.where(self.means.episodes[:, None] > 0, count, self._saturated_updates)
        reported = np.any(self._saturated_updates >= SATURATED_AFTER, axis=1).astype(np.float64)
        return [{**row, "saturated": value} for row, value in zip(rows, reported.tolist(), strict=True)]

    def violation(self) -> Floats:
        """How far the means of the last rollout are on the wrong side of the thresholds, [S, N]."""
        shortfall = self._direction * (self.thresholds - self.means.scores)
        return np.abs(shortfall) if self.sense == "==" else np.maximum(shortfall, 0.0)

    def report(self, member: int) -> dict[str, float]:
        """``threshold/``, ``violation/`` and, after the update, ``multiplier/`` of each reward model."""
        arrays = {"threshold": self.thresholds, "violation": self.violation(), "multiplier": self.effective()}
        return {
            key: number for what, values in arrays.items() for key, number in self.by_name(what, values[member]).items()
        }

    def outcome(self, member: int) -> Outcome | None:
        """A threshold that no score reaches, or a saturated multiplier whose constraint stays violated; else None."""
        unreachable = self._unreachable(member)
        if unreachable:
            return Outcome("infeasible_suspected", unreachable)
        stuck = np.flatnonzero(self._saturated_updates[member] >= SATURATED_AFTER)
        if not len(stuck):
            return None
        violated = ", ".join(f"{self.task.names[i]!r} {self.sense} {self.thresholds[member, i]:g}" for i in stuck)
        return Outcome(
            "infeasible_suspected",
            f"still violated with a saturated multiplier, which cannot weigh it more: {violated}.",
        )

    def _unreachable(self, member: int) -> str:
        """A sentence on each threshold outside the possible scores."""
        if self.task.ranges is None:
            return ""
        notes = []
        for name, theta, (low, high) in zip(
            self.task.names, self.thresholds[member].tolist(), self.task.ranges.tolist(), strict=True
        ):
            if (theta > high and self.sense != "<=") or (theta < low and self.sense != ">="):
                notes.append(f"{name!r} {self.sense} {theta:g} is outside the possible scores, [{low:g}, {high:g}].")
        return " ".join(notes)

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        return {
            **super().state(member),
            "x": self.x[member].copy(),
            "velocity": self._velocity[member].copy(),
            "thresholds": self.thresholds[member].copy(),
            "full": self._saturated_updates[member].copy(),
        }

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        self.x[member], self._velocity[member] = state["x"], state["velocity"]
        self.thresholds[member], self._saturated_updates[member] = state["thresholds"], state["full"]
        super().load_state(member, state)


class MuObjective(LagrangianObjective):
    """Near the reference, with v_i >= theta_i (``mu-ppo``)."""

    sense = ">="

    def __init__(self, contexts: Sequence[Context], task: Task, config: MuConfig) -> None:
        super().__init__(contexts, task, config, config.multiplier)


class XiObjective(LagrangianObjective):
    """Near the reference, with v_i = theta_i (``xi-ppo``)."""

    sense = "=="

    def __init__(self, contexts: Sequence[Context], task: Task, config: XiConfig) -> None:
        super().__init__(contexts, task, config, config.multiplier)


class AllObjective(LagrangianObjective):
    """The weighted sum of all, with v_i <= theta_i (``all-ppo``).

    Raises:
        UnknownNameError: the options name an unknown reward model.
    """

    sense = "<="

    def __init__(self, contexts: Sequence[Context], task: Task, config: AllConfig) -> None:
        super().__init__(contexts, task, config, config.multiplier, kl_target=config.kl_target)
        self._task_weights[:-1] = task.named(config.weights, np.ones(len(task.names)))
