"""First-occupancy planning (FRP): reach a goal by switching between policies at subgoals.

``F_i[s, j]`` is the expected discount of the time that policy i takes from s to j (``exact.first_occupancy``), and
``Fbar = max_i F_i``. A plan with one more segment is worth ``Gamma_{k+1}(s, g) = max_j Fbar[s, j] Gamma_k(j, g)``, from
``Gamma_0 = Fbar``. The limit is a shortest path with costs ``-ln Fbar >= 0``. In a deterministic environment a plan is
optimal where an optimal path can be cut into pieces that single policies follow; in a noisy one its value, that of
following each policy until its subgoal is reached, is a lower bound of the optimum.

Source: Moskovitz et al., ICLR 2022, arXiv:2109.13863; the limit: docs/methods/successor.md, section 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from zoo_successor.exact.backend import Array, host

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

SWITCH_COST = 1e-9
"""Cost of a segment in the shortest path, in nats: of plans that agree to this, the one with fewest segments wins."""
BLOCK = 1 << 21
"""Products held at a time by a sweep (16 MiB)."""
UNDERFLOW = 1e-290
"""Products below this have lost digits: logarithms are added instead."""
NONE = -1
"""Policy and subgoal where the goal cannot be reached."""


class Segment(NamedTuple):
    """Follow base policy ``policy`` until state ``subgoal`` is reached."""

    policy: int
    subgoal: int


@dataclass(frozen=True, eq=False)
class Plan:
    """How to reach one goal from every start.

    ``policy`` and ``subgoal`` have a row for each number of segments still allowed, row 0 for the last one; a plan
    without a limit has one row, which holds for every segment. Unreachable starts have value 0 and -1 in both.

    Attributes:
        goal: the state to be reached.
        value: expected discount of the time to the goal, ``[n]`` in [0, 1]; 0 where it is unreachable.
        log_value: its logarithm, ``[n]``: finite also where a reachable goal is so far that its discount underflows.
        policy: base policy of the next segment, ``[L, n]``.
        subgoal: where that segment ends, ``[L, n]``.
    """

    goal: int
    value: Floats
    log_value: Floats
    policy: Ints
    subgoal: Ints

    @property
    def reachable(self) -> NDArray[np.bool_]:
        """From which starts there is a plan, ``[n]``."""
        return self.log_value > -np.inf

    def segments(self, start: int) -> list[Segment] | None:
        """The plan from ``start``: empty at the goal, None where the goal is unreachable.

        Raises:
            ValueError: ``start`` is not a state.
        """
        state, remaining, segments = _state(start, len(self.value), "start"), len(self.policy) - 1, []
        if not self.log_value[state] > -np.inf:
            return None
        while state != self.goal:
            segments.append(Segment(int(self.policy[remaining, state]), int(self.subgoal[remaining, state])))
            state, remaining = segments[-1].subgoal, max(remaining - 1, 0)
        return segments


@dataclass(frozen=True, eq=False)
class Plans:
    """Plans to every goal: ``plans[goal]`` is a ``Plan``; the goal is the last axis of the arrays."""

    value: Floats
    log_value: Floats
    policy: Ints
    subgoal: Ints

    def __getitem__(self, goal: int) -> Plan:
        g = _state(goal, len(self.value), "goal")
        return Plan(g, self.value[:, g], self.log_value[:, g], self.policy[..., g], self.subgoal[..., g])


@dataclass(frozen=True, eq=False)
class PlanValues:
    """``Gamma [n, G]`` and its logarithm, which goes on where the product of discounts underflows."""

    value: Floats
    log_value: Floats

    @classmethod
    def of(cls, value: Floats) -> PlanValues:
        """Of discounts that have not underflowed."""
        return cls(value, _log(value))

    def extended(self, best: Floats) -> tuple[PlanValues, Ints, NDArray[np.bool_]]:
        """With one more segment: ``sweep``, kept where it is a gain; the subgoals ``[n, G]``, and where it is one."""
        smallest = best[best > 0].min(initial=1.0) * self.value[self.value > 0].min(initial=1.0)
        # A gain within the rounding of a product of discounts is a tie, which the shorter plan wins.
        if smallest > UNDERFLOW and not ((self.value == 0) & (self.log_value > -np.inf)).any():
            longer, subgoal = sweep(best, self.value)
            better = longer > self.value * (1 + SWITCH_COST)
            logs = _log(longer)
        else:
            logs, subgoal = sweep(_log(best), self.log_value, np.add)
            better = logs > self.log_value + SWITCH_COST
            longer = np.exp(logs)
        values = PlanValues(np.where(better, longer, self.value), np.where(better, logs, self.log_value))
        return values, subgoal, better


def frp(first_occupancies: Array, goal: int, max_segments: int | None = None) -> Plan:
    """Plan from every start to one goal.

    Args:
        first_occupancies: FRs of N policies ``[N, n, n]`` (or one, ``[n, n]``), entries in [0, 1].
        goal: a state.
        max_segments: at most so many segments, at least 1 (1: no subgoal); None for the exact limit.

    Returns:
        The plan. Ties: fewest segments, then the lowest policy and (with ``max_segments``) the lowest subgoal.

    Raises:
        ValueError: FRs of another shape or range, no such goal, fewer than one segment.
    """
    best, policy = best_policies(first_occupancies)
    g = _state(goal, len(best), "goal")
    plans = _plans(best, policy, np.array([g]), max_segments)
    return Plan(g, plans.value[:, 0], plans.log_value[:, 0], plans.policy[..., 0], plans.subgoal[..., 0])


def frp_all(first_occupancies: Array, max_segments: int | None = None) -> Plans:
    """Plan from every start to every goal at once; as ``frp``."""
    best, policy = best_policies(first_occupancies)
    return _plans(best, policy, np.arange(len(best)), max_segments)


def best_policies(first_occupancies: Array) -> tuple[Floats, Ints]:
    """``Fbar[s, j] = max_i F_i[s, j]`` and the lowest i that attains it, -1 where no policy ever reaches j.

    Raises:
        ValueError: FRs of another shape, or an entry outside [0, 1], which it names.
    """
    F = np.asarray(host(first_occupancies), dtype=np.float64)
    F = F[None] if F.ndim == 2 else F
    if F.ndim != 3 or F.shape[1] != F.shape[2] or 0 in F.shape:
        raise ValueError(f"first_occupancies has shape {list(F.shape)}: expected [N, n, n].")
    good = (F >= 0) & (F <= 1 + 1e-9)
    if not good.all():
        i, s, j = np.argwhere(~good)[0]
        raise ValueError(f"first_occupancies[{i}, {s}, {j}] is {F[i, s, j]:g}: expected a number in [0, 1].")
    policy = F.argmax(axis=0)
    best = np.minimum(np.take_along_axis(F, policy[None], axis=0)[0], 1.0)
    policy[best == 0] = NONE
    return best, policy


def sweep(best: Floats, Gamma: Floats, times: np.ufunc = np.multiply) -> tuple[Floats, Ints]:
    """One more segment: ``Gamma'(s, g) = max_j Fbar[s, j] Gamma(j, g)`` for all s and g at once.

    Args:
        best: ``Fbar [n, n]``.
        Gamma: ``[n, G]``.
        times: ``np.add`` where both are given as logarithms.

    Returns:
        ``Gamma' [n, G]`` and the lowest subgoal j that attains it.
    """
    n, G = Gamma.shape
    value, subgoal = np.empty((n, G)), np.empty((n, G), dtype=np.int64)
    columns = np.ascontiguousarray(Gamma.T)
    height = max(1, BLOCK // (n * G))
    for here in (slice(i, i + height) for i in range(0, n, height)):
        products = times(best[here, None, :], columns)
        j = products.argmax(axis=2)
        subgoal[here], value[here] = j, np.take_along_axis(products, j[..., None], axis=2)[..., 0]
    return value, subgoal


def _plans(best: Floats, policy: Ints, goals: Ints, max_segments: int | None) -> Plans:
    if max_segments is None:
        return _unlimited(best, policy, goals)
    if max_segments < 1:
        raise ValueError(f"max_segments = {max_segments}: expected at least 1.")
    return _limited(best, policy, goals, max_segments)


def _limited(best: Floats, policy: Ints, goals: Ints, max_segments: int) -> Plans:
    """``max_segments - 1`` sweeps, or fewer if nothing gets better."""
    Gamma, subgoal = PlanValues.of(best[:, goals]), np.where(best[:, goals] > 0, goals, NONE)
    subgoals = [subgoal]
    for _ in range(max_segments - 1):
        Gamma, j, better = Gamma.extended(best)
        if not better.any():
            break
        subgoal = np.where(better, j, subgoal)
        subgoals.append(subgoal)
    stacked = np.stack(subgoals)
    return Plans(Gamma.value, Gamma.log_value, _policy_towards(policy, stacked), stacked)


def _unlimited(best: Floats, policy: Ints, goals: Ints) -> Plans:
    """All shortest paths by Dijkstra, searched backwards so that a predecessor is the next subgoal."""
    n = len(best)
    s, j = np.nonzero(best)
    apart = s != j
    s, j = s[apart], j[apart]
    # No cost is 0, as the entries of a sparse graph must not be.
    backwards = sp.csr_array((SWITCH_COST - np.log(best[s, j]), (j, s)), shape=(n, n))
    predecessors = dijkstra(backwards, indices=goals, return_predecessors=True)[1]
    subgoal = predecessors.T.astype(np.int64)
    subgoal[subgoal < 0] = NONE
    subgoal[goals, np.arange(len(goals))] = goals
    value, logs = _follow(best, subgoal, goals)
    return Plans(value, logs, _policy_towards(policy, subgoal)[None], subgoal[None])


def _follow(best: Floats, subgoal: Ints, goals: Ints) -> tuple[Floats, Floats]:
    """The value of following ``subgoal [n, G]`` to the goals, a product of discounts, and its logarithm."""
    n, G = subgoal.shape
    column = np.arange(G)
    state = np.broadcast_to(np.arange(n)[:, None], (n, G))
    value, logs = np.where(subgoal == NONE, 0.0, 1.0), np.where(subgoal == NONE, -np.inf, 0.0)
    costs = _log(best)
    while (moving := (state != goals) & (logs > -np.inf)).any():
        ahead = np.where(moving, subgoal[state, column], state)
        value = value * np.where(moving, best[state, ahead], 1.0)
        logs = logs + np.where(moving, costs[state, ahead], 0.0)
        state = ahead
    return value, logs


def _log(x: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.log(x)


def _policy_towards(policy: Ints, subgoal: Ints) -> Ints:
    """The best policy from each state (second axis from the end) to its subgoal, -1 where there is none."""
    states = np.arange(policy.shape[0])[:, None]
    return np.where(subgoal == NONE, NONE, policy[states, subgoal])


def _state(state: int, n: int, name: str) -> int:
    if isinstance(state, bool) or not isinstance(state, (int, np.integer)) or not 0 <= state < n:
        raise ValueError(f"{name} is {state}: expected a state, 0 to {n - 1}.")
    return int(state)
