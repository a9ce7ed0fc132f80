"""The executors that this plugin registers: each checks its options, and is started when it is entered."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from zoo import UnknownNameError, UsageError

if TYPE_CHECKING:
    from zoo.discovery import Registry
    from zoo.training import Settings
    from zoo_bench.executors.remote import Remote


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


def _remote(name: str, options: Mapping[str, str], jobs: int | None, registry: Registry, settings: Settings) -> Remote:
    """The workers of an engine, not yet started.

    Args:
        name: of the engine.
        options: of ``--executor-option``.
        jobs: workers side by side; None: one, or all that a cluster has.
        registry: plugins; each worker discovers them anew.
        settings: how to run.

    Raises:
        UsageError: its library is not installed, or has no such option.
    """
    library = _LIBRARIES[name]
    for key in options:
        if key not in library.options:
            raise UnknownNameError(f"option of --executor {name}", key, library.options)
    if importlib.util.find_spec(library.module) is None:
        raise UsageError(
            f"--executor {name} needs the package {library.module}, which is not installed.",
            f"pip install 'zoo-bench[{name}]'",
        )
    from zoo_bench.executors.remote import Remote

    engine = importlib.import_module(f"zoo_bench.executors.{name}_engine")
    return Remote(lambda: engine.start(jobs, dict(options), settings), registry, settings)


dask = partial(_remote, "dask")
ray = partial(_remote, "ray")
slurm = partial(_remote, "slurm")
