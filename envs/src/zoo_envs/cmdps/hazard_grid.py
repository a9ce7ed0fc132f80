"""HazardGrid: a slippery grid whose shortest paths cross a diagonal of hazard cells.

Exact optimum at the defaults (docs/methods/reload.md, section 7.4): J* = 0.799861, mu* = 6.402166.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoo_envs.cmdps.from_function import CMDPEnv, CMDPVectorEnv
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.rendering import BoardView
from zoo_envs.validation import integer, real

__all__ = ["HazardGrid", "HazardGridVector", "hazard_cells", "hazard_grid_model"]

_MOVES = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])  # up, down, left, right as (row, column)
_GOAL_REWARD = 20.0
_PALETTE = ((240, 240, 240), (214, 39, 40), (44, 160, 44), (31, 119, 180))


def hazard_cells(n: int) -> NDArray[np.bool_]:
    """Return the hazard cells bool [n,n]: i+j = n-1 and |i-j| <= n//2."""
    i, j = np.indices((n, n))
    cells: NDArray[np.bool_] = (i + j == n - 1) & (np.abs(i - j) <= n // 2)
    return cells


def hazard_grid_model(n: int = 8, gamma: float = 0.95, slip: float = 0.1, limit: float = 0.001) -> TabularModel:
    """Return the CMDP. State s = i*n + j, start (0,0), actions up, down, left, right.

    The chosen direction is taken with probability 1 - slip, and with probability slip one of the four,
    uniformly; walls hold. At the goal (n-1,n-1) every action gives reward 20 and returns to the start.

    Args:
        n: side of the grid, at least 2.
        gamma: discount, in [0, 1).
        slip: in [0, 1].
        limit: largest normalised share of steps in hazard cells, at least 0.

    Raises:
        ValueError: an argument is outside its range.
    """
    n = integer("n", n, 2)
    slip, limit = real("slip", slip, 0, 1), real("limit", limit, 0)
    S, A = n * n, 4
    cells = np.indices((n, n)).reshape(2, S).T  # [S, (row, column)]
    target = np.clip(cells[:, None] + _MOVES, 0, n - 1) @ np.array([n, 1])  # [S, direction]
    direction = (1 - slip) * np.eye(A) + slip / 4  # [A, direction]
    P = np.einsum("ad,sdt->sat", direction, np.eye(S)[target])
    goal = S - 1
    P[goal] = np.eye(S)[0]
    r = np.zeros((S, A))
    r[goal] = _GOAL_REWARD
    c = np.zeros((1, S, A))
    c[0, hazard_cells(n).reshape(S)] = 1.0
    return TabularModel(P, r, gamma, np.eye(S)[0], c, np.array([limit]), ("<=",), ("hazard",))


def _view(n: int) -> BoardView:
    board = hazard_cells(n).astype(np.int64)
    board[-1, -1] = 2

    return BoardView(n * n, lambda state: board.copy(), lambda state: [(state, 3)], ".xG@", _PALETTE)


class HazardGrid(CMDPEnv, model=hazard_grid_model, view=_view):
    """``zoo/HazardGrid-v0``: a slippery grid whose shortest paths cross a diagonal of hazard cells.

    Actions: up, down, left, right; with probability `slip` the direction is drawn uniformly, and walls hold.
    Observations: the cell, row * n + column; the start is (0, 0). Reward: 20 for any action in the goal (n-1, n-1),
    which leads back to the start. Constraint `hazard` <= `limit`: the normalised discounted share of steps in hazard
    cells. Ends: never terminated, truncated after `max_episode_steps`. Options: see `hazard_grid_model`. Optimum at the
    defaults: J* = 0.799861 with mu* = 6.402166 (docs/methods/reload.md, section 7.4).
    """


class HazardGridVector(CMDPVectorEnv, model=hazard_grid_model, view=_view):
    """``zoo/HazardGrid-v0``, `num_envs` copies; see `HazardGrid`."""
