"""What heads attend to in sequences of tokens, without a label: scores of single sequences.

Tokens are x_t; a pattern gives A[t, s] from token t to token s. Only ordinary tokens count, as t and as s.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

PREFIX, PREVIOUS, DUPLICATE = "prefix", "previous", "duplicate"


def attended(tokens: Tensor, ordinary: Tensor) -> Mapping[str, tuple[Tensor, Tensor]]:
    """Which tokens each score is about.

    * prefix (Olsson et al. 2022, arXiv 2209.11895): tokens that followed an earlier x_s = x_t, at s + 1 < t;
    * duplicate: the earlier x_s = x_t themselves (Wang et al. 2022, arXiv 2211.00593);
    * previous: the token at t - 1.

    Args:
        tokens: int ``[B, T]``.
        ordinary: bool ``[B, T]``.

    Returns:
        by score: the columns it sums, bool ``[B, T, T]``, and the rows it averages, bool ``[B, T]``.
    """
    length = tokens.shape[1]
    both = ordinary[:, :, None] & ordinary[:, None, :]
    earlier = torch.ones(length, length, dtype=torch.bool, device=tokens.device).tril(-1)
    duplicate = (tokens[:, :, None] == tokens[:, None, :]) & both & earlier
    followed = torch.zeros_like(duplicate)
    followed[:, :, 1:] = duplicate[:, :, :-1]
    columns = {
        PREFIX: followed & both & earlier,
        PREVIOUS: both & earlier & ~earlier.tril(-2),
        DUPLICATE: duplicate,
    }
    return {name: (of, of.any(-1)) for name, of in columns.items()}


def attention_scores(pattern: Tensor, columns: Tensor, rows: Tensor) -> Tensor:
    """Mean over ``rows`` of the attention to ``columns``, of each sequence and head.

    Args:
        pattern: A, ``[B, H, T, T]``.
        columns: bool ``[B, T, T]``.
        rows: bool ``[B, T]``.

    Returns:
        float64 ``[B, H]``, in [0, 1]; NaN for sequences without such rows.
    """
    given = torch.einsum("bhts,bts->bht", pattern.double(), columns.double())
    return (given * rows[:, None]).sum(-1) / rows.sum(-1, keepdim=True)


def even_pattern(real: Tensor) -> Tensor:
    """A head that attends evenly to all tokens up to its own, ``[B, 1, T, T]``, as a scale for others.

    Args:
        real: which tokens are no padding, bool ``[B, T]``; padding is on the right.
    """
    length = real.shape[1]
    causal = torch.ones(length, length, dtype=torch.float64, device=real.device).tril()
    return (causal / causal.sum(1, keepdim=True)).expand(len(real), 1, length, length)


def predictable(tokens: Tensor, ordinary: Tensor) -> Tensor:
    """Tokens that complete a pair seen before, which an induction head can know, bool ``[B, T]``.

    They are the x_t for which (x_{t-1}, x_t) = (x_{s-1}, x_s) for some s < t.
    """
    pair = torch.stack((tokens[:, :-1], tokens[:, 1:]), -1)
    whole = ordinary[:, :-1] & ordinary[:, 1:]
    same = (pair[:, :, None] == pair[:, None, :]).all(-1) & whole[:, :, None] & whole[:, None, :]
    found = torch.zeros_like(ordinary)
    found[:, 1:] = same.tril(-1).any(-1)
    return found
