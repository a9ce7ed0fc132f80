"""Position encodings: rotary, sinusoidal and learned positions."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=64)
def rotary_table(tokens: int, head_dim: int, base: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Cosines and signed sines ``[2, tokens, head_dim]`` of the angles ``pos * base^(-2i / head_dim)``.

    The sines alternate in sign, as ``rotate`` needs them: -sin on even channels, +sin on odd ones.
    """
    # The table outlives this call, and a tensor that is made under inference_mode could not be trained with later.
    with torch.inference_mode(False):
        rate = base ** (-torch.arange(0, head_dim, 2, dtype=torch.float64, device=device) / head_dim)
        angle = torch.arange(tokens, dtype=torch.float64, device=device)[:, None] * rate
        cosine = angle.cos().repeat_interleave(2, dim=1)
        sine = torch.stack((-angle.sin(), angle.sin()), dim=-1).flatten(1)
        return torch.stack((cosine, sine)).to(dtype)


def rotate(vectors: Tensor, table: Tensor) -> Tensor:
    """Rotate the pairs ``(2i, 2i+1)`` of ``vectors`` [..., R, head_dim] by the angles of ``table`` [2, R, head_dim]."""
    swapped = vectors.reshape(*vectors.shape[:-1], -1, 2).flip(-1).flatten(-2)
    return torch.addcmul(vectors * table[0], swapped, table[1])


@lru_cache(maxsize=64)
def sinusoids(tokens: int, width: int, base: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Fixed positions ``[tokens, width]``: sine on even, cosine on odd channels, angle ``pos * base^(-2i / width)``."""
    with torch.inference_mode(False):
        rate = base ** (-torch.arange(0, width, 2, dtype=torch.float64, device=device) / width)
        angle = torch.arange(tokens, dtype=torch.float64, device=device)[:, None] * rate
        return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)[:, :width].to(dtype)
