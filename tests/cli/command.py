"""Running ``zoo`` as a user does."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

from zoo.cli.main import main


def zoo(*args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``zoo ARGS`` and capture what it prints."""
    return subprocess.run(
        [sys.executable, "-m", "zoo.cli.main", *args],
        capture_output=True, text=True, check=False, cwd=cwd, timeout=300,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **env},
    )  # fmt: skip


def zoo_here(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The same in this process, where the outcome alone is tested: each would import torch for seconds."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        if cwd is not None:
            stack.enter_context(contextlib.chdir(cwd))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        status = main(list(args))
    return subprocess.CompletedProcess(args, status, out.getvalue(), err.getvalue())
