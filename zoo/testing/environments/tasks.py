"""Task distributions: the same task twice has the same dynamics, and a restored environment meets the same tasks."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from typing import Any

import gymnasium
import numpy as np

from zoo.api import Snapshot, Task, TaskDistribution, lookup
from zoo.testing.compare import difference
from zoo.testing.contract import Contract
from zoo.testing.environments.rollouts import play, play_vector
from zoo.training.environments.make_env import Recorder

SAMPLED = 8
"""tasks that are drawn"""
Env = gymnasium.Env[Any, Any]


def check_tasks(contract: Contract, scalar: Callable[[], Env], vector: Callable[[int], Recorder]) -> None:
    """Check what an environment with ``tasks`` promises: ``zoo.Task``, ``zoo.TaskDistribution``, ``zoo.Multitask``."""
    env = scalar()
    tasks = env.get_wrapper_attr("tasks")
    contract.require(
        isinstance(tasks, TaskDistribution),
        f"tasks is {type(tasks).__name__}, expected sample, sample_many, tasks and from_dict",
    )
    with contract.during("drawing tasks"):
        drawn = list(tasks.sample_many(np.random.default_rng(1), SAMPLED))
        repeated = list(tasks.sample_many(np.random.default_rng(1), SAMPLED))
        contract.require(len(drawn) == SAMPLED, f"sample_many(rng, {SAMPLED}) gives {len(drawn)} tasks")
        contract.require(drawn == repeated, "equal generators draw unequal tasks: all randomness must come from them")
        contract.require(
            tasks.sample(np.random.default_rng(2)) == tasks.sample(np.random.default_rng(2)),
            "sample() with equal generators draws unequal tasks: all randomness must come from them",
        )
        finite = tasks.tasks()
        listed = list(finite) if finite is not None else None
    if listed is not None:
        contract.require(len(set(listed)) == len(listed), "tasks() lists a task twice")
        contract.require(all(task in listed for task in drawn), "a task was drawn that tasks() does not list")
    seen = list(dict.fromkeys(drawn))
    ids = [task.id for task in (listed or seen)]
    contract.require(len(set(ids)) == len(ids), "two different tasks have the same id")
    for task in seen:
        _check_task(contract, tasks, task, env)
    for index, task in enumerate(islice(seen, 2)):
        _check_posed(contract, scalar, vector, task, listed)
        if index and isinstance(env.unwrapped, Snapshot):
            _check_restored(contract, scalar, task)


def _check_task(contract: Contract, tasks: TaskDistribution, task: Task, env: Env) -> None:
    """A task goes through JSON, and makes the same environment twice, of the same spaces as all others."""
    contract.require(isinstance(task, Task), f"a task is {type(task).__name__}, expected id, to_dict and make")
    with contract.during(f"task {task.id}"):
        copy = tasks.from_dict(json.loads(json.dumps(task.to_dict())))
        contract.require(
            copy == task and hash(copy) == hash(task) and copy.id == task.id,
            f"from_dict(to_dict()) of task {task.id} is another task, {copy.id}",
        )
        made = [task.make(), copy.make()]
    for what in ("observation_space", "action_space"):
        one, other = getattr(env, what), getattr(made[0], what)
        contract.require(one == other, f"task {task.id} has the {what} {other}, expected {one} as of the environment")
    trace = [play(contract, one, seed=5) for one in made]
    problem = difference(*trace)
    contract.require(not problem, f"task {task.id}, made twice, has other dynamics: {problem}")


def _check_posed(
    contract: Contract,
    scalar: Callable[[], Env],
    vector: Callable[[int], Recorder],
    task: Task,
    listed: list[Task] | None,
) -> None:
    """A task given at a reset is posed until another is, in both forms, and behaves as the one that it makes."""
    index = listed.index(task) if listed is not None else -1
    env = scalar()
    for options in ({"task": task}, None):
        with contract.during("reset() with a task"):
            _, info = env.reset(seed=5, options=options)
        contract.require(
            (info.get("task"), info.get("task_index")) == (task.id, index),
            f"after a reset with task {task.id} info has task {info.get('task')!r} and task_index "
            f"{info.get('task_index')!r}, expected {task.id!r} and {index}, until another task is given",
        )
    problem = difference(play(contract, task.make(), seed=5), play(contract, env, seed=5))
    contract.require(not problem, f"task {task.id} posed by reset differs from the one made by make(): {problem}")
    with closing(vector(3)) as many:
        with contract.during("reset() of its vector form with a task"):
            many.reset(seed=5, options={"task": task})
        expected = play_vector(contract, many)
        with contract.during("reset() of its vector form with a task"):
            many.reset(seed=5, options={"task": task})
        problem = difference(expected, play_vector(contract, many))
        contract.require(not problem, f"task {task.id} posed twice in the vector form differs: {problem}")
        contract.require(lookup(many.env, "tasks") is not None, "its vector form has no tasks")


def _check_restored(contract: Contract, scalar: Callable[[], Env], task: Task) -> None:
    """Tasks after ``set_state`` are those that would have followed, drawn or posed."""
    for options in ({"task": task}, {"task": None}):
        env, fresh = scalar(), scalar()
        env.reset(seed=3, options=options)
        fresh.reset(seed=4)
        with contract.during("set_state() between tasks"):
            fresh.unwrapped.set_state(env.unwrapped.get_state())  # type: ignore[attr-defined]
        trace = [[one.reset()[1]["task"] for _ in range(SAMPLED)] for one in (env, fresh)]
        contract.require(trace[0] == trace[1], f"after set_state() follow the tasks {trace[1]}, expected {trace[0]}")
