"""Films as files: gif by Pillow, mp4 by ffmpeg; a file is there whole, or not at all."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from PIL import ImageChops
from PIL.Image import Dither, Image, Quantize

from zoo import UsageError

_GIF_FASTEST = 50
_VISIBLE = 24
"""a difference of colours, of 255, that would be seen"""


def check_film(path: Path, fps: int | None) -> None:
    """Refuse a file that cannot be written, before anything is played.

    Raises:
        UsageError: another kind of file, a package that is missing, more frames a second than the format has, or no
            such directory.
    """
    if path.suffix.lower() not in _WRITERS:
        raise UsageError(f"{path} is neither a gif nor an mp4: expected -o NAME.gif or -o NAME.mp4.")
    if path.suffix.lower() == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise UsageError("mp4 needs imageio-ffmpeg, which is not installed.", "pip install 'zoo-view[mp4]'")
    if path.suffix.lower() == ".gif" and fps is not None and fps > _GIF_FASTEST:
        raise UsageError(f"--fps is {fps}: expected at most {_GIF_FASTEST} in a gif.", "An mp4 may have more.")
    if path.is_dir():
        raise UsageError(f"{path} is a directory: expected a file.")


def fastest(path: Path, fps: int) -> int:
    """``fps``, or what the format of ``path`` has at most."""
    return min(fps, _GIF_FASTEST) if path.suffix.lower() == ".gif" else fps


def write_film(images: Iterator[Image], path: Path, fps: int) -> None:
    """Write ``images``, all of one even size, to ``path``.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _whole(path) as part:
            _WRITERS[path.suffix.lower()](images, part, fps)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file beside ``path`` that takes its place at the end."""
    part = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _gif(images: Iterator[Image], path: Path, fps: int) -> None:
    images = _in_few_colours(images)
    first = next(images)
    # A frame lasts whole hundredths of a second; frames that are equal become one that lasts longer.
    first.save(path, save_all=True, append_images=images, duration=10 * round(100 / fps), loop=0)


def _in_few_colours(images: Iterator[Image]) -> Iterator[Image]:
    """Images with at most 256 colours each, of one palette as long as it serves: a new one for each costs much more."""
    palette: Image | None = None
    for image in images:
        mapped = image.quantize(palette=palette, dither=Dither.NONE) if palette is not None else None
        if mapped is None or _furthest(mapped, image) > _VISIBLE:
            palette = mapped = image.quantize(method=Quantize.MEDIANCUT, dither=Dither.NONE)
        yield mapped


def _furthest(mapped: Image, image: Image) -> int:
    """The largest difference of a colour, of 255."""
    bands = ImageChops.difference(mapped.convert("RGB"), image).getextrema()
    return max(int(high) for _, high in bands)  # type: ignore[misc]


def _mp4(images: Iterator[Image], path: Path, fps: int) -> None:
    from imageio_ffmpeg import write_frames

    first = next(images)
    film = write_frames(str(path), first.size, fps=fps, macro_block_size=2, ffmpeg_log_level="error")
    film.send(None)
    try:
        for image in chain([first], images):
            film.send(image.tobytes())
    finally:
        film.close()


_WRITERS: Mapping[str, Callable[[Iterator[Image], Path, int], None]] = {".gif": _gif, ".mp4": _mp4}
