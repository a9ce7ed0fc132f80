"""``zoo bench`` on dask, ray and submitit, each started for real with two workers, one of which is killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugins.bench.tests.conftest import bench_environment

pytestmark = pytest.mark.skipif(
    not os.environ.get("ZOO_REQUIRE_EXTRAS"), reason="needs dask, ray and submitit: make test-full"
)
LAB = Path(__file__).with_name("executor_lab.py")
GOLDEN = Path(__file__).with_name("golden")
ENGINES = {"dask": [], "ray": [], "slurm": ["--executor-option", "cluster=local"]}
if shutil.which("sinfo") and subprocess.run(["sinfo"], capture_output=True, check=False).returncode == 0:
    ENGINES["slurm itself"] = ["--executor-option", "time=30"]
SUITE = """
[[cells]]
label = "drawn"
algorithm = "orphan"
environment = "two-state"
seeds = "0:6"
steps = 200
eval_episodes = 0
options = {{ note = "{note}", sleep = {sleep} }}
evaluators = [{{ name = "return", options = {{ episodes = 2 }} }}]

[[metrics]]
name = "drawn"
of = "drawn"
"""


def zoo(*args: object, more: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), capture_output=True, text=True, timeout=300, check=False,
        env={**bench_environment(), **(more or {})},
    )  # fmt: skip


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "zoo.cli.main", "--plugin", str(LAB), *map(str, args)]


def suite(folder: Path, sleep: float = 0.0) -> Path:
    file = folder / "trial.toml"
    file.write_text(SUITE.format(note=folder.as_posix(), sleep=sleep), encoding="utf-8")
    return file


def bare(status: Path) -> dict[str, object]:
    """A status without what differs from run to run of the same."""
    found: dict[str, object] = json.loads(status.read_text())
    return {name: value for name, value in found.items() if name not in ("wall", "time", "pid", "host")}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_worker_loses_nothing_and_the_table_is_that_of_local(engine: str, tmp_path: Path) -> None:
    file = suite(tmp_path)
    done = zoo("bench", file, "--jobs", 2, "--dir", tmp_path / "local")
    assert done.returncode == 0, done.stderr
    (tmp_path / "armed").touch()
    there = tmp_path / "runs"
    done = zoo("bench", file, "--jobs", 2, "--dir", there, "--executor", engine.split()[0], *ENGINES[engine])
    assert done.returncode == 0, done.stderr
    assert "6 of 6 runs are done." in done.stdout
    assert (tmp_path / "killed").exists()
    for form in ("csv", "raw"):
        tables = [zoo("table", file, "--dir", root, "--format", form).stdout for root in (tmp_path / "local", there)]
        assert tables[0] == tables[1]
        assert "drawn" in tables[0]
    ours, theirs = (sorted(root.rglob("status.json")) for root in (tmp_path / "local", there))
    assert [*map(bare, ours)] == [*map(bare, theirs)]
    assert len(ours) == 6
    again = zoo("bench", file, "--jobs", 2, "--dir", there, "--executor", engine.split()[0], *ENGINES[engine])
    assert "0 of 6 runs to do" in again.stderr
    if not engine.startswith("slurm"):  # whose logs are kept where a job failed
        assert not (there / ".sweeps").exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_signal_to_every_process_of_the_terminal_lets_the_workers_save(
    engine: str, number: signal.Signals, status: int, tmp_path: Path
) -> None:
    file = suite(tmp_path, sleep=0.2)
    asked = command(
        "bench", file, "--jobs", 2, "--dir", tmp_path / "runs", "--executor", engine.split()[0], *ENGINES[engine]
    )
    process = subprocess.Popen(
        asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=bench_environment(),
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list((tmp_path / "runs").rglob("metrics.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1.0)
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == status, err
    assert "Traceback" not in err
    states = [json.loads(path.read_text())["state"] for path in (tmp_path / "runs").rglob("status.json")]
    assert "interrupted" in states
    assert "running" not in states
    done = zoo("bench", file, "--jobs", 2, "--dir", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert "6 of 6 runs are done." in done.stdout


@pytest.mark.parametrize(
    ("engine", "option", "words"),
    [
        ("dask", "scheduler=tcp://127.0.0.1:9", "no dask scheduler can be reached at tcp://127.0.0.1:9"),
        ("dask", "scheduler=nonsense", "scheduler='nonsense': expected HOST:PORT, such as tcp://head:8786."),
        ("ray", "address=127.0.0.1:9", "no Ray cluster can be reached at 127.0.0.1:9"),
        ("slurm", "time=60", "needs the commands sbatch and srun, which are not on this machine"),
        ("slurm", "time=soon", "time=soon: expected minutes, a whole number of 1 or more."),
    ],
)
def test_what_cannot_be_reached_is_one_sentence(engine: str, option: str, words: str, tmp_path: Path) -> None:
    where = {"PATH": str(tmp_path)}
    done = zoo("bench", suite(tmp_path), "--dir", tmp_path / "runs", "--executor", engine, "--executor-option", option,
               more=where)  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert not (tmp_path / "runs").exists()


def test_a_scheduler_that_dies_is_one_sentence_and_what_was_saved_is_kept(tmp_path: Path) -> None:
    address = "tcp://127.0.0.1:18786"
    file = suite(tmp_path, sleep=0.1)
    of_dask = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "18786",
        "--no-dashboard",
    ]
    scheduler = subprocess.Popen(of_dask, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    worker = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "2", "--no-dashboard"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        asked = command(
            "bench", file, "--dir", tmp_path / "runs", "--executor", "dask", "--executor-option", f"scheduler={address}"
        )
        process = subprocess.Popen(
            asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=bench_environment()
        )
        deadline = time.monotonic() + 120
        while not list((tmp_path / "runs").rglob("metrics.jsonl")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        scheduler.kill()
        _, err = process.communicate(timeout=120)
    finally:
        for started in (scheduler, worker):
            started.kill()
            started.wait()
    assert process.returncode == 1
    assert f"the dask scheduler at {address} is gone; what was saved is kept." in err
    assert "Traceback" not in err
    done = zoo("bench", file, "--dir", tmp_path / "runs")
    assert done.returncode == 0, done.stderr


def test_the_batch_script_is_as_it_was_meant(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {
        "sbatch": f'cp "$1" {tmp_path}/asked.sh; echo "Submitted batch job 7"',
        "srun": "exit 0",
        "squeue": "for n in 0 1 2 3 4 5; do echo 7_$n PENDING; done",
        "scancel": "exit 0",
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    asked = command(
        "bench", suite(tmp_path), "--dir", tmp_path / "runs", "--executor", "slurm", "--jobs", 3, "--executor-option",
        "partition=cpu", "time=120", "mem=4G", "account=lab", "setup=module load python",
    )  # fmt: skip
    more = {"PATH": f"{tools}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**bench_environment(), **more}
    )
    script = tmp_path / "asked.sh"
    deadline = time.monotonic() + 60
    while not script.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    text = script.read_text().replace(str(tmp_path), "FOLDER").replace(sys.executable, "PYTHON")
    text = re.sub(r"jobs-\d+", "jobs-N", text)
    golden = GOLDEN / "sbatch.sh"
    if os.environ.get("ZOO_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
