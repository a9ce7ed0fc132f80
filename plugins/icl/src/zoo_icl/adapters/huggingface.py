"""Patterns of language models of Hugging Face transformers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo_icl.adapters.attention import EAGER, eager_attention, evaluating, text_config
from zoo_icl.adapters.context import check_context, foreign_errors

_TOLERANCE = 1e-3
"""by which logits may differ between two ways to compute attention, relative to the largest"""
_ROUNDING = 1e-6
"""the same between two calls that compute the same"""


class HuggingFacePatterns:
    """A model such as ``GPT2LMHeadModel``, called with ``output_attentions``.

    Fused attention never materialises the patterns: while they are asked for, attention is computed eagerly. Some
    models ignore that switch and return patterns that are not those they attend with. So the first call compares the
    logits with those of the model as it was given, and looks for attention to later tokens in a model whose logits do
    not depend on them; a model that fails is built anew with eager attention around the same weights, and tried again.

    Args:
        model: the model; it is called without gradients and dropout, and left as it was.
    """

    def __init__(self, model: Any) -> None:
        """Raises TypeError where ``model`` is no model of transformers, or none that reads one sequence of tokens."""
        name = type(model).__name__
        if not hasattr(model, "config") or not callable(model):
            raise TypeError(f"a {name} is not a model of transformers: expected one such as GPT2LMHeadModel.")
        if getattr(model.config, "is_encoder_decoder", False):
            raise TypeError(f"{name} has an encoder and a decoder: expected a model of one sequence of tokens.")
        self._model, self._name = model, name
        self._eager: Any = None  # what patterns are taken from, once that is known

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return int(text_config(self._model).vocab_size)

    def patterns(self, tokens: NDArray[np.int64]) -> Sequence[Tensor]:
        """Attention ``[B, H, T, T]`` of every layer, for tokens ``[B, T]``.

        Raises:
            ValueError: the model gives no patterns, or others than it attends with; the tokens are longer than its
                context; or it fails.
        """
        check_context(self._name, getattr(text_config(self._model), "max_position_embeddings", None), tokens)
        if self._eager is None:
            self._eager = self._verified(tokens[:1])
        return self._forward(self._eager, tokens)[1]

    def _verified(self, tokens: NDArray[np.int64]) -> Any:
        """The model, or one around its weights, whose patterns are those it attends with."""
        logits = self._forward(self._model, tokens, patterns=False)[0]
        changed = tokens.copy()
        changed[:, -1] = (changed[:, -1] + 1) % self.vocabulary
        others = self._forward(self._model, changed, patterns=False)[0]
        # What a later token changes may be little; what it cannot change is the same to the last digits.
        causal = torch.allclose(logits[:, :-1], others[:, :-1], atol=_ROUNDING * float(logits.abs().max()), rtol=0.0)
        problem = self._problem(self._model, tokens, logits, causal=causal)
        if not problem:
            return self._model
        with foreign_errors(self._name), torch.no_grad():
            again = type(self._model)._from_config(copy.deepcopy(self._model.config), attn_implementation=EAGER)
            again.load_state_dict(self._model.state_dict(), assign=True)
            again.to(self._model.device)
        problem = self._problem(again, tokens, logits, causal=causal)
        if problem:
            raise ValueError(f"{self._name} gives no attention patterns that are its own: {problem}.")
        return again

    def _problem(self, model: Any, tokens: NDArray[np.int64], logits: Tensor, *, causal: bool) -> str:
        """What is wrong with the patterns of ``model``; empty if nothing is."""
        found, patterns = self._forward(model, tokens)
        if not torch.allclose(found, logits, atol=_TOLERANCE * float(logits.abs().max()), rtol=0.0):
            return "the logits are others when they are computed eagerly"
        if causal and any(bool((layer.triu(1) != 0).any()) for layer in patterns):
            return "they have attention to later tokens, on which its logits do not depend"
        return ""

    def _forward(
        self, model: Any, tokens: NDArray[np.int64], *, patterns: bool = True
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Logits ``[B, T, V]`` (of a model without a head, its hidden states), and patterns if they are asked for."""
        with foreign_errors(self._name), evaluating(model), eager_attention(model) if patterns else nullcontext():
            input_ids = torch.as_tensor(tokens, device=model.device)
            options = {"output_attentions": True} if patterns else {}
            outputs = model(input_ids=input_ids, use_cache=False, **options)
            logits = outputs.logits if hasattr(outputs, "logits") else outputs.last_hidden_state
        attentions = getattr(outputs, "attentions", None) if patterns else ()
        if attentions is None or any(layer is None for layer in attentions) or (patterns and not attentions):
            raise ValueError(f"{self._name} gives no attention patterns: expected a model whose layers all attend.")
        return logits, list(attentions)
