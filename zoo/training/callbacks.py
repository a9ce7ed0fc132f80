"""The callbacks of training: their protocol, and how events reach the hooks of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

from zoo.discovery.registration import describe
from zoo.discovery.registry import Registry
from zoo.training.settings import RunResult
from zoo.training.storage.run_dir import RunDir


class Callback(Protocol):
    """The interface of callbacks: the terminal, a worker's pipe, hooks of plugins."""

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """A run begins, or continues from ``step``."""

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """Metrics of an update, or of an evaluation, were logged."""

    def checkpointed(self, run: RunDir, path: Path) -> None:
        """A checkpoint was saved, whole."""

    def finished(self, run: RunDir, result: RunResult) -> None:
        """The run ended, whichever way."""


class Silent:
    """A callback that does nothing; also a context manager, as the terminal's is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to put away."""

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """As Callback."""

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """As Callback."""

    def checkpointed(self, run: RunDir, path: Path) -> None:
        """As Callback."""

    def finished(self, run: RunDir, result: RunResult) -> None:
        """As Callback."""


class CallbackDispatcher:
    """Passes events on to a callback and to the hooks of plugins; a hook's module that raises is named and left out."""

    def __init__(self, registry: Registry, callback: Callback) -> None:
        self._registry = registry
        self._callback: Callback | None = callback
        self._muted: set[Any] = set()
        self.notices: list[str] = []

    def _call(self, hook: str, **arguments: Any) -> None:
        for answer in self._registry.ask(hook, muted=self._muted, **arguments):
            if answer.error is not None:  # an observer must not stop training
                self._muted.add(answer.source)
                what = describe(answer.error)
                self.notices.append(f"plugin {answer.plugin} failed in {hook} and is left out of this run: {what}")

    def _tell(self, event: str, *arguments: Any) -> None:
        """Call the callback; a terminal that is gone must not stop training either."""
        if self._callback is not None:
            try:
                getattr(self._callback, event)(*arguments)
            except OSError:
                self._callback = None

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """As Callback."""
        self._call("zoo_run_started", run=run)
        self._tell("started", run, step, notice)

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """As Callback."""
        self._call("zoo_metrics", run=run, step=step, metrics=metrics)
        self._tell("updated", run, step, metrics)

    def checkpointed(self, run: RunDir, path: Path) -> None:
        """As Callback."""
        self._call("zoo_checkpoint", run=run, path=path)
        self._tell("checkpointed", run, path)

    def finished(self, run: RunDir, result: RunResult) -> None:
        """As Callback."""
        self._call("zoo_run_finished", run=run, status=result.status)
        self._tell("finished", run, result)
