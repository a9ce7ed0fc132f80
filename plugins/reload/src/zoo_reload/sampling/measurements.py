"""What is measured of the episodes that end: values, violations, and what the log and the outcome say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Outcome
from zoo_reload.core import Floats
from zoo_reload.sampling.constraints import Constraints
from zoo_reload.sampling.episodes import Episodes
from zoo_reload.sampling.history import RolloutHistory
from zoo_reload.sampling.scale import Scale

Singles = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Values:
    """What S members' episodes that ended in one rollout were worth."""

    J: Floats
    """values of the reward and of N constraints, in their own units, [S, 1 + N]"""
    ended: NDArray[np.int64]
    """episodes that ended, [S]"""
    g: Floats
    """violations per step, g_i = s_i (J_i - b_i) / (C_i H), positive is bad, [S, N]: C_i is the unit of the signal and
    H the steps that J_i sums over, so that neither the unit nor the length of an episode matters"""

    @property
    def known(self) -> Bools:
        """Where an episode ended, so that there are values, [S]."""
        return self.ended > 0


class Measurements:
    """Measures rollouts of S members, and remembers the violations for their outcomes.

    Args:
        members: S.
        copies: B, environment copies of each member.
        constraints: the constraints.
        kappa: weight of the violations in the penalised return.
        tol: the option ``tol``.
    """

    def __init__(self, members: int, copies: int, constraints: Constraints, kappa: float, tol: float) -> None:
        self.constraints, self._kappa, self._tol = constraints, kappa, tol
        N = len(constraints.names)
        self.scale = Scale(members, constraints.thresholds)
        self.episodes = Episodes(members, 1 + N, copies, constraints.unit, constraints.gamma)
        self._histories = [RolloutHistory(N) for _ in range(members)]
        self._rollouts_without_episode: NDArray[np.int64] = np.zeros(members, dtype=np.int64)

    def scaled(self, signals: Singles) -> Singles:
        """Reward and constraint signals [S, 1 + N, T, B], the latter divided by their units, which they may set."""
        self.scale.see(signals[:, 1:])
        units = np.concatenate([np.ones((len(signals), 1)), self.scale.unit], axis=1)
        return np.asarray(signals / units[:, :, None, None], dtype=np.float32)

    def add(self, signals: Singles, terminated: Bools, truncated: Bools) -> Values:
        """Add a rollout: signals [S, 1 + N, T, B], ends of episodes [S, T, B]."""
        J, ended, horizon = self.episodes.add(signals, terminated, truncated)
        return Values(J, ended, self.constraints.gradient(J[:, 1:]) / (self.scale.unit * horizon[:, None]))

    def report(self, values: Values, weights: Floats, mu: Floats | None, x: Floats) -> list[dict[str, float]]:
        """The metrics of each member, and a row of its history where an episode ended.

        Args:
            values: of this rollout.
            weights: weights of the reward and the constraints in what the policy followed, [S, 1 + N].
            mu: multipliers of the policy that collected, in reward per unit of the signal, [S, N]; None: it has none.
            x: the variables behind the multipliers, after their step, [S, N].
        """
        violation = self.constraints.violation(values.J[:, 1:])
        self._rollouts_without_episode += ~values.known
        rows = []
        for member, history in enumerate(self._histories):
            row = {"train/episodes": float(values.ended[member])}
            row["train/rollouts_without_episode"] = float(self._rollouts_without_episode[member])
            row["weight/reward"] = float(weights[member, 0])
            numbers = {"threshold": self.constraints.thresholds, "weight": weights[member, 1:]}
            if mu is not None:
                numbers["multiplier"] = mu[member]
            if values.known[member]:
                J_r = float(values.J[member, 0])
                numbers |= {"value": values.J[member, 1:], "violation": violation[member]}
                penalised = float(J_r - self._kappa * violation[member].sum())
                history.add(penalised, violation[member], x[member])
                row |= {"value/reward": J_r, "violation": float(violation[member].max(initial=0.0))}
                row |= {"penalised_return": penalised, "oscillation": history.oscillation()}
            for prefix, named in numbers.items():
                row |= {f"{prefix}/{name}": float(z) for name, z in zip(self.constraints.names, named, strict=True)}
            rows.append(row)
        return rows

    def outcome(self, member: int, bounds: Floats) -> Outcome | None:
        """A threshold out of reach, an |x_i| at its bound [N], a constraint that stays violated; else None."""
        return self._histories[member].outcome(self.constraints, self._tol, bounds)

    def state(self, member: int) -> Mapping[str, Any]:
        """Everything one member needs to continue bit for bit."""
        return {
            "scale": self.scale.state(member),
            "without_episode": int(self._rollouts_without_episode[member]),
            "episodes": self.episodes.state(member),
            "record": self._histories[member].rows,  # the key in stored runs
        }

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
        self.scale.load_state(member, state)
        self._rollouts_without_episode[member] = state["without_episode"]
        self.episodes.load_state(member, state["episodes"])
        self._histories[member].load(state["record"])
