"""The two kinds of task on a grid that several environments share: reach a goal, and rewards that diminish."""

from __future__ import annotations

import numpy as np
from zoo_envs_plugin.options.grids import BasicGridConfig, TwoRoomsConfig

from zoo_envs.reward_rules import Diminishing, RewardRule
from zoo_envs.tabular.from_config import Design
from zoo_envs.tabular.grid import Grid
from zoo_envs.tabular.rendering import CellView
from zoo_envs.tabular.transitions import Outcomes

__all__ = ["diminishing_grid", "goal_grid"]


def goal_grid(
    grid: Grid,
    moves: Outcomes,
    *,
    goal: int,
    goal_reward: float,
    start: int | None,
    gamma: float,
    max_episode_steps: int | None,
    rule: RewardRule | None = None,
) -> Design:
    """Return the task that pays, and ends, on arrival at the goal.

    Args:
        grid: its free cells are the states.
        moves: the outcomes of the actions.
        goal: flat cell of the goal.
        goal_reward: for arriving there.
        start: flat first cell; None: uniform on all but the goal.
        gamma: discount, in [0, 1).
        max_episode_steps: steps until truncation; None: never.
        rule: further rewards.

    Raises:
        ValueError: an option is outside its range, or a goal or the start is a wall.
    """
    reward = grid.reward_table("goal", [goal], [goal_reward])
    terminal = np.arange(grid.num_states) == grid.state("goal", goal)
    outcomes = moves.plus(reward).ending(terminal)
    return Design(
        model=outcomes.model(gamma, grid.start(start, ~terminal), terminal),
        outcomes=outcomes,
        view=CellView.of(grid.walls, grid.cells, np.flatnonzero(terminal).tolist()),
        max_episode_steps=max_episode_steps,
        rule=rule,
        grid=grid,
    )


def diminishing_grid(
    grid: Grid, moves: Outcomes, options: BasicGridConfig | TwoRoomsConfig, recovery: int | None = None
) -> Design:
    """Return the task whose goals pay less with each visit; a start of None is uniform on the cells that do not pay.

    Args:
        grid: its free cells are the states.
        moves: the outcomes of the actions.
        options: goals, rewards and discount; any dataclass with these fields.
        recovery: steps after which one visit is forgotten; None: rewards do not come back.

    Raises:
        ValueError: an option is outside its range, or a goal or the start is a wall.
    """
    base = grid.reward_table("goals", options.goals, options.goal_rewards)
    return Design(
        model=moves.plus(base).model(options.gamma, grid.start(options.start, base == 0)),
        outcomes=moves,
        view=CellView.of(grid.walls, grid.cells),
        max_episode_steps=options.max_episode_steps,
        rule=Diminishing(
            base,
            options.lam,
            count_start=options.count_start,
            end_below=options.end_below,
            recovery=recovery,
        ),
        grid=grid,
    )
