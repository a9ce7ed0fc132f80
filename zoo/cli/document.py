"""Standard output as one document, whatever else is printed while it is made.

Solvers print banners from C++, environments and plugins print what they like. While a command makes a document, the
descriptor of standard output is that of standard error, and only ``emit`` and ``write`` reach the real one.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TextIO, cast

from zoo.terminal.streams import VisibleStream

P = ParamSpec("P")


class _State:
    stream: TextIO | None = None
    written = False


def wanted(args: list[str]) -> bool:
    """Whether a command line asks for a document rather than for a text to read."""
    if {"-h", "--help"} & set(args):
        return False
    return "--json" in args or any(arg == "--format" or arg.startswith("--format=") for arg in args)


def emit(document: Any) -> None:
    """Print the JSON document."""
    write(json.dumps(document, indent=1) + "\n")


def write(text: str, *, styled: bool = False) -> None:
    """Print a document that is not JSON, or a text to read; what is ``styled`` has been made visible before."""
    _State.written = True
    stream = _State.stream or sys.stdout
    if styled and isinstance(stream, VisibleStream):
        stream.write_styled(text)
    else:
        stream.write(text)


def written() -> bool:
    """Whether the document has been printed: there is only one."""
    return _State.stream is not None and _State.written


@contextmanager
def reserved() -> Iterator[None]:
    """Keep standard output for the document, and send everything else to standard error."""
    original = sys.stdout
    saved = _divert(original)
    _State.stream, _State.written = original, False
    if saved is not None:
        opened = os.fdopen(saved, "w", encoding=original.encoding, errors=original.errors)
        _State.stream = cast(TextIO, VisibleStream(opened))
    sys.stdout = sys.stderr
    try:
        yield
        _State.stream.flush()
    finally:
        stream, _State.stream = _State.stream, None
        sys.stdout = original
        if saved is not None:
            _flush_libraries()
            with contextlib.suppress(OSError, ValueError):
                original.flush()
            os.dup2(saved, 1)
            with contextlib.suppress(OSError):
                stream.close()
            atexit.unregister(_divert_for_good)
            atexit.register(_divert_for_good)  # anew, and so before whatever was registered meanwhile


@contextmanager
def spoken_by_plugin() -> Iterator[None]:
    """Let a plugin's command print its document by ``print``; what its libraries print still goes to standard error."""
    before = sys.stdout
    if _State.stream is not None:
        sys.stdout = _State.stream
    try:
        yield
    finally:
        sys.stdout = before


def documented(main: Callable[P, int]) -> Callable[P, int]:
    """Decorate a plugin's command that prints by ``emit`` and ``write``: what else is printed is not part of it."""

    @wraps(main)
    def diverted(*args: P.args, **kwargs: P.kwargs) -> int:
        with contextlib.redirect_stdout(sys.stdout if _State.stream is None else sys.stderr):
            return main(*args, **kwargs)

    return diverted


def _divert(stream: TextIO) -> int | None:
    """Make descriptor 1 standard error; return a copy of the old one, or None if ``stream`` does not use it."""
    try:
        if stream.fileno() != 1:
            return None
        stream.flush()
        saved = os.dup(1)
    except (OSError, ValueError, AttributeError):  # captured, or closed
        return None
    try:
        os.dup2(2, 1)
    except OSError:  # standard error is closed
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
    return saved


def _divert_for_good() -> None:
    """What exit handlers and destructors of libraries print comes after the document, and is not part of it."""
    original, sys.stdout = sys.stdout, sys.stderr
    saved = _divert(original)
    if saved is not None:
        os.close(saved)


def _flush_libraries() -> None:
    """What C and C++ have buffered belongs to standard error, too; without numpy no such library is there."""
    if "numpy" in sys.modules:
        import ctypes

        with contextlib.suppress(OSError, AttributeError, TypeError):
            ctypes.CDLL(None).fflush(None)
