"""What an environment prints of its state, as a picture of fixed size."""

from __future__ import annotations

import textwrap

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

COLUMNS, ROWS = 48, 8
_SIZE, _MARGIN = 20, 16
_PAPER, _INK = (250, 250, 250), (40, 40, 40)


def picture_of_text(text: str) -> NDArray[np.uint8]:
    """A picture uint8 [height, width, 3] of ``text``: its last ``ROWS`` lines, long ones broken after ``COLUMNS``."""
    font = ImageFont.load_default(size=_SIZE)
    lines = [part for line in text.expandtabs(4).splitlines() for part in textwrap.wrap(line, COLUMNS) or [""]]
    size = (int(COLUMNS * 0.6 * _SIZE) + 2 * _MARGIN, int(ROWS * 1.4 * _SIZE) + 2 * _MARGIN)
    image = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(lines[-ROWS:]):
        pen.text((_MARGIN, _MARGIN + 1.4 * _SIZE * row), line, fill=_INK, font=font)
    return np.asarray(image, dtype=np.uint8).copy()
