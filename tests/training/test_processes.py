"""Processes on systems that are not this one, simulated: no /proc, or Windows."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.training.storage import processes
from zoo.training.storage.lock import is_abandoned
from zoo.training.storage.processes import alive, began
from zoo.training.workers.start import worker_context


@pytest.fixture(params=["/proc", "ps"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Linux as it is; and as a system without /proc, where ps tells."""
    if request.param == "ps":
        if shutil.which("ps") is None:
            pytest.skip("ps is not installed")
        monkeypatch.setattr(processes, "_PROC", tmp_path / "none")
    return str(request.param)


def test_a_process_that_ended_is_told_from_one_that_lives(system: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as living:
        first = began(living.pid)
        assert alive(living.pid) and first and began(living.pid) == first
        living.kill()
        os.waitid(os.P_PID, living.pid, os.WEXITED | os.WNOWAIT)  # ended, and not asked for: still in the table
        assert alive(living.pid) and began(living.pid) == ""
    assert not alive(living.pid) and began(living.pid) == ""


def test_a_run_is_abandoned_when_its_writer_was_killed(system: str, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from zoo.training.storage import processes;"
        f"processes._PROC = Path({str(processes._PROC)!r});"
        "from zoo.training.storage.lock import Lock; Lock(Path(sys.argv[1])).__enter__(); print('held', flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline().strip() == "held"
        assert not is_abandoned(tmp_path)
        writer.kill()
    assert is_abandoned(tmp_path)


class Kernel32:
    """The three functions of Windows that are called."""

    def __init__(self, codes: dict[int, int]) -> None:
        self.codes, self.open = codes, 0

    def OpenProcess(self, access: int, inherit: bool, pid: int) -> int:
        self.open += pid in self.codes
        return pid if pid in self.codes else 0

    def GetExitCodeProcess(self, handle: int, code: Any) -> int:
        code._obj.value = self.codes[handle]
        return 1

    def CloseHandle(self, handle: int) -> None:
        self.open -= 1


def test_on_windows_no_signal_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel32({11: 259, 12: 0})
    monkeypatch.setattr(ctypes, "windll", types.SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a signal was sent"))
    assert (
        processes._alive_on_windows(11) and not processes._alive_on_windows(12) and not processes._alive_on_windows(13)
    )
    assert kernel.open == 0


def test_without_a_fork_server_workers_are_spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    assert worker_context().get_start_method() == "spawn"


@pytest.mark.slow
def test_spawned_workers_make_the_same_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = zoo.train("gda", "two-state", seeds=range(2), steps=20, jobs=2, root=tmp_path / "a")
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    spawned = zoo.train("gda", "two-state", seeds=range(2), steps=20, jobs=2, root=tmp_path / "b")
    assert [result.metrics for result in spawned] == [result.metrics for result in here]
