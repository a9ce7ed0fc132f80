from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from zoo_bench.cli.clock import Clock
from zoo_bench.cli.progress import SweepProgress, duration
from zoo_bench.suite import Cell, RunRequest
from zoo_bench.sweep import Experiment, tasks

from zoo.training.storage.run_dir import RunDir
from zoo.training.storage.spec import RunSpec


def experiment(name: str, seeds: int = 2, seconds: float | None = None, steps: int = 100) -> Experiment:
    spec = RunSpec(algorithm=f"p/{name}", kind="algorithm", plugin_version="1", environment="p/e", steps=steps)
    cell = Cell(
        label=name, environment="e", request=RunRequest(algorithm=name, environment="e"),
        seeds=tuple(range(seeds)), spec=spec,
    )  # fmt: skip
    return Experiment(suite="s", cell=cell, states=dict.fromkeys(range(seeds), "new"), seconds=seconds)


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_time_left_follows_from_pace_and_jobs() -> None:
    time = Time()
    short, long = experiment("short"), experiment("long", seeds=3)
    clock = Clock([short, long], jobs=2, now=time)
    assert clock.total_left() is None
    assert clock.seconds_left(short) is None
    clock.begin(short.spec.key, 0, 0)
    time.now = 10.0
    clock.update(short.spec.key, 0, 25)  # 40 s a run: 30 s of this one, 40 s of the other
    assert clock.seconds_left(short) == pytest.approx(70.0)
    short.states[0] = "finished"
    short.seconds = 40.0
    clock.settle(short.spec.key, 0)
    assert clock.seconds_left(short) == pytest.approx(40.0)
    long.seconds = 100.0
    assert clock.total_left() == pytest.approx((40.0 + 300.0) / 2)
    assert clock.open(long) == [0, 1, 2]


def test_a_resumed_run_counts_only_what_it_does_now() -> None:
    time = Time()
    one = experiment("one", seeds=1)
    clock = Clock([one], jobs=4, now=time)
    clock.begin(one.spec.key, 0, 80)
    time.now = 5.0
    clock.update(one.spec.key, 0, 90)  # 10 steps in 5 s: the other 10 take as long
    assert clock.total_left() == pytest.approx(5.0)  # four jobs cannot share one run


def test_seeds_that_advance_together_are_one_piece_of_work() -> None:
    time = Time()
    batch = experiment("batch", seeds=5)
    clock = Clock([batch], jobs=2, now=time)
    for seed in range(5):
        clock.begin(batch.spec.key, seed, 0)
    time.now = 10.0
    for seed in range(5):
        clock.update(batch.spec.key, seed, 50)
    assert clock.total_left() == pytest.approx(10.0)


def test_unknown_cells_count_like_the_others() -> None:
    known, unknown = experiment("known", seconds=10.0), experiment("unknown")
    assert Clock([known, unknown], jobs=1).total_left() == pytest.approx(40.0)


def test_a_cell_whose_seeds_advance_together_is_one_piece_for_the_unknown_ones_too() -> None:
    time = Time()
    batch, unknown = experiment("batch", seeds=1000), experiment("unknown", seeds=1000)
    clock = Clock([batch, unknown], jobs=1, now=time)
    for seed in range(1000):
        clock.begin(batch.spec.key, seed, 0)
    time.now = 10.0
    for seed in range(1000):
        clock.update(batch.spec.key, seed, 50)
    assert clock.total_left() == pytest.approx(10.0 + 20.0)
    for seed in range(1000):
        batch.states[seed] = "finished"
        clock.settle(batch.spec.key, seed)
    batch.seconds = 20.0
    assert clock.total_left() == pytest.approx(20.0)


def test_the_unknown_go_first_then_the_longest_and_each_run_once() -> None:
    quick, slow, fresh, same = (
        experiment("quick", seconds=1.0), experiment("slow", seconds=9.0), experiment("fresh"),
        experiment("slow", seeds=3, seconds=9.0),
    )  # fmt: skip
    quick.states[0] = "finished"
    same.judges = [{"name": "p/judge", "config": {}}]
    found = tasks([quick, slow, fresh, same])
    assert [(task.name, task.seeds) for task in found] == [
        ("fresh on e", (0, 1)), ("slow on e", (0, 1, 2)), ("quick on e", (1,)),
    ]  # fmt: skip
    assert found[1].extra == {"judges": [{"name": "p/judge", "config": {}}]}
    done = replace(quick, states={0: "finished", 1: "finished"})
    assert tasks([done]) == []


def test_fewer_cells_than_workers_share_out_their_seeds() -> None:
    wide, narrow = experiment("wide", seeds=5, seconds=9.0), experiment("narrow", seconds=1.0)
    alone = [task.seeds for task in tasks([wide], jobs=2)]
    assert sorted(seed for seeds in alone for seed in seeds) == list(range(5))
    assert sorted(map(len, alone)) == [2, 3]
    assert [task.seeds for task in tasks([wide, narrow], jobs=2)] == [(0, 1, 2, 3, 4), (0, 1)]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59.6, "60 s"), (130.0, "2 min"), (3600.0, "60 min"), (7500.0, "2 h 05 min")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_board_draws_open_cells_with_bars_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = experiment("one", seconds=10.0), experiment("two", seconds=30.0)
    progress = SweepProgress([one, two], jobs=1)
    spec = one.spec.with_seed(0)
    progress.started(RunDir(Path("nowhere"), spec), 0, "")
    one.states[0] = "failed"
    one.errors[0] = "the ground gave way"
    progress.settled(one, 0)
    page = Console(file=io.StringIO(), width=100)
    page.print(progress._table())
    shown = page.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "one on e" in shown[0]
    assert "1/2 seeds" in shown[0]
    assert "10 s" in shown[0]
    assert "0/2 seeds" in shown[1]
    assert "1/4 runs" in shown[2]
    assert "70 s left" in shown[2]
