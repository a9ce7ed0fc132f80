from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zoo.discovery.registry import Registry, discover

LAB = Path(__file__).with_name("bench_lab.py")
Write = Callable[[str], Path]


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    """Only zoo-core, the environments, ReLOAD and the laboratory of this folder."""
    sys.modules.pop(LAB.stem, None)
    yield discover([LAB], only=["zoo-core", "zoo-bench", "zoo-envs", "zoo-reload", "zoo-sb3"])
    sys.modules.pop(LAB.stem, None)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a suite called "trial"."""

    def written(text: str) -> Path:
        file = tmp_path / "trial.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


def bench_command(*args: object) -> list[str]:
    return [sys.executable, "-m", "zoo.cli.main", "--plugin", str(LAB), "bench", *map(str, args)]


def bench_environment() -> dict[str, str]:
    return {
        **os.environ,
        "ZOO_PLUGINS": "zoo-core,zoo-bench,zoo-envs,zoo-reload",
        "OMP_NUM_THREADS": "1",
        "NO_COLOR": "1",
    }


def bench(*args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """``zoo bench`` in a process of its own, with the laboratory."""
    return subprocess.run(
        bench_command(*args), capture_output=True, text=True, timeout=120, check=False, cwd=cwd, env=bench_environment()
    )
