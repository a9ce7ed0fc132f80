"""Six third-party plugins, two good and four bad, as real wheels installed into a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PACKAGES = Path(__file__).with_name("packages")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Zoo = Callable[..., Done]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheels are installed."""
    folder = tmp_path_factory.mktemp("thirdparty")
    sources = sorted(str(path) for path in PACKAGES.iterdir() if path.is_dir())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder), *sources],
        check=True,
    )
    wheels = [str(path) for path in folder.glob("*.whl")]
    assert len(wheels) == len(sources) == 6
    target = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", str(target), *wheels], check=True)
    return target


@pytest.fixture
def zoo(site: Path, tmp_path: Path) -> Zoo:
    """Types a command in an empty folder, with the six plugins installed."""

    def run(*args: object, **environ: str) -> Done:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ZOO_")}
        done = subprocess.run(
            [sys.executable, "-m", "zoo.cli.main", *map(str, args)],
            cwd=tmp_path,
            env={**clean, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run
