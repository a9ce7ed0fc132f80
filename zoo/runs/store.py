"""Reading run directories, whole or torn, with the standard library."""

from __future__ import annotations

import contextlib
import datetime
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.errors import NoRunError, RunError, UsageError, nearest
from zoo.training.load import best_step
from zoo.training.storage import checkpoint
from zoo.training.storage.completeness import contradiction
from zoo.training.storage.documents import REPORT, checked, is_number
from zoo.training.storage.files import REPORT_BYTES, check_seal, is_folder, read_json
from zoo.training.storage.lock import is_abandoned
from zoo.training.storage.logs import LogReader, Mark
from zoo.training.storage.run_dir import EVAL, METRICS, RunDir, read_starts, read_status, search
from zoo.training.storage.spec import RunSpec

EVALUATIONS = "evaluations"
_NUMBERS = {int, float}
_SILENT_SECONDS = 60.0


@dataclass(frozen=True)
class Series:
    """One metric of one run: environment steps, seconds of training and values, of equal length, in order."""

    steps: list[float]
    wall: list[float]
    values: list[float]


@dataclass(frozen=True)
class Scan:
    """The result of one pass over a log of metrics.

    Attributes:
        names: of all metrics, in the order in which they were first logged.
        last: last value of each.
        torn: lines that do not parse.
        damaged: whether the log is not what a checkpoint says.
    """

    names: list[str]
    last: dict[str, float]
    torn: int
    damaged: bool

    @classmethod
    def of(cls, log: LogReader) -> Scan:
        """Read all of it."""
        last: dict[str, float] = {}
        for row in log:
            last.update(row)
        last = {name: value for name, value in last.items() if name not in ("step", "wall") and is_number(value)}
        return cls(list(last), last, log.torn, log.damaged)


@dataclass(frozen=True)
class Run:
    """One stored run. Files are read when first asked for, once; a missing or torn one counts as empty."""

    path: Path
    spec: RunSpec

    @property
    def algorithm(self) -> str:
        """Name without its plugin."""
        return self.spec.short[0]

    @property
    def environment(self) -> str:
        """Name without plugin or prefix."""
        return self.spec.short[1]

    @property
    def seed(self) -> int:
        """Root seed."""
        return self.spec.seed

    @cached_property
    def _status_and_problem(self) -> tuple[dict[str, Any], str]:
        return read_status(self.path)

    @property
    def status(self) -> dict[str, Any]:
        """Content of ``status.json``; ``{"state": "new", "step": 0}`` where there is none to read."""
        return self._status_and_problem[0]

    @property
    def state(self) -> str:
        """One of "new", "running", "finished", "failed" and "interrupted", which is also what a killed one is."""
        return "interrupted" if self.killed else str(self.status["state"])

    @cached_property
    def killed(self) -> bool:
        """Whether its process was killed: the status is "running", and no process holds its lock."""
        if self.status["state"] != "running" or not is_abandoned(self.path):
            return False
        again, _ = read_status(self.path)
        return str(again["state"]) == "running"  # not one that has ended since the status was read

    @property
    def silence(self) -> float | None:
        """Seconds since the last sign of life of a run that calls itself running, once they are over a minute."""
        try:
            then = datetime.datetime.fromisoformat(str(self.status["time"]))
            seconds = (datetime.datetime.now(datetime.UTC) - then).total_seconds()
        except (KeyError, ValueError, TypeError):
            return None
        return seconds if seconds > _SILENT_SECONDS and self.state == "running" else None

    @property
    def step(self) -> int:
        """Steps at the last sign of life."""
        return int(self.status["step"])

    @cached_property
    def starts(self) -> list[dict[str, Any]]:
        """What each start or resume ran on, oldest first."""
        return read_starts(self.path)

    @cached_property
    def _marks(self) -> Mapping[str, Mark]:
        """How far each log went at the newest checkpoint that can be read."""
        for step in reversed(self.checkpoints):
            with contextlib.suppress(RunError):
                return checkpoint.manifest_of(self.path / "checkpoints", step).logs or {}
        return {}

    @cached_property
    def _scan(self) -> Scan:
        """What one pass over ``metrics.jsonl`` tells, with one line in memory at a time."""
        return Scan.of(LogReader(self.path / METRICS, self._marks.get(METRICS, Mark())))

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Objects of ``metrics.jsonl``, without lines that do not parse."""
        return list(LogReader(self.path / METRICS))

    @property
    def torn_lines(self) -> int:
        """Lines of ``metrics.jsonl`` that do not parse: one after a killed writer, more where the file is damaged."""
        return self._scan.torn

    @cached_property
    def problem(self) -> str:
        """What of the run is not what was written, or does not agree with the rest, in a few words; empty if all does.

        Where a checkpoint says what the logs held, ``metrics.jsonl`` is compared with it, line by line;
        ``zoo show --verify`` also looks at what else there is.
        """
        reason = self._status_and_problem[1].rstrip(".") or self.disagreement
        return reason or (f"{METRICS} is damaged: it is not what was written" if self._scan.damaged else "")

    @cached_property
    def disagreement(self) -> str:
        """What contradicts the status "finished", in a few words; no log is read."""
        if self.state != "finished" or not self.checkpoints:  # of old runs people keep what is small
            return ""
        return contradiction(RunDir(self.path, self.spec), self.status)

    @cached_property
    def episodes(self) -> list[dict[str, Any]]:
        """Objects of ``eval.jsonl``, one for each evaluation episode."""
        return list(LogReader(self.path / EVAL))

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics, in the order in which they were first logged."""
        return self._scan.names

    @cached_property
    def _series(self) -> dict[str, Series]:
        return {}

    def series(self, name: str) -> Series:
        """One metric over time; empty where it was never logged. Asked again, the same object."""
        series = self._series.get(name)
        if series is not None:
            return series
        rows = [row for row in self.rows if name in row and "step" in row]
        if not {type(row[key]) for row in rows for key in ("step", name)} <= _NUMBERS:
            rows = [row for row in rows if {type(row["step"]), type(row[name])} <= _NUMBERS]
        series = self._series[name] = Series(
            [float(row["step"]) for row in rows],
            [float(row.get("wall", "nan")) for row in rows],
            [float(row[name]) for row in rows],
        )
        return series

    @property
    def last(self) -> dict[str, float]:
        """Last value of each metric."""
        return self._scan.last

    @property
    def checkpoints(self) -> list[int]:
        """Steps of the published checkpoints, oldest first."""
        return checkpoint.steps(self.path / "checkpoints")

    @cached_property
    def evaluations(self) -> dict[str, dict[str, Any]]:
        """Stored reports of ``zoo eval``, by evaluator."""
        folder = self.path / EVALUATIONS
        reports = {}
        for path in sorted(folder.glob("*.json")) if is_folder(folder) else ():
            with contextlib.suppress(RunError):
                reports[path.stem] = read_report(path)
        return reports

    @property
    def best(self) -> int | None:
        """Step of the best evaluation during training, where there is a checkpoint of it."""
        step = best_step(RunDir(self.path, self.spec))
        return step if step in self.checkpoints else None


def read_report(path: Path) -> dict[str, Any]:
    """A stored report of ``zoo eval``.

    Raises:
        RunError: it is not a report, or is not what was written.
    """
    report = checked(read_json(path, REPORT_BYTES), REPORT, path, "a report", ("scores",))
    check_seal(report, path)
    return report


@dataclass(frozen=True)
class Refused:
    """A run directory that cannot be read, and why: a newer format, or a torn spec."""

    path: Path
    reason: str

    def to_json(self) -> dict[str, str]:
        """Plain data."""
        return {"path": str(self.path), "reason": self.reason}


@dataclass(frozen=True)
class Catalogue:
    """The runs under some paths, and what could not be read; iterate over it for the runs, seeds in order."""

    runs: list[Run]
    refused: list[Refused]

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return itertools.chain.from_iterable(self.groups())

    def groups(self) -> list[list[Run]]:
        """Runs that differ only in their seed, together; in order of environment, algorithm and key."""
        by_key: dict[tuple[str, str, str], list[Run]] = {}
        for run in self.runs:
            by_key.setdefault((run.environment, run.algorithm, run.spec.key), []).append(run)
        return [sorted(by_key[key], key=lambda run: run.seed) for key in sorted(by_key)]


def distinct(catalogue: Catalogue) -> Catalogue:
    """Each run once: of copies, those with the same key and seed, the one that got furthest; the others are refused."""
    by_identity: dict[tuple[str, int], Run] = {}
    copies = []
    for run in catalogue.runs:
        other = by_identity.get((run.spec.key, run.seed))
        better = other is None or (run.state == "finished", run.step) > (other.state == "finished", other.step)
        kept, left = (run, other) if better else (other, run)
        if kept is not None:
            by_identity[run.spec.key, run.seed] = kept
        if kept is not None and left is not None:
            copies.append(Refused(left.path, f"{left.path} is another copy of the run {kept.path}."))
    kept_runs = set(map(id, by_identity.values()))
    return Catalogue([run for run in catalogue.runs if id(run) in kept_runs], [*catalogue.refused, *copies])


def open_runs(paths: Iterable[Path | str] | Path | str) -> Catalogue:
    """All runs at or under ``paths`` (one, or several), each once; those set aside by a fresh start are left out.

    Raises:
        UsageError: a path does not exist.
        RunError: there is no run under a path, or none that can be read.
    """
    catalogue = Catalogue([], [])
    seen: set[Path] = set()
    for path in map(Path, [paths] if isinstance(paths, (str, Path)) else paths):
        if not path.exists():
            raise UsageError(f"{path} does not exist.", _near(path))
        places = list(search(path))
        if not places:
            raise NoRunError(f"{path} is not a run, and has none beneath it.", "zoo train makes runs.")
        for folder, problem in places:
            if folder.resolve() in seen and not problem:
                continue
            seen.add(folder.resolve())
            if problem:
                catalogue.refused.append(Refused(folder, problem))
                continue
            try:
                catalogue.runs.append(Run(folder, RunDir.open(folder).spec))
            except RunError as error:
                catalogue.refused.append(Refused(folder, " ".join(filter(None, (error.message, error.hint)))))
    if not catalogue.runs:
        raise RunError(catalogue.refused[0].reason)
    return catalogue


def open_run(path: Path) -> Run:
    """The one run at or under ``path``.

    Raises:
        UsageError: the path does not exist, or has several runs beneath it.
        RunError: there is no run, or it cannot be read.
    """
    runs = open_runs([path]).runs
    if len(runs) > 1:
        raise UsageError(f"{path} has {len(runs)} runs beneath it: expected one.", f"One of them is {runs[0].path}.")
    return runs[0]


def _near(path: Path) -> str:
    siblings = [child.name for child in path.parent.iterdir()] if path.parent.is_dir() else []
    near = nearest(path.name, siblings)
    return f"Did you mean {' or '.join(str(path.parent / name) for name in near)}?" if near else ""
