"""SixArms: a hub and six arms; the arms that pay more are harder to enter.

From Strehl and Littman 2008; numbers in docs/methods/successor.md, section 7. By exact dynamic programming the optimal
return over 5000 steps is 29,400,000.
"""

from __future__ import annotations

import numpy as np
from zoo_envs_plugin.options.exploration import SixArmsConfig

from zoo_envs.tabular.from_config import Design, DesignedEnv, DesignedVectorEnv
from zoo_envs.tabular.rendering import CellView
from zoo_envs.tabular.transitions import Outcomes
from zoo_envs.validation import real

__all__ = ["SixArms", "SixArmsVector", "sixarms"]

_ARMS = 6


def sixarms(config: SixArmsConfig) -> Design:
    """Return the environment: state 0 is the hub, states 1 to 6 are the arms, actions 0 to 5.

    In the hub action a leads to arm a+1 with its probability, and else stays. Arm 1 keeps its agent, and pays, under
    every action but 4; arm i > 1 under action i-1 only. Any other action leads back to the hub.

    Raises:
        ValueError: an option is outside its range.
    """
    for name, values in (("probabilities", config.probabilities), ("rewards", config.rewards)):
        if len(values) != _ARMS:
            raise ValueError(f"{name} must have {_ARMS} entries, one for each arm, got {len(values)}")
    enter = [real(f"probabilities[{i}]", p, 0, 1) for i, p in enumerate(config.probabilities)]
    rewards = [real(f"rewards[{i}]", r, -np.inf) for i, r in enumerate(config.rewards)]
    arms, actions = np.arange(1, _ARMS + 1), np.arange(_ARMS)
    keeps = actions == arms[:, None] - 1  # [arm, action]
    keeps[0] = actions != 4
    succ = np.zeros((_ARMS + 1, _ARMS, 2), dtype=np.int64)  # the first event is to be in the arm, the second in the hub
    p, pay = np.zeros(succ.shape), np.zeros(succ.shape)
    succ[0, :, 0], succ[1:, :, 0] = arms, arms[:, None]
    p[0, :, 0], p[1:, :, 0] = enter, keeps
    p[..., 1] = 1 - p[..., 0]
    pay[1:, :, 0] = np.array(rewards)[:, None]
    outcomes = Outcomes(succ, p, pay)
    return Design(
        model=outcomes.model(config.gamma, np.eye(_ARMS + 1)[0]),
        outcomes=outcomes,
        view=CellView.of(np.zeros((1, _ARMS + 1), dtype=np.bool_), np.arange(_ARMS + 1), [_ARMS]),
        max_episode_steps=config.max_episode_steps,
    )


class SixArms(DesignedEnv, config=SixArmsConfig, design=sixarms):
    """``zoo/SixArms-v0``: a hub and six arms; the arms that pay more are harder to enter.

    Actions: 0 to 5; in the hub, action a leads to arm a + 1 with its probability, and else stays. Observations: 0 is
    the hub, where an episode begins, 1 to 6 are the arms. Rewards: arm 1 pays under every action but 4 and arm i > 1
    under action i - 1 alone; every other action leads back to the hub and pays nothing. Ends: truncated after
    `max_episode_steps`. Options: see `SixArmsConfig`. Optimum over 5,000 steps: 29,400,000, by dynamic programming.
    """


class SixArmsVector(DesignedVectorEnv, config=SixArmsConfig, design=sixarms):
    """``zoo/SixArms-v0``, `num_envs` copies."""
