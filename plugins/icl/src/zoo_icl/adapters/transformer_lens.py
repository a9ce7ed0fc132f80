"""Patterns of TransformerLens models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo_icl.adapters.context import check_context, foreign_errors


class LensPatterns:
    """A ``HookedTransformer``, or anything else with ``run_with_cache`` and ``cfg``.

    Args:
        model: the model; it is called without gradients and left as it was.
    """

    def __init__(self, model: Any) -> None:
        """Raises TypeError where ``model`` has no ``run_with_cache``."""
        if not hasattr(model, "run_with_cache"):
            raise TypeError(f"a {type(model).__name__} has no run_with_cache: expected a HookedTransformer.")
        self._model = model

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return int(self._model.cfg.d_vocab)

    def patterns(self, tokens: NDArray[np.int64]) -> Sequence[Tensor]:
        """Attention ``[B, H, T, T]`` of every layer, for tokens ``[B, T]``, to which nothing is prepended.

        Raises:
            ValueError: the tokens are longer than the model's context, or it fails.
        """
        name = type(self._model).__name__
        check_context(name, getattr(self._model.cfg, "n_ctx", None), tokens)
        names = [f"blocks.{layer}.attn.hook_pattern" for layer in range(self._model.cfg.n_layers)]
        with torch.no_grad(), foreign_errors(name):
            _, cache = self._model.run_with_cache(torch.as_tensor(tokens), names_filter=names)
        return [cache[name] for name in names]
