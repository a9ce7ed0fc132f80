"""A circuit built by hand answers without error, by the right head, and breaks where it is cut."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from zoo_icl.model import ICLTransformer

PREVIOUS, INDUCTION = "0:0", "1:1"
"""the heads of ``perfect_induction``: what looks one token back, and what finds the label"""


def perfect_induction(classes: int, labels: int, pairs: int, *, sharpness: float = 60.0) -> ICLTransformer:
    """A model that answers with the label that stands behind the query's exemplar, and makes no error.

    Exemplars are one-hot (source ``onehot``, D = ``classes``). The residual stream has four parts: exemplar, label,
    position, and the exemplar one token before. Head 0:0 copies the exemplar before a label into the fourth part of
    the label's token; head 1:1 finds the label whose fourth part is the query's exemplar, and copies it to the query's
    token. All other heads write nothing. No norm, learned positions.

    Args:
        classes: number of one-hot exemplars.
        labels: number of labels.
        pairs: N, pairs in a context.
        sharpness: difference of scores between the token looked at and any other.
    """
    tokens = 2 * pairs + 1
    sizes = (classes, labels, tokens, classes)
    ends = np.cumsum((0, *sizes))
    exemplar, label, position, before = (slice(a, b) for a, b in pairwise(ends))
    head_dim = max(classes + 1, tokens, labels, -(-int(ends[-1]) // 2))
    options: dict[str, Any] = {"n_heads": 2, "depth": 2, "pos": "ape", "max_tokens": tokens, "norm": "none"}
    blank = ICLTransformer(classes, labels, 2 * head_dim, **options)
    arrays: dict[str, NDArray[Any]] = {name: np.zeros_like(array) for name, array in blank.to_arrays().items()}
    strong = sharpness * head_dim**0.5

    arrays["W_ex"][:, exemplar] = np.eye(classes)
    arrays["W_lab"][:, label] = np.eye(labels)
    arrays["W_pos"][:, position] = np.eye(tokens)
    at = "blocks.0.attn.W_"
    arrays[f"{at}q"][0, position, :tokens] = strong * np.eye(tokens, k=-1)
    arrays[f"{at}k"][0, position, :tokens] = np.eye(tokens)
    arrays[f"{at}v"][0, exemplar, :classes] = np.eye(classes)
    arrays[f"{at}o"][0, :classes, before] = np.eye(classes)
    at = "blocks.1.attn.W_"
    arrays[f"{at}q"][1, exemplar, :classes] = strong * np.eye(classes)
    arrays[f"{at}k"][1, before, :classes] = np.eye(classes)
    # The first token looks at itself in block 0 and so carries its own exemplar: being a label counts as much again.
    arrays[f"{at}q"][1, exemplar, classes] = strong
    arrays[f"{at}k"][1, label, classes] = 1.0
    arrays[f"{at}v"][1, label, :labels] = np.eye(labels)
    arrays[f"{at}o"][1, :labels, label] = np.eye(labels)
    arrays["W_un"][label] = sharpness * np.eye(labels)
    return ICLTransformer.from_arrays(arrays, **blank.options)


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
