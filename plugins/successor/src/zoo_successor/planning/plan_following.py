"""Following plans: a batch of copies in one array operation a step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo_successor.exact import validation as checks
from zoo_successor.exact.backend import Array, host
from zoo_successor.planning.frp import NONE, Ints, Plan

ENDED = -1
"""In place of a state after the episode's end, and of a policy where no step is taken."""


@dataclass(frozen=True, eq=False)
class Route:
    """What B copies did, for T steps at most.

    Attributes:
        states: ``[B, T+1]``, -1 after the copy has stopped.
        policies: base policy of each step ``[B, T]``, -1 where none is taken.
        subgoals: the subgoal pursued at each step ``[B, T]``, -1 likewise.
        steps: number of steps until the goal ``[B]``, -1 where it was not reached.
    """

    states: Ints
    policies: Ints
    subgoals: Ints
    steps: Ints


def rollout(
    plan: Plan,
    starts: Array,
    chains: Array,
    *,
    steps: int,
    rng: np.random.Generator | None = None,
    reread: bool = False,
) -> Route:
    """Follow a plan from many starts: each copy pursues its subgoal, then reads the plan again.

    Args:
        plan: as ``frp`` returns it.
        starts: states ``[B]``.
        chains: ``P_pi`` of the base policies ``[N, n, n]``; rows that sum to less than 1 end the episode with the rest.
        steps: at most so many.
        rng: draws the transitions; None where every row has one entry of 1, or none.
        reread: read the plan in every state, instead of in subgoals only; pays off where transitions are noisy.

    Raises:
        ValueError: a start that is not a state, chains of another shape, noisy chains without ``rng``.
    """
    distributions = np.asarray(host(chains), dtype=np.float64)
    n = len(plan.value)
    if distributions.ndim != 3 or distributions.shape[1:] != (n, n):
        raise ValueError(f"chains has shape {list(distributions.shape)}: expected [N, n, n] with n = {n}.")
    if rng is None and not np.isin(distributions, (0.0, 1.0)).all():
        raise ValueError("chains has probabilities between 0 and 1: expected rng, to draw transitions from.")
    cumulative = distributions.cumsum(axis=2)
    total = cumulative[..., -1:]
    # A row that sums to 1 but for rounding loses nothing.
    cumulative /= np.where(total < 1 - checks.ROW_SUM_TOLERANCE, 1.0, total)
    state = checks.indices(starts, n, "starts").astype(np.int64)
    B = len(state)
    remaining = np.full(B, len(plan.policy) - 1)
    policy, subgoal = plan.policy[remaining, state], plan.subgoal[remaining, state]
    going = (policy != NONE) & (state != plan.goal)
    arrival = np.where(state == plan.goal, 0, ENDED)
    states, policies, subgoals = [state], [], []
    for t in range(1, steps + 1):
        if not going.any():
            break
        policies.append(np.where(going, policy, ENDED))
        subgoals.append(np.where(going, subgoal, ENDED))
        u = np.zeros(B) if rng is None else rng.random(B)
        drawn = (cumulative[policy, state] <= u[:, None]).sum(axis=1)
        state = np.where(going & (drawn < n), drawn, state)
        ended = going & (drawn == n)
        states.append(np.where(going & ~ended, state, ENDED))
        arrived = going & ~ended & (state == plan.goal)
        arrival[arrived] = t
        reached = going & (state == subgoal)
        remaining = np.where(reached, np.maximum(remaining - 1, 0), remaining)
        read = going & (reached | reread)
        policy = np.where(read, plan.policy[remaining, state], policy)
        subgoal = np.where(read, plan.subgoal[remaining, state], subgoal)
        going = going & ~ended & ~arrived & (policy != NONE)
    none = np.empty((B, 0), dtype=np.int64)
    return Route(
        np.stack(states, axis=1),
        np.stack(policies, axis=1) if policies else none,
        np.stack(subgoals, axis=1) if subgoals else none,
        arrival,
    )


def route(plan: Plan, start: int, chains: Array) -> Ints | None:
    """The states from ``start`` to the goal under deterministic chains ``[N, n, n]``, for plots; None if unreachable.

    Raises:
        ValueError: as for ``rollout``.
    """
    segments = plan.segments(start)
    if segments is None:
        return None
    n = len(plan.value)
    states: Ints = rollout(plan, [start], chains, steps=n * len(segments)).states[0]
    return states
