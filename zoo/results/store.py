"""Reading run directories, whole or torn, with the standard library (architecture, section 8)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.errors import RunError, UsageError, nearest
from zoo.training import checkpoint
from zoo.training.run import ENV, EVAL, METRICS, STATUS, RunDir, find_runs
from zoo.training.spec import RunSpec

EVALUATIONS = "evaluations"
_NUMBERS = {int, float}


@dataclass(frozen=True)
class Series:
    """One metric of one run: environment steps, seconds of training and values, of equal length, in order."""

    steps: list[float]
    wall: list[float]
    values: list[float]


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
    def status(self) -> dict[str, Any]:
        """Content of ``status.json``; ``{"state": "new", "step": 0}`` where there is none to read."""
        found = _json(self.path / STATUS)
        return found if isinstance(found, dict) else {"state": "new", "step": 0}

    @property
    def state(self) -> str:
        """One of "new", "running", "finished", "failed" and "interrupted"."""
        return str(self.status.get("state", "new"))

    @property
    def step(self) -> int:
        """Steps at the last sign of life."""
        found = self.status.get("step", 0)
        return int(found) if isinstance(found, (int, float)) else 0

    @cached_property
    def starts(self) -> list[dict[str, Any]]:
        """What each start or resume ran on, oldest first."""
        found = _json(self.path / ENV)
        return [start for start in found if isinstance(start, dict)] if isinstance(found, list) else []

    @cached_property
    def _metric_lines(self) -> tuple[list[dict[str, Any]], int]:
        return _lines(self.path / METRICS)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Objects of ``metrics.jsonl``, without lines that do not parse."""
        return self._metric_lines[0]

    @property
    def torn_lines(self) -> int:
        """Lines of ``metrics.jsonl`` that do not parse: one after a killed writer, more where the file is damaged."""
        return self._metric_lines[1]

    @cached_property
    def episodes(self) -> list[dict[str, Any]]:
        """Objects of ``eval.jsonl``, one for each evaluation episode."""
        return _lines(self.path / EVAL)[0]

    @cached_property
    def metrics(self) -> list[str]:
        """Names of all metrics, in the order in which they were first logged."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [name for name in names if name not in ("step", "wall")]

    @cached_property
    def _series(self) -> dict[str, Series]:
        return {}

    def series(self, name: str) -> Series:
        """One metric over time; empty where it was never logged. Asked again, the same object."""
        found = self._series.get(name)
        if found is not None:
            return found
        rows = [row for row in self.rows if name in row and "step" in row]
        if not {type(row[key]) for row in rows for key in ("step", name)} <= _NUMBERS:
            rows = [row for row in rows if {type(row["step"]), type(row[name])} <= _NUMBERS]
        found = self._series[name] = Series(
            [float(row["step"]) for row in rows],
            [float(row.get("wall", "nan")) for row in rows],
            [float(row[name]) for row in rows],
        )
        return found

    @cached_property
    def last(self) -> dict[str, float]:
        """Last value of each metric."""
        merged: dict[str, float] = {}
        for row in self.rows:
            merged.update({name: value for name, value in row.items() if name not in ("step", "wall")})
        return merged

    @property
    def checkpoints(self) -> list[int]:
        """Steps of the published checkpoints, oldest first."""
        return checkpoint.steps(self.path / "checkpoints")

    @cached_property
    def evaluations(self) -> dict[str, dict[str, Any]]:
        """Stored reports of ``zoo eval``, by evaluator."""
        found = {path.stem: _json(path) for path in sorted((self.path / EVALUATIONS).glob("*.json"))}
        return {name: report for name, report in found.items() if isinstance(report, dict)}


@dataclass(frozen=True)
class Refused:
    """A run directory that cannot be read, and why: a newer format, or a torn specification."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Catalogue:
    """What was found under some paths."""

    runs: list[Run]
    refused: list[Refused]

    def groups(self) -> list[list[Run]]:
        """Runs that differ only in their seed, together; in order of environment, algorithm and key."""
        by_key: dict[tuple[str, str, str], list[Run]] = {}
        for run in self.runs:
            by_key.setdefault((run.environment, run.algorithm, run.spec.key), []).append(run)
        return [sorted(by_key[key], key=lambda run: run.seed) for key in sorted(by_key)]


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
            raise UsageError(f"there is no {path}.", _near(path))
        folders = list(find_runs(path))
        if not folders:
            raise RunError(f"{path} is not a run, and has none beneath it.", "zoo train makes runs.")
        for folder in folders:
            if folder.resolve() in seen:
                continue
            seen.add(folder.resolve())
            try:
                catalogue.runs.append(Run(folder, RunDir.open(folder).spec))
            except RunError as error:
                catalogue.refused.append(Refused(folder, " ".join(filter(None, (error.message, error.hint)))))
            except (TypeError, ValueError, KeyError) as error:  # valid JSON of the wrong shape
                catalogue.refused.append(Refused(folder, f"{folder} is not the specification of a run: {error}."))
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


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Objects of a JSON-lines file, and how many lines are none."""
    try:
        raw = path.read_bytes()
    except OSError:
        return [], 0
    lines = [line for line in raw.split(b"\n") if line.strip()]
    try:  # all at once takes two thirds of the time; a file with a torn line has not as many objects as lines
        whole = json.loads(b"[" + b",".join(lines) + b"]")
    except ValueError:
        whole = []
    if len(whole) == len(lines) and all(isinstance(row, dict) for row in whole):
        return whole, 0
    rows: list[dict[str, Any]] = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows, len(lines) - len(rows)
