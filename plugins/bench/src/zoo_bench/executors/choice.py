"""From ``--executor`` and its options to the workers that a sweep is given."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from zoo import UnknownNameError, UsageError

if TYPE_CHECKING:
    from zoo.discovery import Registry
    from zoo.training import Callback, Settings, Stop, TaskResult, WorkerTask

EXECUTORS = ("local", "dask", "ray", "slurm")
PRELOAD = ("zoo_bench.sweep",)


@dataclass(frozen=True)
class _Library:
    """What an engine needs: a module of the library, its extra, and the options that it takes, by name.

    An option without words is one of the library's own and is described there.
    """

    module: str
    options: Mapping[str, str]


_LIBRARIES = {
    "dask": _Library("distributed", {"scheduler": "address of a running scheduler, such as tcp://host:8786"}),
    "ray": _Library("ray", {"address": "address of a running cluster, such as auto or ray://host:10001"}),
    "slurm": _Library(
        "submitit",
        {
            "cluster": "local: processes of this machine in place of Slurm, to try it out",
            **dict.fromkeys(
                ("partition", "time", "mem", "mem_per_cpu", "cpus_per_task", "account", "qos", "constraint", "gres",
                 "gpus_per_node", "nodelist", "exclude", "dependency", "mail_type", "mail_user", "comment", "setup"),
                "",
            ),
        },
    ),
}  # fmt: skip


class Workers(Protocol):
    """Brings tasks to their end, side by side."""

    def run(
        self, tasks: Iterable[WorkerTask], callback: Callback, stop: Stop, ended: Callable[[TaskResult], None]
    ) -> None:
        """As ``zoo.training.Pool.run``."""


@dataclass(frozen=True)
class Executor:
    """A choice of ``EXECUTORS`` with its options, not yet started.

    Attributes:
        name: one of ``EXECUTORS``.
        options: those of ``--executor-option``.
        jobs: workers side by side; None: one, or all that a cluster has.
    """

    name: str = "local"
    options: Mapping[str, str] = field(default_factory=dict)
    jobs: int | None = None

    def workers(self, registry: Registry, settings: Settings) -> AbstractContextManager[Workers]:
        """Start, or reach, the workers; leaving the context ends what was started.

        Raises:
            UsageError: a scheduler cannot be reached, or does not suit.
        """
        if self.name == "local":
            from zoo.training import Pool

            return Pool(self.jobs or 1, registry, settings, PRELOAD)
        from zoo_bench.executors.remote import Remote

        engine = importlib.import_module(f"zoo_bench.executors.{self.name}_engine")
        return Remote(lambda: engine.start(self.jobs, dict(self.options), settings), registry, settings)


def choose(name: str, options: Sequence[str] = (), jobs: int | None = None) -> Executor:
    """The executor of these arguments of the command line.

    Args:
        name: one of ``EXECUTORS``.
        options: each ``KEY=VALUE``.
        jobs: workers side by side, if it was said.

    Raises:
        UsageError: its library is not installed, or has no such option.
    """
    library = _LIBRARIES.get(name)
    given: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key or not value:
            raise UsageError(f"--executor-option {option!r}: expected KEY=VALUE.")
        if library is None:
            raise UsageError(f"--executor {name} has no options, and {option!r} was given.")
        if key not in library.options:
            raise UnknownNameError(f"option of --executor {name}", key, library.options)
        if key in given:
            raise UsageError(f"--executor-option {key} was given twice: {given[key]!r} and {value!r}.")
        given[key] = value
    if library is not None and importlib.util.find_spec(library.module) is None:
        raise UsageError(
            f"--executor {name} needs the package {library.module}, which is not installed.",
            f"pip install 'zoo-bench[{name}]'",
        )
    return Executor(name, given, jobs)
