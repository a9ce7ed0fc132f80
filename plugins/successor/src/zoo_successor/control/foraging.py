"""When to leave a patch: the marginal value theorem (Charnov 1976), solved exactly for the rate of reward.

A cycle of n harvests and the way to a fresh patch earns ``R(n)`` in ``T(n)`` steps. The best long-run rate is
``max_n R(n) / T(n)``; Dinkelbach's iteration (1967) replaces the rate by that of ``argmax_n R(n) - rate T(n)`` until it
stops changing. It rises at every iteration and ends after finitely many.
"""

from __future__ import annotations

import numpy as np

from zoo import Algorithm, Array, Context, InterfaceError, Metrics, Outcome, State
from zoo.tabular import TabularCMDP
from zoo_successor.config import MVTConfig
from zoo_successor.learning.problem import dense_kernel, num_states, states
from zoo_successor.learning.td import Floats, Ints

HARVEST, LEAVE = 0, 1


class MarginalValue(Algorithm[MVTConfig]):
    """Harvest n times, then leave; ``env_steps`` counts iterations.

    Raises:
        InterfaceError: the environment is not a deterministic patch with the actions harvest and leave.
    """

    def __init__(self, ctx: Context, config: MVTConfig) -> None:
        super().__init__(ctx, config)
        self._patch, self._R, self._T = cycle_rewards(ctx.problem.tabular)
        self._taken = np.full(num_states(ctx), len(self._patch), dtype=np.int64)
        self._taken[self._patch] = np.arange(len(self._patch))
        self.rate, self.harvests = 0.0, 0

    def update(self) -> Metrics:
        """One iteration.

        Returns:
            ``harvests`` n in each patch and ``rate``, the reward of a step in the long run.
        """
        self.harvests = int((self._R - self.rate * self._T).argmax())
        rate = float(self._R[self.harvests] / self._T[self.harvests])
        if rate <= self.rate:
            self.outcome = Outcome("converged", f"the best rate is {rate:g} a step", final=True)
        self.rate = max(rate, self.rate)
        self.env_steps += 1
        return {"harvests": float(self.harvests), "rate": self.rate}

    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Actions ``int64 [B]``: harvest until it has been done n times; on the way, go on."""
        return np.where(self._taken[states(obs, len(self._taken))] < self.harvests, HARVEST, LEAVE)

    def state(self) -> State:
        """Rate and harvests."""
        return {"rate": self.rate, "harvests": self.harvests}

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        self.rate, self.harvests = float(state["rate"]), int(state["harvests"])


def cycle_rewards(model: TabularCMDP) -> tuple[Ints, Floats, Floats]:
    """What each number of harvests earns in one cycle, and how long it takes.

    Args:
        model: a deterministic patch: action 0 harvests, action 1 leaves and goes on until a fresh patch, which is the
            likeliest first state.

    Returns:
        The states of the patch by harvests taken, ``[N]``; ``R(n)`` and ``T(n)`` for n = 0, ..., N-1.

    Raises:
        InterfaceError: the model is something else.
    """
    P = dense_kernel(model)
    if model.num_actions != 2 or not np.isin(P, (0.0, 1.0)).all():
        raise InterfaceError(
            f"this environment has {model.num_actions} actions: expected a deterministic patch with harvest and leave."
        )
    next_state, full_patch = P.argmax(axis=2), int(model.rho.argmax())
    patch = [full_patch]
    while (depleted := int(next_state[patch[-1], HARVEST])) not in patch:
        patch.append(depleted)
    harvested = np.concatenate([[0.0], np.cumsum(model.r[patch[:-1], HARVEST])])
    travels = [_travel(model, next_state, state, full_patch) for state in patch]
    earned, steps = (np.array(values) for values in zip(*travels, strict=True))
    return np.array(patch), harvested + earned, np.arange(len(patch)) + steps


def _travel(model: TabularCMDP, next_state: Ints, state: int, full_patch: int) -> tuple[float, int]:
    """Reward and number of steps from leaving the patch in ``state`` to the next full patch."""
    earned = 0.0
    for steps in range(1, model.num_states + 1):
        earned += float(model.r[state, LEAVE])
        state = int(next_state[state, LEAVE])
        if state == full_patch:
            return earned, steps
    raise InterfaceError("leaving never leads to a fresh patch: expected action 1 to go on until the first state.")
