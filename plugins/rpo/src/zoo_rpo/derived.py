"""Derived metrics for suites, offered through the hook ``zoo_derived``: statistics of a run over its tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from zoo import Run

Rows = list[Mapping[str, Any]]


def by_task(run: Run, of: str) -> dict[int, Rows]:
    """The logged rows with the metric ``of``, in order, by number of the task, from 1."""
    tasks: dict[int, Rows] = {}
    for row in run.rows:
        if of in row and "task" in row:
            tasks.setdefault(int(row["task"]), []).append(row)
    return tasks


def _between(run: Run, of: str, first: float, last: float) -> Iterator[Rows]:
    yield from (rows for task, rows in by_task(run, of).items() if first <= task <= last)


def task_mean(run: Run, of: str, /, *, first: float = 1, last: float = np.inf) -> float | None:
    """Mean of ``of`` over all updates of the tasks ``first`` to ``last``: the area under the learning curves."""
    values = [float(row[of]) for rows in _between(run, of, first, last) for row in rows]
    return float(np.mean(values)) if values else None


def task_final(run: Run, of: str, /, *, first: float = 1, last: float = np.inf) -> float | None:
    """Mean over the tasks ``first`` to ``last`` of the last value of ``of`` on each."""
    values = [float(rows[-1][of]) for rows in _between(run, of, first, last)]
    return float(np.mean(values)) if values else None


def jump_start(run: Run, of: str, /, *, first: float = 2, last: float = np.inf) -> float | None:
    """Mean over the tasks ``first`` to ``last`` of the first value of ``of`` on each, minus that on task 1."""
    first_task = by_task(run, of).get(1)
    values = [float(rows[0][of]) for rows in _between(run, of, first, last)]
    return float(np.mean(values)) - float(first_task[0][of]) if first_task and values else None


def updates_to(run: Run, of: str, /, *, share: float = 0.9) -> float | None:
    """Mean number of updates until ``of`` reaches ``share`` of the task's optimum, over the tasks where it does."""
    counts = [count for count in _reached(run, of, share) if count is not None]
    return float(np.mean(counts)) if counts else None


def share_to(run: Run, of: str, /, *, share: float = 0.9) -> float | None:
    """Share of the tasks on which ``of`` reaches ``share`` of the task's optimum."""
    counts = list(_reached(run, of, share))
    return float(np.mean([count is not None for count in counts])) if counts else None


def _reached(run: Run, of: str, share: float) -> Iterator[int | None]:
    """For each task the first update at which ``of`` reaches ``share`` of the optimum; None where it never does."""
    log_every = int(run.spec.config.get("log_every", 1))
    for rows in by_task(run, of).values():
        reached = [float(row[of]) >= share * float(row["value/optimum"]) for row in rows]
        yield (reached.index(True) + 1) * log_every if any(reached) else None
