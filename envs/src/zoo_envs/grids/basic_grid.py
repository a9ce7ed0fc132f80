"""BasicGrid: an empty room of 4 by 4 cells with one reward that diminishes.

From Moskovitz et al. 2023, A State Representation for Diminishing Rewards, arXiv:2309.03710;
numbers in docs/methods/successor.md, section 7.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from zoo_envs_plugin.options.grids import BasicGridConfig

from zoo_envs.grids.tasks import diminishing_grid
from zoo_envs.tabular.from_config import Design, DesignedEnv, DesignedVectorEnv
from zoo_envs.tabular.grid import FOUR, STAY, Grid
from zoo_envs.validation import integer

__all__ = ["BasicGrid", "BasicGridVector", "basic_grid", "basic_grid_policy"]

_UP, _RIGHT, _DOWN, _LEFT = range(4)


def basic_grid(config: BasicGridConfig) -> Design:
    """Return the environment. Actions up, right, down, left, and stay if `config.stay`.

    Raises:
        ValueError: an option is outside its range, or a goal or the start is a wall.
    """
    size = integer("size", config.size, 3)
    grid = Grid.room(size, size)
    moves = grid.outcomes(FOUR + STAY * config.stay, noise=config.noise, wall_penalty=config.wall_penalty)
    return diminishing_grid(grid, moves, config, config.recovery)


def basic_grid_policy() -> NDArray[np.int64]:
    """Return the fixed policy int64 [16] of the 6 by 6 grid, which ends up in a loop of six cells through cell 15."""
    action = np.full(36, _LEFT, dtype=np.int64)
    action[[25, 26, 19, 20, 13, 14]] = _UP
    action[[7, 8, 9]] = _RIGHT
    action[10] = _DOWN
    return action[Grid.room(6, 6).cells]


class BasicGrid(DesignedEnv, config=BasicGridConfig, design=basic_grid):
    """``zoo/BasicGrid-v0``: an empty room with rewards in some cells that shrink with each visit.

    Actions: up, right, down, left, and stay if `stay`; a move against a wall stays and costs `wall_penalty`.
    Observations: the index of the free cell, row by row. Rewards: the k-th visit to a goal cell in an episode (k = 0,
    1, ...) pays its reward times lam^k. Ends: terminated when every remaining reward is below `end_below` (by default
    never), truncated after `max_episode_steps`. Options: see `BasicGridConfig`. The model's rewards are those of first
    visits; the return of a given policy is exact by the lambda representation (docs/methods/successor.md) and no
    optimum is known in closed form.
    """


class BasicGridVector(DesignedVectorEnv, config=BasicGridConfig, design=basic_grid):
    """``zoo/BasicGrid-v0``, `num_envs` copies."""
