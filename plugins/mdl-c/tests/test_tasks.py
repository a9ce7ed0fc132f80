"""Sequences of tasks, what is refused before anything is trained, and where in the sequence an update is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from zoo_envs.goals.four_rooms import FourRoomsGoalsVector
from zoo_mdl_c.agent import MDLC, PO
from zoo_mdl_c.config import MDLCConfig, POConfig, TaskOptions
from zoo_mdl_c.tasks import TaskSequence

from zoo import Context, Problem, UsageError
from zoo.seeding import stream


def context(seed: int = 0, copies: int = 2, budget: int = 200, tasks: Any = None, **options: Any) -> Context:
    env = FourRoomsGoalsVector(copies, max_episode_steps=10, **options)
    env.reset(seed=seed)
    problem = Problem(tasks=env.tasks if tasks is None else tasks)
    return Context(env=env, seed=seed, rng=stream(seed, "algo"), budget=budget, problem=problem)


def test_distinct_tasks_and_those_held_out_all_differ() -> None:
    sequence = TaskSequence(context(), TaskOptions(order="distinct", held_out=8), 16)
    assert len(set(sequence.tasks)) == 16
    assert sequence.held_out_from == 8
    assert TaskSequence(context(1), TaskOptions(order="distinct", held_out=8), 16).tasks != sequence.tasks


def test_held_out_tasks_were_never_drawn_before() -> None:
    sequence = TaskSequence(context(), TaskOptions(held_out=5), 15)
    assert not set(sequence.tasks[:10]) & set(sequence.tasks[10:])


def test_after_the_change_of_rule_the_names_are_others() -> None:
    sequence = TaskSequence(context(goals=(12, 108)), TaskOptions(rule_change=3), 8)
    assert [task.goal == task.cue for task in sequence.tasks] == [True] * 3 + [False] * 5  # type: ignore[attr-defined]


class Unlike:
    """Two tasks, the second with one more action."""

    id = "unlike"

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        self._env = env

    def make(self) -> gymnasium.Env[Any, Any]:
        return self._env

    def to_dict(self) -> dict[str, Any]:
        return {}


class Few:
    def __init__(self, tasks: list[Any]) -> None:
        self._tasks = tasks

    def sample(self, rng: np.random.Generator) -> Any:
        return self._tasks[0]

    def sample_many(self, rng: np.random.Generator, n: int) -> list[Any]:
        return [self.sample(rng) for _ in range(n)]

    def tasks(self) -> Any:
        return iter(self._tasks)

    def from_dict(self, data: Any) -> Any:
        return self._tasks[0]


class Unlisted(Few):
    """Tasks that are drawn and not listed; a search without an end fails."""

    draws = 0

    def sample(self, rng: np.random.Generator) -> Any:
        self.draws += 1
        assert self.draws < 100_000
        return self._tasks[int(rng.integers(len(self._tasks)))]

    def tasks(self) -> Any:
        return None


def test_distinct_tasks_are_found_where_they_are_not_listed() -> None:
    every = list(FourRoomsGoalsVector(1).tasks.tasks())
    config = TaskOptions(order="distinct", held_out=8)
    sequence = TaskSequence(context(tasks=Unlisted(every)), config, 16)
    assert set(sequence.tasks) == set(every)


def other_actions() -> Few:
    env = next(iter(FourRoomsGoalsVector(1).tasks.tasks())).make()
    env.action_space = gymnasium.spaces.Discrete(5)
    return Few([Unlike(env)])


@pytest.mark.parametrize(
    ("config", "count", "tasks", "message"),
    [
        ({"order": "distinct"}, 17, None, "17 tasks that differ from each other are asked for, and there are 16"),
        ({"held_out": 9, "order": "distinct"}, 17, None, "9 tasks that differ from each other and from those before"),
        ({"held_out": 4}, 4, None, "held_out = 4: expected fewer than the 4 tasks of the budget; raise --steps."),
        (
            {"order": "distinct"},
            3,
            Unlisted([1, 2]),
            "3 tasks that differ from each other are asked for, and there are",
        ),
        ({"held_out": 1}, 20, Unlisted([1, 2]), "1 tasks that differ from each other and from those before are asked"),
        ({}, 2, Few([]), "the environment's list of tasks is empty: expected at least one."),
        (
            {},
            2,
            other_actions(),
            "task unlike has the actions Discrete(5): expected Discrete(4), as of the other tasks.",
        ),
        ({"rule_change": 1}, 2, Few([1]), "rule_change = 1: the environment's tasks have no other rule"),
    ],
)
def test_what_cannot_be_is_refused_before_training(config: Any, count: int, tasks: Any, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        TaskSequence(context(tasks=tasks), TaskOptions(**config), count)


def test_without_tasks_there_is_nothing_to_pose() -> None:
    ctx = context()
    bare = Context(env=ctx.env, seed=0, rng=ctx.rng, budget=10)
    with pytest.raises(UsageError, match="the environment has no tasks"):
        TaskSequence(bare, TaskOptions(), 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reference_kl": -0.1}, "alpha = -0.1: expected a finite number of at least 0."),
        ({"mdl_coef": -1.0}, "mdl_coef = -1.0: expected a finite number of at least 0."),
        ({"mdl_coef": float("nan")}, "mdl_coef = nan: expected a finite number of at least 0."),
        ({"n_eff": 0.0}, "n_eff = 0.0: expected a finite number of more than 0."),
        ({"task_updates": 0}, "task_updates = 0: expected a finite number of at least 1."),
        ({"setting": "parallel"}, "default_update = replay needs setting = sequential: in parallel no task ends"),
        ({"setting": "parallel", "held_out": 1}, "held_out = 1 needs setting = sequential"),
        ({"default_lr": 0.0}, "default_lr = 0.0: expected a finite number of more than 0."),
        ({"default_arch": (8, 0)}, "default_arch = 0: expected a finite number of at least 1."),
    ],
)
def test_options_outside_their_ranges(options: Any, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        MDLCConfig(**options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["mdl-c", "four-rooms-goals", "--alpha", "-1"], "alpha = -1.0: expected a finite number of at least 0."),
        (
            ["mdl-c", "four-rooms-goals", "--mdl-coeff", "1"],
            "no option called '--mdl-coeff': did you mean --mdl-coef or",
        ),
        (
            ["mdl-c-manual-ia", "four-rooms-goals", "--hidden", "gaol"],
            "hidden names 'gaol', but the environment's groups",
        ),
    ],
)
def test_mistakes_on_the_command_line_are_one_sentence_and_nothing_is_written(
    line: list[str], message: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zoo.cli.main", "train", *line, "--dir", str(tmp_path / "runs")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_tasks_begin_and_end_where_they_should() -> None:
    """2 copies x 10 steps an update; 3 updates a task, 2 a held-out one: 3 + 3 + 2 + 2 updates."""
    config = MDLCConfig(n_steps=10, task_updates=3, held_out=2, held_out_updates=2, order="distinct", replay_steps=2)
    agent = MDLC(context(budget=200), config)
    default = agent.default
    assert default is not None
    rows, lengths = [], []
    for _ in range(10):
        rows.append(agent.update())
        lengths.append(len(default.state()["memory"]["obs"]))
    assert [row["task/number"] for row in rows] == [0, 0, 0, 1, 1, 1, 2, 2, 3, 3]
    assert [row["task/update"] for row in rows] == [0, 1, 2, 0, 1, 2, 0, 1, 0, 1]
    assert lengths == [0, 0, 1, 1, 1, 2, 2, 2, 2, 2]  # nothing is learned from the tasks held out
    posed = [row["task/index"] for row in rows]
    assert len({posed[0], posed[3], posed[6], posed[8]}) == 4
    assert all(0 <= row["regret/task"] + row["return/discounted"] <= 1 for row in rows)


def test_control_is_reset_at_each_task_and_values_start_at_zero() -> None:
    agent = PO(context(budget=400), POConfig(n_steps=10, task_updates=2))
    network = agent.learner.network
    begin = network.parameters.views["actor.0.weight"].copy()
    for _ in range(2):
        agent.update()
    agent.learner._reset_control(0, 1)
    fresh = network.parameters.views["actor.0.weight"]
    assert not np.array_equal(begin, fresh)
    assert agent.learner.adam.t[0] == 0
    assert not agent.learner.adam.m.any()
    assert not network.values(np.ones((1, 3, agent.learner.encoder.size), np.float32)).any()
