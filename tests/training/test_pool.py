"""Seeds in worker processes: split_seeds that stay together where the algorithm advances them together."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rows import logged
from tests.training.conftest import TOYS, Trainer
from zoo.discovery.registry import Registry, discover
from zoo.training.callbacks import Silent
from zoo.training.settings import RunResult, Settings
from zoo.training.stop import Stop
from zoo.training.storage.run_dir import RunDir
from zoo.training.storage.spec import RunSpec
from zoo.training.workers.executor import Executor
from zoo.training.workers.seeds import split_seeds, train_parallel


@given(st.lists(st.integers(), unique=True), st.integers(1, 9))
def test_groups_are_neighbours_of_equal_size(seeds: list[int], count: int) -> None:
    found = split_seeds(seeds, count)
    assert [seed for group in found for seed in group] == seeds
    assert len(found) == min(count, len(seeds))
    assert not found or max(map(len, found)) - min(map(len, found)) <= 1


class Order(Silent):
    """What happened to which seed, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[str, int]] = []

    def started(self, run: RunDir, *_: object) -> None:
        self.events.append(("started", run.seed))

    def finished(self, run: RunDir, *_: object) -> None:
        self.events.append(("finished", run.seed))


@pytest.fixture
def noted(toys: Registry) -> Registry:
    """The toys, and a note in each run of the process that trained it."""
    for module in ("toys", "noting"):
        sys.modules.pop(module, None)
    return discover([TOYS, Path(__file__).with_name("noting.py")], only=["zoo-core"])


def workers(results: list[RunResult]) -> list[tuple[int, ...]]:
    """Seeds by the process that trained them."""
    found: dict[int, tuple[int, ...]] = {}
    for result in results:
        pid = int((result.path / "pid").read_text())
        found[pid] = (*found.get(pid, ()), result.seed)
    return list(found.values())


def test_a_batch_is_shared_out_in_groups(run: Trainer, noted: Registry, tmp_path: Path) -> None:
    alone = [run("together", seeds=(seed,), root=tmp_path / "a")[0] for seed in range(5)]
    spec = RunSpec.from_json(json.loads((alone[0].path / "spec.json").read_text()), tmp_path)
    settings, order = Settings(root=tmp_path / "b"), Order()

    def parallel(seeds: list[int]) -> list[RunResult]:
        return train_parallel(spec, seeds, noted, settings, order, Stop(), Executor(jobs=2))

    first = parallel([0, 1, 2])
    assert workers(first) == [(0,), (1, 2)]
    assert order.events.index(("started", 2)) < order.events.index(("finished", 1))
    before = (first[1].path / "metrics.jsonl").stat().st_mtime_ns
    results = parallel([0, 1, 2, 3, 4])  # what is finished takes no place in a group
    assert [result.seed for result in results] == [0, 1, 2, 3, 4]
    assert workers(results[3:]) == [(3,), (4,)]
    assert (first[1].path / "metrics.jsonl").stat().st_mtime_ns == before
    assert [logged(result.path) for result in results] == [logged(result.path) for result in alone]
    assert parallel([4, 1]) == [results[4], results[1]]


def test_without_a_batch_each_seed_is_for_the_next_free_worker(run: Trainer, noted: Registry, tmp_path: Path) -> None:
    (one,) = run("walk", root=tmp_path / "a")
    spec = RunSpec.from_json(json.loads((one.path / "spec.json").read_text()), tmp_path)
    settings = Settings(root=tmp_path / "b")
    results = train_parallel(
        spec, [0, 1, 2, 3], noted, settings, Silent(), Stop(), Executor(jobs=2)
    )  # split_seeds (0, 1), (2, 3)
    assert [result.status for result in results] == ["finished"] * 4
    assert logged(results[0].path) == logged(one.path)
    assert len(workers(results)) == 2
