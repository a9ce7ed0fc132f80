"""Sources of exemplars: tables float32[C,E,D] of C classes with E exemplars each."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["from_file", "gaussian", "onehot"]

Features = NDArray[np.float32]
_KEY = "features"


def gaussian(
    num_classes: int, num_exemplars: int, dim: int, sigma_w: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return mu_c + sigma_w eps with mu_c ~ N(0, I) for each class and eps ~ N(0, I) for each exemplar.

    With one exemplar for each class that exemplar is mu_c.

    Args:
        num_classes: C.
        num_exemplars: E.
        dim: D.
        sigma_w: standard deviation of each coordinate within a class.
        rng: randomness.
    """
    means = rng.standard_normal((num_classes, 1, dim), dtype=np.float32)
    if num_exemplars == 1:
        return means
    spread = rng.standard_normal((num_classes, num_exemplars, dim), dtype=np.float32)
    return means + np.float32(sigma_w) * spread


def onehot(num_classes: int) -> NDArray[np.float32]:
    """Return the C unit vectors, one exemplar for each class: D = C."""
    return np.eye(num_classes, dtype=np.float32)[:, None]


def from_file(path: str) -> NDArray[np.float32]:
    """Return the array "features" [C,E,D] of an .npz file.

    Raises:
        ValueError: the file cannot be read, has no such entry, or the entry is not a finite array of three axes.
    """
    if not path:
        raise ValueError('source "file" needs path, the .npz file with the features')
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"features file {path} cannot be read: {error.strerror}") from error
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise ValueError(f"features file {path} is not an .npz file")
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        if _KEY not in file:
            raise ValueError(f"features file {path} has no entry {_KEY!r}, but {', '.join(file) or 'nothing'}")
        table = file[_KEY]
    if table.ndim != 3 or table.dtype.kind not in "fiu" or 0 in table.shape:
        raise ValueError(f"{_KEY} in {path} must be numbers [C,E,D], got {table.dtype} of shape {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError(f"{_KEY} in {path} must be finite, got NaN or infinity")
    return np.asarray(table, dtype=np.float32)
