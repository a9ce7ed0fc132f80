"""What a person sees while runs train, and after."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from zoo.training.run import RunDir
from zoo.training.session import RunResult
from zoo.training.spec import RunSpec
from zoo.visible import console

REFRESH_SECONDS = 0.2
PLAIN_SECONDS = 10.0
WIDE = 160
_FIRST = ("eval/return", "episode/return", "err", "oscillation", "kkt")


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to put away."""

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """As Watcher."""

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """As Watcher."""

    def checkpointed(self, run: RunDir, path: Path) -> None:
        """As Watcher."""

    def finished(self, run: RunDir, result: RunResult) -> None:
        """As Watcher."""


class Terminal:
    """A bar with the time left and the latest metrics for each seed; on a plain stream, a line now and then."""

    def __init__(self, spec: RunSpec, count: int) -> None:
        self._spec = spec
        self._console = console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            TextColumn("{task.fields[latest]}"), console=self._console, auto_refresh=False,
        )  # fmt: skip
        self._all: TaskID | None = None
        if count > 1:
            self._all = self._progress.add_task("all seeds", total=count, latest="")
        self._tasks: dict[int, TaskID] = {}
        self._latest: dict[int, dict[str, float]] = {}
        self._shown = time.monotonic()
        self._live: Live | None = None
        if self._console.is_terminal:
            self._live = Live(Group(self._progress), console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Terminal:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """As Watcher."""
        self._tasks[run.seed] = self._progress.add_task(
            f"seed {run.seed}", total=self._spec.steps, completed=step, latest=""
        )
        if notice:
            self._console.print(Text(f"seed {run.seed}: {notice}", style="dim"))

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """As Watcher."""
        latest = self._latest.setdefault(run.seed, {})
        latest.update(metrics)
        now = time.monotonic()
        pause = REFRESH_SECONDS if self._live is not None else PLAIN_SECONDS
        if now - self._shown < pause:
            return
        self._shown = now
        words = "  ".join(f"{name} {value:.4g}" for name, value in _chosen(latest))
        self._progress.update(self._tasks[run.seed], completed=min(step, self._spec.steps), latest=words)
        if self._live is not None:
            self._live.refresh()
        else:
            self._console.print(f"seed {run.seed}  {step}/{self._spec.steps}  {words}", soft_wrap=True)

    def checkpointed(self, run: RunDir, path: Path) -> None:
        """As Watcher."""

    def finished(self, run: RunDir, result: RunResult) -> None:
        """As Watcher."""
        if run.seed in self._tasks:
            self._progress.remove_task(self._tasks.pop(run.seed))
        if self._all is not None:
            self._progress.advance(self._all)


def _chosen(metrics: Mapping[str, float], count: int = 3) -> list[tuple[str, float]]:
    names = [name for name in _FIRST if name in metrics] + [name for name in metrics if name not in _FIRST]
    return [(name, metrics[name]) for name in names[:count]]


def summary(spec: RunSpec, results: Sequence[RunResult], stopped: str) -> None:
    """Where the runs are, what they reached, and what to type next."""
    out = console()
    if not out.is_terminal:
        out = console(width=WIDE)
    algorithm, environment = spec.short
    table = Table(title=f"{algorithm} on {environment}", title_justify="left", box=None, pad_edge=False)
    for heading in ("seed", "status", "steps"):
        table.add_column(heading, justify="right" if heading != "status" else "left", no_wrap=True)
    shown: list[str] = []
    for result in results:
        telling = [name for name in _FIRST if name in result.metrics and name != "eval/return"]
        names = telling[:3] or list(result.metrics)[:3]
        shown += [name for name in names if name not in shown]
    scored = any(result.score for result in results)
    if scored:
        table.add_column("return", justify="right", no_wrap=True)
        table.add_column("95 % interval", justify="right", no_wrap=True)
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
    for result in results:
        row = [str(result.seed), result.outcome.replace("_", " ") or result.status, str(result.steps)]
        if scored:
            row += ["{return:.4g}", "[{low:.4g}, {high:.4g}]"] if result.score else ["", ""]
        row += [f"{result.metrics[name]:.3g}" if name in result.metrics else "" for name in shown]
        table.add_row(*(cell.format(**result.score) for cell in row))
    out.print(table)
    for message in dict.fromkeys(result.message for result in results if result.message):
        seeds = [str(result.seed) for result in results if result.message == message]
        which = f"seed {', '.join(seeds)}: " if len(results) > 1 else ""
        out.print(Text(f"{which}{message}"))
    if stopped:
        out.print(Text(f"Stopped ({stopped}); everything is saved. The same command continues."))
    if results:
        place = results[0].path if len(results) == 1 else results[0].path.parent
        out.print(Text(f"\n{place}", style="bold"), soft_wrap=True)
        out.print(Text(f"next: zoo plot {place}", style="dim"), soft_wrap=True)
    sys.stdout.flush()
