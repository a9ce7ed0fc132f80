"""Where what was learned is kept, and whether it still holds."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

_SECONDS = 24 * 3600.0
"""after which everything is learned anew: sources of an editable install change without a trace in its metadata"""


def memory_file() -> Path:
    """The file of this Python installation."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    name = "".join(letter if letter.isalnum() else "-" for letter in sys.prefix)
    return Path(cache) / "zoo" / f"completion{name[-100:]}.json"


def stamp() -> dict[str, Any]:
    """When it is, what plugins are chosen, and how the folders of installed packages stand."""
    folders = [path for path in sys.path if path.endswith("-packages")]
    return {
        "time": time.time(),
        "plugins": os.environ.get("ZOO_PLUGINS"),
        "folders": {path: Path(path).stat().st_mtime_ns for path in folders if Path(path).is_dir()},
    }


def recall() -> dict[str, Any] | None:
    """What was learned, where it still holds."""
    try:
        words = json.loads(memory_file().read_text(encoding="utf-8"))
        then, now = words["stamp"], stamp()
        fresh = 0 <= now["time"] - then["time"] < _SECONDS
        same = (then["plugins"], then["folders"]) == (now["plugins"], now["folders"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return words if fresh and same else None
