"""RiverSwim: six states against the current; a small reward downstream, a large one upstream.

From Strehl and Littman 2008; numbers in docs/methods/successor.md, section 7. By exact dynamic programming the optimal
return over 5000 steps is 3,336,494; that of always swimming left is 24,992.5.
"""

from __future__ import annotations

import numpy as np
from zoo_envs_plugin.options.exploration import RiverSwimConfig

from zoo_envs.tabular.from_config import Design, DesignedEnv, DesignedVectorEnv
from zoo_envs.tabular.rendering import CellView
from zoo_envs.tabular.transitions import Outcomes
from zoo_envs.validation import real

__all__ = ["RiverSwim", "RiverSwimVector", "riverswim"]

_STATES = 6


def riverswim(config: RiverSwimConfig) -> Design:
    """Return the chain of states 0 to 5, starting in 1 or 2. Actions left, right.

    Left always goes one state back. Right goes back, stays or goes on: never, .7, .3 in state 0; .1, .6, .3 in
    between; .7, .3, never in state 5. The large reward is for the event of staying in state 5 by swimming right.
    In the variant "published" it is .1, .2, .7 in state 2 and .4, .6, never in state 5.

    Raises:
        ValueError: an option is outside its range.
    """
    variants = ("standard", "published")
    if config.variant not in variants:
        raise ValueError(f"variant must be one of {', '.join(variants)}, got {config.variant!r}")
    s, last = np.arange(_STATES), _STATES - 1
    back, on = np.maximum(s - 1, 0), np.minimum(s + 1, last)
    right = np.tile([0.1, 0.6, 0.3], (_STATES, 1))  # back, stay, on
    right[0], right[last] = (0.0, 0.7, 0.3), (0.7, 0.3, 0.0)
    if config.variant == "published":
        right[2], right[last] = (0.1, 0.2, 0.7), (0.4, 0.6, 0.0)
    left = np.tile([1.0, 0.0, 0.0], (_STATES, 1))
    succ = np.stack([back, s, on], axis=-1)
    pay = np.zeros((_STATES, 2, 3))
    pay[0, 0, 0] = real("left_reward", config.left_reward, -np.inf)
    pay[last, 1, 1] = real("right_reward", config.right_reward, -np.inf)
    outcomes = Outcomes(np.stack([succ, succ], axis=1), np.stack([left, right], axis=1), pay)
    return Design(
        model=outcomes.model(config.gamma, np.array([0, 0.5, 0.5, 0, 0, 0])),
        outcomes=outcomes,
        view=CellView.of(np.zeros((1, _STATES), dtype=np.bool_), s, [last]),
        max_episode_steps=config.max_episode_steps,
    )


class RiverSwim(DesignedEnv, config=RiverSwimConfig, design=riverswim):
    """``zoo/RiverSwim-v0``: six states against the current; a small reward downstream, a large one upstream.

    Actions: 0 swims left, and always gets there; 1 swims right, and may stay or be carried back. Observations: the
    state, 0 to 5; an episode begins in 1 or 2. Rewards: `left_reward` for swimming left in state 0, `right_reward` for
    staying in state 5 by swimming right. Ends: truncated after `max_episode_steps`. Options: see `RiverSwimConfig`.
    Optimum over 5,000 steps: 3,336,494 on average, by dynamic programming; always left earns 24,992.5.
    """


class RiverSwimVector(DesignedVectorEnv, config=RiverSwimConfig, design=riverswim):
    """``zoo/RiverSwim-v0``, `num_envs` copies."""
