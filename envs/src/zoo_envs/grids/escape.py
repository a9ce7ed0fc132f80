"""Escape: from one side of an arena to the shelter on the other, with or without a barrier halfway.

From Moskovitz et al. 2022, A First-Occupancy Representation, arXiv:2109.13863; numbers in docs/methods/successor.md,
section 7. With size 25 the shelter is 22 moves away, whether or not there is a barrier; with four directions and the
barrier 36.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from zoo_envs_plugin.options.grids import EscapeConfig

from zoo_envs.grids.tasks import goal_grid
from zoo_envs.reward_rules import Draw, RewardRule
from zoo_envs.tabular.from_config import Design, DesignedEnv, DesignedVectorEnv
from zoo_envs.tabular.grid import DIAGONALS, FOUR, Grid
from zoo_envs.validation import integer, real

__all__ = ["Escape", "EscapeVector", "NoisyReward", "escape", "escape_grid"]


def escape_grid(size: int, barrier: bool) -> Grid:
    """Return the arena of `size` by `size` cells, its border walls.

    The barrier is on row size//2, from column size//4 to 3*size//4, both included.
    """
    walls = Grid.room(size, size).walls.copy()
    if barrier:
        walls[size // 2, size // 4 : 3 * size // 4 + 1] = True
    return Grid(walls)


class NoisyReward(RewardRule):
    """Adds a normal number to every reward, from two uniforms (Box and Muller, 1958)."""

    def __init__(self, deviation: float) -> None:
        """Add numbers of mean 0 and standard `deviation`."""
        super().__init__()
        self.deviation = deviation

    def arrive(self, states: NDArray[np.int64], draw: Draw) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the noise of every copy; no episode ends."""
        everywhere = np.ones(states.size, dtype=np.bool_)
        radius, angle = draw(everywhere), draw(everywhere)
        # log1p(-u) is finite, since u is never 1.
        normal = np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)
        return self.deviation * normal, ~everywhere


def escape(config: EscapeConfig) -> Design:
    """Return the environment: start in (1, size//2), shelter in (size-2, size//2), where the episode ends.

    Only the cell that is entered counts, so diagonal moves squeeze past the corners of the barrier. With
    `config.reward_noise` each step draws two more uniforms, and the model has the mean rewards.

    Raises:
        ValueError: an option is outside its range.
    """
    size = integer("size", config.size, 8 if config.barrier else 4)  # below, a barrier would reach both walls
    if config.moves not in (4, 8):
        raise ValueError(f"moves must be 4 or 8, got {config.moves!r}")
    deviation = real("reward_noise", config.reward_noise, 0)
    grid = escape_grid(size, config.barrier)
    directions = FOUR + DIAGONALS * (config.moves == 8)
    moves = grid.outcomes(directions, noise=config.noise, wall_penalty=config.wall_penalty)
    return goal_grid(
        grid,
        moves,
        goal=(size - 2) * size + size // 2,
        goal_reward=config.goal_reward,
        start=size + size // 2,
        gamma=config.gamma,
        max_episode_steps=config.max_episode_steps,
        rule=NoisyReward(deviation) if deviation else None,
    )


class Escape(DesignedEnv, config=EscapeConfig, design=escape):
    """``zoo/Escape-v0``: from one side of an arena to the shelter on the other, with or without a barrier halfway.

    Actions: up, right, down, left, and with `moves` = 8 the four diagonals; a move against a wall stays and costs
    `wall_penalty`. Observations: the index of the free cell, row by row; the start is (1, size//2). Rewards:
    `goal_reward` for arriving at the shelter, plus a normal number where `reward_noise` > 0. Ends: terminated at the
    shelter, truncated after `max_episode_steps`. Options: see `EscapeConfig`. Optimum: size - 3 moves without a barrier
    (22 with size 25, also with it and 8 directions; 36 with 4).
    """


class EscapeVector(DesignedVectorEnv, config=EscapeConfig, design=escape):
    """``zoo/Escape-v0``, `num_envs` copies."""
