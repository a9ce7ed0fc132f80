"""ForagingPatches: harvest a patch that gives less each time, or travel to a fresh one.

By the marginal value theorem (Charnov 1976) it is best, under the rate criterion, to leave after the n harvests that
maximise (sum_{k<n} reward lam^k) / (n + travel); a table of n is in docs/methods/successor.md, section 7.
"""

from __future__ import annotations

import numpy as np
from zoo_envs_plugin.options.exploration import ForagingPatchesConfig

from zoo_envs.tabular.from_config import Design, DesignedEnv, DesignedVectorEnv
from zoo_envs.tabular.rendering import CellView
from zoo_envs.tabular.transitions import Outcomes
from zoo_envs.validation import integer, real

__all__ = ["ForagingPatches", "ForagingPatchesVector", "foraging_patches"]


def foraging_patches(config: ForagingPatchesConfig) -> Design:
    """Return the environment. Actions harvest, leave.

    States 0 to K = `max_harvests` count the harvests taken from this patch; harvesting in state k < K pays
    ``reward * lam**k``, in state K nothing. Leaving takes `travel` steps without reward, the step of leaving
    included; states K+1 to K+travel-1 are those on the way, where both actions go on. Episodes begin in a fresh patch.

    Raises:
        ValueError: an option is outside its range.
    """
    K, travel = integer("max_harvests", config.max_harvests, 1), integer("travel", config.travel, 1)
    first, lam = real("reward", config.reward, -np.inf), real("lam", config.lam, 0, 1)
    S = K + travel
    harvests = np.arange(K + 1)
    succ = np.zeros((S, 2), dtype=np.int64)
    succ[: K + 1, 0] = np.minimum(harvests + 1, K)
    succ[: K + 1, 1] = (K + 1) % S  # with travel 1 a fresh patch at once
    succ[K + 1 :] = ((np.arange(K + 1, S) + 1) % S)[:, None]
    pay = np.zeros((S, 2))
    pay[:K, 0] = first * lam ** harvests[:K]
    outcomes = Outcomes.certain(succ, pay)
    # The patch is the upper row of the picture, the way to the next one the lower.
    columns = max(K + 1, travel - 1)
    cells = np.concatenate([harvests, columns + np.arange(travel - 1)])
    walls = np.ones((2, columns), dtype=np.bool_)
    walls.flat[cells] = False
    return Design(
        model=outcomes.model(config.gamma, np.eye(S)[0]),
        outcomes=outcomes,
        view=CellView.of(walls, cells, [0]),
        max_episode_steps=config.max_episode_steps,
    )


class ForagingPatches(DesignedEnv, config=ForagingPatchesConfig, design=foraging_patches):
    """``zoo/ForagingPatches-v0``: harvest a patch that gives less each time, or travel to a fresh one.

    Actions: 0 harvests, 1 leaves. Observations: the harvests taken from this patch, 0 to `max_harvests`, then the steps
    of the way. Rewards: the k-th harvest (k = 0, 1, ...) pays reward * lam^k; travelling takes `travel` steps and pays
    nothing. Ends: truncated after `max_episode_steps`. Options: see `ForagingPatchesConfig`. Optimum by the marginal
    value theorem: leave after the n harvests that maximise (sum of the first n rewards) / (n + travel).
    """


class ForagingPatchesVector(DesignedVectorEnv, config=ForagingPatchesConfig, design=foraging_patches):
    """``zoo/ForagingPatches-v0``, `num_envs` copies."""
