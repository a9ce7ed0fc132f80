"""What a command writes to a file of the user's choice."""

from __future__ import annotations

import contextlib
from pathlib import Path

from zoo import UsageError


def write_document(file: Path, text: str) -> None:
    """Replace ``file`` whole or not at all; its folder is made.

    Raises:
        UsageError: it cannot be written.
    """
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8", newline="\n")
        unfinished.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from error
