from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.training.storage.lock import Lock
from zoo.training.storage.processes import began

from .conftest import Answer, run_of

Zoo = Callable[..., Answer]


def test_show_tells_what_a_run_is_and_where_it_stands(zoo: Zoo, runs: Path) -> None:
    path = run_of(runs, stay=1.0)
    zoo("eval", path, "return", "--episodes", 3)
    answer = zoo("show", path)
    assert answer.status == 0 and answer.err == ""
    lines = answer.out.splitlines()
    assert lines[:2] == ["fixed on lab, seed 0", str(path)]
    assert any(line.startswith("status       finished at step 400 of 400") for line in lines)
    assert "checkpoints  100, 200, 300, 400" in lines and "resume       bit for bit" in lines
    words = [line.split() for line in lines]
    assert (
        ["stay", "1", "cli"] in words and ["mu", "1", "default"] in words and ["env.theta", "0.5", "default"] in words
    )
    assert ["optimum/reward", "0.5"] in words
    assert any(line.startswith("zoo eval return at step 400: return 50, low 50") for line in lines)


def test_show_as_json_has_the_same(zoo: Zoo, runs: Path) -> None:
    path = run_of(runs)
    answer = zoo("show", path, "--json")
    (run,) = answer.json["runs"]
    assert (run["algorithm"], run["environment"], run["seed"]) == ("results_lab/fixed", "results_lab/lab", 0)
    assert run["status"]["state"] == "finished" and run["checkpoints"] == [100, 200, 300, 400]
    assert {"option": "stay", "value": 0.5, "origin": "default"} in run["options"]
    assert run["metrics"]["optimum/reward"] == 0.5 and run["lineage"][0]["resumed_from"] is None
    assert run["warnings"] == [] and answer.json["refused"] == []


def test_show_of_a_directory_lists_its_runs_and_names_those_it_cannot_read(zoo: Zoo, runs: Path) -> None:
    refused = run_of(runs, seed=2)
    spec = json.loads((refused / "spec.json").read_text()) | {"format": 99, "zoo": "7.1"}
    (refused / "spec.json").write_text(json.dumps(spec))
    answer = zoo("show", runs)
    assert answer.status == 0
    assert sum(line.startswith(("fixed", "sampled")) for line in answer.out.splitlines()) == 6
    assert str(refused) in answer.err and "7.1" in answer.err
    assert zoo("show", runs, "--json").json["refused"][0]["path"] == str(refused)
    alone = zoo("show", refused)
    assert alone.status == 1 and "format 99" in alone.err


def test_show_warns_of_damage_and_of_the_log(zoo: Zoo, runs: Path) -> None:
    path = run_of(runs)
    with (path / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 41')
    (path / "log.txt").write_text("12:00 INFO fine\n12:01 WARNING no complete episode\n", encoding="utf-8")
    (path / "failed").mkdir()
    warnings = zoo("show", path, "--json").json["runs"][0]["warnings"]
    assert len(warnings) == 3
    assert "1 damaged line," in warnings[0] and "failed/" in warnings[1] and "no complete episode" in warnings[2]


@pytest.mark.parametrize(("age", "silent"), [(5, False), (3600, True)])
def test_show_tells_a_silent_run_from_a_living_one(zoo: Zoo, runs: Path, age: int, silent: bool) -> None:
    path = run_of(runs)
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=age)
    status = json.loads((path / "status.json").read_text())
    status |= {"state": "running", "time": then.isoformat(timespec="seconds")}
    (path / "status.json").write_text(json.dumps(status))
    (path / "lock").write_text(json.dumps({"pid": 1, "host": "another"}))  # where nobody here can look for the process
    assert ("probably killed" in zoo("show", path).out) == silent


def test_a_killed_run_is_known_at_once_by_its_lock(zoo: Zoo, runs: Path) -> None:
    path = run_of(runs)
    status = json.loads((path / "status.json").read_text()) | {"state": "running"}
    (path / "status.json").write_text(json.dumps(status))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as holder:
        with Lock(path):
            assert "running at step" in zoo("show", path).out
            left = json.loads((path / "lock").read_text()) | {"pid": holder.pid, "started": began(holder.pid)}
        (path / "lock").write_text(json.dumps(left))
        assert "running at step" in zoo("show", path).out
        holder.kill()
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table of processes
        assert "interrupted at step" in (shown := zoo("show", path).out) and "its process was killed" in shown
    (path / "lock").unlink()
    assert zoo("show", path, "--json").json["runs"][0]["status"]["state"] == "interrupted"


def test_diff_of_two_seeds(zoo: Zoo, runs: Path) -> None:
    answer = zoo("diff", run_of(runs), run_of(runs, seed=1))
    assert answer.status == 0 and "The same run, seeds differ (0 and 1)." in answer.out
    found = zoo("diff", run_of(runs), run_of(runs, seed=1), "--json").json
    assert found["options"] == [{"name": "seed", "a": 0, "b": 1}]
    assert found["versions"] == [] and found["git"] == []
    err = next(row for row in found["metrics"] if row["name"] == "err")
    assert err["difference"] == pytest.approx(err["b"] - err["a"]) and err["difference"] != 0


def test_diff_names_options_versions_and_revisions(zoo: Zoo, runs: Path) -> None:
    other = run_of(runs, stay=1.0)
    starts = json.loads((other / "env.json").read_text())
    starts[-1]["packages"]["numpy"] = "1.0.0"
    starts[-1]["git"] = {"revision": "f" * 40, "dirty": True}
    (other / "env.json").write_text(json.dumps(starts))
    answer = zoo("diff", run_of(runs), other)
    assert "The same algorithm and environment, 1 option differs, the same seed." in answer.out
    words = [line.split() for line in answer.out.splitlines()]
    assert ["stay", "0.5", "1"] in words
    assert any(line[:1] == ["numpy"] and line[-1] == "1.0.0" for line in words)
    assert any(line[:1] == ["revision"] and line[-1] == "f" * 10 for line in words)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({}, "the same run twice."),
        ({"algorithm": "sampled"}, "different algorithms on the same environment."),
        ({"environment": "plain"}, "different environments: their returns are not comparable."),
    ],
)
def test_diff_says_how_runs_are_related(zoo: Zoo, laboratory: Path, other: dict[str, str], sentence: str) -> None:
    assert zoo("diff", run_of(laboratory), run_of(laboratory, **other), "--json").json["verdict"] == sentence


def test_diff_of_a_run_without_metrics_shows_one_side(zoo: Zoo, runs: Path) -> None:
    (run_of(runs, seed=1) / "metrics.jsonl").unlink()
    answer = zoo("diff", run_of(runs), run_of(runs, seed=1), "--json")
    assert answer.status == 0
    assert all(row["b"] is None and "difference" not in row for row in answer.json["metrics"])


@pytest.mark.parametrize(
    ("args", "status", "sentence"),
    [
        (("show",), 2, "required"),
        (("show", "{root}", "--jsn"), 2, "did you mean --json?"),
        (("diff", "{root}", "{root}"), 2, "7 runs beneath it"),
        (("diff", "{root}/nope", "{root}"), 2, "does not exist"),
    ],
)
def test_bad_requests_get_one_sentence(
    zoo: Zoo, laboratory: Path, args: tuple[str, ...], status: int, sentence: str
) -> None:
    answer = zoo(*(arg.format(root=laboratory) for arg in args))
    assert (answer.status, answer.out) == (status, "") and sentence in answer.err
