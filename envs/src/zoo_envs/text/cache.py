"""A cache folder for what is slow to compute: entries are keyed by all that determines them, never half written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["VARIABLE", "cached", "folder"]

VARIABLE = "ZOO_ENVS_CACHE"
"""environment variable that names the folder"""


def folder(given: str | None = None) -> Path:
    """Return the cache folder: `given`, else the environment variable `VARIABLE`, else the system's cache folder."""
    if chosen := given or os.environ.get(VARIABLE):
        return Path(chosen).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or home / ".cache"
    return Path(base) / "zoo-envs"


def cached(root: Path, name: str, recipe: Mapping[str, Any], make: Callable[[Path], None]) -> Path:
    """Return the cached folder that `recipe` determines; `make` fills it unless it exists.

    The folder appears under its name when it is complete. Of two processes that make the same folder one is kept.

    Args:
        root: the cache folder; created where it is missing.
        name: prefix of the folder's name.
        recipe: JSON data, everything that decides the content.
        make: writes the content into the folder that it is given.
    """
    text = json.dumps(recipe, sort_keys=True)
    final = root / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if final.is_dir():
        return final
    root.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
    try:
        make(partial)
        (partial / "recipe.json").write_text(text + "\n", encoding="utf-8")
        try:
            partial.rename(final)
        except OSError:
            if not final.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final
