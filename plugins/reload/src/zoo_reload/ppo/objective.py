"""What every algorithm with constraints on this learner does with a rollout; they differ in what the policy follows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.backend import on_device
from zoo_onpolicy.config import Schedule, scheduled
from zoo_onpolicy.objective import LearnerView, Objective
from zoo_onpolicy.rollout import Floats as Singles
from zoo_onpolicy.rollout import Rollout

from zoo import Array, Outcome
from zoo_reload.core import Floats
from zoo_reload.ppo.config import ConstrainedConfig
from zoo_reload.sampling.constraints import Constraints
from zoo_reload.sampling.measurements import Measurements, Values
from zoo_reload.sampling.oracle_error import Oracle


class ConstrainedObjective(Objective):
    """Measures N constraints of S members once per rollout; subclasses say what the policy follows.

    Heads predict the constraints' signals in the units of ``Scale``, and all violations are per step.

    Args:
        members: S.
        constraints: the constraints.
        config: the options.
    """

    def __init__(self, members: int, constraints: Constraints, config: ConstrainedConfig) -> None:
        self.constraints, self._options = constraints, config
        N = len(constraints.names)
        self.x: Floats = np.zeros((members, N))
        """the variables behind the weights, which the steps change, [S, N]"""
        self.bounds: Floats = np.full(N, np.inf)
        """largest |x_i|, reported when it is reached, [N]"""
        self._values: Values | None = None

    def bind(self, learner: LearnerView) -> None:
        """See Objective."""
        super().bind(learner)
        options, copies = self._options, learner.transitions // self._options.n_steps
        self.measurements = Measurements(len(self.x), copies, self.constraints, options.kappa, options.tol)
        self.oracle = Oracle.of(learner.contexts[0].problem, self.constraints) if learner.explicit else None

    @abstractmethod
    def weights(self) -> Floats:
        """The weights of the advantages of reward and constraints in this iteration, [S, 1 + N]."""

    def step(self, g: Floats, known: NDArray[np.bool_]) -> None:
        """Change x after the policy's update; here: nothing.

        Args:
            g: violations per step, positive is bad, [S, N].
            known: members in whose rollout an episode ended, so that g was measured, bool[S].
        """

    def multipliers(self) -> Floats | None:
        """mu_i in reward per unit of the signal, [S, N]; None: the algorithm has none."""
        return None

    def outcome(self, member: int) -> Outcome | None:
        """A threshold out of reach, a multiplier at its cap, a constraint that stays violated; else None."""
        return self.measurements.outcome(member, self.bounds)

    def signals(self, rollout: Rollout) -> Singles:
        """The reward, and each constraint's signal divided by its unit, [S, 1 + N, T, B]."""
        return self.measurements.scaled(rollout.rewards)

    def measure(self, rollout: Rollout) -> Values:
        """The values of the rollout's policy; until ``finish`` a further call gives the same."""
        if self._values is None:
            self._values = self.measurements.add(rollout.rewards, rollout.terminated, rollout.truncated)
        return self._values

    def finish(self, rollout: Rollout) -> Sequence[Mapping[str, float]]:
        """Take the step of x by the episodes that ended in this rollout; without one there is no step.

        Returns:
            Metrics of iteration k, whose policy collected the rollout: ``weight/`` of the reward and each constraint;
            for each constraint ``threshold/`` and, where there are any, ``multiplier/``; where an episode ended also
            ``value/`` and ``violation/``, ``value/reward``, ``violation``, ``penalised_return`` and ``oscillation``;
            ``train/episodes`` and ``train/rollouts_without_episode``. Where the policy is a table and the model is
            known, also the exact ``err`` of the present policy, that of iteration k + 1.
        """
        values, weights, mu = self.measure(rollout), self.weights(), self.multipliers()
        self._values = None
        self.step(values.g, values.known)
        rows = self.measurements.report(values, weights, mu, self.x)
        if self.oracle is not None:
            for member, row in enumerate(rows):
                row["err"] = self.oracle.err(self.learner.policy(member))
        return rows

    def scheduled(self, schedule: Schedule) -> Floats:
        """The value of a schedule for each member, [S, 1]."""
        budgets = [max(ctx.budget, 1) for ctx in self.learner.contexts]
        used = self.learner.steps / np.array(budgets)
        return np.array([[scheduled(schedule, share)] for share in used.tolist()])

    def on_device(self, weights: Floats) -> Array:
        """Weights [S, K] as [S, K, 1], to multiply advantages [S, K, M] of a minibatch."""
        return on_device(weights.astype(np.float32)[:, :, None], self.learner.device)

    def forget(self, member: int) -> None:
        """Discard the running episodes of one member, whose environment is reset."""
        self.measurements.episodes.forget(member)

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        return {"x": self.x[member].copy(), **self.measurements.state(member)}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        self.x[member] = state["x"]
        self.measurements.load_state(member, state)
