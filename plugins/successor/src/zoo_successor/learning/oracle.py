"""The value of diminishing rewards by two routes that use none of the closed forms: counting visits, and sampling."""

from __future__ import annotations

import math

import numpy as np

from zoo_successor.learning.td import Floats, Ints

PRECISION = 1e-14
"""Relative to the largest value: where recursions and sums are cut off."""


def counted_value(chain: Floats, gamma: float, base: Floats, lam: Floats) -> Floats:
    """Values by dynamic programming over (visits so far, state), one process for each state that pays.

    ``G_c(s)``, the expected discounted reward of state j still to come after c visits, satisfies
    ``G_c(s) = gamma sum_t P[s, t] G_c(t)`` for s != j and ``G_c(j) = lam^c base_j + gamma sum_t P[j, t] G_{c+1}(t)``
    (docs/methods/successor.md, section 8.1). The state at t = 0 pays.

    Args:
        chain: ``P_pi [S, S]``; a terminal state has a row of zeros.
        gamma: discount in [0, 1).
        base: reward of the first visit, ``[S]``.
        lam: factor per visit, ``[S]``.

    Returns:
        ``[S]``.
    """
    goals = np.flatnonzero(base)
    longest = 1 if gamma == 0 else math.ceil(math.log(PRECISION * (1 - gamma)) / math.log(gamma))
    value = np.zeros(len(base))
    for j in goals:
        decay = float(lam[j])
        levels = 1 if decay in (0.0, 1.0) else math.ceil(math.log(PRECISION * (1 - gamma)) / math.log(decay))
        levels = min(levels, longest) + (decay < 1.0)
        pay = base[j] * decay ** np.arange(levels)
        # Beyond the last level nothing is paid; where nothing shrinks there is only one, which leads to itself.
        higher = np.minimum(np.arange(1, levels + 1), levels - 1)
        G = np.zeros((levels, len(base)))
        for _ in range(longest):
            ahead = gamma * (G @ chain.T)
            ahead[:, j] = pay + ahead[higher, j]
            change, G = float(np.abs(ahead - G).max()), ahead
            if change <= PRECISION * abs(base[j]) * (1 - gamma):
                break
        value += G[0]
    return value


def sampled_value(
    chain: Floats, gamma: float, base: Floats, lam: Floats, starts: Ints, rng: np.random.Generator
) -> tuple[Floats, float]:
    """Discounted sums of diminishing rewards in sampled episodes.

    Args:
        chain: as for ``counted_value``.
        gamma: discount in [0, 1).
        base: ``[S]``.
        lam: ``[S]``.
        starts: first states ``[E]``.
        rng: draws the transitions.

    Returns:
        The sums ``[E]``, and a bound on what cutting the episodes off left out.
    """
    most = float(np.abs(base).max(initial=0.0)) / (1 - gamma)
    steps = 1 if gamma == 0 else math.ceil(math.log(1e-7) / math.log(gamma))
    cumulative, successors = _sampler(chain)
    S = len(base)
    # The state S, where episodes end up, and the last place, for states that never pay, hold nothing.
    goals = np.flatnonzero(base)
    column = np.full(S + 1, len(goals))
    column[goals] = np.arange(len(goals))
    remaining, decay = np.tile(np.append(base[goals], 0.0), (len(starts), 1)), np.append(lam[goals], 1.0)
    s, total, each = starts.copy(), np.zeros(len(starts)), np.arange(len(starts))
    for t in range(steps):
        at = column[s]
        total += gamma**t * remaining[each, at]
        remaining[each, at] *= decay[at]
        s = successors[s, (cumulative[s] <= rng.random((len(s), 1))).sum(axis=1)]
    return total, gamma**steps * most


def _sampler(chain: Floats) -> tuple[Floats, Ints]:
    """Cumulative probabilities ``[S+1, W]`` of each state's W likeliest successors, and these, ``[S+1, W+1]``.

    The last successor of all, and the only one of the extra state S, is S itself: there the episode is over.
    """
    S = len(chain)
    width = max(1, int((chain > 0).sum(axis=1).max()))
    order = np.argsort(-chain, axis=1, kind="stable")[:, :width]
    cumulative = np.take_along_axis(chain, order, axis=1).cumsum(axis=1)
    # A row that sums to 1 but for rounding does not end the episode.
    cumulative[cumulative > 1 - 1e-9] = 1.0
    successors = np.full((S + 1, width + 1), S)
    successors[:S, :width] = order
    return np.vstack([cumulative, np.zeros(width)]), successors
