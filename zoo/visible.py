"""Making control characters visible, so that text of a file or a plugin cannot steer a terminal or hide words."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

# C0 but tab and line feed, DEL, C1; marks that reorder what is read (bidirectional controls); lone surrogates.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """``text`` with each character that would steer a terminal written as its code, as ``repr`` does."""
    return _STEERING.sub(_code, text) if _STEERING.search(text) else text


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


class VisibleStream:
    """A text stream through which no control character passes; it says that it is no terminal, so that none is tried.

    Whoever styles on purpose, and has made the words visible before, writes to ``raw(stream)``: see ``console``.
    """

    def __init__(self, stream: TextIO) -> None:
        self.raw = stream

    def write(self, text: str) -> int:
        """As a text stream."""
        self.raw.write(visible(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """As a text stream."""
        for line in lines:
            self.write(line)

    def isatty(self) -> bool:
        """False."""
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


def raw(stream: TextIO) -> TextIO:
    """The stream beneath, for those who style."""
    found: TextIO = getattr(stream, "raw", stream) if isinstance(stream, VisibleStream) else stream
    return found


@contextmanager
def visible_streams() -> Iterator[None]:
    """Let nothing but visible characters through standard output and standard error."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, VisibleStream(raw(stream))) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def console(*, stderr: bool = False, file: TextIO | None = None, **options: Any) -> Console:
    """A console of rich that styles as ever, and shows control characters in what it is given."""
    from rich.console import Console
    from rich.segment import Segment

    class Visible(Console):
        def _render_buffer(self, buffer: Iterable[Segment]) -> str:
            shown = (part if part.control else part._replace(text=visible(part.text)) for part in buffer)
            return super()._render_buffer(shown)

    return Visible(file=file or raw(sys.stderr if stderr else sys.stdout), **options)
