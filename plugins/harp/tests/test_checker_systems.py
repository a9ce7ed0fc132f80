"""Systems that lack what Linux offers: without ``resource``, ``fcntl`` or interval timers, and with limits not kept."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from zoo_harp.checker.workers import pool, process_limits
from zoo_harp.checker.workers.pool import Worker
from zoo_harp.protocol.journal import open_journal

from zoo import UsageError

WITHOUT = """
import signal, sys
sys.modules["resource"] = sys.modules["fcntl"] = None
del signal.setitimer, signal.SIGPROF, signal.SIGALRM
"""
CHECKS = r"""
from zoo_harp import check, check_many
print(check(r"\int_0^1 x dx", r"\frac12", timeout_s=5.0).outcome)
print(check(r"\int_0^1 x^x dx", r"\int_0^2 t^t dt-\int_1^2 t^t dt+0\cdot\int_0^1 s^{s^s} ds", timeout_s=1.0).outcome)
print([verdict.correct for verdict in check_many([("3", "3.0"), ("3", "4")] * 40, workers=2)].count(True))
"""


@pytest.fixture
def exits(monkeypatch):
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)
    return codes


def test_checks_end_without_resource_and_signals(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", CHECKS], env=environment, capture_output=True, text=True, timeout=300)
    assert ran.stdout.split() == ["right", "undecided", "40"], ran.stderr
    assert ran.stderr.count("no way to bound the memory") == 1


def test_without_signals_a_thread_ends_the_worker(monkeypatch, exits):
    monkeypatch.setattr(process_limits, "resource", None)
    with process_limits.limited(60.0, 0.01):
        deadline = time.monotonic() + 60.0
        while not exits and time.monotonic() < deadline:
            time.sleep(0.01)
    assert exits == [1]
    with process_limits.limited(60.0, 60.0):
        pass
    assert exits == [1]


def test_a_limit_that_is_not_kept_is_watched(monkeypatch, exits):
    sizes = iter([1 << 20, process_limits.MEMORY + 1])
    started = []
    monkeypatch.setattr(process_limits, "peak_resident", lambda: next(sizes))
    monkeypatch.setattr(
        process_limits.threading, "Thread", lambda target, daemon: started.append(target) or _Ran(target)
    )
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    process_limits.bound_memory()
    assert started == [process_limits._watch_memory]
    assert exits == [1]


class _Ran:
    """A thread that has run to its end when it is started."""

    def __init__(self, target):
        self.start = target


def test_the_peak_is_in_bytes(monkeypatch):
    usage = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda who: SimpleNamespace(ru_maxrss=3 << 20))
    monkeypatch.setattr(process_limits, "resource", usage)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert process_limits.peak_resident() == 3 << 20
    monkeypatch.setattr(platform, "system", lambda: "FreeBSD")
    assert process_limits.peak_resident() == 3 << 30


def test_a_worker_says_that_its_memory_is_unbounded(monkeypatch):
    monkeypatch.setattr(pool, "bounds_memory", lambda: False)
    with pytest.warns(RuntimeWarning, match="bound the memory"):
        worker = Worker()
    worker.kill()


def test_a_journal_is_locked_without_fcntl(monkeypatch, tmp_path):
    """Windows locks bytes: one byte far behind the end of the file."""
    locked = []

    def locking(descriptor, mode, size):
        place = (os.fstat(descriptor).st_ino, os.lseek(descriptor, 0, os.SEEK_CUR), mode, size)
        if place in locked:
            raise OSError("locked")
        locked.append(place)

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(LK_NBLCK=2, locking=locking))
    path = tmp_path / "log.jsonl"
    with open_journal(path, {"model": "m"}) as (journal, done):
        assert done == set()
        journal.add({"id": "2000/AMC_8/1", "response": "5"})
        with pytest.raises(UsageError, match="written by another process"), open_journal(path, {"model": "m"}):
            pass
    locked.clear()
    with path.open("ab") as file:
        file.write(b'{"id": "2000/AMC_8/2", "resp')
    with open_journal(path, {"model": "m"}) as (journal, done):
        assert len(done) == 1
        journal.add({"id": "2000/AMC_8/2", "response": "6"})
    assert path.read_text(encoding="utf-8").count("\n") == 2
    assert [place[1:] for place in locked] == [(1 << 30, 2, 1)]
