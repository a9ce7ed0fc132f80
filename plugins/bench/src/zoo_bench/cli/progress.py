"""Progress of a suite on the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from zoo import RunResult
from zoo.cli import PLAIN_SECONDS, REFRESH_SECONDS
from zoo.terminal import console
from zoo.training import RunDir, Silent
from zoo_bench.cli.clock import Clock
from zoo_bench.sweep import Experiment

_MOST_ROWS = 20


class SilentProgress(Silent):
    """Shows nothing."""

    def settled(self, experiment: Experiment, seed: int) -> None:
        """As SweepCallback."""


class SweepProgress(SilentProgress):
    """A line with a bar and the time left for each open cell and for all; on a plain stream, lines now and then."""

    def __init__(self, experiments: Sequence[Experiment], jobs: int) -> None:
        self._experiments = experiments
        self._clock = Clock(experiments, jobs)
        self._console = console(stderr=True)
        self._total = len({(e.spec.key, seed) for e in experiments for seed in e.missing})
        self._ended: set[tuple[str, int]] = set()
        self._shown = time.monotonic()
        self._live: Live | None = None
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> SweepProgress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """As SweepCallback."""
        self._clock.begin(run.spec.key, run.seed, step)
        self._show()

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """As SweepCallback."""
        self._clock.update(run.spec.key, run.seed, step)
        self._show()

    def finished(self, run: RunDir, result: RunResult) -> None:
        """As SweepCallback."""
        self._clock.end(run.spec.key, run.seed)

    def settled(self, experiment: Experiment, seed: int) -> None:
        """As SweepCallback."""
        identity = (experiment.spec.key, seed)
        self._clock.settle(*identity)
        if identity in self._ended:
            return
        self._ended.add(identity)
        state = experiment.states[seed]
        words = {"finished": "done", "partial": "stopped, and saved", "unjudged": "trained, but not judged"}
        message = experiment.errors.get(seed, "")
        what = f"failed: {message}" if message else words.get(state, state)
        line = f"{experiment.name}, seed {seed}: {what}"
        if self._live is None:
            sys.stderr.write(f"{line}  ({self._total_text()})\n")
            self._shown = time.monotonic()
        elif message:
            self._console.print(Text(line), soft_wrap=True)
        self._show()

    def _total_text(self) -> str:
        left = self._clock.total_left()
        return f"{len(self._ended)}/{self._total} runs{'' if left is None else f', {duration(left)} left'}"

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._shown < (REFRESH_SECONDS if self._live is not None else PLAIN_SECONDS):
            return
        self._shown = now
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
            return
        under_way = []
        for experiment in self._experiments:
            for seed, step in self._clock.running_seeds(experiment).items():
                if seed in experiment.states:
                    under_way.append(f"{experiment.name} seed {seed} {step}/{experiment.spec.steps}")
        sys.stderr.write(f"{'; '.join(under_way[:4])}  ({self._total_text()})\n")

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        open_ones = [experiment for experiment in self._experiments if self._clock.open(experiment)]
        open_ones.sort(key=lambda experiment: not self._clock.running_seeds(experiment))
        for experiment in open_ones[:_MOST_ROWS]:
            going = self._clock.running_seeds(experiment)
            total = len(experiment.states)
            done = total - len(self._clock.open(experiment))
            share = done + sum(min(1.0, step / experiment.spec.steps) for step in going.values())
            left = self._clock.seconds_left(experiment)
            seeds = f"{done}/{total} seeds"
            bar = ProgressBar(total=total, completed=min(total, share), width=24)
            table.add_row(
                Text(experiment.name, style="" if going else "dim"), bar, seeds, "" if left is None else duration(left)
            )
        if len(open_ones) > _MOST_ROWS:
            table.add_row(Text(f"and {len(open_ones) - _MOST_ROWS} cells more", style="dim"))
        left = self._clock.total_left()
        table.add_row(
            Text("all", style="bold"), ProgressBar(total=max(1, self._total), completed=len(self._ended), width=24),
            f"{len(self._ended)}/{self._total} runs", "" if left is None else f"{duration(left)} left",
        )  # fmt: skip
        return table


def duration(seconds: float) -> str:
    """A length of time for people: "12 s", "3 min", "2 h 05 min"."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
