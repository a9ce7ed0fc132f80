"""Garnet: random sparse CMDPs (Archibald, McKinnon and Thomas, 1995), always feasible.

The order of the draws (docs/methods/reload.md, section 7.3) makes instances reproducible. J* is the optimal normalised
return, mu* are the multipliers of the constraints. At the defaults b = (0.392024, 0.350511), J* = 0.804071,
mu* = (0.247187, 0.288814), unconstrained 0.823458.
"""

from __future__ import annotations

import numpy as np

from zoo_envs.cmdps.from_function import CMDPEnv, CMDPVectorEnv
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.planning import optimal_policy, policy_averages
from zoo_envs.validation import integer, real

__all__ = ["Garnet", "GarnetVector", "garnet_model"]


def garnet_model(
    S: int = 20,
    A: int = 4,
    branching: int = 3,
    N: int = 2,
    gamma: float = 0.9,
    seed: int = 1,
    tight: float = 0.5,
) -> TabularModel:
    """Return one random CMDP with thresholds b_i = c_i(min) + tight (c_i(unc) - c_i(min)).

    (unc) is the unconstrained optimum, (min) the optimum of -sum_i c_i.

    Args:
        S: number of states, at least 1.
        A: number of actions, at least 1.
        branching: distinct successors of each (s,a), in [1, S].
        N: number of constraints, at least 0.
        gamma: discount, in [0, 1).
        seed: seed of the random instance, at least 0.
        tight: in [0, 1]; 0 is the tightest, the costs of the policy with the least total cost, and 1 the loosest, those
            of the unconstrained optimum.

    Raises:
        ValueError: an argument is outside its range.
    """
    S, A, N = integer("S", S, 1), integer("A", A, 1), integer("N", N, 0)
    branching = integer("branching", branching, 1, S)
    gamma, tight = real("gamma", gamma, 0, 1, open_above=True), real("tight", tight, 0, 1)
    g = np.random.default_rng(integer("seed", seed, 0))
    r = g.random((S, A))
    c = g.random((N, S, A))
    P = np.zeros((S, A, S))
    # A loop over states: the documented order of the draws interleaves weights and successors.
    for s in range(S):
        for a in range(A):
            w = g.dirichlet(np.ones(branching))
            P[s, a, g.choice(S, branching, replace=False)] = w
    rho = np.full(S, 1 / S)
    c_unc = policy_averages(P, c, gamma, rho, optimal_policy(P, r, gamma))
    c_min = policy_averages(P, c, gamma, rho, optimal_policy(P, -c.sum(0), gamma))
    return TabularModel(P, r, gamma, rho, c, c_min + tight * (c_unc - c_min), ("<=",) * N)


class Garnet(CMDPEnv, model=garnet_model):
    """``zoo/Garnet-v0``: random sparse CMDPs: each state and action leads to a few random states.

    Actions: `A`. Observations: the state, uniform over the `S` states at the start. Rewards: uniform in [0, 1), one for
    each state and action. `N` constraints c0, c1, ... "<=" with signals uniform in [0, 1) and thresholds that
    interpolate between the costs of the policy with the least total cost (`tight` = 0) and those of the unconstrained
    optimum (`tight` = 1), so that every instance is feasible. Ends: never terminated, truncated after
    `max_episode_steps`. Options: see `garnet_model`; `seed` draws the instance (`reset(seed=...)` its episodes).
    Optimum at the defaults: J* = 0.804071 with mu* = (0.247187, 0.288814) (docs/methods/reload.md, section 7.3).
    """


class GarnetVector(CMDPVectorEnv, model=garnet_model):
    """``zoo/Garnet-v0``, `num_envs` copies of the same instance; see `Garnet`."""
