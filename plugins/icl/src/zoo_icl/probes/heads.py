"""Composition of heads (what one reads of another's output), and complementarity of their answers."""

from __future__ import annotations

from zoo import Array
from zoo_icl.probes.arrays import namespace


def composition_score(w_o: Array, w_x: Array) -> Array:
    """Overlap of what heads write with what heads of a later block read: ``||W_o W_x||_F / (||W_o||_F ||W_x||_F)``.

    Args:
        w_o: output maps of the earlier block, ``[H0, hd, d]``.
        w_x: query, key or value maps of the later one, ``[H1, d, hd]``.

    Returns:
        ``[H1, H0]``, in [0, 1]; NaN where a map is 0.

    Raises:
        ValueError: the shapes do not fit.
    """
    if w_o.ndim != 3 or w_x.ndim != 3 or w_o.shape[2] != w_x.shape[1]:
        raise ValueError(f"W_o {tuple(w_o.shape)} and W_x {tuple(w_x.shape)}: expected [H0, hd, d] and [H1, d, hd].")
    composed = _norm(w_o[None] @ w_x[:, None])
    separate = _norm(w_x)[:, None] * _norm(w_o)[None]
    xp = namespace(separate)
    undefined = xp.full_like(separate, float("nan"))
    return xp.where(separate > 0, composed / xp.where(separate > 0, separate, xp.ones_like(separate)), undefined)


def complementarity(best: Array, right: Array) -> float:
    """Fraction of one head's errors, alone, that another head alone gets right.

    Args:
        best: where the first head is right, bool ``[B]``.
        right: where the other is right, bool ``[B]``.

    Returns:
        In [0, 1]; NaN where the first makes no error.
    """
    missed = ~best
    return float((right & missed).sum()) / float(missed.sum()) if bool(missed.any()) else float("nan")


def _norm(matrices: Array) -> Array:
    """Frobenius norm of the last two axes."""
    return namespace(matrices).sqrt((matrices * matrices).sum((-2, -1)))
