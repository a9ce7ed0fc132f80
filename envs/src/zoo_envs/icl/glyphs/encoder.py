"""A fixed encoder of pictures: random convolutions, rectified and pooled, and their principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo_envs.icl.glyphs.shapes import SIDE

LARGEST = 512
_FILTERS, _WIDTH, _POOL = 48, 5, 4
_OUT = (SIDE - _WIDTH + 1) // _POOL
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class Encoder:
    """Principal components of random convolutions.

    Attributes:
        mean: of the convolutions' outputs, ``[F]``.
        components: of length 1, by falling variance, ``[F, 512]``.
        variances: of the components, ``[512]``.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    variances: NDArray[np.float64]

    @classmethod
    def fitted(cls, pictures: NDArray[np.uint8]) -> Encoder:
        """To pictures ``[n, 28, 28]``."""
        responses = _responses(pictures)
        mean = responses.mean(0, dtype=np.float64)
        centred = responses - mean.astype(np.float32)
        variances, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(pictures))
        order = np.argsort(variances)[::-1][:LARGEST]
        directions = directions[:, order]
        directions *= np.sign(directions[np.abs(directions).argmax(0), np.arange(LARGEST)])  # eigh leaves the sign open
        return cls(mean.astype(np.float32), directions.astype(np.float32), variances[order])

    def encode(self, pictures: NDArray[np.uint8], dim: int) -> NDArray[np.float32]:
        """The first ``dim`` components of pictures ``[n, 28, 28]``, ``[n, dim]``, times one number.

        That makes the mean square 1 over the pictures fitted to and over the components kept.
        """
        components = self.components[:, :dim] / np.float32(np.sqrt(self.variances[:dim].mean()))
        parts = np.split(pictures, range(_BLOCK, len(pictures), _BLOCK))
        return np.concatenate([(_responses(part) - self.mean) @ components for part in parts])


def _responses(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Rectified, pooled convolutions ``[n, F]`` of pictures ``[n, 28, 28]``."""
    rng = np.random.default_rng(0)
    filters = rng.standard_normal((_WIDTH * _WIDTH, _FILTERS), dtype=np.float32) / _WIDTH
    biases = rng.standard_normal(_FILTERS, dtype=np.float32) / 4
    parts = []
    for part in np.split(pictures, range(_BLOCK, len(pictures), _BLOCK)):
        grey = part.astype(np.float32) / 255
        windows = np.lib.stride_tricks.sliding_window_view(grey, (_WIDTH, _WIDTH), axis=(1, 2))
        outputs = windows.reshape(len(part), -1, _WIDTH * _WIDTH) @ filters + biases
        rectified = np.maximum(outputs, 0).reshape(len(part), _OUT, _POOL, _OUT, _POOL, _FILTERS)
        parts.append(rectified.mean((2, 4)).reshape(len(part), -1))
    return np.concatenate(parts)
