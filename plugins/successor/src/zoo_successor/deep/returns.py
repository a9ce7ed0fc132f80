"""The critic's target of lambda-ac: TD(kappa) returns where rewards diminish."""

from __future__ import annotations

import torch
from torch import Tensor


def diminishing_returns(
    rewards: Tensor,
    counted: Tensor,
    values: Tensor,
    features: Tensor,
    terminated: Tensor,
    ended: Tensor,
    *,
    gamma: float,
    td_lambda: float,
    lam: Tensor,
) -> Tensor:
    """Returns of T steps that bootstrap from a critic which does not know what has been visited.

    The reward r_t belongs to the state c_t; by this visit what can still be had there falls by (1 - lam_t) r_t, where
    lam_t = lam[c_t]. So a bootstrap V(x_i) after a later step i is too large by (1 - lam_t) r_t Phi(x_i, c_t), for
    each of the visits t <= i that the return holds. With kappa = ``td_lambda``, and kappa_t = 0 at the last step and
    where an episode ends::

        H_t = gamma ((1 - kappa_t) Phi(x_t) + kappa_t H_{t+1})
        G_t = r_t + gamma ((1 - kappa_t) V(x_t) + kappa_t G_{t+1}) + (lam_t - 1) r_t H_t[c_t]

    and no gamma term after a terminal step. kappa = 0 is the one-step target (docs/methods/successor.md,
    equation 5). The rewards inside a return have diminished by themselves, so that only bootstraps are corrected:
    kappa = 1 over a whole episode is the plain return.

    Args:
        rewards: r_t [T, B].
        counted: c_t, int64 [T, B].
        values: V(x_t) [T, B], of the state arrived in by step t.
        features: Phi(x_t) [T, B, n]: expected discounted visits from x_t on, diminished by lam; it counts x_t itself
            where c_t is the state left, and does not where c_t is x_t.
        terminated: bool[T, B].
        ended: bool[T, B], terminated or truncated.
        gamma: discount factor in [0, 1].
        td_lambda: kappa in [0, 1].
        lam: of each state [n], in [0, 1].

    Returns:
        G [T, B].
    """
    kappa = td_lambda * (~ended).to(rewards.dtype)
    discount = gamma * (~terminated).to(rewards.dtype)
    lost = (lam - 1).to(rewards)[counted] * rewards
    returns = torch.empty_like(rewards)
    G, H = values[-1], features[-1]  # so that the last step bootstraps whatever its kappa
    for t in reversed(range(len(rewards))):
        H = discount[t, :, None] * torch.lerp(features[t], H, kappa[t, :, None])
        again = H.gather(-1, counted[t, :, None]).squeeze(-1)
        G = rewards[t] + lost[t] * again + discount[t] * torch.lerp(values[t], G, kappa[t])
        returns[t] = G
    return returns
