"""``zoo bench`` as a user types it: resumed, interrupted, with failures and dying workers."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from plugins.bench.tests.conftest import Write, bench, bench_command, bench_environment

CELL = """
[[cells]]
label = "{label}"
algorithm = "{algorithm}"
environment = "two-state"
seeds = "{seeds}"
steps = 100
eval_episodes = 0
quick = {quick}
options = {{ note = "{note}"{more} }}
"""


def cell(
    label: str, note: Path, algorithm: str = "walker", seeds: str = "0:2", more: str = "", quick: str = "true"
) -> str:
    note.mkdir(exist_ok=True)
    return CELL.format(label=label, algorithm=algorithm, seeds=seeds, note=note.as_posix(), more=more, quick=quick)


def updates(note: Path) -> list[int]:
    """How often each seed was updated, in whatever process."""
    return [len(file.read_text().splitlines()) for file in note.glob("updates-*")]


def workers(note: Path) -> set[str]:
    return {line.split()[0] for file in note.glob("updates-*") for line in file.read_text().splitlines()}


def states(root: Path) -> dict[str, str]:
    return {
        str(file.parent.relative_to(root)): json.loads(file.read_text())["state"] for file in root.rglob("status.json")
    }


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_missing_is_run_and_no_more(jobs: int, tmp_path: Path, write: Write) -> None:
    file = write(
        cell("a", tmp_path / "a", seeds="0:3")
        + cell("b", tmp_path / "b", more=", height = 4.0", quick="false")
        + '[[claims]]\nid = "c"\nsource = "ours"\n'
        + 'text = "a is lower"\nleft = { label = "a", metric = "err" }\nrelation = "<"\n'
        'right = { label = "b", metric = "err" }\n'
    )
    first = bench(file, "--dir", tmp_path / "runs", "--jobs", jobs, "--quick", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "3 of 3 runs are done." in first.stdout
    assert f"next: zoo table {file} --quick" in first.stdout
    assert updates(tmp_path / "a") == [10, 10, 10]
    assert updates(tmp_path / "b") == []
    assert len(workers(tmp_path / "a")) <= jobs  # workers take one run after the other
    second = bench(file, "--dir", tmp_path / "runs", "--jobs", jobs, cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    assert "2 of 5 runs to do" in second.stderr
    assert "a is lower" in second.stdout
    assert updates(tmp_path / "a") == [10, 10, 10]
    assert updates(tmp_path / "b") == [10, 10]
    third = bench(file, "--dir", tmp_path / "runs", "--seeds", "1:4", "--json", cwd=tmp_path)
    assert third.returncode == 0
    assert {run["state"] for found in document(third)["cells"] for run in found["runs"]} == {"finished"}
    assert updates(tmp_path / "b") == [10, 10, 10, 10]


def test_failures_stop_no_other_and_are_listed_with_what_repeats_them(tmp_path: Path, write: Write) -> None:
    file = write(
        cell("bad", tmp_path / "bad", algorithm="raiser", seeds="0")
        + cell("dies", tmp_path / "dies", algorithm="mortal", more=", lives = 99", seeds="3")
        + cell("good", tmp_path / "good")
    )
    done = bench(file, "--dir", tmp_path / "runs", cwd=tmp_path)
    assert done.returncode == 1
    assert "2 of 4 runs are done." in done.stdout
    assert "bad on two-state, seed 0 failed:" in done.stderr
    assert "the ground gave way" in done.stderr
    assert "dies on two-state, seed 3 failed: the worker of dies on two-state, seed 3 died (exit -9)." in done.stderr
    assert len(list((tmp_path / "dies").glob("death-*"))) == 2  # once, and once more
    commands = [line.strip() for line in done.stderr.splitlines() if line.startswith("     zoo ")]
    assert len(commands) == 2
    arguments = shlex.split(commands[0])[1:]
    again = subprocess.run(
        [sys.executable, "-m", "zoo.cli.main", *arguments], capture_output=True, text=True, check=False, timeout=60,
        cwd=tmp_path, env=bench_environment(),
    )  # fmt: skip
    assert again.returncode == 1
    assert "seed 0 failed" in again.stderr
    assert "the ground gave way" in again.stderr
    assert len(states(tmp_path / "runs")) == 4  # the same runs


def test_a_killed_worker_is_replaced_and_its_run_continued(tmp_path: Path, write: Write) -> None:
    file = write(
        cell("dies", tmp_path / "dies", algorithm="mortal", more=", lives = 1") + cell("good", tmp_path / "good")
    )
    done = bench(file, "--dir", tmp_path / "runs", "--jobs", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 runs are done." in done.stdout
    assert len(list((tmp_path / "dies").glob("death-*"))) == 1


def test_a_claim_about_a_metric_that_no_run_has_is_an_error(tmp_path: Path, write: Write) -> None:
    file = write(
        cell("a", tmp_path / "a")
        + '[[claims]]\nid = "tiny"\nsource = "ours"\ntext = "a is small"\nleft = { label = "a", metric = "er" }\n'
        'relation = "<"\nright = 2.0\n'
    )
    done = bench(file, "--dir", tmp_path / "runs", cwd=tmp_path)
    assert done.returncode == 1
    assert "2 of 2 runs are done." in done.stdout
    assert "'tiny'" in done.stderr
    assert "'er'" in done.stderr


def wait_for(note: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while sum(updates(note)) < count:
        assert time.monotonic() < deadline, "nothing is trained"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_saves_and_the_same_command_finishes(number: int, tmp_path: Path, write: Write) -> None:
    file = write(cell("a", tmp_path / "a", more=", sleep = 0.1", seeds="0:3"))
    arguments = (file, "--dir", tmp_path / "runs", "--jobs", 2)
    process = subprocess.Popen(
        bench_command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env=bench_environment(), start_new_session=True,
    )  # fmt: skip
    wait_for(tmp_path / "a", 6)
    os.killpg(process.pid, number)  # as a terminal does: to the workers, too
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert "The same command continues" in out
    assert "Traceback" not in err
    assert set(states(tmp_path / "runs").values()) == {"interrupted"}
    done = bench(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert updates(tmp_path / "a") == [10, 10, 10]  # nothing was done twice


@pytest.mark.parametrize("everyone", [False, True], ids=["the command", "its workers, too"])
def test_a_killed_sweep_goes_on_where_it_was(everyone: bool, tmp_path: Path, write: Write) -> None:
    file = write(cell("a", tmp_path / "a", seeds="0:2") + cell("b", tmp_path / "b", more=", sleep = 0.1"))
    arguments = (file, "--dir", tmp_path / "runs")
    process = subprocess.Popen(
        bench_command(*arguments), cwd=tmp_path, env=bench_environment(), stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    wait_for(tmp_path / "b", 3)
    if everyone:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    deadline = time.monotonic() + 60
    while list((tmp_path / "runs").rglob("lock")) and not everyone:
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)
    done = bench(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert updates(tmp_path / "a") == [10, 10]
    assert set(states(tmp_path / "runs").values()) == {"finished"}
    if not everyone:  # a worker that is killed repeats what it had not saved
        assert updates(tmp_path / "b") == [10, 10]


def test_evaluators_judge_what_is_finished_once(tmp_path: Path, write: Write) -> None:
    text = cell("a", tmp_path / "a", seeds="0")
    file = write(text + 'evaluators = [{ name = "final", options = { bonus = 5 } }]\n')
    assert bench(file, "--dir", tmp_path / "runs", cwd=tmp_path).returncode == 0
    (report,) = (tmp_path / "runs").rglob("evaluations/*.json")
    found = json.loads(report.read_text())
    assert (report.name, found["scores"], found["config"]) == ("final.json", {"steps": 105.0}, {"bonus": 5.0})
    again = bench(file, "--dir", tmp_path / "runs", cwd=tmp_path)
    assert "0 of 1 runs to do" in again.stderr
    assert json.loads(report.read_text())["time"] == found["time"]
    write(text + 'evaluators = [{ name = "final", options = { bonus = 6 } }]\n')  # another question: judged again
    assert bench(file, "--dir", tmp_path / "runs", cwd=tmp_path).returncode == 0
    assert json.loads(report.read_text())["scores"] == {"steps": 106.0}
    write(text + 'evaluators = ["final", "breaking"]\n')
    broken = bench(file, "--dir", tmp_path / "runs", cwd=tmp_path)
    assert broken.returncode == 1
    assert "evaluator 'breaking'" in broken.stderr
    assert " eval " in broken.stderr.splitlines()[-1]
    assert json.loads(report.read_text())["scores"] == {"steps": 100.0}
    assert updates(tmp_path / "a") == [10]


def test_seeds_of_a_batch_advance_together(tmp_path: Path, write: Write) -> None:
    file = write(
        '[[cells]]\nalgorithm = "gda"\nenvironment = "three-state"\nseeds = "0:4"\nsteps = 200\neval_episodes = 0\n'
    )
    done = bench(file, "--dir", tmp_path / "runs", "--jobs", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = {status.parent.name: json.loads(status.read_text()) for status in (tmp_path / "runs").rglob("status.json")}
    holders = [found[f"seed-{seed}"]["pid"] for seed in range(4)]
    assert (holders[0], holders[2]) == (holders[1], holders[3])  # neighbours, where the workers share a lone cell


def test_lists(tmp_path: Path, write: Write) -> None:
    (tmp_path / "benchmarks").mkdir()
    text = cell("a", tmp_path / "a", seeds="0")
    (tmp_path / "benchmarks" / "mine.toml").write_text(f'[suite]\ntitle = "My suite"\n{text}')
    (tmp_path / "benchmarks" / "torn.toml").write_text("[suite\n")
    done = bench("--list", cwd=tmp_path)
    assert done.returncode == 1  # one suite is torn
    assert "mine" in done.stdout
    assert "My suite" in done.stdout
    assert "torn.toml, line 1" in done.stderr
    listed = bench("mine", "--list", cwd=tmp_path)
    assert listed.stdout.splitlines()[1].split() == ["mine", "a", "two-state", "walker", "100", "0/1", "?"]
    every = bench("all", "--json", cwd=tmp_path)
    assert every.returncode == 1  # one suite is torn, and said to be; the other was run
    assert "torn.toml" in every.stderr
    assert document(every)["cells"][0]["runs"][0]["state"] == "finished"
    assert bench("mine", "--list", cwd=tmp_path).stdout.splitlines()[1].split()[5:] == ["1/1", "1", "s"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mine"], ["no suite called 'mine'", "all"]),
        (["nowhere.toml"], ["nowhere.toml", "cannot be read"]),
        (["all", "--quik"], ["'--quik'", "--quick"]),
        (["x", "--seeds", "3:1"], ["A < B"]),
        (["x", "--jobs", "0"], ["--jobs", "1 or more"]),
    ],
)
def test_a_wrong_request_is_one_sentence(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    done = bench(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) <= 2
    for word in words:
        assert word in done.stderr
    assert list(tmp_path.iterdir()) == []
