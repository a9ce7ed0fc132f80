"""The problem of tabular learners and planners, read from their context: sizes, discount, rewards, cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from zoo import Context, InterfaceError, Problem, UsageError
from zoo.tabular import TabularCMDP
from zoo_successor.learning.arrival import actions_towards

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDING = 1e-9
"""Relative size below which a fitted reward is none."""


def num_states(ctx: Context) -> int:
    """S, from the observation space.

    Raises:
        InterfaceError: observations are no states 0, 1, ..., S-1, or not those of the exact model.
    """
    space = ctx.env.single_observation_space
    count = getattr(space, "n", None)
    if count is None or getattr(space, "start", 0) != 0:
        raise InterfaceError(f"the observations are {space}: expected a Discrete space of states that begins at 0.")
    if ctx.problem.model is not None and ctx.problem.tabular.num_states != count:
        raise InterfaceError(
            f"the observations are {space}: expected the {ctx.problem.tabular.num_states} states of the exact model."
        )
    return int(count)


def states(obs: object, count: int) -> Ints:
    """Observations as states ``int64 [B]``.

    Raises:
        InterfaceError: one of them is not an integer in [0, count).
    """
    numbers = np.asarray(obs)
    if not np.issubdtype(numbers.dtype, np.integer) or numbers.min(initial=0) < 0 or numbers.max(initial=0) >= count:
        raise InterfaceError(f"observations of dtype {numbers.dtype} are no states: expected integers in [0, {count}).")
    return numbers.astype(np.int64, copy=False)


def discount(problem: Problem, gamma: float | None, default: float = 0.99) -> float:
    """``gamma`` if given, else that of the exact model, else ``otherwise``."""
    if gamma is not None:
        return gamma
    return default if problem.model is None else problem.tabular.gamma


def factor(problem: Problem, lam: float | None, count: int, default: float = 1.0) -> Floats:
    """Lambda of each state, ``[S]``: ``lam`` if given, else the environment's, else ``otherwise``."""
    if lam is None and problem.diminishing is not None:
        return np.array(problem.diminishing.lam)
    return np.full(count, default if lam is None else lam)


def rewards(problem: Problem) -> Floats:
    """What arriving in each state pays at first, ``[S]``: the environment's own if it says, else from the model.

    From the model it is the least-squares fit of ``r(s, a) = sum_t P(s, a, t) w(t) + u P(s, a, s)``, exact where the
    reward is one of arrival, and u what it costs to be stopped by a wall.
    """
    if problem.diminishing is not None:
        return np.array(problem.diminishing.base)
    model = problem.tabular
    moving, S = ~model.terminal, model.num_states
    P = dense_kernel(model)
    stopped = P[np.arange(S), :, np.arange(S)]
    features = np.concatenate([P, stopped[..., None]], axis=2)[moving].reshape(-1, S + 1)
    weights = np.linalg.lstsq(features, model.r[moving].reshape(-1))[0][:S]
    return np.where(np.abs(weights) > ROUNDING * np.abs(weights).max(initial=0.0), weights, 0.0)


def goal_state(problem: Problem, goal: int | None) -> int:
    """The state of the cell ``goal``; unset: the terminal state, else any, whose arrival pays most.

    Raises:
        UsageError: the cell is a wall or outside, or there is no such state.
    """
    if goal is not None:
        return state_of(problem, goal)
    ends = np.flatnonzero(problem.tabular.terminal)
    if len(ends) == 1:
        return int(ends[0])
    reward = rewards(problem)
    return int(ends[reward[ends].argmax()]) if len(ends) else int(reward.argmax())


def state_of(problem: Problem, cell: int) -> int:
    """The state in a cell of the grid, or, without a grid, the state of that number.

    Raises:
        UsageError: there is none; the nearest free cell is named.
    """
    if problem.grid is not None:
        return problem.grid.state(cell)
    count = problem.tabular.num_states
    if not 0 <= cell < count:
        raise UsageError(f"there is no state {cell}: expected a state from 0 to {count - 1}.")
    return cell


def cell_of(problem: Problem, state: int) -> int:
    """The inverse of ``state_of``."""
    return state if problem.grid is None else int(problem.grid.cells[state])


def base_policies(problem: Problem, text: str, gamma: float) -> tuple[Ints, tuple[str, ...]]:
    """The base policies that an option names, as actions ``[N, S]``, and what to call them.

    "actions": one for each action; "rewards": the shortest way to each state whose arrival pays; else cells.
    Shortest ways take the lowest action on ties.

    Raises:
        UsageError: a cell is not a state, or "rewards" where nothing pays.
    """
    model = problem.tabular
    if text == "actions":
        constant = np.arange(model.num_actions)[:, None].repeat(model.num_states, axis=1)
        return constant, tuple(f"action {a}" for a in range(model.num_actions))
    if text == "rewards":
        goals = np.flatnonzero(rewards(problem) > 0).tolist()
        if not goals:
            raise UsageError("no state of this environment pays: name the base policies' goals, as --policies 80,24.")
    else:
        goals = [state_of(problem, int(part)) for part in text.split(",")]
    return shortest_paths(model, goals, gamma), tuple(f"to {cell_of(problem, goal)}" for goal in goals)


def shortest_paths(model: TabularCMDP, goals: Sequence[int], gamma: float) -> Ints:
    """For each goal the policy that reaches it soonest in discounted time, and stays if it can; actions ``[G, S]``.

    Towards the goal, ``E[gamma^T]`` is maximised; in it, the same of coming back, so that an action that stays is best.
    """
    return actions_towards(model, gamma, goals)


def most_likely_model(model: TabularCMDP) -> TabularCMDP:
    """The same process as if every action always led where it leads most often, lowest state on ties."""
    P = np.eye(model.num_states)[dense_kernel(model).argmax(axis=2)]
    return TabularCMDP(P=P, r=model.r, gamma=model.gamma, rho=model.rho, terminal=model.terminal)


def dense_kernel(model: TabularCMDP) -> Floats:
    """``P [S, A, S]``, whichever way the model holds it."""
    return np.asarray(model.kernel.toarray() if sp.issparse(model.P) else model.P).reshape(*model.r.shape, -1)
