"""A laboratory of stored runs whose every number has a closed form; no plugin but the test's own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

LAB = Path(__file__).with_name("results_lab.py")


@dataclass
class Answer:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def zoo(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Answer]]:
    """Run one command line in this process, with zoo-core and the laboratory as the only plugins."""
    from zoo.cli.main import main

    monkeypatch.setenv("ZOO_PLUGINS", "zoo-core,zoo-bench")
    monkeypatch.setenv("COLUMNS", "80")

    def call(*args: object) -> Answer:
        sys.modules.pop(LAB.stem, None)
        capsys.readouterr()
        status = main(["--plugin", str(LAB), *map(str, args)])
        heard = capsys.readouterr()
        return Answer(status, heard.out, heard.err)

    yield call
    sys.modules.pop(LAB.stem, None)


def zoo_process(*args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zoo.cli.main", "--plugin", str(LAB), *map(str, args)]
    env = {**os.environ, "ZOO_PLUGINS": "zoo-core,zoo-bench", "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=env, cwd=cwd)


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs: fixed (stay 0.5, seeds 0-2), fixed (stay 1, seed 0), sampled (stay 0.5, seed 0), fixed on a plain task."""
    from zoo.cli.main import main

    root = tmp_path_factory.mktemp("laboratory") / "runs"
    common = ("--steps", 400, "--eval-episodes", 0, "--quiet", "--json", "--dir", root, "--checkpoint-every", 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOO_PLUGINS", "zoo-core,zoo-bench")
        for args in (
            ("fixed", "lab", "--seeds", "0:3"),
            ("fixed", "lab", "--stay", 1),
            ("sampled", "lab"),
            ("fixed", "plain", "--seeds", "0:2"),
        ):
            sys.modules.pop(LAB.stem, None)
            with contextlib.redirect_stdout(io.StringIO()):
                assert main(["--plugin", str(LAB), "train", *map(str, (*args, *common))]) == 0
    sys.modules.pop(LAB.stem, None)
    return root


@pytest.fixture
def runs(laboratory: Path, tmp_path: Path) -> Path:
    """A copy of the laboratory's runs, to be damaged at will."""
    return Path(shutil.copytree(laboratory, tmp_path / "runs"))


def run_of(root: Path, algorithm: str = "fixed", environment: str = "lab", stay: float = 0.5, seed: int = 0) -> Path:
    """The run directory with these properties."""
    for spec in sorted(root.rglob("spec.json")):
        found = json.loads(spec.read_text())
        names = (found["algorithm"].rpartition("/")[2], found["environment"].rpartition("/")[2])
        if names == (algorithm, environment) and (found["config"]["stay"], found["seed"]) == (stay, seed):
            return spec.parent
    raise LookupError(f"no run {algorithm} {environment} {stay} {seed}")
