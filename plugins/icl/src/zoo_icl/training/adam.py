"""Adam on one flat vector of all parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

__all__ = ["FlatAdam"]

_BETA1, _BETA2, _EPS = 0.9, 0.999, 1e-8


class FlatAdam:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980) whose parameters and gradients are views of two vectors.

    The penalties are those of the loss ``l2 sum p^2 + norm_sum sum_arrays ||p||``, added to the gradient; decoupled
    decay (Loshchilov & Hutter 2019, arXiv:1711.05101) shrinks every array by ``lr decay``.

    Args:
        model: its parameters become views of the vector.
        lr: step size.
        weight_decay: decoupled decay.
        l2: weight of the squared norm.
        norm_sum: weight of the sum of norms.
    """

    def __init__(
        self, model: nn.Module, lr: float, *, weight_decay: float = 0.0, l2: float = 0.0, norm_sum: float = 0.0
    ) -> None:
        self.lr, self.weight_decay, self.l2, self.norm_sum = lr, weight_decay, l2, norm_sum
        self._parameters = list(model.parameters())
        self.flat = torch.cat([parameter.detach().reshape(-1) for parameter in self._parameters])
        self.gradient = torch.zeros_like(self.flat)
        self._m, self._v = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        self._steps = torch.zeros((), dtype=torch.float32, device=self.flat.device)
        self._views: list[tuple[Tensor, Tensor]] = []
        end = 0
        for parameter in self._parameters:
            start, end = end, end + parameter.numel()
            value, gradient = self.flat[start:end], self.gradient[start:end]
            parameter.data = value.view_as(parameter)
            parameter.grad = gradient.view_as(parameter)
            self._views.append((value, gradient))

    def zero(self) -> None:
        """Set the gradient to 0; ``backward`` adds to it."""
        self.gradient.zero_()

    @torch.no_grad()
    def step(self) -> None:
        """One update from the current gradient."""
        if self.l2:
            self.gradient.add_(self.flat, alpha=2 * self.l2)
        if self.norm_sum:
            for value, gradient in self._views:
                norm = torch.linalg.vector_norm(value)
                gradient.add_(torch.where(norm > 0, value / norm, torch.zeros_like(value)), alpha=self.norm_sum)
        if self.weight_decay:
            self.flat.mul_(1 - self.lr * self.weight_decay)
        # Torch's own kernel, without the overhead of its optimiser class at every step.
        adam(
            [self.flat], [self.gradient], [self._m], [self._v], [], [self._steps], foreach=False, fused=True,
            amsgrad=False, beta1=_BETA1, beta2=_BETA2, lr=self.lr, weight_decay=0.0, eps=_EPS, maximize=False,
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Moments and the number of steps; the parameters are the model's."""
        return {"m": self._m, "v": self._v, "steps": int(self._steps)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state()``."""
        self._m.copy_(state["m"])
        self._v.copy_(state["v"])
        self._steps.fill_(state["steps"])
