"""A circuit built by hand answers without error, by the right head, and breaks where it is cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from zoo_icl.model import ICLTransformer
from zoo_icl.model.circuits import INDUCTION, PREVIOUS, perfect_induction


def sequences(classes: int, labels: int, pairs: int, batch: int = 400) -> tuple[torch.Tensor, torch.Tensor]:
    """One-hot exemplars without repetition, distinct labels, the query equal to one of the context."""
    rng = np.random.default_rng(0)
    shown = rng.permuted(np.tile(np.arange(classes), (batch, 1)), axis=1)[:, :pairs]
    given = rng.permuted(np.tile(np.arange(labels), (batch, 1)), axis=1)[:, :pairs]
    asked = rng.integers(pairs, size=(batch, 1))
    x = np.eye(classes)[np.hstack([shown, np.take_along_axis(shown, asked, 1)])]
    return torch.from_numpy(x), torch.from_numpy(np.hstack([given, np.take_along_axis(given, asked, 1)]))


def strengths(model: ICLTransformer, x: torch.Tensor, y: torch.Tensor, clamps: str = "") -> np.ndarray:
    """Attention of the query to the right label, less that to the others, for each head of the last block."""
    _, cache = model(x, y, "blocks.1.attn.pattern", clamps)
    to_labels = cache["blocks.1.attn.pattern"][:, :, -1, 1::2].numpy()
    right = (y[:, :-1] == y[:, -1:]).numpy()[:, None]
    return np.where(right, to_labels, -to_labels).sum(-1).mean(0)


def accuracy(model: ICLTransformer, x: torch.Tensor, y: torch.Tensor, clamps: str = "") -> float:
    return float((model(x, y, clamps=clamps).argmax(1) == y[:, -1]).double().mean())


@pytest.mark.parametrize(("classes", "labels", "pairs"), [(10, 5, 2), (12, 8, 6)])
def test_it_is_perfect(classes: int, labels: int, pairs: int) -> None:
    model, (x, y) = perfect_induction(classes, labels, pairs), sequences(classes, labels, pairs)
    assert accuracy(model, x, y) == 1.0
    strength = strengths(model, x, y)
    assert strength[1] > 1 - 1e-6
    # The other head looks at all T tokens alike: the right label less the N - 1 others.
    assert strength[0] == pytest.approx((2 - pairs) / (2 * pairs + 1), abs=1e-6)
    _, cache = model(x, y, "blocks.0.attn.pattern")
    previous = cache["blocks.0.attn.pattern"].diagonal(-1, 2, 3)
    assert previous[:, 0].min() > 1 - 1e-6


def test_it_breaks_where_it_is_cut() -> None:
    model, (x, y) = perfect_induction(10, 5, 2), sequences(10, 5, 2)
    assert (PREVIOUS, INDUCTION) == ("0:0", "1:1")
    # Without the copies both labels match alike; with copies from elsewhere the second label stands for the first pair.
    for cut in (f"Ablate({PREVIOUS})", f"NoPrevToken({PREVIOUS})"):
        assert strengths(model, x, y, cut)[1] < 0.2, cut
        assert accuracy(model, x, y, cut) < 0.7, cut
    assert accuracy(model, x, y, f"Ablate({INDUCTION})") < 0.35
    assert accuracy(model, x, y, "Ablate(0:1,1:0)") == 1.0
    for whole in (f"PrevToken({PREVIOUS})", f"Induction({INDUCTION})", f"Copy({INDUCTION})"):
        assert accuracy(model, x, y, whole) == 1.0, whole
