"""What every algorithm with constraints does with a rollout: unit of the signals, values, violations, metrics."""

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
from zoo_reload.ppo.constraints import Constraints
from zoo_reload.ppo.episodes import Episodes
from zoo_reload.ppo.history import RolloutHistory
from zoo_reload.ppo.oracle_error import Oracle
from zoo_reload.ppo.scale import Scale


class ConstrainedObjective(Objective):
    """Measures N constraints of S members once per rollout; subclasses say what the policy follows.

    Inside, signals are in the units of ``Scale`` and violations are per step, g_i = s_i (J_i - b_i) / (C_i H) with H
    the steps that J_i sums over: the same violation whatever the unit of the signal and the length of an episode.

    Args:
        members: S.
        constraints: the constraints.
        config: the options.
    """

    def __init__(self, members: int, constraints: Constraints, config: ConstrainedConfig) -> None:
        self.constraints = constraints
        self._kappa, self._tol, self._n_steps = config.kappa, config.tol, config.n_steps
        N = len(constraints.names)
        self.x: Floats = np.zeros((members, N))
        """the variables behind the weights, which the steps change, [S, N]"""
        self.bounds: Floats = np.full(N, np.inf)
        """largest |x_i|, reported when it is reached, [N]"""
        self.scale = Scale(members, constraints.thresholds)
        self.histories = [RolloutHistory(N) for _ in range(members)]
        self._rollouts_without_episode: NDArray[np.int64] = np.zeros(members, dtype=np.int64)

    def bind(self, learner: LearnerView) -> None:
        """See Objective."""
        super().bind(learner)
        S, N = self.x.shape
        copies = learner.transitions // self._n_steps
        self.episodes = Episodes(S, 1 + N, copies, self.constraints.unit, self.constraints.gamma)
        self._measured: tuple[Floats, NDArray[np.int64], Floats] | None = None
        self.oracle = Oracle.of(learner.contexts[0].problem, self.constraints) if learner.explicit else None

    @abstractmethod
    def weights(self) -> Floats:
        """The weights of the advantages of reward and constraints in this iteration, [S, 1 + N]."""

    @abstractmethod
    def step(self, g: Floats, known: NDArray[np.bool_]) -> None:
        """Change x after the policy's update.

        Args:
            g: violations per step, positive is bad, [S, N].
            known: members in whose rollout an episode ended, so that g was measured, bool[S].
        """

    def multipliers(self) -> Floats | None:
        """mu_i in reward per unit of the signal, [S, N]; None: the algorithm has none."""
        return None

    def outcome(self, member: int) -> Outcome | None:
        """A threshold out of reach, a multiplier at its cap, a constraint that stays violated; else None."""
        return self.histories[member].outcome(self.constraints, self._tol, self.bounds)

    def signals(self, rollout: Rollout) -> Singles:
        """The reward, and each constraint's signal divided by its unit, [S, 1 + N, T, B]."""
        self.scale.see(rollout.rewards[:, 1:])
        units = np.concatenate([np.ones((len(self.x), 1)), self.scale.unit], axis=1)
        return np.asarray(rollout.rewards / units[:, :, None, None], dtype=np.float32)

    def measure(self, rollout: Rollout) -> tuple[Floats, NDArray[np.bool_]]:
        """The violations per step g [S, N] of the rollout's policy, and where they are known; the second call repeats."""
        if self._measured is None:
            self._measured = self.episodes.add(rollout.rewards, rollout.terminated, rollout.truncated)
        J, ended, horizon = self._measured
        g = self.constraints.gradient(J[:, 1:]) / (self.scale.unit * horizon[:, None])
        return g, ended > 0

    def finish(self, rollout: Rollout) -> Sequence[Mapping[str, float]]:
        """Take the step of x by the episodes that ended in this rollout; without one there is no step.

        Returns:
            Metrics of iteration k, whose policy collected the rollout: ``weight/`` of the reward and each constraint;
            for each constraint ``threshold/`` and, where there are any, ``multiplier/``; where an episode ended also
            ``value/`` and ``violation/``, ``value/reward``, ``violation``, ``penalised_return`` and ``oscillation``;
            ``train/episodes`` and ``train/rollouts_without_episode``. Where the policy is a table and the model is
            known, also the exact ``err`` of the present policy, that of iteration k + 1.
        """
        g, known = self.measure(rollout)
        assert self._measured is not None
        (J, ended, _), self._measured = self._measured, None
        violation, weights, mu = self.constraints.violation(J[:, 1:]), self.weights(), self.multipliers()
        self.step(g, known)
        self._rollouts_without_episode += ~known
        rows = []
        for member, history in enumerate(self.histories):
            row = {"train/episodes": float(ended[member])}
            row["train/rollouts_without_episode"] = float(self._rollouts_without_episode[member])
            row["weight/reward"] = float(weights[member, 0])
            numbers = {"threshold": self.constraints.thresholds, "weight": weights[member, 1:]}
            if mu is not None:
                numbers["multiplier"] = mu[member]
            if known[member]:
                numbers |= {"value": J[member, 1:], "violation": violation[member]}
                penalised = float(J[member, 0] - self._kappa * violation[member].sum())
                history.add(penalised, violation[member], self.x[member])
                row |= {"value/reward": float(J[member, 0]), "violation": float(violation[member].max(initial=0.0))}
                row |= {"penalised_return": penalised, "oscillation": history.oscillation()}
            if self.oracle is not None:
                row["err"] = self.oracle.err(self.learner.policy(member))
            for prefix, values in numbers.items():
                row |= {f"{prefix}/{name}": float(x) for name, x in zip(self.constraints.names, values, strict=True)}
            rows.append(row)
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
        self.episodes.forget(member)

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        return {
            "x": self.x[member].copy(),
            "scale": self.scale.state(member),
            "without_episode": int(self._rollouts_without_episode[member]),
            "episodes": self.episodes.state(member),
            "record": self.histories[member].rows,  # the key in stored runs
        }

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        self.x[member] = state["x"]
        self.scale.load_state(member, state)
        self._rollouts_without_episode[member] = state["without_episode"]
        self.episodes.load_state(member, state["episodes"])
        self.histories[member].load(state["record"])
