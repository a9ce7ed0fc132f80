"""Somebody else's environment of tasks, regulariser and default policy, installed as a wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).with_name("packages") / "zoo-corridors"
Python = Callable[..., Any]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Python:
    """Runs python with the package installed."""
    folder = tmp_path_factory.mktemp("corridors")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install"]
    target = folder / "site"
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--target", str(target), str(PACKAGE)]
    subprocess.run([*pip, *options], check=True)

    def run(*args: str) -> Any:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("ZOO_")}
        environ |= {"PYTHONPATH": str(target), "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [sys.executable, *args], cwd=folder, env=environ, capture_output=True, text=True, check=False
        )

    return run


def test_its_environment_fits_and_its_pieces_learn(python: Python) -> None:
    done = python("-c", COMMANDS)
    assert done.returncode == 0, done.stderr[-2000:]
    listed, first, second = (json.loads(text) for text in done.stdout.split("=====")[:3])
    names = {entry["name"] for entry in listed["entries"]}
    assert {"corridors", "tree", "random-tree"} <= names
    assert not names & {"four-rooms", "cart-pole", "two-state"}
    for runs in (first["runs"], second["runs"]):
        assert [run["status"] for run in runs] == ["finished"] * 2
        assert all(run["metrics"]["value"] > 0.6 for run in runs)
    assert "did you mean jensen-shannon" in done.stderr and "expected --horizon" in done.stderr


COMMANDS = """
from zoo.cli.main import main
train = ["train", "rpo", "corridors", "--steps", "120", "--updates", "20", "--horizon", "20"]
train += ["--seeds", "0:2", "--json"]
own = ["--regulariser", "jensen-shannon", "--regulariser-options", "weight=2"]
for line in (
    ["list", "environments", "--for", "rpo", "--json"],
    [*train, *own],
    [*train, "--default", "stubborn", "--default-options", "action=0"],
):
    assert main(line) == 0
    print("=====", flush=True)
assert main(["train", "rpo", "tree", "--regulariser", "jensen-shanon"]) == 2
assert main(["train", "rpo", "corridors"]) == 2

import numpy as np
from zoo.testing import check_environment
from zoo_rpo import pieces
from zoo_rpo.distributions import Categorical
check_environment("corridors")
omega = pieces.build("regulariser", "jensen-shannon")
rng = np.random.default_rng(0)
a, b = rng.standard_normal((2, 4, 3))
by_p, _ = omega.gradients(Categorical(a), Categorical(b))
for k in range(3):
    e = 1e-6 * np.eye(3)[k]
    ends = [omega.omega(Categorical(a + s * e), Categorical(b)) for s in (1, -1)]
    np.testing.assert_allclose(by_p[:, k], (ends[0] - ends[1]) / 2e-6, atol=1e-6)
"""
