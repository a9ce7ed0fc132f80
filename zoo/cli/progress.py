"""Progress of training on the terminal, and the summary after it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from zoo.terminal.live import LiveLines
from zoo.terminal.streams import console, raw
from zoo.training.settings import RunResult
from zoo.training.storage.run_dir import RunDir
from zoo.training.storage.spec import RunSpec

REFRESH_SECONDS = 0.2
PLAIN_SECONDS = 10.0
WIDE = 160
_MAX_METRICS = 3
"""metrics shown of a run"""
_RESIDUALS = ("err", "kkt", "gap", "oscillation")
_LAST = ("count", "length", "seconds", "lr", "learning_rate", "n_updates")


class Terminal:
    """For each seed a line with the count, the time left and the latest metrics; on a plain stream, now and then."""

    def __init__(self, spec: RunSpec, count: int) -> None:
        self._spec = spec
        self._count = count
        self._done = 0
        self._seeds: dict[int, _Seed] = {}
        self._shown = time.monotonic()
        err = console(stderr=True)
        self._live = LiveLines(raw(sys.stderr), err.width) if err.is_terminal else None

    def __enter__(self) -> Terminal:
        self._refresh()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.clear()

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """As Callback."""
        if self._live is None and not self._seeds and not self._done:  # what cannot start is one sentence alone
            self._print(self._starting)
        self._seeds[run.seed] = _Seed(step, step, time.monotonic())
        if notice:
            self._print(f"seed {run.seed}: {notice}")
        self._refresh()

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """As Callback."""
        seed = self._seeds[run.seed]
        seed.latest.update(metrics)
        seed.step = step
        now = time.monotonic()
        if now - self._shown < (REFRESH_SECONDS if self._live is not None else PLAIN_SECONDS):
            return
        self._shown = now
        if self._live is not None:
            self._refresh()
        else:
            self._print(seed.line(run.seed, self._spec.steps, WIDE, now))

    def checkpointed(self, run: RunDir, path: Path) -> None:
        """As Callback."""

    def finished(self, run: RunDir, result: RunResult) -> None:
        """As Callback."""
        self._seeds.pop(run.seed, None)
        self._done += 1
        self._refresh()

    @property
    def _starting(self) -> str:
        return f"starting {' on '.join(self._spec.short)}"

    def _print(self, text: str) -> None:
        """Print a line that stays."""
        if self._live is not None:
            self._live.clear()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def _refresh(self) -> None:
        if self._live is None:
            return
        now, width = time.monotonic(), self._live.width
        lines = [f"all seeds  {self._done}/{self._count}"] if self._count > 1 else []
        lines += [seed.line(number, self._spec.steps, width, now) for number, seed in self._seeds.items()]
        if not self._seeds and self._done < self._count:
            lines.append(self._starting)
        if lines:
            self._live.show(lines)


@dataclass
class _Seed:
    """The progress of a seed: its first and latest step in this process, when it began, and its latest metrics."""

    first: int
    step: int
    began: float
    latest: dict[str, float] = field(default_factory=dict)

    def line(self, number: int, total: int, width: int, now: float) -> str:
        """One line, counters first; what does not fit is left out, the least important first."""
        text = f"seed {number}  {self.step}/{total}"
        if not self.latest:
            return f"{text}  starting"
        names = by_meaning(self.latest)[:_MAX_METRICS]
        pieces = [*self._time_left(total, now), *(f"{name} {self.latest[name]:.4g}" for name in names)]
        for piece in pieces:
            if cell_len(text) + 2 + cell_len(piece) > width:
                break
            text += f"  {piece}"
        return text

    def _time_left(self, total: int, now: float) -> list[str]:
        steps_done = self.step - self.first
        if steps_done <= 0 or self.step >= total:
            return []
        seconds = round((now - self.began) / steps_done * (total - self.step))
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return [f"{hours}:{minutes:02d}:{seconds:02d} left"]


def summary(spec: RunSpec, results: Sequence[RunResult], stop_reason: str, asked: int) -> None:
    """Where the runs are, what they reached, and what to type next; ``asked``: how many runs there were to be."""
    out = console()
    if not out.is_terminal:
        out = console(width=WIDE)
    algorithm, environment = spec.short
    table = Table(title=f"{algorithm} on {environment}", title_justify="left", box=None, pad_edge=False)
    for heading in ("seed", "status", "steps"):
        table.add_column(heading, justify="right" if heading != "status" else "left", no_wrap=True)
    shown: list[str] = []
    for result in results:
        names = [name for name in by_meaning(result.metrics) if name != "eval/return"][:_MAX_METRICS]
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
            row += ["{return:.4g}" if result.score else "", "[{low:.4g}, {high:.4g}]" if "low" in result.score else ""]
        row += [f"{result.metrics[name]:.3g}" if name in result.metrics else "" for name in shown]
        table.add_row(*(cell.format(**result.score) for cell in row))
    out.print(table)
    for message in dict.fromkeys(result.message for result in results if result.message and result.status != "failed"):
        seeds = [str(result.seed) for result in results if result.message == message]
        which = f"seed {', '.join(seeds)}: " if len(results) > 1 else ""
        out.print(Text(f"{which}{message}"))
    if stop_reason:
        finished = sum(result.status == "finished" for result in results)
        out.print(Text(stop_message(stop_reason, left=asked - finished)))
    if results:
        place = results[0].path if len(results) == 1 else results[0].path.parent
        out.print(Text(f"\n{place}", style="bold"), soft_wrap=True)
        nothing = all(result.status == "failed" and not result.metrics for result in results)
        out.print(Text(f"next: zoo {'show' if nothing else 'plot'} {place}", style="dim"), soft_wrap=True)
    sys.stdout.flush()


def stop_message(reason: str, *, left: int) -> str:
    """A sentence on a stop by a signal or a time limit; ``left`` runs are not finished."""
    if not left:
        return f"Stopped ({reason}) when every run had finished."
    return f"Stopped ({reason}); everything is saved. The same command continues."


def by_meaning(names: Iterable[str]) -> list[str]:
    """Names of metrics, the most important first; equals stay in their order."""
    return sorted(names, key=_rank)


def _rank(name: str) -> int:
    last = name.rpartition("/")[2]
    if name in ("eval/return", "episode/return"):
        return 0 if name == "eval/return" else 1
    if "return" in last:
        return 2
    if last in _RESIDUALS:
        return 3
    if "loss" in name:
        return 4
    return 6 if last in _LAST else 5
