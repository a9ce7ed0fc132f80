"""TwoRooms: two rooms joined by a door, with three rewards that diminish.

From Moskovitz et al. 2023, A State Representation for Diminishing Rewards, arXiv:2309.03710;
numbers in docs/methods/successor.md, section 7.
"""

from __future__ import annotations

from zoo_envs_plugin.options.grids import TwoRoomsConfig

from zoo_envs.grids.tasks import diminishing_grid
from zoo_envs.tabular.from_config import Design, DesignedEnv, DesignedVectorEnv
from zoo_envs.tabular.grid import FOUR, STAY, Grid

__all__ = ["TwoRooms", "TwoRoomsVector", "two_rooms"]

_ROOM = "#.........#"
_ROWS = ("###########", _ROOM, _ROOM, _ROOM, _ROOM, "#####.#####", _ROOM, _ROOM, _ROOM, _ROOM, "###########")


def two_rooms(config: TwoRoomsConfig) -> Design:
    """Return the environment. Actions up, right, down, left, and stay unless `config.stay` is False.

    Raises:
        ValueError: an option is outside its range, or a goal or the start is a wall.
    """
    grid = Grid.of(_ROWS)
    moves = grid.outcomes(FOUR + STAY * config.stay, noise=config.noise, wall_penalty=config.wall_penalty)
    return diminishing_grid(grid, moves, config, config.recovery)


class TwoRooms(DesignedEnv, config=TwoRoomsConfig, design=two_rooms):
    """``zoo/TwoRooms-v0``: two rooms joined by a door, with three rewards that shrink with each visit.

    Actions: up, right, down, left, and stay unless `stay` is False; a move against a wall stays and costs
    `wall_penalty`. Observations: the index of the free cell, row by row. Rewards: the k-th visit to a goal cell in an
    episode (k = 0, 1, ...) pays its reward times lam^k. Ends: terminated when every remaining reward is below
    `end_below` (by default never), truncated after `max_episode_steps`. Options: see `TwoRoomsConfig`. No optimum is
    known in closed form.
    """


class TwoRoomsVector(DesignedVectorEnv, config=TwoRoomsConfig, design=two_rooms):
    """``zoo/TwoRooms-v0``, `num_envs` copies."""
