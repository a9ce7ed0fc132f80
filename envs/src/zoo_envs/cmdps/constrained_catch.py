"""ConstrainedCatch: catch a falling ball while spending a share of the time in the leftmost column.

Exact optima (docs/methods/reload.md, section 7.5): at theta = 0.6, J* = 0.084829 and mu* = 0.477393; infeasible above
0.774922.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoo_envs.cmdps.from_function import CMDPEnv, CMDPVectorEnv
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.rendering import BoardView
from zoo_envs.validation import integer, real

__all__ = ["ConstrainedCatch", "ConstrainedCatchVector", "constrained_catch_model"]

_ENV_OPTIONS = {"observation": "state"}
_BALL, _PADDLE, _CAUGHT = 1, 2, 3
_PALETTE = ((240, 240, 240), (255, 127, 14), (31, 119, 180), (44, 160, 44))


def constrained_catch_model(rows: int = 10, columns: int = 5, gamma: float = 0.97, theta: float = 0.6) -> TabularModel:
    """Return the CMDP. State s = (row*C + ball column)*C + paddle column, actions left, stay, right.

    The ball falls one row a step. In the last row the reward is +1 where the columns agree before the action,
    else -1, and a new ball appears at a uniform column of row 0 with the paddle at C//2, which is also the
    start.

    Args:
        rows: height R, at least 2.
        columns: width C, at least 2.
        gamma: discount, in [0, 1).
        theta: least normalised share of time with the paddle in column 0, in [0, 1].

    Raises:
        ValueError: an argument is outside its range.
    """
    R, C = integer("rows", rows, 2), integer("columns", columns, 2)
    theta = real("theta", theta, 0, 1)
    S, A = R * C * C, 3
    row, ball, paddle = np.indices((R, C, C)).reshape(3, S)
    moved = np.clip(paddle[:, None] + np.array([-1, 0, 1]), 0, C - 1)
    last = row == R - 1
    below = ((row + 1) * C + ball)[:, None] * C + moved  # [S,A]; meaningless in the last row
    rho = np.zeros(S)
    rho[np.arange(C) * C + C // 2] = 1 / C
    P = np.zeros((S, A, S))
    P[last] = rho
    s, a = np.nonzero(np.broadcast_to(~last[:, None], (S, A)))
    P[s, a, below[s, a]] = 1.0
    r = np.zeros((S, A))
    r[last] = np.where(ball == paddle, 1.0, -1.0)[last, None]
    c = np.zeros((1, S, A))
    c[0, paddle == 0] = 1.0
    return TabularModel(P, r, gamma, rho, c, np.array([theta]), (">=",), ("left",))


def _planes(rows: int, columns: int) -> NDArray[np.float32]:
    """Return float32 [S, rows, columns, 2]: per state, plane 0 the ball and plane 1 the paddle."""
    S = rows * columns**2
    row, ball, paddle = np.indices((rows, columns, columns)).reshape(3, S)
    planes = np.zeros((S, rows, columns, 2), dtype=np.float32)
    planes[np.arange(S), row, ball, 0] = 1.0
    planes[np.arange(S), rows - 1, paddle, 1] = 1.0
    return planes


def _observations(observation: str, rows: int, columns: int) -> NDArray[np.float32] | None:
    if observation not in ("state", "grid"):
        raise ValueError(f"observation must be 'state' or 'grid', got {observation!r}")
    return _planes(rows, columns) if observation == "grid" else None


def _view(rows: int, columns: int) -> BoardView:
    def pieces(state: int) -> list[tuple[int, int]]:
        ball, paddle = state // columns, (rows - 1) * columns + state % columns
        return [(ball, _CAUGHT)] if ball == paddle else [(ball, _BALL), (paddle, _PADDLE)]

    def ground(state: int) -> NDArray[np.int64]:
        return np.zeros((rows, columns), dtype=np.int64)

    return BoardView(rows * columns**2, ground, pieces, ".o_U", _PALETTE, bars=(_PADDLE,))


class ConstrainedCatch(
    CMDPEnv, model=constrained_catch_model, view=_view, observations=_observations, env_options=_ENV_OPTIONS
):
    """``zoo/ConstrainedCatch-v0``: catch a falling ball while spending a share of the time in the leftmost column.

    Actions: left, stay, right. Observations: the state's index, or with `observation` = "grid" float32 [rows, columns,
    2], a plane for the ball and one for the paddle. The ball falls one row a step. Rewards: in the last row 1 where
    ball and paddle are in one column before the action, else -1; then a new ball appears. Constraint `left` >= `theta`:
    the normalised discounted share of steps with the paddle in column 0. Ends: never terminated, truncated after
    `max_episode_steps`. Options: see `constrained_catch_model`. Optimum at theta = 0.6: J* = 0.084829 with mu* =
    0.477393; infeasible above theta = 0.774922 (docs/methods/reload.md, section 7.5).
    """


class ConstrainedCatchVector(
    CMDPVectorEnv, model=constrained_catch_model, view=_view, observations=_observations, env_options=_ENV_OPTIONS
):
    """``zoo/ConstrainedCatch-v0``, `num_envs` copies; see `ConstrainedCatch`."""
