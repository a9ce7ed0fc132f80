"""ThreeState: a hot state, a costly state and a poor one, with limits on heat and energy.

Exact optimum at the defaults (docs/methods/reload.md, section 7.2): J* = 0.876066, mu* = (0.777778, 1.660960); both
constraints bind.
"""

from __future__ import annotations

import numpy as np

from zoo_envs.cmdps.from_function import CMDPEnv, CMDPVectorEnv
from zoo_envs.tabular.model import TabularModel
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


class ThreeState(CMDPEnv, model=three_state_model):
    """``zoo/ThreeState-v0``: a hot state, a costly state and a poor one, with limits on heat and energy.

    Actions: 0, 1, 2, whose effects depend on the state. Observations: the state, 0 (the start), 1 or 2. Rewards: 1 and
    0.1 for actions 0 and 1 in state 0, 2 for action 0 in state 1, 0.2 for action 0 in state 2. Constraints `heat` <=
    0.2 (1 for action 0 in state 0, 0.5 for action 2 in state 2) and `energy` <= 0.3 (1 for action 0 in state 1), as
    normalised discounted averages. Ends: never terminated, truncated after `max_episode_steps`. Options: see
    `three_state_model`. Optimum at the defaults: J* = 0.876066 with mu* = (0.777778, 1.660960); both constraints bind
    (docs/methods/reload.md, section 7.2).
    """


class ThreeStateVector(CMDPVectorEnv, model=three_state_model):
    """``zoo/ThreeState-v0``, `num_envs` copies; see `ThreeState`."""
