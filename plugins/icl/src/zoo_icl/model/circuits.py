"""An induction circuit written down by hand, to hold probes and clamps against."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_icl.model.transformer import ICLTransformer

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
