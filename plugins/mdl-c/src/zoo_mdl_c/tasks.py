"""Which task is posed when: a sequence that is drawn once, from the environment's distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zoo import Context, Task, TaskDistribution, UsageError
from zoo_mdl_c.config import TaskOptions

__all__ = ["TaskSequence"]

PATIENCE = 100
"""of the search for distinct tasks, in expected lengths of it"""


class TaskSequence:
    """The tasks of one run in the order in which they are posed; of none where a task is drawn for each episode.

    Args:
        ctx: whose environment offers tasks.
        config: how they are chosen.
        count: how many the budget allows, at least 1.

    Raises:
        UsageError: there are not enough tasks, or they have different spaces; found before anything is trained.
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
        """The task with this number."""
        return self.tasks[min(index, len(self.tasks) - 1)]

    def position(self, task: Task) -> int:
        """Where ``task`` stands in the list of all tasks; -1 where there is none."""
        listed = self.distribution.tasks()
        return -1 if listed is None else next((i for i, other in enumerate(listed) if other == task), -1)

    def _check_spaces(self, ctx: Context) -> None:
        expected = (ctx.env.single_observation_space, ctx.env.single_action_space)
        for task in dict.fromkeys(self.tasks):
            made = task.make()
            for what, space, there in zip(
                ("observations", "actions"), expected, (made.observation_space, made.action_space), strict=True
            ):
                if space != there:
                    raise UsageError(f"task {task.id} has the {what} {there}: expected {space}, as of the other tasks.")
            made.close()


def _tasks_of(ctx: Context) -> TaskDistribution:
    tasks = ctx.problem.tasks
    if tasks is None:
        raise UsageError("the environment has no tasks: expected a task distribution, as of four-rooms-goals.")
    listed = tasks.tasks()
    if listed is not None and next(iter(listed), None) is None:
        raise UsageError("the environment's list of tasks is empty: expected at least one.")
    return tasks


def _draw(tasks: TaskDistribution, config: TaskOptions, count: int, rng: np.random.Generator) -> list[Task]:
    """Tasks of training, then those held out."""
    first = count - config.held_out
    before = min(config.rule_change, first) if config.rule_change else first
    sequence = _some(tasks, config.order, before, rng, [])
    if before < first:
        changed = getattr(tasks, "changed", None)
        if changed is None:
            raise UsageError(
                f"rule_change = {config.rule_change}: the environment's tasks have no other rule (attribute changed)."
            )
        sequence += _some(changed, config.order, first - before, rng, [])
    if config.held_out:
        sequence += _some(tasks, "distinct", config.held_out, rng, sequence)
    return sequence


def _some(
    tasks: TaskDistribution, order: str, count: int, rng: np.random.Generator, seen: Sequence[Task]
) -> list[Task]:
    """Draw ``count`` tasks, none of ``seen``; distinct ones in the order of a random permutation."""
    if order == "drawn":
        return list(tasks.sample_many(rng, count))
    listed = tasks.tasks()
    before = set(seen)
    left = _find(tasks, before, count, rng) if listed is None else [task for task in listed if task not in before]
    if len(left) < count:
        raise UsageError(
            f"{count} tasks that differ from each other{' and from those before' if seen else ''} are asked for, and "
            f"there are {len(left)}: use order = drawn, fewer steps, or fewer tasks held out."
        )
    return left if listed is None else [left[index] for index in rng.permutation(len(left))[:count]]


def _find(tasks: TaskDistribution, before: set[Task], count: int, rng: np.random.Generator) -> list[Task]:
    """Up to ``count`` distinct tasks, none of ``before``, of a distribution that cannot be listed.

    Of k tasks as likely as each other all are expected after k H_k draws (coupon collector), H_k <= 1 + log k; after
    ``PATIENCE`` times as many there are no more.
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
