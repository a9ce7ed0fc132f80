"""The sequence of tasks of a run, drawn once from the environment's distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zoo import Context, Task, TaskDistribution, UsageError
from zoo_mdl_c.config import TaskOptions

__all__ = ["TaskSequence"]

PATIENCE = 100
"""draws after which the search for distinct tasks ends, as a multiple of the expected number"""


class TaskSequence:
    """The tasks of one run in order; empty in the parallel setting, where a task is drawn for each episode.

    Args:
        ctx: context of the run, whose environment has tasks.
        config: options of the sequence.
        count: number of tasks that the budget allows, at least 1.

    Raises:
        UsageError: there are not enough tasks, or they have different spaces.
    """

    def __init__(self, ctx: Context, config: TaskOptions, count: int) -> None:
        self.distribution = _tasks_of(ctx)
        self.parallel = config.setting == "parallel"
        self.held_out_from = count - config.held_out
        """the first task on which the default no longer learns"""
        self.tasks: list[Task] = []
        if self.parallel:
            return
        if config.held_out >= count:
            raise UsageError(
                f"held_out = {config.held_out}: expected fewer than the {count} tasks of the budget; raise --steps."
            )
        rng = ctx.stream("tasks")
        self.tasks = _draw(self.distribution, config, count, rng)
        self._check_spaces(ctx)

    def __getitem__(self, index: int) -> Task:
        """The task with this number, from 0; beyond the last one, the last."""
        return self.tasks[min(index, len(self.tasks) - 1)]

    def position(self, task: Task) -> int:
        """Index of ``task`` in the list of all tasks; -1 where there is no list."""
        listed = self.distribution.tasks()
        return -1 if listed is None else next((i for i, other in enumerate(listed) if other == task), -1)

    def _check_spaces(self, ctx: Context) -> None:
        expected = (ctx.env.single_observation_space, ctx.env.single_action_space)
        for task in dict.fromkeys(self.tasks):
            env = task.make()
            for name, space, own in zip(
                ("observations", "actions"), expected, (env.observation_space, env.action_space), strict=True
            ):
                if space != own:
                    raise UsageError(f"task {task.id} has the {name} {own}: expected {space}, as the other tasks have.")
            env.close()


def _tasks_of(ctx: Context) -> TaskDistribution:
    tasks = ctx.problem.tasks
    if tasks is None:
        raise UsageError(
            "the environment has no tasks: expected one with a task distribution, such as four-rooms-goals."
        )
    listed = tasks.tasks()
    if listed is not None and next(iter(listed), None) is None:
        raise UsageError("the environment's list of tasks is empty: expected at least one.")
    return tasks


def _draw(tasks: TaskDistribution, config: TaskOptions, count: int, rng: np.random.Generator) -> list[Task]:
    """The training tasks, then the held-out ones."""
    first = count - config.held_out
    before = min(config.rule_change, first) if config.rule_change else first
    sequence = _draw_from(tasks, config.order, before, rng, [])
    if before < first:
        changed = getattr(tasks, "changed", None)
        if changed is None:
            raise UsageError(
                f"rule_change = {config.rule_change}: the environment's tasks have no other rule (attribute changed)."
            )
        sequence += _draw_from(changed, config.order, first - before, rng, [])
    if config.held_out:
        sequence += _draw_from(tasks, "distinct", config.held_out, rng, sequence)
    return sequence


def _draw_from(
    tasks: TaskDistribution, order: str, count: int, rng: np.random.Generator, seen: Sequence[Task]
) -> list[Task]:
    """Draw ``count`` tasks, none of ``seen``; distinct ones in the order of a random permutation."""
    if order == "drawn":
        return list(tasks.sample_many(rng, count))
    listed = tasks.tasks()
    excluded = set(seen)
    new = (
        _sample_distinct(tasks, excluded, count, rng)
        if listed is None
        else [task for task in listed if task not in excluded]
    )
    if len(new) < count:
        raise UsageError(
            f"{count} tasks that differ from each other{' and from those before' if seen else ''} are asked for, but "
            f"there are {len(new)}: use order = drawn, fewer steps, or fewer held-out tasks."
        )
    return new if listed is None else [new[index] for index in rng.permutation(len(new))[:count]]


def _sample_distinct(tasks: TaskDistribution, before: set[Task], count: int, rng: np.random.Generator) -> list[Task]:
    """Up to ``count`` distinct tasks, none of ``before``, from a distribution that cannot be listed.

    Of k equally likely tasks all are expected to appear within k H_k draws (coupon collector), H_k <= 1 + log k; after
    ``PATIENCE`` times as many it is assumed that there are no more.
    """
    distinct: dict[Task, None] = {}
    k = count + len(before)
    for _ in range(math.ceil(PATIENCE * k * (1 + math.log(k)))):
        task = tasks.sample(rng)
        if task not in before:
            distinct[task] = None
        if len(distinct) == count:
            break
    return list(distinct)
