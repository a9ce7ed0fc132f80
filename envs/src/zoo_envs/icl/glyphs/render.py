"""Pictures of characters in the twelve DejaVu faces."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_envs.icl.glyphs.shapes import SIDE

FACES = tuple(
    f"DejaVu{family}{style}"
    for family, slanted in (("Sans", "Oblique"), ("SansMono", "Oblique"), ("Serif", "Italic"))
    for style in ("", "-Bold", f"-{slanted}", f"-Bold{slanted}")
)
FINER = 4
"""pixels of the drawing for each of the picture"""
_EM = 20 * FINER
_INSIDE = (SIDE - 2) * FINER
_NO_SHAPE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Mn", "Me", "Mc", "Zs", "Zl", "Zp"})
"""categories of characters that have no shape of their own"""
_TURN, _SHIFT = 8.0, 1.5
"""degrees and pixels by which exemplars beyond the faces differ at most"""


def font_files() -> list[Path]:
    """The faces, in their order.

    Raises:
        ValueError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ValueError(
            "source glyphs needs the fonts of matplotlib, which is not installed (pip install 'zoo-envs[glyphs]')"
        ) from error
    return [Path(matplotlib.get_data_path(), "fonts", "ttf", f"{face}.ttf") for face in FACES]


def characters(files: Sequence[Path]) -> list[int]:
    """Code points that every face has, and that have a shape, in their order."""
    from matplotlib.ft2font import FT2Font

    shared = set.intersection(*(set(FT2Font(str(file)).get_charmap()) for file in files))
    return sorted(code for code in shared if unicodedata.category(chr(code)) not in _NO_SHAPE)


def render(files: Sequence[Path], codes: Sequence[int], exemplars: int) -> NDArray[np.uint8]:
    """Pictures ``[P, E, 28, 28]``, 255 where ink is; the ink's box is in the middle, and large ones are made to fit.

    Exemplar e is face e mod 12; those from the twelfth on are turned and shifted, each by its own amount.
    """
    from PIL import ImageFont

    fonts = [ImageFont.truetype(str(file), _EM) for file in files]
    amounts = np.random.default_rng(0).uniform(-1.0, 1.0, size=(exemplars, 3)) * [_TURN, _SHIFT, _SHIFT]
    amounts[: len(files)] = 0.0
    pictures = np.zeros((len(codes), exemplars, SIDE, SIDE), np.uint8)
    for index, code in enumerate(codes):
        drawings = [_drawing(font, chr(code)) for font in fonts]
        for exemplar, (angle, right, down) in enumerate(amounts):
            pictures[index, exemplar] = _picture(drawings[exemplar % len(fonts)], angle, right, down)
    return pictures


def _drawing(font: Any, text: str) -> Any:
    """One character, fine, its ink in the middle of the canvas."""
    from PIL import Image

    mask = font.getmask(text, mode="L")
    size = SIDE * FINER
    canvas = Image.new("L", (size, size))
    ink = Image.frombytes("L", mask.size, bytes(mask)) if 0 not in mask.size else None
    box = ink.getbbox() if ink is not None else None
    if ink is None or box is None:
        return canvas
    ink = ink.crop(box)
    largest = max(ink.size)
    if largest > _INSIDE:
        width, height = (max(1, round(side * _INSIDE / largest)) for side in ink.size)
        ink = ink.resize((width, height), Image.Resampling.BOX)
    canvas.paste(ink, ((size - ink.width) // 2, (size - ink.height) // 2))
    return canvas


def _picture(drawing: Any, angle: float, right: float, down: float) -> NDArray[np.uint8]:
    from PIL import Image

    if angle or right or down:
        shift = (right * FINER, down * FINER)
        drawing = drawing.rotate(angle, Image.Resampling.BILINEAR, translate=shift)
    return np.asarray(drawing.resize((SIDE, SIDE), Image.Resampling.BOX))
