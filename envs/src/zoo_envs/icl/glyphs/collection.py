"""All glyphs, their classes and their encoder: made once for these fonts, then read from the user's cache."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo_envs.icl.glyphs.encoder import Encoder
from zoo_envs.icl.glyphs.render import characters, font_files, render
from zoo_envs.icl.glyphs.shapes import APART, distinct, turned

EXEMPLARS = 20
_FORMAT = 1
"""raised when the same fonts give other numbers"""
_ENCODER = ("mean", "components", "variances")


@dataclass(frozen=True, eq=False)
class Atlas:
    """Everything about the glyphs.

    Attributes:
        images: of every character, uint8 ``[P, 20, 28, 28]``.
        classes: character and turn of each class, ``[C, 2]``.
        encoder: fitted to one exemplar of each class.
    """

    images: NDArray[np.uint8]
    classes: NDArray[np.int64]
    encoder: Encoder


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """The glyphs of the fonts that are installed.

    The cache is ``$XDG_CACHE_HOME/zoo``, by the SHA-256 of the fonts and the version of pillow; where it cannot be
    written, they are made anew.

    Raises:
        ValueError: matplotlib is not installed.
    """
    files = font_files()
    import PIL  # which matplotlib needs; it draws the characters

    contents = hashlib.sha256(f"{_FORMAT} {APART} {PIL.__version__}".encode())
    for file in files:
        contents.update(hashlib.sha256(file.read_bytes()).digest())
    root = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    cached = Path(root, "zoo", f"glyphs-{contents.hexdigest()[:16]}.npz")
    found = _read(cached)
    if found is None:
        found = _made(files)
        with contextlib.suppress(OSError):  # no cache, then
            _write(cached, found)
    return found


def _made(files: list[Path]) -> Atlas:
    images = render(files, characters(files), EXEMPLARS)
    classes = distinct(images[:, 0])
    pictures = np.stack([turned(images[character, 0], turn) for character, turn in classes.tolist()])
    return Atlas(images, classes, Encoder.fitted(pictures))


def _read(file: Path) -> Atlas | None:
    """None where there is no such file, or a damaged one."""
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            return Atlas(arrays["images"], arrays["classes"], Encoder(*(arrays[name] for name in _ENCODER)))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(file: Path, found: Atlas) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".npz", delete=False) as beside:
        try:
            encoder = {name: getattr(found.encoder, name) for name in _ENCODER}
            np.savez_compressed(beside, images=found.images, classes=found.classes, **encoder)
            beside.close()
            Path(beside.name).replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(beside.name).unlink()
            raise
