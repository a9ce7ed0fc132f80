"""From names to finished run directories: requests, specs, the training loop and its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.lazy import lazy_names

if TYPE_CHECKING:
    from zoo.training.callbacks import Callback as Callback
    from zoo.training.callbacks import Silent as Silent
    from zoo.training.loop import train_seeds as train_seeds
    from zoo.training.request import RunRequest as RunRequest
    from zoo.training.request import draft as draft
    from zoo.training.request import parse_seeds as parse_seeds
    from zoo.training.request import resolve as resolve
    from zoo.training.settings import Cadence as Cadence
    from zoo.training.settings import RunResult as RunResult
    from zoo.training.settings import Settings as Settings
    from zoo.training.stop import Stop as Stop
    from zoo.training.storage.run_dir import SPEC as SPEC
    from zoo.training.storage.run_dir import RunDir as RunDir
    from zoo.training.storage.spec import OUTSIDE_THE_KEY as OUTSIDE_THE_KEY
    from zoo.training.storage.spec import UNIFORM as UNIFORM
    from zoo.training.storage.spec import RunSpec as RunSpec
    from zoo.training.workers.executor import Executor as Executor
    from zoo.training.workers.executor import Workers as Workers
    from zoo.training.workers.pool import Pool as Pool
    from zoo.training.workers.pool import TaskResult as TaskResult
    from zoo.training.workers.pool import WorkerTask as WorkerTask
    from zoo.training.workers.seeds import split_seeds as split_seeds

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "callbacks": ("Callback", "Silent"),
        "loop": ("train_seeds",),
        "request": ("RunRequest", "draft", "parse_seeds", "resolve"),
        "settings": ("Cadence", "RunResult", "Settings"),
        "stop": ("Stop",),
        "storage.run_dir": ("RunDir", "SPEC"),
        "storage.spec": ("OUTSIDE_THE_KEY", "RunSpec", "UNIFORM"),
        "workers.executor": ("Executor", "Workers"),
        "workers.pool": ("Pool", "WorkerTask", "TaskResult"),
        "workers.seeds": ("split_seeds",),
    },
)
