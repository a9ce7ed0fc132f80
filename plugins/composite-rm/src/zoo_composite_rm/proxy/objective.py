"""``xi-ppo``'s objective with thresholds that a search moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from zoo_onpolicy.rollout import Rollout

from zoo import Context, Outcome, UnknownNameError, UsageError
from zoo_composite_rm.environment import Singles, Task
from zoo_composite_rm.episode_means import Means
from zoo_composite_rm.lagrangian import XiObjective
from zoo_composite_rm.proxy.config import NMConfig
from zoo_composite_rm.proxy.search import ThresholdSearch


class NMObjective(XiObjective):
    """v_i = theta_i of the mean scores, theta from a simplex search for each of S members (``nm-ppo``).

    Raises:
        UsageError: the environment does not evaluate policies.
        UnknownNameError: the options name an unknown reward model.
    """

    def __init__(self, contexts: Sequence[Context], task: Task, config: NMConfig) -> None:
        super().__init__(contexts, task, config)
        if task.evaluate is None:
            raise UsageError(
                "this environment does not tell what a policy is worth: expected a method evaluate(scores, kl, "
                "statistics), as tiny-composite has."
            )
        for name in config.highest:
            if name not in task.names:
                raise UnknownNameError("reward model", name, task.names)
        self.searches = [ThresholdSearch(task.names, config, ctx.budget, ctx.stream("simplex")) for ctx in contexts]

    def signals(self, rollout: Rollout) -> Singles:
        """See LagrangianObjective. The search begins at the first rollout, which is the reference policy's."""
        signals = super().signals(rollout)
        if not all(search.started for search in self.searches):
            means = Means.of(rollout, self._log_ratio, self.task)
            best = np.where(rollout.done[:, None], rollout.rewards[:, 1:], -np.inf).max(axis=(2, 3)).astype(np.float64)
            for member, search in enumerate(self.searches):
                if not search.started and means.episodes[member]:
                    search.begin(means.scores[member], best[member], int(self.learner.steps[member]))
                    self._set_thresholds(member)
        return signals

    def finish(self, rollout: Rollout) -> Sequence[Mapping[str, float]]:
        """See LagrangianObjective; further ``search/proposals`` and ``search/best``, the best evaluation so far."""
        rows = super().finish(rollout)
        extended = []
        for member, (search, row) in enumerate(zip(self.searches, rows, strict=True)):
            if self.means.episodes[member] and self.means.evaluation is not None:
                evaluation, steps = float(self.means.evaluation[member]), int(self.learner.steps[member])
                search.add(self.means.scores[member], evaluation, steps)
                self._set_thresholds(member)
            metrics = {"search/proposals": float(search.proposals)}
            if search.proposals:
                metrics["search/best"] = search.best[1]
            extended.append({**row, **metrics})
        return extended

    def _set_thresholds(self, member: int) -> None:
        """Train for the thresholds that the search proposes."""
        theta = self.searches[member].thresholds()
        self.thresholds[member] = [theta[name] for name in self.task.names]

    def outcome(self, member: int) -> Outcome | None:
        """What the search found, once it has ended; before that, see LagrangianObjective."""
        search = self.searches[member]
        if not search.stop_reason:
            return super().outcome(member)
        theta, value = search.best
        thresholds = ", ".join(f"{name} {threshold:.4g}" for name, threshold in theta.items())
        sentence = f"{search.stop_reason}; the best thresholds are {thresholds}, worth {value:.4g}."
        return Outcome("converged" if search.converged else "not_converged", sentence)

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        return {**super().state(member), "search": self.searches[member].state()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        super().load_state(member, state)
        self.searches[member].load_state(state["search"])
