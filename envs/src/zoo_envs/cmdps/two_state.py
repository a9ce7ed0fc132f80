"""TwoState: the reward and the constraint disagree, so the optimal policy is stochastic.

Exact optimum (docs/methods/reload.md, section 7.1): J* = 1 - theta, mu* = 1; theta = 0.5 by default.
"""

from __future__ import annotations

import numpy as np

from zoo_envs.tabular.env import TabularEnv
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.vector_env import TabularVectorEnv
from zoo_envs.validation import real

__all__ = ["TwoState", "TwoStateVector", "two_state_model"]


def two_state_model(theta: float = 0.5, gamma: float = 0.9) -> TabularModel:
    """Return the CMDP. Action 0 stays, action 1 switches.

    Args:
        theta: least normalised utility J_u, in [0, 1].
        gamma: discount, in [0, 1).

    Raises:
        ValueError: an argument is outside its range.
    """
    theta = real("theta", theta, 0, 1)
    stay, switch = 0, 1
    P = np.zeros((2, 2, 2))
    P[:, stay] = np.eye(2)
    P[:, switch] = np.eye(2)[::-1]
    r = np.zeros((2, 2))
    r[0, stay] = 1.0
    u = np.zeros((1, 2, 2))
    u[0, 0, switch] = u[0, 1, stay] = 1.0
    return TabularModel(P, r, gamma, np.array([1.0, 0.0]), u, np.array([theta]), (">=",), ("utility",))


class TwoState(TabularEnv):
    """``zoo/TwoState-v0``, one copy."""

    def __init__(
        self,
        *,
        theta: float = 0.5,
        gamma: float = 0.9,
        max_episode_steps: int | None = 200,
        render_mode: str | None = None,
    ) -> None:
        """See `two_state_model` and `TabularEnv`."""
        super().__init__(two_state_model(theta, gamma), max_episode_steps=max_episode_steps, render_mode=render_mode)


class TwoStateVector(TabularVectorEnv):
    """``zoo/TwoState-v0``, `num_envs` copies."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        theta: float = 0.5,
        gamma: float = 0.9,
        max_episode_steps: int | None = 200,
        render_mode: str | None = None,
    ) -> None:
        """See `two_state_model` and `TabularVectorEnv`."""
        super().__init__(
            two_state_model(theta, gamma),
            num_envs,
            max_episode_steps=max_episode_steps,
            render_mode=render_mode,
        )
