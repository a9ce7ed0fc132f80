"""Running a suite: what is missing, in which order, in warm workers, with each run judged when it is finished."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from zoo import Run, RunError, ZooError
from zoo.discovery import Registry, decode_fields, encode_fields, slug
from zoo.runs import Judge, evaluator_config
from zoo.training import (
    SPEC,
    Callback,
    RunDir,
    RunSpec,
    Settings,
    Stop,
    TaskResult,
    Workers,
    WorkerTask,
    split_seeds,
    train_seeds,
)
from zoo_bench.digests.code import code_of
from zoo_bench.digests.record import Recorder, record_judgement, training_code
from zoo_bench.files import sha256_of
from zoo_bench.schema import Cell, Suite

PRELOAD = (__name__,)
"""Modules that local workers import once for all."""
State = Literal["finished", "unjudged", "partial", "new", "failed"]


@dataclass
class Experiment:
    """One cell of one suite, its runs, and how long they take.

    Attributes:
        suite: the suite's name.
        cell: the resolved cell.
        states: state of the run with each seed. "unjudged": finished, and an evaluator has not seen it.
        seconds: what one seed takes, from finished ones; None if none is known.
        errors: why a seed failed.
        judges: evaluators as plain data, for the workers.
    """

    suite: str
    cell: Cell
    states: dict[int, State]
    seconds: float | None = None
    errors: dict[int, str] = field(default_factory=dict)
    judges: list[dict[str, Any]] = field(default_factory=list)

    @property
    def spec(self) -> RunSpec:
        """What it runs, with seed 0."""
        if self.cell.spec is None:
            raise ValueError(f"cell {self.cell.label} on {self.cell.environment} is not resolved")
        return self.cell.spec

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.cell.label} on {self.cell.environment}"

    @property
    def missing(self) -> tuple[int, ...]:
        """Seeds with something left to do."""
        return tuple(seed for seed, state in self.states.items() if state != "finished")

    def path(self, root: Path, seed: int) -> Path:
        """The run directory of a seed."""
        return self.spec.with_seed(seed).folder(root)


class SweepCallback(Callback, Protocol):
    """The callback that shows a sweep: called at each update, as a Callback, and at the end of each seed."""

    def settled(self, experiment: Experiment, seed: int) -> None:
        """Nothing more will happen to this seed now: its state is final, for this time."""


def survey(suites: Iterable[Suite], registry: Registry, root: Path) -> list[Experiment]:
    """What the cells of resolved suites have under ``root``; cells that make the same runs appear once for each.

    Raises:
        UsageError: an evaluator does not exist, or has not such an option.
    """
    found = []
    for suite in suites:
        for cell in suite.cells:
            experiment = Experiment(suite=suite.name, cell=cell, states={}, judges=_judges(cell, registry))
            for seed in cell.seeds:
                experiment.states[seed] = look(experiment, seed, root)
            experiment.seconds = _mean(_walls(experiment, root))
            found.append(experiment)
    return found


def _judges(cell: Cell, registry: Registry) -> list[dict[str, Any]]:
    return [
        {
            "name": registry.find(request.name, "evaluator").qualified,
            "version": registry.find(request.name, "evaluator").version,
            "config": encode_fields(evaluator_config(registry.find(request.name, "evaluator"), request.options)),
        }
        for request in cell.evaluators
    ]


def look(experiment: Experiment, seed: int, root: Path) -> State:
    """How far a seed is, from its directory."""
    path = experiment.path(root, seed)
    if not os.path.lexists(path / SPEC):
        return "new"
    run = Run(path, experiment.spec.with_seed(seed))
    if run.state == "failed":
        return "failed"
    if run.state != "finished" or run.disagreement:
        return "partial"
    return "finished" if all(_judged(run, judge) for judge in experiment.judges) else "unjudged"


def _judged(run: Run, judge: Mapping[str, Any]) -> bool:
    """Whether the newest state of a run has been judged with these options, by this version of the plugin."""
    report = run.evaluations.get(slug(judge["name"].rpartition("/")[2]), {})
    found = tuple(report.get(name) for name in ("evaluator", "plugin_version", "config", "step", "evaluation_seed"))
    # A report that does not tell what was sampled is from when all seeds were judged by the same draws.
    return found == (judge["name"], judge["version"], judge["config"], run.step, 0) and "sampled" in report


def _walls(experiment: Experiment, root: Path) -> dict[str, float]:
    """Training time of each finished seed of a cell, of whatever seed there is a run, by the name of its folder."""
    folder = experiment.path(root, 0).parent
    found = {path.name: _wall(path, experiment) for path in folder.glob("seed-*") if "~" not in path.name}
    return {name: wall for name, wall in found.items() if wall is not None}


def _wall(path: Path, experiment: Experiment) -> float | None:
    status = Run(path, experiment.spec).status
    finished = status.get("state") == "finished" and isinstance(status.get("wall"), (int, float))
    return float(status["wall"]) if finished else None


def _mean(walls: Mapping[str, float]) -> float | None:
    return sum(walls.values()) / len(walls) if walls else None


def tasks(experiments: Sequence[Experiment], jobs: int = 1) -> list[WorkerTask]:
    """What is left to do, each run once, the longest first where times are known and the unknown before them.

    Seeds of one cell form one task, which the pool keeps together where the algorithm advances them together; only
    where there are fewer cells than workers are they shared out.
    """
    merged: dict[str, tuple[Experiment, dict[int, None], dict[str, Any]]] = {}
    for experiment in experiments:
        key = experiment.spec.key
        _, seeds, judges = merged.setdefault(key, (experiment, {}, {}))
        seeds.update(dict.fromkeys(experiment.missing))
        judges.update({str(judge): judge for judge in experiment.judges})
    pending = [entry for entry in merged.values() if entry[1]]
    pending.sort(key=lambda entry: -(entry[0].seconds if entry[0].seconds is not None else float("inf")))
    shares = math.ceil(jobs / max(1, len(pending)))
    found: list[WorkerTask] = []
    extra: dict[str, Any]
    for experiment, seeds, judges in pending:
        call, extra = "run_task", {"judges": list(judges.values())}
        if experiment.cell.file:
            call, extra["file"] = "file_task", experiment.cell.file
        found += [
            WorkerTask(spec=experiment.spec, seeds=group, call=f"{__name__}:{call}", extra=extra, name=experiment.name)
            for group in split_seeds(tuple(seeds), shares)
        ]
    return found


def sweep(
    experiments: Sequence[Experiment], root: Path, progress: SweepCallback, stop: Stop,
    workers: AbstractContextManager[Workers], jobs: int,
) -> None:  # fmt: skip
    """Run what is missing, under ``root``, by ``jobs`` of ``workers``, which are entered if needed.

    ``experiments`` are brought up to date.

    A failure ends its own seed and no other. What is finished is left alone.
    """
    by_key: dict[str, list[Experiment]] = {}
    for experiment in experiments:
        by_key.setdefault(experiment.spec.key, []).append(experiment)

    walls = {key: _walls(same[0], root) for key, same in by_key.items()}

    def ended(end: TaskResult) -> None:
        same, known = by_key[end.task.spec.key], walls[end.task.spec.key]
        for seed in end.task.seeds:  # only what is new is read: a cell may have a thousand seeds
            path = same[0].path(root, seed)
            wall = _wall(path, same[0])
            if wall is not None:
                known[path.name] = wall
        for experiment in same:
            experiment.seconds = _mean(known)
            for seed in end.task.seeds:
                if seed in experiment.states:
                    _settle(experiment, seed, root, end.error)
                    progress.settled(experiment, seed)

    pending = tasks(experiments, jobs)
    if pending:
        with workers as started:
            started.run(pending, progress, stop, ended)


def _settle(experiment: Experiment, seed: int, root: Path, error: ZooError | None) -> None:
    """State and error of a seed whose task has ended."""
    state = look(experiment, seed, root)
    experiment.states[seed] = state
    experiment.errors.pop(seed, None)
    if state == "failed":
        status = Run(experiment.path(root, seed), experiment.spec).status
        experiment.errors[seed] = str(status.get("message") or "no reason given")
    elif error is not None and state != "finished":
        experiment.errors[seed] = " ".join(filter(None, (error.message, error.hint)))


def run_task(
    spec: RunSpec,
    seeds: Sequence[int],
    registry: Registry,
    settings: Settings,
    watch: Callback,
    stop: Stop,
    extra: Mapping[str, Any],
) -> None:
    """In a worker: train, then let the evaluators of the cell judge what is finished.

    Raises:
        ZooError: a run could not be started, or could not be judged; the others of the task are judged first.
    """
    recorder = Recorder(watch, training_code(spec, registry))
    results = train_seeds(spec, seeds, registry, settings, recorder, stop)
    problems = [
        problem
        for result in results
        if result.status == "finished"
        for problem in _judge(RunDir.open(result.path), registry, extra["judges"])
    ]
    if problems:
        raise problems[0]


def file_task(
    spec: RunSpec,
    seeds: Sequence[int],
    registry: Registry,
    settings: Settings,
    watch: Callback,
    stop: Stop,
    extra: Mapping[str, Any],
) -> None:
    """In a worker: a run that is finished at once, and the reports of the cell's evaluators on its file.

    Raises:
        ZooError: the file has changed since the suite was resolved, or could not be judged.
    """
    for name, path in spec.origins.items():
        if sha256_of(Path(path)) != spec.config[name]:
            raise RunError(f"{path} has changed since the suite was read.", "The same command again judges it.")
    run = RunDir.create(settings.root, spec)
    run.set_status("finished", spec.steps, metrics={})
    problems = _judge(run, registry, extra["judges"], Path(extra["file"]))
    if problems:
        raise problems[0]


def _judge(
    made: RunDir, registry: Registry, judges: Sequence[Mapping[str, Any]], file: Path | None = None
) -> list[ZooError]:
    """Let the evaluators that have not yet done so judge a run, or the file that it stands for; what went wrong."""
    run = Run(made.path, made.spec)
    problems: list[ZooError] = []
    for judge in judges:
        if _judged(run, judge):
            continue
        entry = registry.find(judge["name"], "evaluator")
        cls = entry.resolve_config()
        config = decode_fields(cls, judge["config"]) if cls is not None else None
        try:
            # An environment that the suite names may import its module; the run was made with it.
            by = Judge(entry=entry, config=config, registry=registry, trust=True)
            (by.run(run) if file is None else by.file(file, run)).save()
            record_judgement(run.path, entry.name, code_of([entry], registry))
        except ZooError as error:
            problems.append(RunError(f"evaluator {entry.name}: {error.message}", error.hint))
    return problems
