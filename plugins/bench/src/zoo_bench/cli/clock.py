"""Estimated time of a sweep, from runs that are finished and those that are under way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zoo_bench.sweep import Experiment


@dataclass
class _RunningSeed:
    """A run under way: where and when it began here, and where it is."""

    started_at: float
    first: int
    step: int


class Clock:
    """Time left for each cell, and in all.

    Args:
        experiments: the cells; ``seconds`` and ``states`` are looked at whenever a time is asked for.
        jobs: how many runs go on at once.
        now: seconds from any origin.
    """

    def __init__(self, experiments: Sequence[Experiment], jobs: int, now: Callable[[], float] = time.monotonic) -> None:
        self._experiments = experiments
        self._jobs = jobs
        self._now = now
        self._running: dict[tuple[str, int], _RunningSeed] = {}
        self._settled: set[tuple[str, int]] = set()

    def begin(self, key: str, seed: int, step: int) -> None:
        """A run starts, or continues, at ``step``."""
        self._running[key, seed] = _RunningSeed(self._now(), step, step)

    def update(self, key: str, seed: int, step: int) -> None:
        """A run has come to ``step``."""
        self._running[key, seed].step = step

    def end(self, key: str, seed: int) -> None:
        """A run has ended."""
        self._running.pop((key, seed), None)

    def settle(self, key: str, seed: int) -> None:
        """Nothing more will be done for a run."""
        self.end(key, seed)
        self._settled.add((key, seed))

    def open(self, experiment: Experiment) -> list[int]:
        """Seeds of a cell that are still to be done."""
        key = experiment.spec.key
        return [seed for seed in experiment.missing if (key, seed) not in self._settled]

    def running_seeds(self, experiment: Experiment) -> dict[int, int]:
        """Seeds under way, and their steps."""
        key = experiment.spec.key
        return {seed: going.step for (own, seed), going in self._running.items() if own == key}

    def seconds_left(self, experiment: Experiment) -> float | None:
        """Until the cell's last seed ends, if as many of its seeds go on at once as now; None if nothing is known."""
        works = self._seconds_of_open_seeds(experiment)
        if works is None:
            return None
        side_by_side = min(max(1, len(self.running_seeds(experiment))), max(1, len(works)))
        return max([sum(works) / side_by_side, *works], default=0.0)

    def total_left(self) -> float | None:
        """Until everything ends; cells without any known time count like the mean of the others."""
        works: list[float] = []
        unknown = 0
        seen = set()
        for experiment in self._experiments:
            if experiment.spec.key in seen:
                continue
            seen.add(experiment.spec.key)
            found = self._seconds_of_open_seeds(experiment)
            if found is None:
                unknown += len(self.open(experiment))
            elif len(self.running_seeds(experiment)) > self._jobs:  # seeds that advance together in one worker
                works.append(max(found, default=0.0))
            else:
                works += found
        if not works and unknown:
            return None
        mean = sum(works) / len(works) if works else 0.0
        return max([(sum(works) + unknown * mean) / self._jobs, *works])

    def _seconds_of_open_seeds(self, experiment: Experiment) -> list[float] | None:
        """Seconds of work left for each open seed; None if the cell's pace is unknown."""
        whole = self._seconds_of_a_run(experiment)
        works = []
        for seed in self.open(experiment):
            going = self._running.get((experiment.spec.key, seed))
            if whole is None:
                return None
            share = 1.0 if going is None else 1.0 - min(1.0, going.step / experiment.spec.steps)
            works.append(whole * share)
        return works

    def _seconds_of_a_run(self, experiment: Experiment) -> float | None:
        """Seconds of a whole run: of those under way, else of finished ones."""
        paces = [
            (self._now() - going.started_at) / (going.step - going.first)
            for (key, _), going in self._running.items()
            if key == experiment.spec.key and going.step > going.first
        ]
        if paces:
            return experiment.spec.steps * sum(paces) / len(paces)
        return experiment.seconds
