"""The environment's frozen language model: which tokens are possible, and how probable they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zoo import lookup
from zoo_composite_rm.language.actor_critic import LanguageModel
from zoo_composite_rm.language.scoring import scored

_LOGITS_AT_ONCE = 2**24
"""numbers; 64 MiB"""


class Reference:
    """The reference policy.

    Args:
        model: a frozen language model.
        top_k: how many of its most probable tokens are possible; None: all.
    """

    def __init__(self, model: LanguageModel, top_k: int | None) -> None:
        self.model, self.top_k = model, top_k

    @classmethod
    def of(cls, env: Any) -> Reference:
        """That of an environment with ``reference_model()`` and ``top_k``."""
        return cls(lookup(env, "reference_model")(), lookup(env, "top_k"))

    @torch.no_grad()
    def possible(self, hidden: torch.Tensor) -> torch.Tensor | None:
        """The tokens int64[M, k] that are possible after the hidden states [M, width] of the model."""
        return None if self.top_k is None else self.model.logits(hidden).topk(self.top_k, dim=-1).indices

    @torch.no_grad()
    def logits(self, windows: torch.Tensor) -> torch.Tensor:
        """Logits [M, V] of windows int64[M, D], on the device of the windows."""
        model = self.model
        return model.logits(model.hidden(windows.to(_device(model)))).to(windows.device)

    @torch.no_grad()
    def log_prob(self, windows: NDArray[Any], actions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Log probabilities [...] of the tokens of actions [..., E] written after windows [..., D]."""
        device = _device(self.model)
        rows = torch.from_numpy(windows.reshape(-1, windows.shape[-1])).to(device).long()
        written = torch.from_numpy(actions.reshape(len(rows), -1)).to(device)
        hidden, found = self.model.hidden(rows), torch.empty(len(rows), device=device)
        step = max(1, _LOGITS_AT_ONCE // self.model.vocabulary)
        for part in (slice(first, first + step) for first in range(0, len(rows), step)):
            possible = None if self.top_k is None else written[part, 1:]
            found[part] = scored(self.model.logits(hidden[part]), written[part, 0], possible)[:, 0]
        log_prob: NDArray[np.float32] = found.cpu().numpy().reshape(actions.shape[:-1])
        return log_prob


def _device(model: Any) -> torch.device:
    device: torch.device = next(model.parameters()).device
    return device
