"""A file of responses that grows by whole lines and survives being killed, and the questions it already answers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo import UsageError
from zoo_harp.evaluation.responses import load_responses
from zoo_harp.protocol.plan import Key, settings_text

SETTINGS_SUFFIX = ".settings.json"
_LOCKED_BYTE = 1 << 30


class Journal:
    """Appends responses to a file; each is on the disk before ``add`` returns.

    Args:
        descriptor: of the file, open for appending.

    Attributes:
        added: how many responses were added.
    """

    def __init__(self, descriptor: int) -> None:
        self.added = 0
        self._descriptor = descriptor

    def add(self, record: Mapping[str, Any]) -> None:
        """Append one response."""
        line = json.dumps(record).encode("ascii") + b"\n"  # json escapes everything else, lone surrogates included
        while line:
            line = line[os.write(self._descriptor, line) :]
        os.fsync(self._descriptor)
        self.added += 1


@contextmanager
def open_journal(path: Path, settings: Mapping[str, Any]) -> Iterator[tuple[Journal, set[Key]]]:
    """Open a file of responses to continue it, under a lock; an incomplete last line is removed.

    Args:
        path: the file; made if it is not there.
        settings: of the questions; stored beside the file, and compared when it is continued.

    Yields:
        The journal, and what has been answered already.

    Raises:
        UsageError: the file cannot be written, is in use by another process, or was begun with other settings.
        DataError: the file holds something else.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            raise UsageError(f"{path} is being written by another process.") from error
        settings_path = path.with_name(path.name + SETTINGS_SUFFIX)
        if settings_path.exists():
            _drop_incomplete_line(descriptor)
        empty = os.fstat(descriptor).st_size == 0
        if not empty and not settings_path.exists():
            raise UsageError(
                f"{path} exists, and was not written by zoo harp run.", "write to another file with --out."
            )
        _check_settings(path, settings_path, settings, begun=not empty)
        done = set() if empty else {(item.id, item.run, item.sample) for item in load_responses(path).items}
        yield Journal(descriptor), done
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Lock a file against other processes; the lock ends with this process, however that ends.

    Raises:
        OSError: another process has it.
    """
    try:
        import fcntl
    except ImportError:  # Windows, which locks bytes: one far behind the end, so that the others can be read
        import msvcrt

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _drop_incomplete_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    end = size
    while end > 0:
        start = max(0, end - 65536)
        os.lseek(descriptor, start, os.SEEK_SET)
        newline = os.read(descriptor, end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)


def _check_settings(path: Path, settings_path: Path, settings: Mapping[str, Any], *, begun: bool) -> None:
    if not begun:
        temporary = settings_path.with_name(f".{settings_path.name}.{os.getpid()}")
        temporary.write_text(settings_text(dict(settings)), encoding="utf-8")
        temporary.replace(settings_path)
        return
    try:
        before = json.loads(settings_path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{settings_path} is not JSON: {error}.", "remove it to continue anyway.") from error
    for name in sorted({*before, *settings}):
        if before.get(name) != settings.get(name):
            raise UsageError(
                f"{path} was begun with {name} = {before.get(name)!r}, and now it is {settings.get(name)!r}.",
                "write to another file with --out, or ask as before.",
            )
