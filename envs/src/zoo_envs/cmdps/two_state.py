"""TwoState: the reward and the constraint disagree, so the optimal policy is stochastic.

Exact optimum (docs/methods/reload.md, section 7.1): J* = 1 - theta, mu* = 1; theta = 0.5 by default.
"""

from __future__ import annotations

import numpy as np

from zoo_envs.cmdps.from_function import CMDPEnv, CMDPVectorEnv
from zoo_envs.tabular.model import TabularModel
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


class TwoState(CMDPEnv, model=two_state_model):
    """``zoo/TwoState-v0``: two states in which the reward and the constraint disagree; the best policy is stochastic.

    Actions: 0 stays, 1 switches to the other state. Observations: the state, 0 (the start) or 1. Reward: 1 for staying
    in state 0. Constraint `utility` >= `theta`: the normalised discounted share of steps that switch in state 0 or stay
    in state 1. Ends: never terminated, truncated after `max_episode_steps`. Options: see `two_state_model`. Optimum: J*
    = 1 - theta with the multiplier mu* = 1 (docs/methods/reload.md, section 7.1).
    """


class TwoStateVector(CMDPVectorEnv, model=two_state_model):
    """``zoo/TwoState-v0``, `num_envs` copies; see `TwoState`."""
