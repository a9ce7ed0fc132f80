"""ThreeState: a hot state, a costly state and a poor one, with limits on heat and energy.

Exact optimum at the defaults (docs/methods/reload.md, section 7.2): J* = 0.876066, mu* = (0.777778, 1.660960); both
constraints bind.
"""

from __future__ import annotations

import numpy as np

from zoo_envs.tabular.env import TabularEnv
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.vector_env import TabularVectorEnv
from zoo_envs.validation import real

__all__ = ["ThreeState", "ThreeStateVector", "three_state_model"]


def three_state_model(heat: float = 0.2, energy: float = 0.3, gamma: float = 0.9) -> TabularModel:
    """Return the CMDP.

    Args:
        heat: largest normalised heat, at least 0.
        energy: largest normalised energy, at least 0.
        gamma: discount, in [0, 1).

    Raises:
        ValueError: an argument is outside its range.
    """
    b = np.array([real("heat", heat, 0), real("energy", energy, 0)])
    P = np.zeros((3, 3, 3))
    P[0, 0, 0] = P[0, 1, 0] = 1.0
    P[0, 2, [1, 0]] = 0.9, 0.1
    P[1, 0, [1, 2]] = 0.8, 0.2
    P[1, 1, 0] = P[1, 2, 2] = 1.0
    P[2, 0, 2] = P[2, 1, 0] = P[2, 2, 1] = 1.0
    r = np.array([[1.0, 0.1, 0.0], [2.0, 0.0, 0.0], [0.2, 0.0, 0.0]])
    c = np.zeros((2, 3, 3))
    c[0, 0, 0], c[0, 2, 2] = 1.0, 0.5
    c[1, 1, 0] = 1.0
    return TabularModel(P, r, gamma, np.array([1.0, 0.0, 0.0]), c, b, ("<=", "<="), ("heat", "energy"))


class ThreeState(TabularEnv):
    """``zoo/ThreeState-v0``, one copy."""

    def __init__(
        self,
        *,
        heat: float = 0.2,
        energy: float = 0.3,
        gamma: float = 0.9,
        max_episode_steps: int | None = 200,
        render_mode: str | None = None,
    ) -> None:
        """See `three_state_model` and `TabularEnv`."""
        super().__init__(
            three_state_model(heat, energy, gamma),
            max_episode_steps=max_episode_steps,
            render_mode=render_mode,
        )


class ThreeStateVector(TabularVectorEnv):
    """``zoo/ThreeState-v0``, `num_envs` copies."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        heat: float = 0.2,
        energy: float = 0.3,
        gamma: float = 0.9,
        max_episode_steps: int | None = 200,
        render_mode: str | None = None,
    ) -> None:
        """See `three_state_model` and `TabularVectorEnv`."""
        super().__init__(
            three_state_model(heat, energy, gamma),
            num_envs,
            max_episode_steps=max_episode_steps,
            render_mode=render_mode,
        )
