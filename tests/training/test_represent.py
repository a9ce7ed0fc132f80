"""Representations of many seeds learn what each would learn alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.rows import logged
from tests.training import learning
from tests.training.test_loop import StopAfter
from zoo.discovery.registry import Registry, discover
from zoo.errors import UsageError
from zoo.testing import check_representation
from zoo.training.callbacks import Silent
from zoo.training.load import components_of, load
from zoo.training.loop import train_seeds
from zoo.training.settings import Cadence, RunResult, Settings
from zoo.training.stop import Stop
from zoo.training.storage.spec import RunSpec

SEEDS = (0, 1, 5)


@pytest.fixture
def registry() -> Iterator[Registry]:
    sys.modules.pop("learners", None)
    learning.CALLS.clear()
    yield discover([Path(__file__).with_name("learners.py")], only=["zoo-core"])


def asked(name: str, **given: Any) -> RunSpec:
    collect = {"policy": given.pop("policy", "uniform"), "exact": given.pop("exact", False)}
    return RunSpec(
        algorithm=f"learners/{name}", kind="representation", plugin_version="file",
        environment="learners/walk-model", config={"gamma": 0.9}, collect=collect,
        **{"steps": 768, "eval_episodes": 2, "num_envs": 2, **given},
    )  # fmt: skip


def run(registry: Registry, root: Path, name: str, seeds: tuple[int, ...] = SEEDS, **given: Any) -> list[RunResult]:
    stop, watch = given.pop("stop", Stop()), given.pop("watch", Silent())
    settings = Settings(root=root, checkpoint=Cadence(steps=256))
    return train_seeds(asked(name, **given), seeds, registry, settings, watch, stop)


@pytest.mark.parametrize(("policy", "num_envs"), [("uniform", 2), ("greedy:7", 1)])
def test_seeds_together_equal_seeds_alone(registry: Registry, tmp_path: Path, policy: str, num_envs: int) -> None:
    together = run(registry, tmp_path / "a", "rows-together", policy=policy, num_envs=num_envs)
    assert {*learning.CALLS} == {(len(SEEDS), 128)} and len(learning.CALLS) == 6
    for index, seed in enumerate(SEEDS):
        (alone,) = run(registry, tmp_path / "b", "rows-together", (seed,), policy=policy, num_envs=num_envs)
        (plain,) = run(registry, tmp_path / "c", "rows", (seed,), policy=policy, num_envs=num_envs)
        rows = logged(together[index].path)
        assert rows == logged(alone.path) == logged(plain.path)
        assert {"sum", "noise", "distance/max", "episode/return"} <= rows[0].keys()
        assert rows[-2]["distance/max"] < rows[0]["distance/max"]
    assert len({tuple(logged(result.path)[0].items()) for result in together}) == len(SEEDS)


def test_a_batch_interrupted_and_continued_equals_undisturbed(registry: Registry, tmp_path: Path) -> None:
    whole = run(registry, tmp_path / "a", "rows-together")
    stop = Stop()
    half = run(registry, tmp_path / "b", "rows-together", stop=stop, watch=StopAfter(stop, 2 * len(SEEDS) + 1))
    assert {result.status for result in half} == {"interrupted"}
    rest = run(registry, tmp_path / "b", "rows-together")
    assert [logged(result.path) for result in rest] == [logged(result.path) for result in whole]


def test_a_member_of_a_batch_may_learn_alone_in_between(registry: Registry) -> None:
    spec = asked("rows-together", steps=768)
    parts = components_of(spec, registry)
    (solo,), none = parts.members([5], "cpu")
    members, batch = parts.members(SEEDS, "cpu")
    assert none is None and batch is not None
    expected = [solo.algorithm.update() for _ in range(4)]
    found = [batch.update()[2], members[2].algorithm.update(), batch.update()[2], members[2].algorithm.update()]
    assert found == expected
    assert [member.algorithm.env_steps for member in members] == [256, 256, 512]


def test_the_policy_of_a_run_is_followed_by_every_member(registry: Registry, tmp_path: Path) -> None:
    (leader,) = run(registry, tmp_path / "leader", "rows", (0,))  # its actions are drawn, so each member needs its own
    together = run(registry, tmp_path / "a", "rows-together", policy=str(leader.path))
    alone = [run(registry, tmp_path / "b", "rows", (seed,), policy=str(leader.path))[0] for seed in SEEDS]
    assert [logged(result.path) for result in together] == [logged(result.path) for result in alone]


@pytest.mark.parametrize(("name", "seeds"), [("rows", (0,)), ("rows-together", SEEDS)])
def test_the_exact_solution_of_a_chain_that_ends(
    registry: Registry, tmp_path: Path, name: str, seeds: tuple[int, ...]
) -> None:
    for result in run(registry, tmp_path, name, seeds, exact=True):
        assert (result.status, result.outcome) == ("finished", "converged")
        assert result.metrics["distance/max"] == 0.0 < result.metrics["distance/max_before"]
        table: Any = load(result.path, registry=registry).algorithm
        M = table.representation.table()
        assert np.allclose(M[0], np.eye(8)[0])  # a terminal state counts the one visit to it
        visits, weight, law = np.zeros(8), 1.0, np.eye(8)[3]
        for _ in range(400):
            visits += weight * law
            weight *= 0.9
            step = np.zeros(8)
            step[:-1] += 0.5 * law[1:] * (np.arange(1, 8) < 7)
            step[1:] += 0.5 * law[:-1] * (np.arange(7) > 0)
            law = step
        assert np.allclose(M[3], visits, atol=1e-12)


def test_exact_is_refused_without_a_table(registry: Registry, tmp_path: Path) -> None:
    (leader,) = run(registry, tmp_path / "leader", "rows", (0,))
    with pytest.raises(UsageError, match="--exact needs a representation with an exact solution"):
        run(registry, tmp_path, "rows-together", exact=True, policy=str(leader.path))


@pytest.mark.parametrize("name", ["rows", "rows-together"])
def test_the_conformance_kit_passes_both(registry: Registry, name: str) -> None:
    check_representation(name, "walk-model", steps=768, num_envs=2, registry=registry)


def test_the_conformance_kit_finds_a_batch_that_drifts(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    whole: Any = learning.All.update

    def mixed(self: Any, batch: Any) -> Any:
        rows = whole(self, batch)
        self.M[1] += 1e-3
        return [{**row, "sum": M.sum()} for row, M in zip(rows, self.M, strict=True)]

    monkeypatch.setattr(learning.All, "update", mixed)
    with pytest.raises(AssertionError, match=r"member 1 \(seed 1\) of a batch leaves its solo run"):
        check_representation("rows-together", "walk-model", steps=768, registry=registry)
