"""A lambda-feature head for any encoder (docs/methods/successor.md, sections 4 and 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def feature_bound(gamma: float, lam: float | Tensor) -> Tensor:
    """The largest value a lambda feature can have: 1/(1 - gamma lam), attained where phi = 1 forever.

    Infinite for gamma = lam = 1. Shaped as ``lam``.
    """
    return 1 / (1 - torch.as_tensor(gamma * lam))


def feature_targets(phi: Tensor, next_features: Tensor, gamma: float, lam: float | Tensor) -> Tensor:
    """Targets phi * (1 + lam gamma f') + gamma (1 - phi) * f' (docs/methods/successor.md, equation 8).

    Args:
        phi: base features [..., D] in [0, 1].
        next_features: f' [..., D] >= 0 at the next step, 0 where there is none.
        gamma: discount factor in [0, 1].
        lam: the part of a feature's reward that remains after collecting it, in [0, 1], for all or each of the features
            ([D]): 1 gives successor features, 0 first-occupancy features.

    Returns:
        Targets [..., D], between 0 and ``feature_bound``: f' above that bound is clipped.
    """
    next_features = next_features.minimum(feature_bound(gamma, lam).to(next_features))
    return phi + gamma * (1 - (1 - lam) * phi) * next_features


class LambdaHead(nn.Module):
    """f = softplus(linear(encoder(x))) >= 0, one number for each of D base features.

    Args:
        encoder: any module from inputs to hidden units [..., hidden]; it may be shared with other heads. None: the
            head is given hidden units.
        hidden: how many units the encoder returns.
        dim: D.
    """

    def __init__(self, encoder: nn.Module | None, hidden: int, dim: int) -> None:
        super().__init__()
        self.encoder = encoder if encoder is not None else nn.Identity()
        self.linear = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """The lambda features f [..., D] of inputs x."""
        return nn.functional.softplus(self.linear(self.encoder(x)))

    def loss(self, f: Tensor, phi: Tensor, next_features: Tensor, gamma: float, lam: float | Tensor) -> Tensor:
        """Mean squared error of ``f`` against ``feature_targets``; no gradient reaches the target."""
        with torch.no_grad():
            target = feature_targets(phi, next_features, gamma, lam)
        return nn.functional.mse_loss(f, target)
