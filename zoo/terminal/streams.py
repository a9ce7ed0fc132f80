"""Printing: without control characters that command a terminal or hide words, and only while there is a reader."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

# C0 but tab and line feed, DEL, C1; marks that reorder what is read (bidirectional controls); lone surrogates.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """``text`` with each character that would command a terminal written as its code, as ``repr`` does."""
    return _CONTROL.sub(_code, text) if _CONTROL.search(text) else text


_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_MAX_LENGTH = 300
"""characters of text from plugins and libraries within a message"""


def strip_ansi(text: str) -> str:
    """``text`` without the codes by which a library colours what it prints, terminal or not."""
    return _COLOUR.sub("", text)


def brief(text: object) -> str:
    """Foreign text for a message: on one line, uncoloured, its middle left out where it is long."""
    line = " ".join(strip_ansi(str(text)).split())
    if len(line) <= _MAX_LENGTH:
        return line
    half = _MAX_LENGTH // 2
    return f"{line[:half].rstrip()} [{len(line) - 2 * half} characters left out] {line[-half:].lstrip()}"


def _code(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


class OutputError(KeyboardInterrupt):
    """What is printed cannot be written: its reader, such as ``head`` or a terminal, is gone, or the disk is full.

    It ends the command as Ctrl-C does: no guard around a plugin catches it, and no plugin is blamed for it.

    Attributes:
        exit_code: where nobody reads, 128 and the number of the signal that ends a command then (SIGPIPE, or SIGHUP of
            a terminal); 1 where it is another error, such as a full disk.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output cannot be written: {error.strerror or error}.")
        self.exit_code = _EXIT_CODES.get(error.errno or 0, 1)


_EXIT_CODES = {errno.EPIPE: 128 + 13, errno.EIO: 128 + 1}


def is_broken_pipe(error: OSError) -> bool:
    """Whether an error says that the other end of a pipe, or a terminal, is gone."""
    return error.errno in _EXIT_CODES


def redirect_to_devnull(stream: IO[str]) -> None:
    """Discard what is written to a stream from now on, and what it still buffers."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # no descriptor, or closed
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


class VisibleStream:
    """A text stream that passes no control character; it says that it is not a terminal, so that nothing is styled.

    Code that styles on purpose, and has made the words visible before, writes to ``raw(stream)``: see ``console``.

    Args:
        stream: the stream that it writes to.
        outlived: when its reader is gone, discard what is written instead of raising ``OutputClosed``.
    """

    def __init__(self, stream: TextIO, *, discard_when_closed: bool = False) -> None:
        self.raw = stream
        self._discard_when_closed = discard_when_closed

    def write(self, text: str) -> int:
        """See ``io.TextIOBase``."""
        self.write_styled(visible(strip_ansi(text)))
        return len(text)

    def write_styled(self, text: str) -> None:
        """Write what is styled on purpose, and whose words have been made visible before."""
        try:
            self.raw.write(text)
        except OSError as error:
            self.handle_error(error)

    def flush(self) -> None:
        """See ``io.TextIOBase``."""
        try:
            self.raw.flush()
        except OSError as error:
            self.handle_error(error)

    def handle_error(self, error: OSError) -> None:
        """Silence the stream after an error, and raise ``OutputClosed`` unless it is ``outlived``."""
        redirect_to_devnull(self.raw)
        if not (self._discard_when_closed and is_broken_pipe(error)):
            raise OutputError(error) from None

    def writelines(self, lines: Iterable[str]) -> None:
        """See ``io.TextIOBase``."""
        for line in lines:
            self.write(line)

    def isatty(self) -> bool:
        """False."""
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


def raw(stream: TextIO) -> TextIO:
    """The stream that a ``VisibleStream`` writes to, for styled output; any other stream itself."""
    underlying: TextIO = getattr(stream, "raw", stream) if isinstance(stream, VisibleStream) else stream
    return underlying


@contextmanager
def visible_streams(*, discard_when_closed: bool = False) -> Iterator[None]:
    """Let nothing but visible characters through standard output and standard error.

    Args:
        discard_when_closed: the block goes on when nobody reads its output any more, as training does.
    """
    before = sys.stdout, sys.stderr
    with contextlib.ExitStack() as stack:
        # A stream that was closed (>&-) is None; what takes its place also keeps files of ours off its descriptor.
        streams = [stream or stack.enter_context(Path(os.devnull).open("w")) for stream in before]
        sys.stdout, sys.stderr = (
            cast(TextIO, VisibleStream(raw(stream), discard_when_closed=discard_when_closed)) for stream in streams
        )
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


def console(*, stderr: bool = False, file: TextIO | None = None, **options: Any) -> Console:
    """A console of rich that styles as usual, and makes control characters in its input visible."""
    from rich.console import Console
    from rich.segment import Segment

    class Visible(Console):
        def _render_buffer(self, buffer: Iterable[Segment]) -> str:
            shown = (part if part.control else part._replace(text=visible(part.text)) for part in buffer)
            return super()._render_buffer(shown)

        def on_broken_pipe(self) -> None:
            raise  # rich calls this in the except block of a BrokenPipeError; by default it would exit

        def _check_buffer(self) -> None:
            try:
                super()._check_buffer()
            except OSError as error:
                visible_stream.handle_error(error)

    stream = file or (sys.stderr if stderr else sys.stdout)
    visible_stream = stream if isinstance(stream, VisibleStream) else VisibleStream(stream)
    return Visible(file=visible_stream.raw, **options)
