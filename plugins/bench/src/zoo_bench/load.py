"""From stored runs to numbers: what each finished run measured, and what is left out and why."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from zoo import Run, RunError, UnknownNameError, UsageError
from zoo.runs import Catalogue, Refused, distinct, labels, options
from zoo.training import OUTSIDE_THE_KEY, SPEC, RunDir, RunSpec
from zoo_bench.metrics import Ends, Function, derive, last_values, sampled_ends, series_of
from zoo_bench.schema import Cell, Metric, Suite

Measure = Callable[[Metric, Run], float | None]
"""One number of one finished run; None where the run never logged what it is made of."""
Key = tuple[str, str, int]
"""Label, environment, seed."""
FIELDS = ("label", "environment", "algorithm")


@dataclass(frozen=True, kw_only=True)
class Record:
    """One finished run and its numbers.

    Attributes:
        label: what tables and claims call it.
        environment: as in the suite, or the run's short name.
        seed: the root seed.
        spec: what was run.
        values: number by metric; a metric the run does not have is missing.
        logged: names of all that was logged last, for suggestions.
        sampled: of the metrics that an evaluator sampled, the interval that each has by itself; NaN where it has none.
    """

    label: str
    environment: str
    seed: int
    spec: RunSpec
    values: Mapping[str, float]
    logged: Collection[str] = ()
    sampled: Mapping[str, Ends] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What claims know it by."""
        return self.label, self.environment, self.seed

    def column(self, name: str) -> str:
        """The value of a column to group by: a name in ``FIELDS``, or an option of the run.

        Raises:
            UnknownNameError: it is neither.
        """
        if name in FIELDS:
            return {"label": self.label, "environment": self.environment, "algorithm": self.spec.short[0]}[name]
        return str(options(self.spec).get(name, "-"))

    @property
    def columns(self) -> list[str]:
        """All names that ``column`` takes."""
        return [*FIELDS, *options(self.spec)]


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A run that is in no average. ``state`` is "missing", "partial", "failed", "version" or "unreadable"."""

    label: str
    environment: str
    seed: int | None
    path: Path
    state: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "path": str(self.path)}


@dataclass(frozen=True)
class Records:
    """What a table is made from."""

    finished: list[Record] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)

    @property
    def failed(self) -> frozenset[Key]:
        """Label, environment and seed of the runs that were made and failed."""
        runs = (run for run in self.dropped if run.state == "failed" and run.seed is not None)
        return frozenset((run.label, run.environment, run.seed or 0) for run in runs)

    @property
    def by_run(self) -> dict[Key, dict[str, float]]:
        """Values by label, environment and seed, as claims are judged on."""
        return {record.key: dict(record.values) for record in self.finished}

    @property
    def noise(self) -> dict[Key, Mapping[str, Ends]]:
        """Intervals of what evaluators sampled, by label, environment and seed."""
        return {record.key: record.sampled for record in self.finished if record.sampled}


def from_suite(suite: Suite, root: Path, metrics: Sequence[Metric], measure: Measure) -> Records:
    """The runs of a resolved suite under ``root``, in the order of its cells and seeds.

    Raises:
        UsageError: a cell was not resolved.
    """
    records = Records()
    for cell in suite.cells:
        if cell.spec is None:
            raise UsageError(f"cell {cell.label} on {cell.environment} is not resolved: expected Suite.resolve first.")
        folder = cell.spec.folder(root).parent
        for seed in cell.seeds:
            path = folder / f"seed-{seed}"
            run = _open(path) if os.path.lexists(path / SPEC) else _missing(cell, cell.spec, seed, path)
            _add(records, cell.label, cell.environment, seed, run, metrics, measure)
    return records


def from_catalogue(catalogue: Catalogue, metrics: Sequence[Metric], measure: Measure) -> Records:
    """Stored runs without a suite, labelled by what tells them apart.

    Of runs that differ only in their plugin's version, those of the newest stay.
    """
    records = Records()
    catalogue = distinct(catalogue)
    current, old = _newest(catalogue.groups())
    named = zip(current, labels(current), strict=True)
    for group, label in sorted(named, key=lambda pair: (pair[0][0].environment, pair[1])):
        for run in group:
            _add(records, label, run.environment, run.seed, run, metrics, measure)
    for group, newest in old:
        for run in group:
            reason = f"made by {_plugin(run.spec)} {run.spec.plugin_version}; runs of {newest} are there"
            records.dropped.append(
                Dropped(label=run.algorithm, environment=run.environment, seed=run.seed, path=run.path,
                        state="version", reason=reason)
            )  # fmt: skip
    for refused in catalogue.refused:
        records.dropped.append(_dropped("", "", None, refused))
    return records


def measure(known: Mapping[str, Function]) -> Measure:
    """Derived metrics by the functions ``known``.

    A run that logged what a "steps_to_..." metric counts, and never got there, took infinitely many steps: left out, it
    would flatter the others' average.
    """

    def measured(metric: Metric, run: Run) -> float | None:
        value = derive(run, metric, known)
        if value is None and metric.function.startswith("steps_to_") and series_of(run, metric.of).values:
            return math.inf
        return value

    return measured


def check_columns(records: Records, names: Iterable[str]) -> None:
    """Refuse columns that no run has.

    Raises:
        UnknownNameError: one is neither label, environment, algorithm nor an option of any run.
    """
    known = dict.fromkeys(name for record in records.finished for name in record.columns)
    for name in names:
        if known and name not in known:
            raise UnknownNameError("column to group by", name, known)


def check_metrics(records: Records, names: Iterable[str]) -> None:
    """Refuse metrics that no run has.

    Raises:
        UnknownNameError: no finished run has a value of one.
    """
    having = {name for record in records.finished for name in record.values}
    logged = {name for record in records.finished[:50] for name in record.logged} | having
    for name in names:
        if records.finished and name not in having:
            raise UnknownNameError("metric in these runs", name, logged)


def _add(
    records: Records, label: str, environment: str, seed: int, run: Run | Refused | Dropped,
    metrics: Sequence[Metric], measure: Measure,
) -> None:  # fmt: skip
    if isinstance(run, Run):
        left_out = _unfinished(run) or _damaged(run, metrics)
        if left_out is None:
            values = {metric.name: value for metric in metrics if (value := measure(metric, run)) is not None}
            drawn = {metric.name: sampled_ends(run, metric) for metric in metrics if metric.name in values}
            records.finished.append(
                Record(
                    label=label, environment=environment, seed=run.seed, spec=run.spec, values=values,
                    logged=tuple(last_values(run)),
                    sampled={name: ends for name, ends in drawn.items() if ends is not None},
                )
            )  # fmt: skip
            return
        state, reason = left_out
        run = Dropped(label=label, environment=environment, seed=seed, path=run.path, state=state, reason=reason)
    if isinstance(run, Refused):
        run = _dropped(label, environment, seed, run)
    records.dropped.append(run)


def _dropped(label: str, environment: str, seed: int | None, refused: Refused) -> Dropped:
    return Dropped(label=label, environment=environment, seed=seed, path=refused.path, state="unreadable",
                   reason=refused.reason.rstrip("."))  # fmt: skip


def _unfinished(run: Run) -> tuple[str, str] | None:
    """State and reason, for a run that is not whole."""
    if run.state == "finished":
        if run.step == 0 or not isinstance(run.status.get("metrics"), dict):
            return "partial", "its status is incomplete"
        problem = run.disagreement
        return ("partial", f"says that it is finished, and {problem}") if problem else None
    if run.state == "failed":
        return "failed", f"failed at step {run.step}: {run.status.get('message') or 'no reason given'}".rstrip(".")
    if run.state == "new" and (run.checkpoints or run.problem):  # its status is lost, not its work
        known = f"; its newest checkpoint is at step {run.checkpoints[-1]}" if run.checkpoints else ""
        return "partial", f"{run.problem or 'status.json is not there'}{known}"
    return "partial", f"{'not started_at' if run.state == 'new' else run.state} at step {run.step} of {run.spec.steps}"


def _damaged(run: Run, metrics: Sequence[Metric]) -> tuple[str, str] | None:
    """State and reason, for a log with holes; looked for where more is asked of it than the last values."""
    if all(metric.function == "last" for metric in metrics):
        return None
    if not run.torn_lines:
        return ("partial", run.problem) if run.problem else None
    return "partial", f"metrics.jsonl has {run.torn_lines} line{'s' * (run.torn_lines > 1)} that cannot be read"


def _open(path: Path) -> Run | Refused:
    try:
        return Run(path, RunDir.open(path).spec)
    except RunError as error:
        return Refused(path, " ".join(filter(None, (error.message, error.hint))))


def _missing(cell: Cell, spec: RunSpec, seed: int, path: Path) -> Dropped:
    """Why there is no run: it was never made, or by another version of its plugin, or cannot be read."""
    state, reason = "missing", "not run yet"
    for other in sorted(path.parent.parent.glob(f"*/seed-{seed}")):
        run = _open(other) if os.path.lexists(other / SPEC) else None
        if isinstance(run, Run) and _without_version(run.spec) == _without_version(spec):
            path, state = other, "version"
            reason = f"made by {_plugin(spec)} {run.spec.plugin_version}; {spec.plugin_version} is installed"
    return Dropped(label=cell.label, environment=cell.environment, seed=seed, path=path, state=state, reason=reason)


def _newest(groups: Iterable[list[Run]]) -> tuple[list[list[Run]], Iterator[tuple[list[Run], str]]]:
    """Groups of the newest version of their plugin, and the others with that version."""
    by_request: dict[str, list[list[Run]]] = {}
    for group in groups:
        by_request.setdefault(repr(_without_version(group[0].spec)), []).append(group)
    current, old = [], []
    for same in by_request.values():
        *outdated, newest = sorted(same, key=lambda group: _ordered(group[0].spec.plugin_version))
        current.append(newest)
        old += [(group, newest[0].spec.plugin_version) for group in outdated]
    return current, iter(old)


def _without_version(spec: RunSpec) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in asdict(spec).items() if name not in OUTSIDE_THE_KEY]


def _ordered(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _plugin(spec: RunSpec) -> str:
    return spec.algorithm.partition("/")[0]
