"""Where runs are made: worker processes of this machine, or what a plugin registers as an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from zoo.errors import UsageError

if TYPE_CHECKING:
    from zoo.discovery.registry import Registry
    from zoo.training.callbacks import Callback
    from zoo.training.settings import Settings
    from zoo.training.stop import Stop
    from zoo.training.workers.pool import TaskResult, WorkerTask

LOCAL = "local"


class Workers(Protocol):
    """Brings tasks to their end, side by side."""

    def run(
        self, tasks: Iterable[WorkerTask], callback: Callback, stop: Stop, ended: Callable[[TaskResult], None]
    ) -> None:
        """As ``zoo.training.Pool.run``."""


@dataclass(frozen=True, kw_only=True)
class Executor:
    """A choice of ``--executor``, not yet started.

    Attributes:
        name: "local", or that of an executor that a plugin registers.
        options: of that executor, as text.
        jobs: workers side by side; None: one, or all that a cluster has.
    """

    name: str = LOCAL
    options: Mapping[str, str] = field(default_factory=dict)
    jobs: int | None = None

    @classmethod
    def parse(cls, name: str, options: Sequence[str], jobs: int | None) -> Executor:
        """That of ``--executor NAME``, of ``--executor-option KEY=VALUE ...`` and of ``--jobs N``.

        Raises:
            UsageError: an option is no KEY=VALUE, or was given twice.
        """
        given: dict[str, str] = {}
        for option in options:
            key, _, value = option.partition("=")
            if not key or not value:
                raise UsageError(f"--executor-option {option!r}: expected KEY=VALUE.")
            if key in given:
                raise UsageError(f"--executor-option {key} was given twice: {given[key]!r} and {value!r}.")
            given[key] = value
        return cls(name=name, options=given, jobs=jobs)

    def serves(self, seeds: int) -> bool:
        """Whether that many seeds are for workers, and not for this process."""
        return self.name != LOCAL or bool(self.options) or ((self.jobs or 1) > 1 and seeds > 1)

    def workers(
        self, registry: Registry, settings: Settings, preload: Sequence[str] = ()
    ) -> AbstractContextManager[Workers]:
        """The workers, which are started, or reached, when the context is entered, and end with it.

        Args:
            registry: plugins; each worker discovers them anew.
            settings: how to run.
            preload: modules that local workers import once for all.

        Raises:
            UsageError: there is no such executor, it is not installed, or has no such option.
        """
        if self.name != LOCAL:
            start = registry.find(self.name, "executor", also=[LOCAL]).resolve()
            workers: AbstractContextManager[Workers] = start(self.options, self.jobs, registry, settings)
            return workers
        for key in self.options:
            raise UsageError(f"--executor {LOCAL} has no options, and {key!r} was given.")
        from zoo.training.workers.pool import Pool

        return Pool(self.jobs or 1, registry, settings, preload)
