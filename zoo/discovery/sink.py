"""Sinks: what plugins write of every run, each run by a writer of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from zoo.discovery.hooks import hookimpl


class RunWriter(Protocol):
    """What one run is written with, from a start or resumption to its end."""

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Take the metrics of one update, at ``step`` environment steps."""

    def saved(self) -> None:
        """A checkpoint was saved: a resumed run continues from there, and does not come by earlier steps again."""

    def close(self, status: str) -> None:
        """The run ended: "finished", "failed" or "interrupted"."""


class Sink:
    """Hooks that keep a writer for each run in progress; several may be in progress at once.

    An entry point that names one registers it: ``sink = Sink(EventFile)``.

    Args:
        open_run: makes the writer of a run, which has ``path``, ``seed`` and ``spec``; None leaves the run out.
    """

    def __init__(self, open_run: Callable[[Any], RunWriter | None]) -> None:
        self._open = open_run
        self._writers: dict[Path, RunWriter] = {}

    @hookimpl
    def zoo_run_started(self, run: Any) -> None:
        """Open the run's writer."""
        if (writer := self._open(run)) is not None:
            self._writers[run.path] = writer

    @hookimpl
    def zoo_metrics(self, run: Any, step: int, metrics: Mapping[str, float]) -> None:
        """Write one update's metrics."""
        if run.path in self._writers:
            self._writers[run.path].write(step, metrics)

    @hookimpl
    def zoo_checkpoint(self, run: Any) -> None:
        """Tell the writer."""
        if run.path in self._writers:
            self._writers[run.path].saved()

    @hookimpl
    def zoo_run_finished(self, run: Any, status: str) -> None:
        """Close the run's writer."""
        if (writer := self._writers.pop(run.path, None)) is not None:
            writer.close(status)
