"""Pictures on a canvas of one size, with a caption of two lines beneath."""

from __future__ import annotations

from functools import cached_property

from PIL import Image, ImageDraw, ImageFont

from zoo_view.recording.cameras import Picture
from zoo_view.recording.play import Frame

_TITLE, _COUNTS, _PAPER = (30, 30, 30), (110, 110, 110), (255, 255, 255)
_SIZE, _MARGIN = 14, 8


class Canvas:
    """Lays frames out; the first decides the size, and later ones of another size are fitted into it.

    Args:
        picture: the first one.
        title: the first line of the caption; empty for no caption.
    """

    def __init__(self, picture: Picture, title: str) -> None:
        self._title = title
        self._height, width = picture.shape[:2]
        self._strip = 2 * _SIZE + 3 * _MARGIN if title else 0
        # The counts may grow to some thirty characters.
        text = max(self._wide(title), self._wide("episode 00  step 0000  return -0000.0")) + 2 * _MARGIN if title else 0
        self.size = _even(max(width, int(text))), _even(self._height + self._strip)
        self._width = width

    def lay(self, frame: Frame) -> Image.Image:
        """One frame as an RGB image of ``size``."""
        image = Image.new("RGB", self.size, _PAPER)
        picture = Image.fromarray(frame.picture)
        if picture.size != (self._width, self._height):
            picture.thumbnail((self._width, self._height))
        image.paste(picture, ((self.size[0] - picture.width) // 2, 0))
        if self._title:
            draw, top = ImageDraw.Draw(image), self._height + _MARGIN
            draw.text((_MARGIN, top), self._title, fill=_TITLE, font=self._font)
            counts = f"episode {frame.episode}  step {frame.step}  return {frame.total:.4g}"
            draw.text((_MARGIN, top + _SIZE + _MARGIN), counts, fill=_COUNTS, font=self._font)
        return image

    @cached_property
    def _font(self) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.load_default(size=_SIZE)

    def _wide(self, text: str) -> float:
        return self._font.getlength(text)


def _even(length: int) -> int:
    """Video codecs want even sizes."""
    return length + length % 2
