"""TvDGrid: a small grid with walls, observed by transformed coordinates.

A gridworld of the size in Gupta, Moskovitz, Alvarez-Melis & Pacchiano 2022, "Transfer RL via the Undo Maps Formalism",
arXiv:2211.14469; the paper's own grids are not published, and this one is ours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_envs_plugin.options.transformed import TvDGridConfig

from zoo_envs.grids.tasks import goal_grid
from zoo_envs.tabular.from_config import Design, DesignedEnv, DesignedVectorEnv
from zoo_envs.tabular.grid import FOUR, Grid
from zoo_envs.transformed.transformations import Transformation, named

__all__ = ["TvDGrid", "TvDGridVector", "source_observations", "tvd_grid"]

_ROWS = (".......", ".......", ".###...", ".......", "....##.", ".......", ".......")
_GOAL = 6 * 7 + 5
"""row 6, column 5"""


def source_observations(observation: str) -> NDArray[np.float64]:
    """Return what is seen of each of the 44 states before the transformation, float64 [44, d].

    Raises:
        ValueError: `observation` is neither "coordinates" nor "one-hot".
    """
    grid = Grid.of(_ROWS)
    if observation == "one-hot":
        return np.eye(grid.num_states)
    if observation != "coordinates":
        raise ValueError(f"observation must be 'coordinates' or 'one-hot', got {observation!r}")
    return np.stack([(grid.cells // 7 - 3) / 3, (grid.cells % 7 - 3) / 3], axis=1)


def _transformation(config: TvDGridConfig) -> Transformation:
    return named(config.transform, source_observations(config.observation).shape[1], config.transform_seed)


def tvd_grid(config: TvDGridConfig) -> Design:
    """Return the environment. Actions up, right, down, left; arriving at the goal pays 1 and ends the episode.

    Raises:
        ValueError: an option is outside its range.
    """
    grid = Grid.of(_ROWS)
    design = goal_grid(
        grid,
        grid.outcomes(FOUR, noise=config.noise),
        goal=_GOAL,
        goal_reward=1.0,
        start=None,
        gamma=config.gamma,
        max_episode_steps=config.max_episode_steps,
    )
    seen = _transformation(config).forward(source_observations(config.observation))
    return design.observed_as(seen.astype(np.float32))


class TvDGrid(DesignedEnv, config=TvDGridConfig, design=tvd_grid):
    """``zoo/TvDGrid-v0``, one copy: to the goal of a small grid with walls, observed through a transformation g.

    Actions: up, right, down, left. Observations float32: g of the cell's (row, column), each (index - 3) / 3, or of the
    one-hot code of the state. Rewards: 1 at the goal, else 0. Ends: terminated at the goal, truncated after
    `max_episode_steps`. An episode begins in any free cell but the goal, all alike. Options: see `TvDGridConfig`.
    Optimum: the shortest path.

    Attributes:
        transformation: g.
        source_states: float64 [44, d], what g is applied to.
    """

    def __init__(self, *, render_mode: str | None = None, **options: Any) -> None:
        """Build the environment of `options`; see `DesignedEnv`."""
        super().__init__(render_mode=render_mode, **options)
        self.options = TvDGridConfig(**options)
        self.transformation = _transformation(self.options)
        self.source_states = source_observations(self.options.observation)


class TvDGridVector(DesignedVectorEnv, config=TvDGridConfig, design=tvd_grid):
    """``zoo/TvDGrid-v0``, `num_envs` copies; see `TvDGrid`."""

    def __init__(self, num_envs: int = 1, *, render_mode: str | None = None, **options: Any) -> None:
        """Build `num_envs` copies of the environment of `options`; see `DesignedVectorEnv`."""
        super().__init__(num_envs, render_mode=render_mode, **options)
        self.options = TvDGridConfig(**options)
        self.transformation = _transformation(self.options)
        self.source_states = source_observations(self.options.observation)

    def make_source(self, num_envs: int) -> TvDGridVector:
        """Return `num_envs` copies without the transformation."""
        options = {**vars(self.options), "transform": "identity"}
        return TvDGridVector(num_envs, **options)
