"""Files with one JSON object a line, read so that every error message names the file, the line and the field."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, NoReturn, TypeVar

from zoo import UsageError

T = TypeVar("T")

MAX_MEMBER = 1_000_000_000
"""bytes that a member of a zip file may unpack to"""
_SHOWN = 60  # characters of a wrong value that a message repeats


class DataError(UsageError):
    """A file is malformed; the message begins with ``file:line: field``.

    Attributes:
        reason: the message without the location.
        path: the file.
        line: its line, from 1; 0 where the whole file is meant.
        field: the field of the line's object; may be empty.
    """

    def __init__(self, reason: str, path: str, line: int = 0, field: str = "", hint: str = "") -> None:
        place = f"{path}:{line}" if line else path
        super().__init__(f"{place}: {f'field {field!r} ' if field else ''}{reason}", hint)
        self.reason, self.path, self.line, self.field = reason, path, line, field

    def with_others(self, others: int) -> DataError:
        """The same error, with the number of further errors in the message."""
        if not others:
            return self
        reason = f"{self.reason} ({others} more bad line{'s' * (others > 1)}.)"
        return DataError(reason, self.path, self.line, self.field)


@dataclass(frozen=True)
class Line:
    """One line's object, with its location.

    Attributes:
        path: the file, as messages show it.
        number: of the line, from 1.
        values: the object.
    """

    path: str
    number: int
    values: Mapping[str, Any]

    def fail(self, field: str, reason: str) -> NoReturn:
        """Raise a ``DataError`` about one field."""
        raise DataError(reason, self.path, self.number, field)

    def need(self, field: str) -> Any:
        """The value of a field that must be there."""
        if field not in self.values:
            self.fail(field, "is missing.")
        return self.values[field]

    def text(self, field: str) -> str:
        """A required string, not empty."""
        value = self.need(field)
        if not isinstance(value, str) or not value.strip():
            self.fail(field, f"is {shown(value)}: expected a string that is not empty.")
        return value

    def flag(self, field: str) -> bool:
        """A required true or false."""
        value = self.need(field)
        if not isinstance(value, bool):
            self.fail(field, f"is {shown(value)}: expected true or false.")
        return value

    def whole(self, field: str, low: int, high: int | None = None) -> int:
        """A required whole number in ``[low, high]``."""
        value = self.need(field)
        within = isinstance(value, int) and not isinstance(value, bool) and value >= low
        if not within or (high is not None and value > high):
            bounds = f"of at least {low}" if high is None else f"from {low} to {high}"
            self.fail(field, f"is {shown(value)}: expected a whole number {bounds}.")
        return int(value)


@dataclass(frozen=True)
class Loaded(Generic[T]):
    """What a file holds, and the lines that were skipped.

    Attributes:
        items: one for each good line, in the file's order.
        skipped: errors of the other lines; empty unless skipping was allowed.
    """

    items: tuple[T, ...]
    skipped: tuple[DataError, ...] = ()


def shown(value: Any) -> str:
    """A wrong value for a message, on one line and shortened."""
    try:
        text = json.dumps(value)
    except (ValueError, RecursionError):  # a number with too many digits, or nesting without end
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def load(path: Path, parse: Callable[[Line], T], *, skip_bad: bool = False) -> Loaded[T]:
    """Read every line of a ``.jsonl`` file, or of the only one in a ``.zip``; blank lines do not count.

    Args:
        path: the file.
        parse: makes an item of a line, or raises ``DataError``.
        skip_bad: leave bad lines out instead of raising.

    Raises:
        DataError: the first bad line, with the number of the others; or the file cannot be read or is empty.
    """
    items: list[T] = []
    bad: list[DataError] = []
    for number, raw in _lines(path):
        try:
            items.append(parse(Line(str(path), number, _object(raw, str(path), number))))
        except DataError as error:
            bad.append(error)
    if bad and not (skip_bad and items):
        raise bad[0].with_others(len(bad) - 1)
    if not items:
        raise DataError("the file has no line: expected one JSON object a line.", str(path))
    return Loaded(tuple(items), tuple(bad))


def _object(raw: bytes, path: str, number: int) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(f"byte {error.start + 1} is not UTF-8.", path, number) from None
    except json.JSONDecodeError as error:
        raise DataError(f"malformed JSON, column {error.colno}: {error.msg}.", path, number) from None
    except (ValueError, RecursionError):  # a number with more digits than Python converts; nesting without end
        raise DataError("malformed JSON: a number or its nesting is too large.", path, number) from None
    if not isinstance(value, dict):
        raise DataError(f"holds {shown(value)}: expected a JSON object.", path, number)
    return value


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with _opened(path) as stream:
        try:
            for number, raw in enumerate(stream, start=1):
                raw = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
                if raw.strip():
                    yield number, raw
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
            raise DataError(f"cannot be read to its end: {error}.", str(path)) from error


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}.", str(path)) from error
    with stream:
        if path.suffix.lower() != ".zip":
            yield stream
            return
        with _member(stream, str(path)) as member:
            yield member


@contextmanager
def _member(stream: BinaryIO, path: str) -> Iterator[BinaryIO]:
    """The only ``.jsonl`` of a zip file; zipfile never unpacks more of it than the size it declares."""
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise DataError(f"is not a zip file: {error}.", path) from error
    with archive:
        members = [info for info in archive.infolist() if info.filename.lower().endswith(".jsonl")]
        if len(members) != 1:
            raise DataError(f"holds {len(members)} files that end in .jsonl: expected exactly one.", path)
        if members[0].file_size > MAX_MEMBER:
            raise DataError(f"holds a member of {members[0].file_size} bytes: expected at most {MAX_MEMBER}.", path)
        try:
            member = archive.open(members[0])
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:  # RuntimeError: it is encrypted
            raise DataError(f"cannot be unpacked: {error}.", path) from error
        with member, io.BufferedReader(member) as buffered:  # type: ignore[type-var]
            yield buffered
