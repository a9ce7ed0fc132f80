"""Patterns of language models of Hugging Face transformers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_EAGER = "eager"


class HuggingFacePatterns:
    """A model such as ``GPT2LMHeadModel``, called with ``output_attentions``.

    Fused attention never materialises the patterns: while they are asked for, attention is computed eagerly.

    Args:
        model: the model; it is called without gradients and dropout, and left as it was.
    """

    def __init__(self, model: Any) -> None:
        """Raises TypeError where ``model`` is not a model of transformers."""
        if not hasattr(model, "config") or not callable(model):
            raise TypeError(
                f"a {type(model).__name__} is not a model of transformers: expected one such as GPT2LMHeadModel."
            )
        self._model = model

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return int(self._model.config.vocab_size)

    def patterns(self, tokens: NDArray[np.int64]) -> Sequence[Tensor]:
        """Attention ``[B, H, T, T]`` of every layer, for tokens ``[B, T]``.

        Raises:
            ValueError: the model gives no patterns.
        """
        with torch.no_grad(), _eager(self._model):
            input_ids = torch.as_tensor(tokens, device=self._model.device)
            attentions = self._model(input_ids=input_ids, output_attentions=True, use_cache=False).attentions
        if not attentions or any(layer is None for layer in attentions):
            raise ValueError(
                f"{type(self._model).__name__} gives no attention patterns: expected a model loaded with "
                f"attn_implementation={_EAGER!r}."
            )
        return list(attentions)


@contextmanager
def _eager(model: Any) -> Iterator[None]:
    """Without dropout, and with attention that computes its patterns."""
    training, before = model.training, getattr(model.config, "_attn_implementation", _EAGER)
    change = getattr(model, "set_attn_implementation", None) if before != _EAGER else None
    model.eval()
    try:
        if change:
            change(_EAGER)
        yield
    finally:
        if change:
            change(before)
        model.train(training)
