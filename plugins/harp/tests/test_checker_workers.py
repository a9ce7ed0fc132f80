"""The symbolic tier's processes, and checks from threads, asyncio, forked and spawned processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from zoo_harp import Verdict, check, check_bool, check_many, warm_up
from zoo_harp.checker.answers import parse
from zoo_harp.checker.limits import Budget, Timeout
from zoo_harp.checker.tree import to_data
from zoo_harp.checker.workers import pool
from zoo_harp.checker.workers.pool import Worker, WorkerDied

PAIRS = [
    ("17", "17.0"),
    ("17", "18"),
    (r"\sqrt{45}", r"3\sqrt5"),
    ("x>6", "[6,8]"),
    ("a^2-b^2", "(a+b)(a-b)"),
    ("C", "(C)"),
]
RIGHT = [True, False, True, False, True, True]
SYMBOLIC = (r"\int_0^1 x dx", r"\frac{1}{2}")


@pytest.fixture(scope="module", autouse=True)
def _no_workers_left():
    yield
    pool.close()


def outcome(verdicts):
    return [(v.correct, v.extracted, v.rule, v.reason) for v in verdicts]


def test_the_symbolic_tier_proves_and_refutes():
    assert check(*SYMBOLIC, timeout_s=10).rule == "symbolic"
    assert check(*SYMBOLIC, timeout_s=10).correct
    assert not check(SYMBOLIC[0], r"\frac{1}{3}", timeout_s=10).correct


def trees(*texts):
    return [to_data(parse(text).tree) for text in texts]


HARD = (r"\int_0^1 x^x dx", r"\int_0^2 t^t dt-\int_1^2 t^t dt+0\cdot\int_0^1 s^{s^s} ds")


def test_a_late_worker_is_killed_and_replaced():
    worker = Worker()
    assert worker.warm(60.0, "sympy")
    assert worker.ask({"do": "prove", "trees": trees(*HARD), "seconds": 10.0}, 0.2) is None
    assert worker.process.poll() is not None
    assert check(*SYMBOLIC, timeout_s=10).correct


@pytest.mark.slow
def test_a_proof_has_processor_time_and_no_more():
    worker = Worker()
    try:
        assert worker.warm(60.0, "sympy")
        assert worker.ask({"do": "prove", "trees": trees(*HARD), "seconds": 0.2}, 60.0) == {"late": True}
        assert worker.ask({"do": "prove", "trees": trees(*SYMBOLIC), "seconds": 5.0}, 60.0)["equal"] is True
    finally:
        worker.kill()


@pytest.mark.slow
def test_starting_is_charged_to_no_check():
    pool.close()
    assert check(*SYMBOLIC, timeout_s=1.0).outcome == "right"
    pool.close()
    warm_up()
    assert len(pool._POOL._idle) == 1


@pytest.mark.slow
def test_the_workers_are_shared_and_bounded():
    pool.close()
    integrals = [(rf"\int_0^{{{k}}} x dx", rf"\frac{{{k * k}}}{{2}}") for k in range(1, 13)]
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda pair: check(*pair).correct, integrals))
    assert 1 <= len(pool._POOL._idle) <= pool.MAX_WORKERS


def test_the_divisor_of_letters_is_no_number():
    assert not check("1", r"\gcd(a,b)", timeout_s=5).correct
    assert not check("1", r"\gcd(\arctan x,12)", timeout_s=5).correct
    assert check(r"\gcd(a,b)", r"\gcd(b,a)", timeout_s=5).correct
    assert check("6", r"\gcd(12,18)").correct


def test_what_cannot_be_proved_is_undecided():
    verdict = check(r"\int_0^1 x^x dx", r"\int_1^2 (t-1)^{t-1} dt", timeout_s=1.0)
    assert (verdict.correct, verdict.outcome, verdict.undecided) == (False, "undecided", True)
    assert check("1", "2").outcome == "wrong"
    assert check("1", "1").outcome == "right"


def test_a_worker_that_dies_is_noticed():
    worker = Worker()
    worker.process.kill()
    with pytest.raises(WorkerDied):
        worker.warm(10.0, "sympy")
    worker.kill()


@pytest.mark.slow
def test_nonsense_does_not_stop_a_worker():
    worker = Worker()
    try:
        assert "error" in (worker.ask({"do": "prove", "trees": [{"k": "os"}, 3]}, 10.0) or {})
        assert "ready" in (worker.ask({"do": "ready", "part": "sympy"}, 30.0) or {})
    finally:
        worker.kill()


def test_workers_end_with_their_parent():
    code = (
        "import os, sys, time\n"
        "from zoo_harp.checker.workers.pool import Worker\n"
        "worker = Worker(); worker.ask({'do': 'ready', 'part': 'sympy'}, 20.0)\n"
        "print(worker.process.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    for _ in range(400):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2]
        except (ProcessLookupError, FileNotFoundError):
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the worker outlived its parent")


def test_threads():
    with ThreadPoolExecutor(8) as threads:
        verdicts = list(threads.map(lambda pair: check_bool(*pair), PAIRS * 20))
    assert verdicts == RIGHT * 20


def test_a_check_in_a_thread_needs_no_signal():
    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(check(*HARD, timeout_s=0.1)))
    thread.start()
    thread.join()
    assert verdicts[0].reason == "timeout"


def test_asyncio():
    async def all_of_them():
        return await asyncio.gather(*(asyncio.to_thread(check_bool, *pair) for pair in PAIRS * 5))

    assert asyncio.run(all_of_them()) == RIGHT * 5


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes(method):
    assert check(*SYMBOLIC, timeout_s=10).correct  # so that there is a worker to inherit
    with multiprocessing.get_context(method).Pool(1) as processes:
        assert processes.starmap(check_bool, PAIRS) == RIGHT
        assert processes.starmap_async(check_bool, [(*SYMBOLIC,)]).get(120) == [True]
    assert check(*SYMBOLIC, timeout_s=10).correct


def test_many_in_this_process_and_in_workers():
    pairs = PAIRS * 40
    seen: list[tuple[int, int]] = []
    alone = check_many(pairs)
    together = check_many(pairs, workers=2, progress=lambda batch: seen.append((batch.done, batch.total)))
    assert outcome(alone) == outcome(together)
    assert [v.correct for v in together] == RIGHT * 40
    assert seen[-1] == (240, 240)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_progress_has_a_throughput():
    rates = []
    check_many(PAIRS, progress=lambda batch: rates.append(batch.per_second))
    assert rates[-1] > 0


def test_many_refuses_bad_input_before_it_starts():
    with pytest.raises(ValueError, match="problem pair 1: the gold answer"):
        check_many([("1", "1"), ("", "1")])
    with pytest.raises(TypeError, match="problem pair 0: the response is int"):
        check_many([("1", 1)])
    with pytest.raises(ValueError, match="workers = 0"):
        check_many([], workers=0)
    assert check_many([]) == []


@pytest.mark.slow
def test_a_pair_that_kills_its_worker_costs_only_itself(monkeypatch):
    """The worker ends in the middle of a chunk: that pair is undecided, the others are checked in a new one."""
    original = Worker.receive
    calls = []

    def receive(self, seconds):
        calls.append(seconds)
        if len(calls) == 3:
            self.kill()
            raise WorkerDied
        return original(self, seconds)

    monkeypatch.setattr(Worker, "receive", receive)
    verdicts = check_many(PAIRS * 11, workers=1 + 1)
    lost = [k for k, verdict in enumerate(verdicts) if verdict.rule == "limit"]
    assert len(lost) == 1
    assert verdicts[lost[0]].outcome == "undecided"
    assert [v.correct for k, v in enumerate(verdicts) if k not in lost] == [
        right for k, right in enumerate(RIGHT * 11) if k not in lost
    ]
    assert isinstance(verdicts[0], Verdict)


def test_wall_time_is_the_end_also_on_a_crowded_machine(monkeypatch):
    now = time.monotonic()
    budget = Budget(2.0)
    monkeypatch.setattr(os, "getloadavg", lambda: (40.0 * (os.cpu_count() or 1), 0.0, 0.0))
    monkeypatch.setattr(time, "monotonic", lambda: now + 3.0)
    budget.check_time()
    monkeypatch.setattr(time, "monotonic", lambda: now + 4.0)
    with pytest.raises(Timeout):
        budget.check_time()


def test_waiting_for_a_worker_is_not_charged(monkeypatch):
    now = time.monotonic()
    budget = Budget(2.0)
    monkeypatch.setattr(time, "monotonic", lambda: now + 30.0)
    budget.began += 29.0
    budget.check_time()


@pytest.mark.slow
def test_a_killed_worker_is_replaced_before_it_is_needed():
    pool.close()
    worker = pool._POOL.take()
    worker.kill()
    pool._POOL.give_back(worker)
    replacements = pool._POOL._idle
    assert 1 <= len(replacements) <= min(2, pool.MAX_WORKERS)
    assert worker not in replacements
    assert all(replacement.alive and replacement._asked for replacement in replacements)


@pytest.mark.slow
def test_a_proof_ends_in_wall_time_without_being_killed():
    worker = Worker()
    try:
        assert worker.warm(60.0, "sympy")
        assert worker.ask({"do": "prove", "trees": trees(*HARD), "seconds": 10.0, "wall": 0.2}, 60.0) == {"late": True}
        assert worker.ask({"do": "prove", "trees": trees(*SYMBOLIC), "seconds": 5.0}, 60.0)["equal"] is True
    finally:
        worker.kill()
