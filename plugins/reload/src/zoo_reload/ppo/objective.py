"""ReLOAD's two players with PPO: the weighted advantage that the policy follows, and the step of the multipliers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.backend import on_device, on_host
from zoo_onpolicy.config import scheduled
from zoo_onpolicy.objective import LearnerView, Objective
from zoo_onpolicy.rollout import Floats as Singles
from zoo_onpolicy.rollout import Rollout

from zoo import Array
from zoo_reload.core import Floats
from zoo_reload.ppo.config import ReloadPPOConfig
from zoo_reload.ppo.constraints import Constraints
from zoo_reload.ppo.episodes import Episodes
from zoo_reload.ppo.history import RolloutHistory
from zoo_reload.ppo.multipliers import Multipliers, Projected, Sigmoid
from zoo_reload.ppo.oracle_error import Oracle


class LagrangianObjective(Objective):
    """Weights the advantages of reward and N constraints for S members, and updates their multipliers.

    Equations 12 to 15 of docs/methods/reload.md.

    Args:
        members: S.
        constraints: the constraints.
        config: the options.
    """

    def __init__(self, members: int, constraints: Constraints, config: ReloadPPOConfig) -> None:
        self.constraints, self.config = constraints, config
        N = len(constraints.names)
        kind: type[Multipliers] = Projected if config.multiplier == "projected" else Sigmoid
        self.multipliers = kind(constraints.sign, constraints.equality, config.cap)
        self.x: Floats = np.zeros((members, N))
        """the variables that the multiplier steps change, [S, N]"""
        self.histories = [RolloutHistory(N) for _ in range(members)]
        self._optimistic_policy = config.optimism in ("both", "policy")
        self._optimistic_multiplier = config.optimism in ("both", "multiplier")
        self._weights: Floats = self.multipliers.weights(self.x)
        """weights of iteration k - 1, after ``advantages`` those of iteration k, [S, 1 + N]"""
        self._gradient: Floats = np.zeros((members, N))
        """gradient by x in the last rollout in which an episode ended, [S, N]"""
        self._has_previous: NDArray[np.bool_] = np.zeros(members, dtype=bool)
        """whether there is an iteration k - 1"""
        self._has_gradient: NDArray[np.bool_] = np.zeros(members, dtype=bool)
        """whether there is an earlier gradient"""
        self._rollouts_without_episode: NDArray[np.int64] = np.zeros(members, dtype=np.int64)

    def bind(self, learner: LearnerView) -> None:
        """See Objective."""
        super().bind(learner)
        S, N = self.x.shape
        copies = learner.transitions // self.config.n_steps
        self.episodes = Episodes(S, 1 + N, copies, self.constraints.unit, self.constraints.gamma)
        self._critic: Array = learner.network.parameters.flat + 0.0
        """parameters of the networks at iteration k - 1, [S, P]"""
        self._mixture = self._on_device(self._weights)
        self.oracle = Oracle.of(learner.contexts[0].problem, self.constraints) if learner.explicit else None

    def advantages(self, rollout: Rollout) -> Singles:
        """A_k of each head, and with an optimistic policy also those computed with the critic of iteration k - 1.

        Returns:
            [S, 1 + N, T, B], or [S, 2 (1 + N), T, B].
        """
        weights, before = self.multipliers.weights(self.x), self._weights
        self._weights = weights
        if not self._optimistic_policy:
            self._mixture = self._on_device(weights)
            return rollout.advantages
        learner, current, first = self.learner, self.learner.network.parameters.flat, ~self._has_previous
        # x_{-1} = x_0: the first step is a plain one.
        before = np.where(first[:, None], weights, before)
        self._critic[first] = current[first]
        values, next_values = learner.compute_values(rollout, self._critic)
        earlier = learner.gae(rollout.signals, values, next_values, rollout.done)
        self._critic[:] = current
        self._has_previous[:] = True
        self._mixture = self._on_device(np.concatenate([2 * weights, -before], axis=1))
        return np.concatenate([rollout.advantages, earlier], axis=1)

    def mix(self, advantages: Array, index: Array) -> Array:
        """A_k = sum_j w_j A_j, or 2 A_k - A_{k-1}, each with the weights of its own iteration; [S, M]."""
        return (self._mixture * advantages).sum(1)

    def finish(self, rollout: Rollout) -> Sequence[Mapping[str, float]]:
        """Step x <- clip(x + lr_mu (2 g_k - g_{k-1})), g_k from the episodes that ended; without one there is no step.

        Returns:
            Metrics of iteration k, whose policy collected the rollout: for each constraint ``multiplier/``,
            ``weight/`` and ``threshold/``; where an episode ended also ``value/`` and ``violation/``,
            ``value/reward``, ``violation``, ``penalised_return`` and ``oscillation``;
            ``train/episodes`` and ``train/rollouts_without_episode``. Where the policy is a table and the model
            is known, also the exact ``err`` of the present policy, that of iteration k + 1.
        """
        J, ended = self.episodes.add(rollout.rewards, rollout.terminated, rollout.truncated)
        violation, mu = self.constraints.violation(J[:, 1:]), self.multipliers.effective(self.x)
        self._step(self.constraints.gradient(J[:, 1:]), ended > 0)
        self._rollouts_without_episode += ended == 0
        rows = []
        for member, history in enumerate(self.histories):
            row = {"train/episodes": float(ended[member])}
            row["train/rollouts_without_episode"] = float(self._rollouts_without_episode[member])
            numbers = {
                "threshold": self.constraints.thresholds,
                "multiplier": mu[member],
                "weight": self._weights[member, 1:],
            }
            if ended[member]:
                numbers |= {"value": J[member, 1:], "violation": violation[member]}
                penalised = float(J[member, 0] - self.config.kappa * violation[member].sum())
                history.add(penalised, violation[member], self.x[member])
                row |= {"value/reward": float(J[member, 0]), "violation": float(violation[member].max(initial=0.0))}
                row |= {"penalised_return": penalised, "oscillation": history.oscillation()}
            if self.oracle is not None:
                row["err"] = self.oracle.err(self.learner.policy(member))
            for prefix, values in numbers.items():
                row |= {f"{prefix}/{name}": float(x) for name, x in zip(self.constraints.names, values, strict=True)}
            rows.append(row)
        return rows

    def _step(self, g: Floats, known: NDArray[np.bool_]) -> None:
        """Take the step of the members whose g [S, N] was measured, ``known`` bool[S]."""
        gradient = self.multipliers.slope(self.x) * g
        ascent = gradient
        if self._optimistic_multiplier:
            ascent = np.where(self._has_gradient[:, None], 2 * gradient - self._gradient, gradient)
        moved = self.multipliers.clip(self.x + self._rate()[:, None] * ascent)
        self.x = np.where(known[:, None], moved, self.x)
        self._gradient = np.where(known[:, None], gradient, self._gradient)
        self._has_gradient |= known

    def _rate(self) -> Floats:
        """lr_mu of each member, [S]."""
        learner = self.learner
        budgets = [max(ctx.budget, 1) for ctx in learner.contexts]
        used = learner.steps / np.array(budgets)
        return np.array([scheduled(self.config.lr_mu, share) for share in used.tolist()])

    def _on_device(self, weights: Floats) -> Array:
        return on_device(weights.astype(np.float32)[:, :, None], self.learner.device)

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        return {
            "x": self.x[member].copy(),
            "weights": self._weights[member].copy(),
            "gradient": self._gradient[member].copy(),
            "critic": on_host(self._critic[member]).copy(),
            "begun": bool(self._has_previous[member]),
            "stepped": bool(self._has_gradient[member]),
            "without_episode": int(self._rollouts_without_episode[member]),
            "episodes": self.episodes.state(member),
            "record": self.histories[member].rows,  # the key in stored runs
        }

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        for array, name in (
            (self.x, "x"),
            (self._weights, "weights"),
            (self._gradient, "gradient"),
            (self._has_previous, "begun"),
            (self._has_gradient, "stepped"),
            (self._rollouts_without_episode, "without_episode"),
        ):
            array[member] = state[name]
        self._critic[member] = on_device(np.asarray(state["critic"]), self.learner.device)
        self.episodes.load_state(member, state["episodes"])
        self.histories[member].load(state["record"])
