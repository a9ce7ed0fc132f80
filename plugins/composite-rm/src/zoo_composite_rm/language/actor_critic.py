"""One member's actor and critic: a language model, and value heads on its hidden state at the last token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from zoo_onpolicy.networks import orthogonal

IMPOSSIBLE = -1e4
"""logit of a token that is not possible: its probability is 0 exactly, and all sums stay finite"""

Allowed = Callable[[NDArray[np.int64]], NDArray[np.bool_] | None]
"""windows [..., D] to the tokens that are possible after them, bool[..., V]; None: all are"""


class LanguageModel(Protocol):
    """What an environment's ``language_model()`` returns, a ``torch.nn.Module`` that reads windows int64[M, D]."""

    width: int
    """length of its hidden states"""

    def hidden(self, windows: torch.Tensor) -> torch.Tensor:
        """The hidden state at the last token of each window, [M, width]."""

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits of the next token, [M, V]."""

    def parameters(self) -> object:
        """The parameters to train."""


class ActorCritic(nn.Module):
    """A language model, and values by an MLP with one hidden layer on its hidden states; the values start as 0.

    Args:
        language_model: reads windows; each member has a module of its own.
        heads: H.
    """

    def __init__(self, language_model: LanguageModel, heads: int) -> None:
        super().__init__()
        self.language_model = language_model
        self.hidden_layer = nn.Linear(language_model.width, language_model.width)
        self.value_heads = nn.Linear(language_model.width, heads)

    def initialise(self, rng: np.random.Generator) -> None:
        """Draw the value heads' hidden layer; their other weights start as 0, which keeps the values at 0."""
        width = self.hidden_layer.in_features
        with torch.no_grad():
            self.hidden_layer.weight.copy_(torch.from_numpy(orthogonal(rng, width, width).T.copy()))
            for zero in (self.hidden_layer.bias, self.value_heads.weight, self.value_heads.bias):
                zero.zero_()

    def forward(
        self, windows: torch.Tensor, allowed: torch.Tensor | None = None, *, policy: bool = True, values: bool = True
    ) -> tuple[torch.Tensor, ...]:
        """Those asked for of the logits [M, V] of the next token and the values [M, H].

        Args:
            windows: int64[M, D].
            allowed: bool[M, V], tokens that are possible; None: all.
            policy: whether to return the logits.
            values: whether to return the values.
        """
        hidden = self.language_model.hidden(windows)
        outputs = []
        if policy:
            logits = self.language_model.logits(hidden)
            outputs.append(logits if allowed is None else logits.masked_fill(~allowed, IMPOSSIBLE))
        if values:
            outputs.append(self.value_heads(torch.tanh(self.hidden_layer(hidden))))
        return tuple(outputs)
