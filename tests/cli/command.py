"""Running ``zoo`` as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def zoo(*args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``zoo ARGS`` and capture what it prints."""
    return subprocess.run(
        [sys.executable, "-m", "zoo.cli.main", *args],
        capture_output=True, text=True, check=False, cwd=cwd, timeout=300,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **env},
    )  # fmt: skip
