"""Metrics for suites, offered through the hook ``zoo_derived``: over the tasks of a run, in the order posed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from zoo import Run

__all__ = ["by_task", "held_out_auc", "task_auc", "task_jump_start", "tasks_to_recover"]


def by_task(run: Run, of: str, updates: int = 0) -> list[NDArray[np.float64]]:
    """The values of ``of`` in each task of a sequential run, update by update.

    Args:
        run: what logged it, with ``task/number`` beside it.
        of: a metric that is logged with every update.
        updates: of each task only the first so many; 0: all.
    """
    rows = [row for row in run.rows if of in row and "task/number" in row]
    numbers = np.array([row["task/number"] for row in rows], dtype=np.int64)
    values = np.array([row[of] for row in rows], dtype=np.float64)
    parts = [values[numbers == number] for number in np.unique(numbers)]
    return [part[:updates] if updates else part for part in parts]


def _learned(run: Run, of: str, updates: int = 0) -> list[NDArray[np.float64]]:
    """The same of the tasks that were not held out."""
    parts = by_task(run, of, updates)
    return parts[: len(parts) - int(run.spec.config.get("held_out", 0))]


def task_auc(run: Run, of: str, /, *, first: float = 0, last: float = 0, updates: float = 0) -> float | None:
    """Area under the learning curve per update: the mean of ``of`` over tasks and their updates, none held out.

    Args:
        run: see ``by_task``.
        of: see there.
        first: number of the first task that counts, from 0.
        last: number of the task before which to stop, 0: all; a run with fewer tasks has no such area.
        updates: of each task only the first so many; 0: all.
    """
    parts = _learned(run, of, int(updates))
    chosen = parts[int(first) : int(last) or None]
    return float(np.mean([part.mean() for part in chosen])) if chosen and len(parts) >= last else None


def held_out_auc(run: Run, of: str, /) -> float | None:
    """The same over the tasks that were held out, on which the default did not learn."""
    count = int(run.spec.config.get("held_out", 0))
    parts = by_task(run, of)[-count:] if count else []
    return float(np.mean([part.mean() for part in parts])) if parts else None


def task_jump_start(run: Run, of: str, /) -> float | None:
    """The first update of a task minus that of the first task, averaged over all tasks but the first."""
    parts = by_task(run, of)
    return float(np.mean([part[0] for part in parts[1:]]) - parts[0][0]) if len(parts) > 1 else None


def tasks_to_recover(
    run: Run, of: str, /, *, before: float = 4, updates: float = 10, margin: float = 0.02
) -> float | None:
    """Tasks after the change of rule until the first updates of a task are as good again as they were; None: never.

    Args:
        run: see ``by_task``.
        of: see there.
        before: "as they were" is the mean over so many tasks before the change.
        updates: of each task the first so many count.
        margin: in the unit of ``of``, how far below it is still as good.
    """
    start = int(run.spec.config.get("rule_change", 0))
    means = [float(part.mean()) for part in by_task(run, of, int(updates))]
    if not start or not means:
        return None
    level = float(np.mean(means[max(start - int(before), 0) : start])) - margin
    reached = [index for index, mean in enumerate(means[start:], start=1) if mean >= level]
    return float(reached[0]) if reached else None
