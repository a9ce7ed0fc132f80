"""The gradient of one batch: hand-written where that is fastest, by autograd where clamps or a GPU need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_icl.clamps import Clamps
from zoo_icl.model import ICLTransformer
from zoo_icl.model.manual_backward.step import ManualGradients, supports
from zoo_icl.training.adam import FlatAdam

__all__ = ["Gradients", "gradients"]

Gradients: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From x [B,N+1,D] and y [B,N+1]: writes the gradient into the optimiser's vector, returns mean loss, logits [B,K]."""


def gradients(model: ICLTransformer, optimiser: FlatAdam, clamps: tuple[Clamps, ...]) -> Gradients:
    """A function that computes the gradient, as suits a model and its clamps."""
    if supports(model, clamps):
        fast = ManualGradients(model, clamps)

        def by_hand(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            with np.errstate(
                over="ignore", invalid="ignore"
            ):  # a loss that overflows is an error of the run, reported elsewhere
                loss, logits = fast(x, y)
            return torch.tensor(loss), torch.from_numpy(logits)

        return by_hand

    def by_autograd(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        optimiser.zero()
        logits = model(x, y, clamps=clamps)
        loss = F.cross_entropy(logits, y[:, -1])
        torch.autograd.backward(loss)
        return loss.detach(), logits.detach()

    return by_autograd
