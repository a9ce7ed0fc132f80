"""The base of all objectives: one value head for each reward model and one for KL, and what is logged of a rollout.

The heads are the N reward models in the environment's order, and "kl" last. Arrays as in ``zoo_onpolicy.objective``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from zoo_onpolicy.backend import on_device
from zoo_onpolicy.objective import LearnerView, Objective
from zoo_onpolicy.rollout import Rollout

from zoo import Array, Outcome, Problem
from zoo_composite_rm.config import CompositeConfig, SatConfig, SumConfig
from zoo_composite_rm.environment import Floats, Singles, Task
from zoo_composite_rm.episode_means import Means, checked_scores


class CompositeObjective(Objective):
    """A weighted sum of the advantages of N reward models and of KL, for S members.

    Args:
        members: S.
        task: the reward models and the reference policy.
        config: the options.
        kl_target: see SumConfig.
    """

    means: Means
    """of the last rollout"""

    def __init__(self, members: int, task: Task, config: CompositeConfig, kl_target: float | None = None) -> None:
        self.task, self.config = task, config
        self.infos = ("evaluation",) if task.evaluation_names else ()
        self.kl_coef: Floats = np.full(members, config.kl_coef)
        """alpha of each member"""
        self._kl_target = kl_target
        self._log_ratio: Singles = np.zeros((members, 0, 0), np.float32)

    def bind(self, learner: LearnerView) -> None:
        """See Objective."""
        super().bind(learner)
        self._update_mixture()

    @abstractmethod
    def weights(self) -> Floats:
        """The weights of the heads' advantages, [S, N + 1]."""

    @abstractmethod
    def report(self, member: int) -> dict[str, float]:
        """Further metrics of one member, in whose last rollout an episode ended."""

    def outcome(self, member: int) -> Outcome | None:
        """What is concluded about one member's run; None: nothing."""
        return None

    def heads(self, problem: Problem) -> tuple[str, ...]:
        """The reward models, then "kl"."""
        return (*self.task.names, "kl")

    def signals(self, rollout: Rollout) -> Singles:
        """Rewards of the reward models, and r_KL = -alpha (log pi - log pi0) of each token."""
        self._log_ratio = rollout.log_prob - self.task.log_pi0(rollout.obs, rollout.actions)
        r_kl = (-self.kl_coef[:, None, None] * self._log_ratio).astype(np.float32)
        return np.concatenate([self.rewards(checked_scores(rollout, self.task), rollout), r_kl[:, None]], axis=1)

    def rewards(self, scores: Singles, rollout: Rollout) -> Singles:
        """The rewards of the reward models' heads, [S, N, T, B], from the scores."""
        return scores

    def reference(self, rollout: Rollout) -> Singles:
        """Logits of pi0, [S, T, B, A]."""
        return np.asarray(self.task.reference_logits(rollout.obs), dtype=np.float32)

    def mix(self, advantages: Array, index: Array) -> Array:
        """See Objective."""
        return (self._mixture * advantages).sum(1)

    def _update_mixture(self) -> None:
        """Recompute the mixture; to be called when the weights have changed."""
        self._mixture = on_device(self.weights().astype(np.float32)[:, :, None], self.learner.device)

    def finish(self, rollout: Rollout) -> Sequence[Mapping[str, float]]:
        """Measure the rollout, and adapt the KL coefficient if there is a target.

        Returns:
            ``train/episodes`` and ``kl_coef``; where an episode ended also ``value/`` and ``weight/`` of each reward
            model (the weight is that of after the update), ``kl``, ``evaluation/`` and ``report``'s.
        """
        self.means = means = Means.of(rollout, self._log_ratio, self.task)
        weights = self.weights()
        rows = []
        for member, episodes in enumerate(means.episodes.tolist()):
            row = {"train/episodes": float(episodes), "kl_coef": float(self.kl_coef[member])}
            if episodes:
                row |= self.by_name("value", means.scores[member]) | self.by_name("weight", weights[member])
                row["kl"] = float(means.kl[member])
                if means.evaluation is not None:
                    row["evaluation/estimate"] = float(means.evaluation[member])
                statistics = zip(self.task.evaluation_names, means.statistics[member].tolist(), strict=True)
                row |= {f"evaluation/{name}": number for name, number in statistics}
                row |= self.report(member)
            rows.append(row)
        if self._kl_target is not None:
            adapted = adapt_kl_coef(self.kl_coef, means.kl, self._kl_target)
            self.kl_coef = np.where(means.episodes, adapted, self.kl_coef)
        return rows

    def by_name(self, what: str, numbers: Floats) -> dict[str, float]:
        """Metrics ``what/<reward model>`` from at least N numbers."""
        return {f"{what}/{name}": float(number) for name, number in zip(self.task.names, numbers, strict=False)}

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        return {"kl_coef": float(self.kl_coef[member])}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        self.kl_coef[member] = state["kl_coef"]
        self._update_mixture()


class SumObjective(CompositeObjective):
    """sum_i weights_i A_i + A_KL (``ppo-sum``).

    Raises:
        UnknownNameError: the options weigh an unknown reward model.
    """

    def __init__(self, members: int, task: Task, config: SumConfig) -> None:
        super().__init__(members, task, config, config.kl_target)
        own = task.named(config.weights, np.ones(len(task.names)))
        self._weights: Floats = np.tile(np.append(own, 1.0), (members, 1))

    def weights(self) -> Floats:
        """See CompositeObjective."""
        return self._weights

    def report(self, member: int) -> dict[str, float]:
        """Nothing further."""
        return {}


class SatObjective(SumObjective):
    """The same of the rewards -(r_i - theta_i)^2 of each sample (``ppo-sat``).

    Raises:
        UnknownNameError: the options weigh, or give a threshold of, an unknown reward model.
    """

    def __init__(self, members: int, task: Task, config: SatConfig) -> None:
        super().__init__(members, task, config)
        self.thresholds: Floats = task.named(config.thresholds, task.thresholds)

    def rewards(self, scores: Singles, rollout: Rollout) -> Singles:
        """-(r_i - theta_i)^2 at the last step of each episode."""
        distance = scores - self.thresholds.astype(np.float32)[:, None, None]
        return np.asarray(-(distance**2) * rollout.done[:, None], dtype=np.float32)

    def report(self, member: int) -> dict[str, float]:
        """``threshold/`` and ``violation/``, here the distance of the mean score, of each reward model."""
        distance = np.abs(self.means.scores[member] - self.thresholds)
        return self.by_name("threshold", self.thresholds) | self.by_name("violation", distance)


def adapt_kl_coef(kl_coef: Floats, kl: Floats, target: float) -> Floats:
    """The coefficient alpha (1 + 0.1 clip((KL - target) / target, -0.2, 0.2)), as the paper adapts it."""
    return np.asarray(kl_coef * (1 + 0.1 * np.clip((kl - target) / target, -0.2, 0.2)))
