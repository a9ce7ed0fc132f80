"""Log probabilities and entropies of tokens, and tokens drawn, from logits [M, V] that are not kept."""

from __future__ import annotations

import torch


def among(logits: torch.Tensor, possible: torch.Tensor | None) -> torch.Tensor:
    """The logits [M, k] of the tokens ``possible`` int64[M, k]; all [M, V] where that is None."""
    return logits if possible is None else logits.gather(1, possible)


def scored(
    logits: torch.Tensor, tokens: torch.Tensor, possible: torch.Tensor | None, reference: torch.Tensor | None = None
) -> torch.Tensor:
    """Log probability of each token, entropy, and, if there is a reference, the KL divergence from it, [M, 2 or 3].

    Args:
        logits: [M, V].
        tokens: int64[M].
        possible: int64[M, k], the tokens that are possible, among them those; None: all.
        reference: logits of the reference policy, [M, V].
    """
    place = tokens if possible is None else (possible == tokens[:, None]).int().argmax(1)
    log_p = among(logits, possible).log_softmax(-1)
    p = log_p.exp()
    columns = [log_p.gather(1, place[:, None])[:, 0], -(p * log_p).sum(-1)]
    if reference is not None:
        columns.append((p * (log_p - among(reference, possible).log_softmax(-1))).sum(-1))
    return torch.stack(columns, 1)


def drawn(logits: torch.Tensor, possible: torch.Tensor | None, noise: torch.Tensor) -> torch.Tensor:
    """Tokens int64[M], one for each number of ``noise`` float64[M] in [0, 1), by the inverse of the distribution.

    Args:
        logits: [M, V].
        possible: int64[M, k], the tokens that are possible; None: all.
        noise: uniform random numbers.
    """
    # In double precision: in single, the sums of a large vocabulary would lose its rare tokens.
    cumulative = among(logits, possible).double().softmax(-1).cumsum(-1)
    place = torch.searchsorted(cumulative, noise[:, None] * cumulative[:, -1:], right=True)
    place = place.clamp(max=cumulative.shape[1] - 1)
    return (place if possible is None else possible.gather(1, place))[:, 0]
