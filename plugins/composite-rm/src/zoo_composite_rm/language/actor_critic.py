"""One member's actor and critic: a language model, and value heads on its hidden state at the last token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn
from zoo_onpolicy.networks import orthogonal


class Reader(Protocol):
    """What reads windows that grow by a token at a time."""

    def hidden(self, windows: torch.Tensor) -> torch.Tensor:
        """The hidden state at the last token of each window int64[M, D], [M, width]."""


class LanguageModel(Reader, Protocol):
    """What an environment's ``language_model()`` returns, a ``torch.nn.Module`` that reads windows int64[M, D]."""

    width: int
    """length of its hidden states"""
    vocabulary: int
    """V, how many tokens it knows"""

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits of the next token, [M, V]."""

    def reader(self, width: int) -> Reader:
        """A reader of windows of this width, to be used while the weights stay as they are."""

    def parameters(self) -> Iterable[Any]:
        """The parameters; those that need a gradient are trained."""


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

    def forward(self, windows: torch.Tensor, *, policy: bool = True, values: bool = True) -> tuple[torch.Tensor, ...]:
        """Those asked for of the logits [M, V] of the next token and the values [M, H].

        Args:
            windows: int64[M, D].
            policy: whether to return the logits.
            values: whether to return the values.
        """
        hidden = self.language_model.hidden(windows)
        outputs = []
        if policy:
            outputs.append(self.language_model.logits(hidden))
        if values:
            outputs.append(self.value_heads(torch.tanh(self.hidden_layer(hidden))))
        return tuple(outputs)
