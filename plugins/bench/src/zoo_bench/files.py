"""Files that a suite names: where they are, and what is in them."""

from __future__ import annotations

import hashlib
import os.path
from importlib.util import find_spec
from pathlib import Path

from zoo import UsageError


def locate(name: str, folder: Path) -> Path | None:
    """The absolute path of a file that a suite names; None if there is no such file.

    Args:
        name: a path, relative to ``folder``; or ``package:folder/file`` for one that an installed package has.
        folder: where the suite is.
    """
    package, colon, inside = name.partition(":")
    folders = [folder]
    if colon and package.isidentifier():  # looked up without importing it
        spec = find_spec(package)
        folders = [Path(place) for place in (spec.submodule_search_locations if spec else None) or ()]
        name = inside
    paths = [place / name for place in folders]
    return next((path.resolve() for path in paths if os.path.isfile(path)), None)  # noqa: PTH113 - never raises


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
