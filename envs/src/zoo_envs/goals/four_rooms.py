"""Four rooms with a goal for each task (Moskovitz, Kao, Sahani, Botvinick 2023, arXiv:2207.08258).

The map is that of `zoo_envs.grids.four_rooms`; a move against a wall stays.
"""

from __future__ import annotations

from functools import cached_property

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from zoo_envs_plugin.options.goals import FourRoomsGoalsConfig

from zoo_envs.goals.env import GoalEnv, GoalVectorEnv
from zoo_envs.goals.family import Floats, GoalFamily, GoalTask
from zoo_envs.goals.features import GoalFeatures
from zoo_envs.grids.four_rooms import four_rooms_grid
from zoo_envs.tabular.grid import FOUR
from zoo_envs.validation import integer, real

__all__ = ["FourRooms", "FourRoomsGoals", "FourRoomsGoalsVector", "rooms"]

_MIDDLE = 5
"""row and column of the walls between the rooms"""


def rooms() -> NDArray[np.int64]:
    """Return the room of each free cell, [68]: 0 bottom left, 1 top left, 2 top right, 3 bottom right."""
    row, column = np.divmod(four_rooms_grid().cells, four_rooms_grid().walls.shape[1])
    return np.select([(row >= _MIDDLE) & (column < _MIDDLE), column < _MIDDLE, row < _MIDDLE], [0, 1, 2], 3)


class FourRooms(GoalFamily):
    """Actions up, right, down, left; arriving at the goal ends the episode."""

    num_physics = 1  # the state, a free cell in [0, 68)

    def __init__(self, config: FourRoomsGoalsConfig) -> None:
        """Check the options.

        Raises:
            ValueError: an option is outside its range, or a goal or the start is a wall.
        """
        cell_only = config.observation == "cell"
        super().__init__(config, 0 if cell_only else config.features)
        self.grid = grid = four_rooms_grid()
        self.states = np.array([grid.state("a goal", cell) for cell in config.goals], dtype=np.int64)
        if len(set(config.goals)) != len(config.goals) or not config.goals:
            raise ValueError(f"goals must be at least one cell, each once, got {list(config.goals)}")
        self.goals = tuple(str(cell) for cell in config.goals)
        self.weights = self._weights(config)
        start_rooms = [integer("a start room", room, 0, 3) for room in config.start_rooms]
        self.starts = np.flatnonzero(np.isin(rooms(), start_rooms))
        if any(not (self.starts != state).any() for state in self.states):
            raise ValueError(f"start_rooms = {list(config.start_rooms)} leaves no cell to begin in")
        if config.reward not in ("unit", "published"):
            raise ValueError(f"reward must be 'unit' or 'published', got {config.reward!r}")
        self.target = grid.neighbours(FOUR)
        self.action_space = spaces.Discrete(len(FOUR))
        self.feature_groups = self._groups(config)
        if cell_only:
            self.observation_space = spaces.Discrete(grid.num_states)
        else:
            size = max(group.stop for group in self.feature_groups.values())
            high = 1.0 if config.observation == "features" else float(max(grid.walls.shape))
            self.observation_space = spaces.Box(-high, high, (size,), np.float32)

    def _weights(self, config: FourRoomsGoalsConfig) -> Floats | None:
        if config.common is None:
            return None
        others = len(config.goals) - 1
        first = real("common", config.common, 0, 1)
        if not others:
            raise ValueError("common is given, and there is one goal: expected at least two")
        return np.array([first, *[(1 - first) / others] * others])

    def _groups(self, config: FourRoomsGoalsConfig) -> dict[str, slice]:
        if config.observation not in ("features", "coordinates", "cell"):
            raise ValueError(f"observation must be features, coordinates or cell, got {config.observation!r}")
        cells = self.grid.num_states
        widths = {"position": 2 if config.observation == "coordinates" else cells}
        if config.observation != "cell":
            coded = len(config.goals) if config.observation == "coordinates" else cells
            widths |= {"goal": coded * config.observe_goal, "noise": config.features}
        groups, start = {}, 0
        for name, width in widths.items():
            if width:
                groups[name] = slice(start, start := start + width)
        return groups

    def single(self, task: GoalTask) -> gymnasium.Env[object, object]:
        """See GoalFamily."""
        return FourRoomsGoals.for_task(task)

    def begin(self, rng: np.random.Generator, goals: NDArray[np.int64]) -> Floats:
        """Draw first states, uniform on the start rooms without the goal's cell."""
        goal = self.states[goals]
        blocked = np.isin(goal, self.starts)
        drawn = (rng.random(len(goals)) * (len(self.starts) - blocked)).astype(np.int64)
        # Where the goal is a start cell, those after it move up by one.
        place = np.searchsorted(self.starts, goal)
        return self.starts[drawn + (blocked & (drawn >= place))][:, None].astype(np.float64)

    def move(
        self, physics: Floats, goals: NDArray[np.int64], actions: NDArray[np.int64]
    ) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """See GoalFamily.

        Raises:
            ValueError: an action is not one of the four.
        """
        if actions.dtype.kind not in "iu" or ((actions < 0) | (actions >= len(FOUR))).any():
            raise ValueError(f"actions must lie in [0, {len(FOUR) - 1}], got {actions.tolist()}")
        state = physics[:, 0].astype(np.int64)
        arrived = self.target[state, actions]
        at_goal: NDArray[np.bool_] = arrived == self.states[goals]
        rewards = at_goal.astype(np.float64)
        if self.config.reward == "published":
            rewards = 50.0 * rewards - (arrived == state)
        return arrived[:, None].astype(np.float64), rewards, at_goal

    def observe(self, physics: Floats, cues: NDArray[np.int64], noise: Floats) -> NDArray[np.generic]:
        """See GoalFamily."""
        state, config = physics[:, 0].astype(np.int64), self.config
        if config.observation == "cell":
            return state
        cells = self.grid.num_states
        if config.observation == "coordinates":
            position = np.stack(np.divmod(self.grid.cells[state], self.grid.walls.shape[1]), axis=1)
            goal = GoalFeatures(len(self.goals)).encode(cues)
        else:
            position, goal = GoalFeatures(cells).encode(state), GoalFeatures(cells).encode(self.states[cues])
        parts = [position, goal, noise] if config.observe_goal else [position, noise]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def optimal_value(self, goal: int, gamma: float) -> float:
        """Return the mean over first states of gamma^(d - 1) times the goal's reward, for shortest paths of d steps.

        A shortest path meets no wall, so the wall penalty does not matter.
        """
        distances = self._distances[goal]
        first = self.starts[self.starts != self.states[goal]]
        goal_reward = 50.0 if self.config.reward == "published" else 1.0
        return float(
            np.where(distances[first] <= self.limit, gamma ** (distances[first] - 1.0) * goal_reward, 0.0).mean()
        )

    @cached_property
    def _distances(self) -> NDArray[np.int64]:
        """Steps of a shortest path to each goal from each state, [G, S]."""
        distances = np.full((len(self.goals), self.grid.num_states), self.grid.num_states, dtype=np.int64)
        distances[np.arange(len(self.goals)), self.states] = 0
        for _ in range(self.grid.num_states):
            distances = np.minimum(distances, distances[:, self.target].min(axis=2) + 1)
        return distances


class FourRoomsGoals(GoalEnv, config=FourRoomsGoalsConfig, family=FourRooms):
    """``zoo/FourRoomsGoals-v0``: four rooms with a goal for each task.

    Actions: up, right, down, left; a move against a wall stays. Observations by `observation`: float32, the one-hot
    code of the cell and that of the goal, or row, column and goal; or the number of the cell. Irrelevant `features` of
    +-1 follow. Rewards: 1 on arrival ("unit"), or 50 and -1 for each move against a wall ("published"). Ends:
    terminated at the goal, truncated after `max_episode_steps`. Tasks: `goals`, drawn at each reset (`zoo.Multitask`).
    Options: see `FourRoomsGoalsConfig`. Optimum: the shortest path.
    """

    @property
    def grid(self) -> object:
        """The grid whose free cells are the states."""
        return four_rooms_grid()


class FourRoomsGoalsVector(GoalVectorEnv, config=FourRoomsGoalsConfig, family=FourRooms):
    """``zoo/FourRoomsGoals-v0``, `num_envs` copies."""

    @property
    def grid(self) -> object:
        """The grid whose free cells are the states."""
        return four_rooms_grid()
