"""Logs of JSON lines: appending with a running digest, and reading them piece by piece."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from zoo.errors import RunError
from zoo.training.storage.documents import is_count, is_number
from zoo.training.storage.files import LINE_BYTES, hash_file, is_file, open_read, open_write, refuse_constant


@dataclass(frozen=True)
class Mark:
    """Where a checkpoint found a log: its size in bytes, and the SHA-256 of that much; empty where it is not known."""

    size: int = 0
    sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"bytes": self.size, "sha256": self.sha256}

    @classmethod
    def from_json(cls, data: Any, where: Path) -> Mark:
        """Read ``to_json``.

        Raises:
            RunError: it is malformed.
        """
        if not isinstance(data, dict) or not is_count(data.get("bytes")) or not isinstance(data.get("sha256"), str):
            raise RunError(f"{where} does not say how long its logs were.")
        return cls(data["bytes"], data["sha256"])


def differs(path: Path, mark: Mark, *, whole: bool = False) -> str:
    """How a log is not what ``mark`` says, in a few words; empty if its beginning, or the ``whole``, is just that."""
    try:
        size = path.lstat().st_size if is_file(path) else 0
    except OSError:
        size = 0
    if size < mark.size:
        return f"{path.name} is shorter than its checkpoint says: {size} bytes, not {mark.size}"
    if size > mark.size and whole:
        return f"{path.name} is longer than its checkpoint says: {size} bytes, not {mark.size}"
    if mark.sha256 and hash_file(path, mark.size).hexdigest() != mark.sha256:
        return f"{path.name} is damaged: it is not what was written"
    return ""


class Log:
    """Appends JSON lines, each written at once; ``sync`` tells where a checkpoint may cut the file back to.

    Raises:
        RunError: the file is not what ``mark`` says, or cannot be written.
    """

    def __init__(self, path: Path, mark: Mark = Mark()) -> None:
        problem = differs(path, mark)
        if problem:
            raise RunError(f"{path.parent}: {problem}.")
        self.path = path
        try:
            self._running = hash_file(path, mark.size)
            self._file = open_write(path)
            self._file.truncate(mark.size)
        except OSError as error:
            raise self._refused(error) from error
        self._size = mark.size
        self._file.seek(self._size)

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one object as one line.

        Raises:
            RunError: it cannot be written; the line is not there then, not even in part.
        """
        line = json.dumps(row, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        try:
            rest = line
            while rest:  # a disk that is nearly full takes a part, and says so when asked again
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self.cut(self._size)
            raise self._refused(error) from error
        self._size += len(line)
        self._running.update(line)

    def cut(self, size: int) -> None:
        """Drop what was written after the first ``size`` bytes; the log is not to be used after that."""
        try:
            self._file.truncate(size)
            self._file.seek(size)
        except OSError:  # the first error is the one to report
            return

    def sync(self) -> Mark:
        """Wait until all lines are on the disk.

        Raises:
            RunError: it cannot be written.
        """
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._refused(error) from error
        return Mark(self._size, self._running.hexdigest())

    def intact(self) -> bool:
        """Whether the file of this name is still, to the byte, the one that was written here; the file is read."""
        try:
            on_disk, opened = self.path.lstat(), os.fstat(self._file.fileno())
        except OSError:
            return False
        same = (on_disk.st_dev, on_disk.st_ino, on_disk.st_size) == (opened.st_dev, opened.st_ino, self._size)
        return same and not differs(self.path, Mark(self._size, self._running.hexdigest()))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _refused(self, error: OSError) -> RunError:
        return RunError(
            f"{self.path} cannot be written: {error.strerror or error}.",
            "What was saved before stays; the same command continues.",
        )


class LogReader:
    """Iterates over the objects of a log, one line in memory at a time; lines that do not parse are counted.

    Attributes:
        torn: lines so far that are not an object.
        damaged: whether the beginning that ``mark`` describes is not what was written; known at the end.
    """

    def __init__(self, path: Path, mark: Mark = Mark()) -> None:
        self.path = path
        self._mark = mark
        self._left = 0
        self._running = hashlib.sha256()
        self.torn = 0
        self.damaged = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._left, self._running, self.torn = self._mark.size, hashlib.sha256(), 0
        try:
            file = open_read(self.path)
        except (OSError, RunError):
            self.damaged = self._left > 0
            return
        with file:
            while line := self._line(file):
                row = _object(line)
                if row is not None:
                    yield row
                elif line.strip():
                    self.torn += 1
        changed = bool(self._mark.sha256) and self._running.hexdigest() != self._mark.sha256
        self.damaged = self._left > 0 or changed

    def _line(self, file: BinaryIO) -> bytes:
        """The next line; of one that is too long only the beginning, which is not an object."""
        line = piece = file.readline(LINE_BYTES)
        while True:
            if self._left > 0:
                self._running.update(piece[: self._left])
                self._left -= min(len(piece), self._left)
            if len(piece) < LINE_BYTES or piece.endswith(b"\n"):
                return line
            line, piece = b"{", file.readline(LINE_BYTES)


def metric_columns(path: Path) -> dict[str, NDArray[np.float64]]:
    """The numbers of a log by name, float64 [rows] each, NaN in rows without one; other values are left out."""
    rows = list(LogReader(path))
    names = dict.fromkeys(["step", "wall", *(name for row in rows for name in row)])
    table = [[value if is_number(value := row.get(name)) else math.nan for row in rows] for name in names]
    return dict(zip(names, np.array(table, dtype=np.float64), strict=True))


_DECODER = json.JSONDecoder(parse_constant=refuse_constant)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        row = _DECODER.decode(line.decode())
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
