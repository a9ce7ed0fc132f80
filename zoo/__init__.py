"""zoo: reinforcement-learning and in-context-learning algorithms as plugins of a small core.

Public names are imported on first use, so that ``import zoo`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo._version import __version__
from zoo.lazy import lazy_names

if TYPE_CHECKING:
    from zoo.api import Algorithm as Algorithm
    from zoo.api import Array as Array
    from zoo.api import Batch as Batch
    from zoo.api import Constrained as Constrained
    from zoo.api import ConstraintSpec as ConstraintSpec
    from zoo.api import Context as Context
    from zoo.api import DiminishingRewards as DiminishingRewards
    from zoo.api import EvalContext as EvalContext
    from zoo.api import Evaluator as Evaluator
    from zoo.api import Explicit as Explicit
    from zoo.api import Grid as Grid
    from zoo.api import Metrics as Metrics
    from zoo.api import Multitask as Multitask
    from zoo.api import Needs as Needs
    from zoo.api import Offers as Offers
    from zoo.api import Outcome as Outcome
    from zoo.api import PrimalDual as PrimalDual
    from zoo.api import Problem as Problem
    from zoo.api import Report as Report
    from zoo.api import Representation as Representation
    from zoo.api import RepresentationBatch as RepresentationBatch
    from zoo.api import Snapshot as Snapshot
    from zoo.api import Solvable as Solvable
    from zoo.api import Stackable as Stackable
    from zoo.api import Stacked as Stacked
    from zoo.api import State as State
    from zoo.api import Subject as Subject
    from zoo.api import Tabular as Tabular
    from zoo.api import Task as Task
    from zoo.api import TaskDistribution as TaskDistribution
    from zoo.api import Transitions as Transitions
    from zoo.api import lookup as lookup
    from zoo.cli.parser import CommandOptions as CommandOptions
    from zoo.cli.parser import CommandParser as CommandParser
    from zoo.discovery.hooks import hookimpl as hookimpl
    from zoo.discovery.registration import Registrar as Registrar
    from zoo.discovery.registry import discover as discover
    from zoo.discovery.sink import RunWriter as RunWriter
    from zoo.discovery.sink import Sink as Sink
    from zoo.errors import InterfaceError as InterfaceError
    from zoo.errors import PluginError as PluginError
    from zoo.errors import RunError as RunError
    from zoo.errors import UnknownNameError as UnknownNameError
    from zoo.errors import UsageError as UsageError
    from zoo.errors import ZooError as ZooError
    from zoo.errors import nearest as nearest
    from zoo.ring import RingBuffer as RingBuffer
    from zoo.runs.evaluate import Evaluation as Evaluation
    from zoo.runs.evaluate import evaluate as evaluate
    from zoo.runs.store import Run as Run
    from zoo.runs.store import Series as Series
    from zoo.runs.store import open_runs as open_runs
    from zoo.seeding import stream as stream
    from zoo.training.environments.stack import Stack as Stack
    from zoo.training.environments.stack import stack as stack
    from zoo.training.load import LoadedRun as LoadedRun
    from zoo.training.load import load as load
    from zoo.training.settings import RunResult as RunResult
    from zoo.training.train import train as train


__getattr__, __dir__, _names = lazy_names(
    __name__,
    {
        "api": (
            "Algorithm", "Array", "Batch", "Constrained", "ConstraintSpec", "Context", "DiminishingRewards",
            "EvalContext", "Evaluator", "Explicit", "Grid", "Metrics", "Multitask", "Needs", "Offers", "Outcome",
            "PrimalDual", "Problem", "Report", "Representation", "RepresentationBatch", "Snapshot", "Solvable",
            "Stackable", "Stacked", "State", "Subject", "Tabular", "Task", "TaskDistribution", "Transitions", "lookup",
        ),
        "cli.parser": ("CommandOptions", "CommandParser"),
        "discovery.hooks": ("hookimpl",),
        "discovery.registration": ("Registrar",),
        "discovery.registry": ("discover",),
        "discovery.sink": ("RunWriter", "Sink"),
        "errors": (
            "InterfaceError", "PluginError", "RunError", "UnknownNameError", "UsageError", "ZooError", "nearest",
        ),
        "ring": ("RingBuffer",),
        "runs.evaluate": ("Evaluation", "evaluate"),
        "runs.store": ("Run", "Series", "open_runs"),
        "seeding": ("stream",),
        "training.environments.stack": ("Stack", "stack"),
        "training.load": ("LoadedRun", "load"),
        "training.settings": ("RunResult",),
        "training.train": ("train",),
    },
)  # fmt: skip
__all__ = ["__version__", *_names]
