"""The seeds of one run, shared by the workers of an executor."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from zoo.discovery.registration import FILE
from zoo.discovery.registry import Registry
from zoo.errors import ZooError
from zoo.training.callbacks import Callback
from zoo.training.loop import finished_seeds, not_started
from zoo.training.settings import RunResult, Settings, stored_result
from zoo.training.stop import Stop
from zoo.training.storage.run_dir import RunDir
from zoo.training.storage.spec import RunSpec
from zoo.training.workers.executor import Executor
from zoo.training.workers.pool import TaskResult, WorkerTask


def train_parallel(
    spec: RunSpec,
    seeds: Sequence[int],
    registry: Registry,
    settings: Settings,
    callback: Callback,
    stop: Stop,
    executor: Executor,
) -> list[RunResult]:
    """As ``loop.train``, by the workers of ``executor``.

    Each takes a group of seeds, which stay together where the algorithm advances them together; otherwise they
    are trained one by one by the next free worker.

    Raises:
        UsageError: the executor is not there, or has no such option.
        ZooError: no seed could be started.
    """
    workers = executor.workers(registry, settings, _preload(spec, registry))
    results: dict[int, RunResult] = {}
    problems: dict[int, ZooError] = {}

    def ended(end: TaskResult) -> None:
        for seed in end.task.seeds:
            own = spec.with_seed(seed)
            stored = stored_result(RunDir(own.folder(settings.root), own))
            if end.error is not None and stored.status not in ("finished", "failed"):
                problems[seed] = end.error
            else:
                results[seed] = stored

    for seed in finished_seeds(spec, seeds, settings):  # so that the split_seeds share what is left
        results[seed] = stored_result(RunDir(spec.with_seed(seed).folder(settings.root), spec.with_seed(seed)))
    pending = [seed for seed in seeds if seed not in results]
    tasks = [WorkerTask(spec=spec, seeds=group) for group in split_seeds(pending, executor.jobs or 1)]
    if tasks:
        with workers as started:
            started.run(tasks, callback, stop, ended)
    results |= {result.seed: result for result in not_started(spec, problems, settings, having=bool(results))}
    return [results[seed] for seed in seeds if seed in results]


def split_seeds(seeds: Sequence[int], count: int) -> list[tuple[int, ...]]:
    """Up to ``count`` runs of neighbouring seeds that together are ``seeds``, their lengths equal to within one."""
    count = min(count, len(seeds))
    ends = [index * len(seeds) // count for index in range(count + 1)] if count else [0]
    return [tuple(seeds[start:end]) for start, end in itertools.pairwise(ends)]


def _preload(spec: RunSpec, registry: Registry) -> list[str]:
    """The algorithm's module; a file is imported by its path."""
    entry = registry.find(spec.algorithm, "algorithm", "representation")
    return [entry.target.partition(":")[0]] if entry.version != FILE else []
