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

pytestmark = pytest.mark.slow
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
    zoo = ("-m", "zoo.cli.main")
    listed = python(*zoo, "list", "environments", "--for", "rpo", "--json")
    assert listed.returncode == 0, listed.stderr
    names = {entry["name"] for entry in json.loads(listed.stdout)["entries"]}
    assert {"corridors", "tree", "random-tree"} <= names
    assert not names & {"four-rooms", "cart-pole", "two-state"}
    for options in (
        ["--regulariser", "jensen-shannon", "--regulariser-options", "weight=2", "--horizon", "20"],
        ["--default", "stubborn", "--default-options", "action=0", "--horizon", "20"],
    ):
        line = ["train", "rpo", "corridors", "--steps", "600", "--updates", "20", "--episodes", "10", *options]
        done = python(*zoo, *line, "--seeds", "0:2", "--json")
        assert done.returncode == 0, done.stderr
        for run in json.loads(done.stdout)["runs"]:
            assert run["status"] == "finished" and run["metrics"]["value"] > 0.6
    misspelt = python(*zoo, "train", "rpo", "tree", "--regulariser", "jensen-shanon")
    assert misspelt.returncode == 2 and "did you mean jensen-shannon" in misspelt.stderr
    endless = python(*zoo, "train", "rpo", "corridors")
    assert endless.returncode == 2 and "expected --horizon" in endless.stderr


def test_its_environment_passes_the_kit_and_its_gradient_is_right(python: Python) -> None:
    code = """
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
    done = python("-c", code)
    assert done.returncode == 0, done.stderr[-2000:]
