"""Estimated time of a sweep, from runs that are finished and those that are under way."""

from __future__ import annotations

import time
from collections import defaultdict
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
        self._running: defaultdict[str, dict[int, _RunningSeed]] = defaultdict(dict)
        self._settled: set[tuple[str, int]] = set()
        self._together: set[str] = set()
        """Keys of the cells whose seeds advance together: more of them are under way than there are workers."""

    def begin(self, key: str, seed: int, step: int) -> None:
        """A run starts, or continues, at ``step``."""
        self._running[key][seed] = _RunningSeed(self._now(), step, step)
        if len(self._running[key]) > self._jobs:
            self._together.add(key)

    def update(self, key: str, seed: int, step: int) -> None:
        """A run has come to ``step``."""
        self._running[key][seed].step = step

    def end(self, key: str, seed: int) -> None:
        """A run has ended."""
        self._running[key].pop(seed, None)

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
        return {seed: going.step for seed, going in self._running[experiment.spec.key].items()}

    def seconds_left(self, experiment: Experiment) -> float | None:
        """Until the cell's last seed ends, if as many of its seeds go on at once as now; None if nothing is known."""
        works = self._seconds_of_open_seeds(experiment)
        if works is None:
            return None
        side_by_side = min(max(1, len(self.running_seeds(experiment))), max(1, len(works)))
        return max([sum(works) / side_by_side, *works], default=0.0)

    def total_left(self) -> float | None:
        """Until everything ends; a cell without any known time counts like the mean of those with one."""
        works: list[float] = []
        whole_cells: list[float] = []
        unknown = 0
        seen = set()
        for experiment in self._experiments:
            if experiment.spec.key in seen:
                continue
            seen.add(experiment.spec.key)
            together = experiment.spec.key in self._together
            found, run = self._seconds_of_open_seeds(experiment), self._seconds_of_a_run(experiment)
            if run is not None:
                whole_cells.append(run * (1 if together else len(experiment.states)))
            if found is None:
                unknown += bool(self.open(experiment))
            else:
                works += [max(found, default=0.0)] if together else found
        if not whole_cells and unknown:
            return None
        mean = sum(whole_cells) / len(whole_cells) if whole_cells else 0.0
        return max([(sum(works) + unknown * mean) / self._jobs, *works])

    def _seconds_of_open_seeds(self, experiment: Experiment) -> list[float] | None:
        """Seconds of work left for each open seed; None if the cell's pace is unknown."""
        whole = self._seconds_of_a_run(experiment)
        works = []
        for seed in self.open(experiment):
            going = self._running[experiment.spec.key].get(seed)
            if whole is None:
                return None
            share = 1.0 if going is None else 1.0 - min(1.0, going.step / experiment.spec.steps)
            works.append(whole * share)
        return works

    def _seconds_of_a_run(self, experiment: Experiment) -> float | None:
        """Seconds of a whole run: of those under way, else of finished ones."""
        paces = [
            (self._now() - going.started_at) / (going.step - going.first)
            for going in self._running[experiment.spec.key].values()
            if going.step > going.first
        ]
        if paces:
            return experiment.spec.steps * sum(paces) / len(paces)
        return experiment.seconds
