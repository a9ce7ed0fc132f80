"""Classes of images without a download: glyphs of the DejaVu faces that matplotlib brings, turned and flipped.

Classes are shapes, exemplars are faces: the task of Omniglot (characters of alphabets, 20 drawings each, also turned
and flipped) with printed characters. They depend on the versions of matplotlib's fonts and of pillow, which draws them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zoo_envs.icl.glyphs.collection import EXEMPLARS, atlas
from zoo_envs.icl.glyphs.encoder import LARGEST
from zoo_envs.icl.glyphs.shapes import SIDE, turned

__all__ = ["glyphs", "num_glyph_classes"]


def num_glyph_classes() -> int:
    """How many classes there are."""
    return len(atlas().classes)


def glyphs(
    num_classes: int, num_exemplars: int, form: Literal["encoded", "raw"], dim: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Images of different classes.

    Args:
        num_classes: C, at most ``num_glyph_classes()``; drawn without replacement.
        num_exemplars: E, at most 20: the twelve faces first, then faces a little turned and shifted.
        form: "encoded": by fixed random convolutions and principal components, with mean square 1 over all classes;
            "raw": 28 x 28 grey values in [0, 1], side by side.
        dim: D of encoded images, at most 512.
        rng: draws the classes.

    Returns:
        ``[C, E, D]``, or ``[C, E, 784]``.

    Raises:
        ValueError: there are not as many; or matplotlib is not installed.
    """
    found = atlas()
    if num_classes > len(found.classes):
        raise ValueError(f"glyphs have {len(found.classes)} classes, and class_split adds up to {num_classes}")
    if num_exemplars > EXEMPLARS:
        raise ValueError(f"glyphs have {EXEMPLARS} exemplars, and exemplar_split adds up to {num_exemplars}")
    if form == "encoded" and dim > LARGEST:
        raise ValueError(f"dim is {dim}: encoded glyphs have at most {LARGEST} numbers")
    chosen = found.classes[rng.permutation(len(found.classes))[:num_classes]]
    pictures = np.empty((num_classes, num_exemplars, SIDE, SIDE), np.uint8)
    for turn in range(8):
        of_turn = chosen[:, 1] == turn
        pictures[of_turn] = turned(found.images[chosen[of_turn, 0], :num_exemplars], turn)
    flat = pictures.reshape(num_classes * num_exemplars, SIDE, SIDE)
    encoded = found.encoder.encode(flat, dim) if form == "encoded" else flat.reshape(len(flat), -1) / np.float32(255)
    return encoded.reshape(num_classes, num_exemplars, -1).astype(np.float32, copy=False)
