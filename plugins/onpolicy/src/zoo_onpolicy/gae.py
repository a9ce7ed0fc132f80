"""Generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438), for every signal in one pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


def following_values(values: Floats, last: Floats, terminated: Bools, truncated: Bools, final: Floats) -> Floats:
    """The values V(s_{t+1}) to bootstrap from, of the states really arrived in.

    Args:
        values: V(s_t), [S, H, T, B].
        last: of the observations after the last step, [S, H, B].
        terminated: where an episode ended in a terminal state, whose value is 0, [S, T, B].
        truncated: where a time limit ended it, [S, T, B]; where both, it is terminal.
        final: of the final observations of the truncated episodes that are not terminal, [H, F], in the order
            of ``numpy.argwhere(truncated & ~terminated)``.

    Returns:
        [S, H, T, B].
    """
    following = np.concatenate([values[:, :, 1:], last[:, :, None]], axis=2)
    member, step, copy = np.nonzero(truncated & ~terminated)
    following[member, :, step, copy] = final.T
    member, step, copy = np.nonzero(terminated)
    following[member, :, step, copy] = 0.0
    return following


def gae(rewards: Floats, values: Floats, following: Floats, done: Bools, gamma: float, lam: float) -> Floats:
    """A_t = delta_t + gamma lambda (1 - done_t) A_{t+1} with delta_t = r_t + gamma V(s_{t+1}) - V(s_t), eq. 16.

    Args:
        rewards: of each signal, [S, H, T, B].
        values: V(s_t), [S, H, T, B].
        following: as ``following_values`` returns it, [S, H, T, B].
        done: where an episode ended, for whichever reason, [S, T, B].
        gamma: discount factor.
        lam: lambda.

    Returns:
        Advantages [S, H, T, B].
    """
    advantages = rewards + np.float32(gamma) * following - values
    decay = (np.float32(gamma * lam) * ~done)[:, None]
    carried = np.zeros_like(advantages[:, :, 0])
    for t in range(advantages.shape[2] - 1, -1, -1):
        carried *= decay[:, :, t]
        carried += advantages[:, :, t]
        advantages[:, :, t] = carried
    return advantages
