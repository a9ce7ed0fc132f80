"""Generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438), for every signal in one pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


def bootstrap_values(values: Floats, last: Floats, terminated: Bools, truncated: Bools, final: Floats) -> Floats:
    """The values V(s_{t+1}) to bootstrap from; at the end of an episode s_{t+1} is its last state, not the reset one.

    Args:
        values: V(s_t), [S, H, T, B].
        last: values of the observations after the last step, [S, H, B].
        terminated: where an episode ended in a terminal state, whose value is 0, [S, T, B].
        truncated: where a time limit ended an episode, [S, T, B]; where both hold, the state is terminal.
        final: values of the last observations of truncated episodes that are not terminal, [H, F], in the order
            of ``numpy.argwhere(truncated & ~terminated)``.

    Returns:
        [S, H, T, B].
    """
    next_values = np.concatenate([values[:, :, 1:], last[:, :, None]], axis=2)
    member, step, copy = np.nonzero(truncated & ~terminated)
    next_values[member, :, step, copy] = final.T
    member, step, copy = np.nonzero(terminated)
    next_values[member, :, step, copy] = 0.0
    return next_values


def gae(rewards: Floats, values: Floats, next_values: Floats, done: Bools, gamma: float, lam: float) -> Floats:
    """A_t = delta_t + gamma lambda (1 - done_t) A_{t+1} with delta_t = r_t + gamma V(s_{t+1}) - V(s_t), eq. 16.

    Args:
        rewards: r_t of each signal, [S, H, T, B].
        values: V(s_t), [S, H, T, B].
        next_values: V(s_{t+1}), as ``bootstrap_values`` returns it, [S, H, T, B].
        done: where an episode ended, for whichever reason, [S, T, B].
        gamma: discount factor, in [0, 1].
        lam: lambda, in [0, 1].

    Returns:
        Advantages [S, H, T, B].
    """
    advantages = rewards + np.float32(gamma) * next_values - values
    decay = (np.float32(gamma * lam) * ~done)[:, None]
    advantage = np.zeros_like(advantages[:, :, 0])
    for t in range(advantages.shape[2] - 1, -1, -1):
        advantage *= decay[:, :, t]
        advantage += advantages[:, :, t]  # delta_t, until it is overwritten
        advantages[:, :, t] = advantage
    return advantages
