"""What every engine runs: a worker and the child it keeps; and the sweep above them, on threads for an engine."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from zoo_bench.executors.remote import Remote
from zoo_bench.executors.worker import perform

from plugins.bench.tests.conftest import LAB
from zoo import Run, UnknownNameError, UsageError
from zoo.discovery import Registry
from zoo.training import Executor, RunRequest, Settings, Silent, Stop, TaskResult, WorkerTask, resolve

PLUGINS = "zoo-core,zoo-bench,zoo-envs"


class Lost(Exception):
    """As an engine says that a worker is gone."""


class StopOnceBegun(Stop):
    """Asks once two seeds have been updated."""

    def __init__(self, note: Path) -> None:
        super().__init__()
        self.note = note

    def asked(self) -> bool:
        if len(list(self.note.glob("updates-*"))) >= 2:
            self.reason = "two have begun"
        return super().asked()


class Threads:
    """An engine of two threads of this process, each with a child; it may lose bundles."""

    seconds = 0.0

    def __init__(self, loses: int = 0) -> None:
        self.pool = ThreadPoolExecutor(2)
        self.loses = loses
        self.submitted = 0

    def bundles(self, tasks: Sequence[WorkerTask]) -> list[list[WorkerTask]]:
        return [list(tasks[place : place + 2]) for place in range(0, len(tasks), 2)]

    def room(self, sent: int) -> int:
        return 2 - sent

    def submit(self, requests: Sequence[str]) -> list[Future[str]]:
        return [self.pool.submit(self._perform, request) for request in requests]

    def _perform(self, request: str) -> str:
        self.submitted += 1
        if self.submitted <= self.loses:
            raise Lost
        return perform(request)

    def withdraw(self, future: Future[str]) -> bool:
        return False

    def died(self, error: BaseException) -> bool:
        return isinstance(error, Lost)

    def close(self) -> None:
        self.pool.shutdown()


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ZOO_PLUGINS", PLUGINS)
    yield


def sweep(
    registry: Registry, root: Path, note: Path, *, algorithm: str = "walker", seeds: Sequence[int] = (0, 1, 2),
    loses: int = 0, stop: Stop | None = None, **more: object,
) -> tuple[list[TaskResult], list[Run]]:  # fmt: skip
    note.mkdir(exist_ok=True)
    request = RunRequest(algorithm=algorithm, environment="two-state", steps=100, eval_episodes=0,
                         options={"note": str(note), **more})  # fmt: skip
    spec = resolve(request, registry)
    ends: list[TaskResult] = []
    with Remote(lambda: Threads(loses), registry, Settings(root=root)) as workers:
        workers.run([WorkerTask(spec=spec, seeds=tuple(seeds), name="cell")], Silent(), stop or Stop(), ends.append)
    runs = [Run(spec.with_seed(seed).folder(root), spec.with_seed(seed)) for seed in seeds]
    assert not (root / ".sweeps").exists()
    return ends, runs


def test_seeds_are_done_and_a_child_that_dies_is_replaced(registry: Registry, tmp_path: Path) -> None:
    ends, runs = sweep(registry, tmp_path / "runs", tmp_path / "note", algorithm="mortal", lives=1)
    assert [run.state for run in runs] == ["finished"] * 3
    assert sorted(end.task.seeds for end in ends) == [(0,), (1,), (2,)]
    assert all(end.error is None for end in ends)
    assert len(list((tmp_path / "note").glob("death-*"))) == 1


def test_a_run_that_kills_every_child_is_given_up_and_no_other(registry: Registry, tmp_path: Path) -> None:
    ends, _ = sweep(registry, tmp_path / "runs", tmp_path / "note", algorithm="mortal", lives=9, seeds=[3])
    assert [end.error.message for end in ends if end.error] == ["the worker of cell, seed 3 died (exit -9)."]
    assert len(list((tmp_path / "note").glob("death-*"))) == 2


def test_a_lost_worker_costs_nothing_and_a_second_one_its_task(registry: Registry, tmp_path: Path) -> None:
    ends, runs = sweep(registry, tmp_path / "runs", tmp_path / "note", loses=2)
    assert all(end.error is None for end in ends)
    assert [run.state for run in runs] == ["finished"] * 3
    ends, _ = sweep(registry, tmp_path / "again", tmp_path / "note", loses=99, seeds=[0])
    assert [end.error.message for end in ends if end.error] == ["the worker of cell, seed 0 died, 2 times."]


def test_asked_to_stop_the_children_save_and_the_rest_is_dropped(registry: Registry, tmp_path: Path) -> None:
    note = tmp_path / "note"
    ends, runs = sweep(registry, tmp_path / "runs", note, seeds=range(6), sleep=0.5, stop=StopOnceBegun(note))
    states = [run.state for run in runs]
    assert states.count("interrupted") == 2
    assert states.count("new") == 4
    assert all(end.error is None for end in ends)
    assert all(run.checkpoints for run in runs if run.state == "interrupted")


def request(spec: dict[str, object], root: Path, **more: object) -> str:
    token = root / "token"
    root.mkdir(exist_ok=True)
    token.touch()
    settings = {"root": str(root), "checkpoint": {"steps": 0, "seconds": 30.0}, "time_limit": 0.0, "threads": 1}
    start = {"settings": settings, "files": [str(LAB)], "plugins": PLUGINS, "path": [], "argv": ["zoo", "bench"]}
    task = {"spec": spec, "seeds": [0], "call": "zoo.training.workers.pool:train_task", "extra": {}}
    return json.dumps({"tasks": [task], "start": start, "token": str(token), "seconds": 0.0} | more)


def test_another_version_of_a_plugin_is_refused_and_time_that_is_over_gives_the_task_back(
    registry: Registry, tmp_path: Path
) -> None:
    asked = RunRequest(algorithm="walker", environment="two-state", steps=100, eval_episodes=0)
    spec = resolve(asked, registry).to_json()
    other = replace(resolve(asked, registry), plugin_version="9").to_json()
    (result,) = json.loads(perform(request(other, tmp_path / "a")))
    assert result["state"] == "error"
    assert "is of version file there, and the runs are of 9" in result["message"]
    (result,) = json.loads(perform(request(spec, tmp_path / "b", seconds=1e-9)))
    assert result["state"] == "stopped"
    text = request(spec, tmp_path / "c")
    (tmp_path / "c" / "token").unlink()
    (result,) = json.loads(perform(text))
    assert result["state"] == "stopped"


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("local", ["scheduler=x"], "--executor local has no options"),
        ("dask", ["scheduler"], "expected KEY=VALUE"),
        ("dask", ["schedular=x"], "did you mean scheduler?"),
        ("slurm", ["time=3", "time=4"], "was given twice"),
        ("dusk", [], "did you mean dask?"),
    ],
)
def test_options_that_an_executor_has_not_are_refused(
    name: str, options: list[str], words: str, registry: Registry, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=words.replace("?", r"\?")):
        Executor.parse(name, options, None).workers(registry, Settings(root=tmp_path))


@pytest.mark.parametrize(("name", "module"), [("dask", "distributed"), ("ray", "ray"), ("slurm", "submitit")])
def test_an_executor_that_is_not_installed_says_which_extra(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch, registry: Registry, tmp_path: Path
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda asked: None if asked == module else found(asked))
    with pytest.raises(UsageError) as refused:
        Executor(name=name).workers(registry, Settings(root=tmp_path))
    assert refused.value.message == f"--executor {name} needs the package {module}, which is not installed."
    assert refused.value.hint == f"pip install 'zoo-bench[{name}]'"
    assert not isinstance(refused.value, UnknownNameError)
