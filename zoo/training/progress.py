"""Progress of training, on the terminal and in a notebook."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from rich.cells import cell_len

from zoo.terminal.live import LiveLines
from zoo.terminal.notebook import NotebookLines, in_notebook
from zoo.terminal.streams import console, raw
from zoo.training.settings import RunResult
from zoo.training.storage.run_dir import RunDir
from zoo.training.storage.spec import RunSpec

REFRESH_SECONDS = 0.2
PLAIN_SECONDS = 10.0
WIDE = 160
MAX_METRICS = 3
"""metrics shown of a run"""
_RESIDUALS = ("err", "kkt", "gap", "oscillation")
_LAST = ("count", "length", "seconds", "lr", "learning_rate", "n_updates")


class Terminal:
    """For each seed a line with the count, the time left and the latest metrics; on a plain stream, now and then.

    In a notebook the lines stand below the cell.
    """

    def __init__(self, spec: RunSpec, count: int) -> None:
        self._spec = spec
        self._count = count
        self._done = 0
        self._seeds: dict[int, _Seed] = {}
        self._shown = time.monotonic()
        self._live: LiveLines | NotebookLines | None = None
        if in_notebook():
            self._live = NotebookLines()
        elif (err := console(stderr=True)).is_terminal:
            self._live = LiveLines(raw(sys.stderr), err.width)

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
        names = by_meaning(self.latest)[:MAX_METRICS]
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


def by_meaning(names: Iterable[str]) -> list[str]:
    """Names of metrics, the most important first; equals stay in their order."""
    return sorted(names, key=_rank)


def _rank(name: str) -> int:
    last = name.rpartition("/")[2]
    if name in ("eval/return", "episode/return"):
        return 0 if name == "eval/return" else 1
    if "return" in last or name == "eval/violation":
        return 2
    if last in _RESIDUALS:
        return 3
    if "loss" in name:
        return 4
    return 6 if last in _LAST else 5
