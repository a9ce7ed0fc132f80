"""FourRooms: four rooms of 16 cells and four doors, with one goal, hidden goals or diminishing rewards.

From Moskovitz et al. 2022 (arXiv:2109.13863) and 2023 (arXiv:2309.03710); numbers in docs/methods/successor.md,
section 7, and of the goals of many tasks in docs/methods/mdl-c.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from zoo_envs_plugin.options.grids import FourRoomsConfig

from zoo_envs.grids.tasks import diminishing_grid, goal_grid
from zoo_envs.reward_rules import Draw, RewardRule
from zoo_envs.tabular.from_config import Design, DesignedEnv, DesignedVectorEnv
from zoo_envs.tabular.grid import FOUR, STAY, Grid
from zoo_envs.tabular.rendering import CellView
from zoo_envs.tabular.transitions import Outcomes
from zoo_envs.validation import integer

__all__ = ["FourRooms", "FourRoomsVector", "HiddenGoals", "four_rooms", "four_rooms_grid"]

Options: TypeAlias = Any  # a FourRoomsConfig whose None are replaced by the defaults of its task
_ROWS = (
    "###########",
    "#....#....#",
    "#.........#",
    "#....#....#",
    "#....#....#",
    "#.#####.###",
    "#....#....#",
    "#....#....#",
    "#.........#",
    "#....#....#",
    "###########",
)


def four_rooms_grid() -> Grid:
    """Return the 11 by 11 cells, 68 of them free; cell = 11*row + column."""
    return Grid.of(_ROWS)


class HiddenGoals(RewardRule):
    """A goal that pays on arrival, and then perhaps moves; the observation does not tell where it is.

    Attributes:
        memory: "goal" int64 [n], the state of the goal; "found" int64 [n], goals found in this episode.
    """

    def __init__(self, num_states: int, first: int, reward: float, goals: int, relocate: bool) -> None:
        """Begin every episode with the goal in state `first`.

        Args:
            num_states: S.
            first: state of the first goal.
            reward: paid on arrival.
            goals: the episode ends when so many have been found, at least 1.
            relocate: whether a goal that was found moves to any of the other S - 1 states, uniformly.

        Raises:
            ValueError: `goals` is outside its range.
        """
        super().__init__()
        self.num_states, self.first, self.reward = num_states, first, reward
        self.goals, self.relocate = integer("num_goals", goals, 1), relocate

    def layout(self) -> Mapping[str, tuple[tuple[int, ...], int | None]]:
        """Return the layout of `memory`."""
        return {"goal": ((), self.num_states), "found": ((), None)}

    def begin(self, where: NDArray[np.bool_], states: NDArray[np.int64]) -> None:
        """Put the goal back to the first state in the copies `where` bool[n]."""
        super().begin(where, states)
        self.memory["goal"][where] = self.first

    def arrive(self, states: NDArray[np.int64], draw: Draw) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Pay the copies that are at their goal, and move it; draws one uniform for each goal that moves."""
        goal, found = self.memory["goal"], self.memory["found"]
        hit = states == goal
        found += hit
        over: NDArray[np.bool_] = found >= self.goals
        if self.relocate:
            moves = hit & ~over
            others = (draw(moves) * (self.num_states - 1)).astype(np.int64)
            goal[moves] = others + (others >= states[moves])  # leaves out the state itself
        return np.where(hit, self.reward, 0.0), over

    def marked(self, index: int) -> list[int]:
        """Return the state of the goal."""
        return [int(self.memory["goal"][index])]


def four_rooms(config: FourRoomsConfig) -> Design:
    """Return the environment. Actions up, right, down, left, and stay if `config.stay`; see `FourRoomsConfig`.

    Exactly tabular are the tasks "goal" (the goal is terminal) and, but for its rewards, "diminishing": `model().r`
    is what a first visit pays, the attribute `diminishing` has the rest. Of "goals" the model has the dynamics and
    the rewards of the first goal; where the goal is, and how many were found, is hidden and not part of the state.

    Raises:
        ValueError: an option is outside its range, or a goal or the start is a wall.
    """
    if config.task not in _TASK_DEFAULTS:
        raise ValueError(f"task must be one of {', '.join(_TASK_DEFAULTS)}, got {config.task!r}")
    unset_value = {"max_episode_steps": "auto"}  # there None means that episodes are never truncated
    defaults = {
        key: value for key, value in _TASK_DEFAULTS[config.task].items() if getattr(config, key) == unset_value.get(key)
    }
    options: Options = dataclasses.replace(config, **defaults)
    grid = four_rooms_grid()
    moves = grid.outcomes(FOUR + STAY * options.stay, noise=options.noise, wall_penalty=options.wall_penalty)
    return _DESIGNS[options.task](grid, moves, options)


def _one_goal(grid: Grid, moves: Outcomes, options: Options) -> Design:
    return goal_grid(
        grid,
        moves,
        goal=options.goal,
        goal_reward=options.goal_reward,
        start=options.start,
        gamma=options.gamma,
        max_episode_steps=options.max_episode_steps,
    )


def _hidden_goals(grid: Grid, moves: Outcomes, options: Options) -> Design:
    reward = grid.reward_table("goal", [options.goal], [options.goal_reward])
    goal = grid.state("goal", options.goal)
    return Design(
        model=moves.plus(reward).model(options.gamma, grid.start(options.start, np.arange(grid.num_states) != goal)),
        outcomes=moves,
        view=CellView.of(grid.walls, grid.cells),
        max_episode_steps=options.max_episode_steps,
        rule=HiddenGoals(grid.num_states, goal, options.goal_reward, options.num_goals, options.reset_goal),
        grid=grid,
    )


_TASK_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "goal": {"gamma": 0.95, "goal_reward": 1.0, "wall_penalty": 0.0, "max_episode_steps": 75},
    "goals": {"gamma": 0.95, "goal_reward": 50.0, "wall_penalty": 1.0, "max_episode_steps": 75},
    "diminishing": {"gamma": 0.97, "goal_reward": 0.0, "wall_penalty": 0.0, "max_episode_steps": 40},
}
_DESIGNS = {"goal": _one_goal, "goals": _hidden_goals, "diminishing": diminishing_grid}


class FourRooms(DesignedEnv, config=FourRoomsConfig, design=four_rooms):
    """``zoo/FourRooms-v0``: four rooms of 16 cells and four doors: one goal, hidden goals, or rewards that shrink.

    Actions: up, right, down, left, and stay if `stay`; a move against a wall stays and costs `wall_penalty`.
    Observations: the index of the free cell, row by row, of 68. Rewards by `task`: "goal" pays `goal_reward` on
    arrival and ends; "goals" pays at a hidden goal, which then perhaps moves, and ends after `num_goals`; in
    "diminishing" the k-th visit to one of `goals` (k = 0, 1, ...) pays its reward times lam^k. Ends: terminated as
    said, truncated after `max_episode_steps`. Options: see `FourRoomsConfig`. Optimum of "goal": the shortest path;
    numbers in docs/methods/successor.md, section 7.
    """


class FourRoomsVector(DesignedVectorEnv, config=FourRoomsConfig, design=four_rooms):
    """``zoo/FourRooms-v0``, `num_envs` copies."""
