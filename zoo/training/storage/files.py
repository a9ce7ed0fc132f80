"""Reading and writing the plain files of a run, which may be untrusted.

Only regular files are opened, never links, pipes or devices; what is read is bounded in size and depth; what is
written replaces a file of this directory and no other. A document that bears a seal is refused if it is not what
was written.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import operator
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from zoo.errors import RunError

DOCUMENT_BYTES = 16 << 20
"""most bytes of one JSON document"""
REPORT_BYTES = 256 << 20
"""most bytes of one evaluation, which may have a row for each item"""
LINE_BYTES = 1 << 20
"""most bytes of one line of a log"""
DEPTH = 64
"""deepest nesting of lists and objects"""
ENTRIES = 100_000
"""most files and folders in a run directory"""
SEAL = "sha256"
_PIECE = 1 << 20
_FLAGS = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")  # not every system has all of them
_SAFE = functools.reduce(operator.or_, (getattr(os, name, 0) for name in _FLAGS))


def is_file(path: Path) -> bool:
    """Whether it is a regular file, not a link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether it is a directory, not a link."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def kind(path: Path) -> str:
    """What there is instead of a regular file or a directory: "a link", "a pipe", ...; empty where it is either."""
    mode = path.lstat().st_mode
    names = {stat.S_ISLNK: "a link", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return ""
    return next((name for test, name in names.items() if test(mode)), "a device")


def check_plain(folder: Path) -> None:
    """Refuse a run directory that holds anything but files and directories, before something is written there.

    Raises:
        RunError: it holds a link, a pipe or a device, or too many entries.
    """
    count, waiting = 0, [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            paths = [Path(entry.path) for entry in entries]
        count += len(paths)
        for path in paths:
            what = kind(path)
            if what:
                raise RunError(
                    f"{path} is {what}: a run directory holds only files and directories.",
                    "Nothing was written. Remove it, or put a copy in its place.",
                )
        if count > ENTRIES:
            raise RunError(f"{folder} holds more than {ENTRIES} files: expected a run directory.")
        waiting += filter(is_folder, paths)


def open_read(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises:
        OSError: there is none.
        RunError: it is a link, a pipe or a device.
    """
    handle = _open(path, os.O_RDONLY)
    return os.fdopen(handle, "rb")


def open_write(path: Path) -> BinaryIO:
    """Open a regular file for reading and writing, unbuffered; it is made if it is missing.

    One that has several names (hard links) is copied first, so that the others stay as they are.

    Raises:
        OSError: it cannot be opened.
        RunError: it is a link, a pipe or a device.
    """
    try:
        several = path.lstat().st_nlink > 1 and is_file(path)
    except FileNotFoundError:
        several = False
    if several:
        with open_read(path) as file:
            replace_file(path, file.read())
    return os.fdopen(_open(path, os.O_RDWR | os.O_CREAT), "r+b", buffering=0)


def _open(path: Path, flags: int) -> int:
    try:
        handle = os.open(path, flags | _SAFE, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):  # a link; a pipe or socket nobody listens to
            raise RunError(f"{path} is {kind(path) or 'no file'}: expected a file of its own.") from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RunError(f"{path} is {kind(path) or 'a directory'}: expected a file.")
    return handle


def read_bytes(path: Path, limit: int = DOCUMENT_BYTES) -> bytes:
    """Content of a file.

    Raises:
        RunError: it is missing, not a regular file, or larger than ``limit`` bytes.
    """
    try:
        with open_read(path) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > limit:
        raise RunError(f"{path} has more than {limit} bytes: expected a smaller file.")
    return data


def read_json(path: Path, limit: int = DOCUMENT_BYTES) -> Any:
    """Content of a JSON file, nested at most ``DEPTH`` deep.

    Raises:
        RunError: it cannot be read, or is not JSON.
    """
    return parse(read_bytes(path, limit), path)


def parse(data: bytes, path: Path) -> Any:
    """Parse bytes that were read, as ``read_json`` does."""
    try:
        value = json.loads(data, parse_constant=refuse_constant)
    except ValueError as error:
        reason = f"it is not JSON, {error}" if data.strip(b"\0 \n") else "it is empty"
        raise RunError(f"{path} cannot be read: {reason}.") from error
    except RecursionError:
        value, deep = None, True
    else:
        deep = not shallow(value)
    if deep:
        raise RunError(f"{path} cannot be read: it is nested more than {DEPTH} deep.")
    return value


def check_seal(document: dict[str, Any], path: Path) -> None:
    """Refuse a document that bears a seal and is not what was written; the seal is taken off.

    Raises:
        RunError: naming the file.
    """
    if SEAL in document and document.pop(SEAL) != digest(document):
        raise RunError(f"{path} is damaged: it is not what was written.")


def refuse_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which Python's decoder accepts and JSON does not have."""
    raise ValueError(f"{name} is not a number")


def shallow(value: Any) -> bool:
    """Whether lists and objects are nested at most ``DEPTH`` deep."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEPTH):
        if not level:
            return True
        level = [item for each in level for item in _inner(each)]
    return not level


def _inner(value: Any) -> Iterator[Any]:
    items = value.values() if isinstance(value, dict) else value
    yield from (item for item in items if isinstance(item, (dict, list)))


def digest(document: Any) -> str:
    """SHA-256 of plain data, whatever the order of its keys."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the digest of its content, by which ``check_seal`` knows that it is whole.

    What is sealed is what a reader will find, so it goes through JSON first: tuples are lists there.
    """
    plain = json.loads(json.dumps(document, allow_nan=False))
    return {**plain, SEAL: digest(plain)}


def to_json(data: Any) -> bytes:
    """Valid JSON, UTF-8, with a newline at the end."""
    return (json.dumps(data, allow_nan=False, ensure_ascii=False, indent=1) + "\n").encode()


def hash_file(path: Path, size: int = sys.maxsize) -> Any:
    """A running SHA-256 over the first ``size`` bytes of a file."""
    running = hashlib.sha256()
    if size:
        with open_read(path) as file:
            while size > 0 and (piece := file.read(min(size, _PIECE))):
                running.update(piece)
                size -= len(piece)
    return running


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and wait until the bytes are on the disk."""
    if path.is_symlink() or is_file(path):
        path.unlink()
    with os.fdopen(_open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace ``path`` atomically: a reader, also after a power cut, sees the old content or the new, never a part.

    Args:
        path: the file.
        data: its new content.
        durable: on return it is certain to be the new one.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_file(temporary, data)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in ``path`` durable, where the system has a notion of that."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
