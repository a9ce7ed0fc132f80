"""Which previous-token heads feed which induction heads: by weights, and by taking one away.

Docs: docs/methods/icl.md, section 4. Heads of the earlier block are j = 0..H0-1, those of the later one i = 0..H1-1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo_icl.probes.attention import induction_strength
from zoo_icl.probes.forward import BATCH, Model, pattern_hook, run_model
from zoo_icl.probes.heads import composition_score
from zoo_icl.sequences import Sequences

Floats = NDArray[np.float64]


def chance_composition(w_o: ArrayLike, w_x: ArrayLike, level: float, draws: int, rng: np.random.Generator) -> Floats:
    """The composition score that unrelated heads exceed with probability ``1 - level``.

    What the earlier heads write is turned by random rotations of the residual stream, which keeps the singular values
    of both maps and loses how they are aligned.

    Args:
        w_o: output maps of the earlier block, ``[H0, hd, d]``.
        w_x: query, key or value maps of the later one, ``[H1, d, hd]``.
        level: in (0, 1).
        draws: rotations, at least 1.
        rng: draws them.

    Returns:
        ``[H1, H0]``.
    """
    writes, reads = np.asarray(w_o, dtype=np.float64), np.asarray(w_x, dtype=np.float64)
    width = writes.shape[-1]
    turned = [np.asarray(composition_score(writes @ _rotation(width, rng), reads)) for _ in range(draws)]
    return np.asarray(np.quantile(turned, level, axis=0), dtype=np.float64)


def strengths_without(
    model: Model, batch: Sequences, heads: int, *, earlier: int = 0, later: int = 1, clamps: Sequence[Any] = (),
    batch_size: int = BATCH,
) -> Floats:  # fmt: skip
    """Induction strengths of the later heads, with each head of the earlier block ablated in turn, ``[H1, H0]``.

    Args:
        model: it must know the clamp ``Ablate``.
        batch: the sequences.
        heads: H0.
        earlier: the block whose heads are ablated.
        later: the block whose strengths are taken.
        clamps: in force in every condition.
        batch_size: sequences in one forward pass.

    Raises:
        ValueError: the clamps ablate one of the heads already.
    """
    hook = pattern_hook(later)
    columns = []
    for head in range(heads):
        ablated = (*clamps, f"Ablate({earlier}:{head})")
        found = run_model(model, batch, record=(hook,), clamps=ablated, batch_size=batch_size)
        columns.append(induction_strength(found.recorded[hook], found.y).heads)
    return np.stack(columns, axis=1).astype(np.float64)


def fans(edges: NDArray[np.bool_]) -> tuple[float, float]:
    """How many heads one reads, and how many read one: mean number of edges of each row and of each column.

    Args:
        edges: whether head i reads head j, ``[n, m]``.

    Returns:
        Fan-in and fan-out; NaN where there is no head of either kind.
    """
    if not edges.size:
        return float("nan"), float("nan")
    return float(edges.sum(1).mean()), float(edges.sum(0).mean())


def _rotation(width: int, rng: np.random.Generator) -> Floats:
    """A rotation or reflection drawn evenly (Stewart 1980): QR of normal numbers, with R's diagonal made positive."""
    q, r = np.linalg.qr(rng.normal(size=(width, width)))
    return np.asarray(q * np.sign(np.diag(r)))
