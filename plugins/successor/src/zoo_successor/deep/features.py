"""Base features in [0, 1], and the reward as a linear function of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

UNBOUNDED = 1e10
"""a bound of a space at or beyond this counts as no bound (spaces often state the largest float32)"""


class UnitScale(nn.Module):
    """phi(x) = (x - low) / (high - low), clipped to [0, 1], for x [..., D].

    A dimension whose bounds are known uses them; any other uses the least and the largest value that ``see`` was
    shown, so that phi does not depend on the minibatch and its bounds only ever widen. A dimension without extent
    is 0 everywhere.

    Args:
        low: lower bounds [D]; infinite where unknown.
        high: upper bounds [D]; infinite where unknown.
    """

    low: Tensor
    high: Tensor
    fixed: Tensor

    def __init__(self, low: Tensor, high: Tensor) -> None:
        super().__init__()
        low, high = low.flatten().float(), high.flatten().float()
        fixed = (low.abs() < UNBOUNDED) & (high.abs() < UNBOUNDED)
        self.register_buffer("fixed", fixed)
        self.register_buffer("low", low.where(fixed, torch.full_like(low, torch.inf)))
        self.register_buffer("high", high.where(fixed, torch.full_like(high, -torch.inf)))

    @torch.no_grad()
    def observe_bounds(self, x: Tensor) -> None:
        """Widen the bounds that are not fixed to hold ``x`` [B, D]."""
        self.low.copy_(self.low.where(self.fixed, self.low.minimum(x.amin(0))))
        self.high.copy_(self.high.where(self.fixed, self.high.maximum(x.amax(0))))

    def forward(self, x: Tensor) -> Tensor:
        """phi(x), shaped as ``x``."""
        extent = self.high - self.low
        nonzero = extent > 0
        scaled: Tensor = ((x - self.low) / extent.where(nonzero, torch.ones_like(extent))).clamp(0.0, 1.0)
        return scaled.where(nonzero, torch.zeros_like(scaled))


def reward_weights(phi: Tensor, reward: Tensor, ridge: float) -> Tensor:
    """The w that minimises |phi w - r|^2 / B + ridge |w|^2, in float64 inside.

    Args:
        phi: base features [B, D].
        reward: [B] or [B, 1].
        ridge: at least 0; at 0 the solution of least norm (pseudo-inverse).

    Returns:
        w [D], in phi's dtype and on its device.
    """
    double = phi.double()
    gram = double.mT @ double / len(phi)
    moment = double.mT @ reward.double().reshape(-1, 1) / len(phi)
    if ridge > 0:
        gram.diagonal().add_(ridge)
        w = torch.linalg.solve(gram, moment)
    else:
        w = torch.linalg.pinv(gram, hermitian=True) @ moment
    weights: Tensor = w.squeeze(1).to(phi.dtype)
    return weights
