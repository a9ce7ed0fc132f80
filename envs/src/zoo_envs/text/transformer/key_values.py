"""Reading windows that grow by a token at a time: keys and values of what was read before are kept.

Texts of a batch have different lengths and begin anew at different times. Each therefore has a row of its own, in which
its token number i stands at place i, so that a cached model computes what it would of the whole text.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["CachedReader", "KeyValues"]

_AT_ONCE = 64
"""texts whose beginnings are read together"""


class KeyValues:
    """Keys and values of B texts of at most D tokens, as ``past_key_values`` of a model of transformers.

    A call of the model either reads beginnings, which see themselves alone, or one further token of every text.

    Args:
        copies: B.
        width: D.
    """

    def __init__(self, copies: int, width: int) -> None:
        self._shape = copies, width
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self.begun: torch.Tensor | None = None
        """numbers of the texts whose beginnings the call reads; None: one further token of every text"""
        self.places = torch.zeros(0, dtype=torch.int64)
        """where the further token of each text stands, int64[B]"""
        self.longest = 0
        """tokens of the longest text, with the further token"""

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Keep keys and values [n,heads,L,size] of one layer, and return those that its attention sees."""
        if layer_idx not in self._layers:
            B, D = self._shape
            empty = [part.new_zeros(B, part.shape[1], D, part.shape[3]) for part in (keys, values)]
            self._layers[layer_idx] = empty[0], empty[1]
        kept_keys, kept_values = self._layers[layer_idx]
        if self.begun is not None:
            length = keys.shape[2]
            kept_keys[self.begun, :, :length], kept_values[self.begun, :, :length] = keys, values
            return keys, values
        every = torch.arange(len(keys), device=keys.device)
        kept_keys[every, :, self.places], kept_values[every, :, self.places] = keys[:, :, 0], values[:, :, 0]
        return kept_keys[:, :, : self.longest], kept_values[:, :, : self.longest]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Return 0: the positions of further tokens are given."""
        return 0

    def get_query_offset(self, layer_idx: int = 0) -> int:
        """Return 0, as a beginning has nothing before it."""
        return 0

    def get_mask_sizes(self, query_length: int, layer_idx: int = 0) -> tuple[int, int]:
        """Return length and offset of what a beginning sees: itself."""
        return query_length, 0


class _Model(Protocol):
    model: Any
    vocabulary: int


class CachedReader:
    """Gives hidden states of windows; cheap where each is the one before and a token more, right in any case.

    It must not be used further once the weights have changed.

    Args:
        model: a `zoo_envs.text.language.WindowModel`.
    """

    def __init__(self, model: _Model) -> None:
        self._model = model
        self._windows: NDArray[np.int64] | None = None
        self._kept = KeyValues(0, 0)

    @torch.no_grad()
    def hidden(self, windows: torch.Tensor) -> torch.Tensor:
        """Return the last hidden state at the last token of each window int64[B,D], float32[B,width]."""
        rows: NDArray[np.int64] = windows.cpu().numpy()
        lengths = _lengths(rows, self._model.vocabulary)
        before = self._windows
        if before is None or before.shape != rows.shape:
            self._kept = KeyValues(*rows.shape)
            begun = np.ones(len(rows), dtype=np.bool_)
        else:
            grown = lengths == _lengths(before, self._model.vocabulary) + 1
            begun = ~(grown & (rows[:, :-1] == before[:, 1:]).all(1))
        self._windows = rows.copy()
        new = np.flatnonzero(begun & (lengths > 1))
        for part in range(0, len(new), _AT_ONCE):
            self._begin(rows, lengths, new[part : part + _AT_ONCE], windows.device)
        return self._continue(windows[:, -1:], torch.from_numpy(lengths - 1).to(windows.device), int(lengths.max()))

    def _begin(
        self, rows: NDArray[np.int64], lengths: NDArray[np.int64], new: NDArray[np.int64], device: torch.device
    ) -> None:
        """Read all tokens but the last of the windows `new`, left-aligned; what follows a text is overwritten later."""
        last = rows.shape[1] - 1
        columns = np.arange(int(lengths[new].max()) - 1) + (rows.shape[1] - lengths[new])[:, None]
        texts = np.where(columns < last, np.take_along_axis(rows[new], columns.clip(max=last), axis=1), 0)
        self._kept.begun = torch.from_numpy(new).to(device)
        self._read(torch.from_numpy(texts).to(device))

    def _continue(self, tokens: torch.Tensor, places: torch.Tensor, longest: int) -> torch.Tensor:
        """Read one token [B,1] of each text at its place [B]."""
        self._kept.begun, self._kept.places, self._kept.longest = None, places, longest
        dtype = next(self._model.model.parameters()).dtype
        unseen = torch.arange(longest, device=places.device) > places[:, None]
        # As numbers to be added, which every kind of attention understands.
        mask = torch.zeros(unseen.shape, dtype=dtype, device=places.device)
        mask.masked_fill_(unseen, torch.finfo(dtype).min)
        states = self._read(tokens, attention_mask=mask[:, None, None], position_ids=places[:, None])
        return states[:, -1]

    def _read(self, tokens: torch.Tensor, **further: Any) -> torch.Tensor:
        read = self._model.model.base_model(input_ids=tokens, past_key_values=self._kept, use_cache=True, **further)
        states: torch.Tensor = read.last_hidden_state
        return states


def _lengths(windows: NDArray[np.int64], padding: int) -> NDArray[np.int64]:
    """Tokens of each window, int64[B]."""
    return np.asarray((windows != padding).sum(1), dtype=np.int64)
