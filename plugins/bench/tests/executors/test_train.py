"""``zoo train --executor``: the seeds of one run by an engine, and what is refused before anything is written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import zoo


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zoo", "train", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_seeds_on_dask_are_those_of_this_machine(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    command = ("reload", "two-state", "--steps", "50", "--seeds", "0:3", "--jobs", "2", "--json", "--dir")
    there = run(*command, str(tmp_path / "dask"), "--executor", "dask")
    assert there.returncode == 3, there.stderr  # not converged after so few steps
    here = run(*command, str(tmp_path / "local"))
    metrics = [[run["metrics"] for run in json.loads(done.stdout)["runs"]] for done in (there, here)]
    assert len(metrics[0]) == 3
    assert metrics[0] == metrics[1]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--executor", "dusk"], "did you mean dask?"),
        (["--executor", "dask", "--executor-option", "schedular=x"], "did you mean scheduler?"),
        (["--executor-option", "scheduler=x"], "--executor local has no options"),
    ],
)
def test_an_unknown_executor_or_option_is_refused(options: list[str], sentence: str, tmp_path: Path) -> None:
    done = run("reload", "two-state", "--dir", str(tmp_path / "runs"), *options)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert not (tmp_path / "runs").exists()


def test_from_python_it_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match="did you mean slurm"):
        zoo.train("reload", "two-state", executor="slrum", root=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
