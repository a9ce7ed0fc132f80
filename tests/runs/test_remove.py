"""``zoo runs`` and ``zoo rm``: what is listed, what is removed, and what stays."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.runs.store import open_runs
from zoo.training.storage.lock import Lock

from .conftest import LAB, Answer, run_of

Zoo = Callable[..., Answer]


def test_runs_lists_what_is_asked_for(zoo: Zoo, runs: Path) -> None:
    every = zoo("runs", runs, "--json").json["runs"]
    assert len(every) == len(open_runs(runs))
    sampled = zoo("runs", runs, "--algorithm", "sampled", "--json").json["runs"]
    assert len(sampled) == 1 < len(every)
    path = run_of(runs, seed=1)
    status = json.loads((path / "status.json").read_text()) | {"state": "failed"}
    (path / "status.json").write_text(json.dumps(status))
    (failed,) = zoo("runs", runs, "--status", "failed", "--json").json["runs"]
    assert failed["path"] == str(path)
    assert zoo("runs", runs, "--status", "running").out.startswith("None of ")
    answer = zoo("runs", runs, "--algorithm", "sampld")
    assert answer.status == 2 and "did you mean sampled?" in answer.err


def test_a_removed_run_leaves_nothing_and_the_others_whole(zoo: Zoo, runs: Path) -> None:
    gone, stays = run_of(runs, stay=1.0), run_of(runs)
    before = {run.path for run in open_runs(runs)}
    assert zoo("rm", gone, "--dry-run").status == 0 and gone.exists()
    assert zoo("rm", gone, "--yes", "--json").json == {"runs": [str(gone)], "removed": [str(gone)], "kept": {}}
    assert not gone.parent.exists() and stays.exists()
    assert {run.path for run in open_runs(runs)} == before - {gone}
    zoo("rm", runs, "--yes")
    assert not list(runs.glob("**/seed-*")) and not list(runs.glob("**/.removed-*"))


def test_a_run_that_is_being_written_is_kept(zoo: Zoo, runs: Path) -> None:
    living = run_of(runs)
    with Lock(living):
        answer = zoo("rm", living.parent, "--yes")
    assert answer.status == 1 and "is being written by process" in answer.err
    assert [run.path for run in open_runs(runs) if run.path.parent == living.parent] == [living]
    assert zoo("show", living, "--verify").status == 0


def test_what_links_point_to_stays(zoo: Zoo, runs: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.mkdir()
    (target / "file").write_text("x")
    path = run_of(runs)
    (path / "link").symlink_to(target)
    assert zoo("rm", path, "--yes").status == 0
    assert (target / "file").read_text() == "x"


@pytest.mark.parametrize(("answer", "left"), [("y\n", False), ("n\n", True), ("\n", True)])
def test_it_asks_a_person(runs: Path, answer: str, left: bool) -> None:
    path = run_of(runs)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "zoo", "--plugin", str(LAB), "rm", str(path)]
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.write(ours, answer.encode())
    out, err = process.communicate(timeout=120)
    assert ("Remove this run?" in out, path.exists(), process.returncode) == (True, left, int(left)), err
    os.close(ours)
    os.close(theirs)


def test_nobody_to_ask_is_a_wrong_request(runs: Path) -> None:
    path = run_of(runs)
    command = [sys.executable, "-m", "zoo", "--plugin", str(LAB), "rm", str(path)]
    answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert answer.returncode == 2 and "expected --yes" in answer.stderr and path.exists()
