"""What a page says of stored runs: groups of seeds with their settings, commands, machines and curves."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zoo import Run
from zoo.runs import Catalogue, labels, number, options
from zoo.stats import Floats
from zoo_bench.page.curves import Curve, short, thin
from zoo_bench.page.text import shown
from zoo_bench.plots.curves import is_residual
from zoo_bench.plots.palette import COLOURS, DASHES, colour, dashes

NUMBERS = 1_200_000
"""Numbers that all curves of a page may have together."""
MOST_POINTS, FEWEST_POINTS = 240, 16
METRICS = "metrics.jsonl"
_NUMBERS = {int, float}
RETURNS = ("eval/return", "episode/return", "value", "err")
_ARRAYS = 3.0
"""Numbers of a point of most curves: mean, least and largest; they share their steps."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One run in the table of its group."""

    seed: int
    state: str
    step: int
    seconds: float | None
    last: str
    reason: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Start:
    """What some seeds of a group were started with, and on."""

    seeds: str
    command: str
    versions: str
    machine: str
    time: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs that differ only in their seed.

    Attributes:
        label: the algorithm, and what tells it apart from the others on this environment.
        plugin: with its version.
        settings: name, value and origin of each option.
        metric: what ``last`` of its runs is of.
        curves: the JSON of its curves, for the page's script.
    """

    number: int
    label: str
    plugin: str
    environment: str
    key: str
    steps: int
    settings: Sequence[tuple[str, str, str]]
    runs: Sequence[Line]
    starts: Sequence[Start]
    metric: str
    curves: Mapping[str, Any]

    @property
    def states(self) -> str:
        """How many runs are in each state."""
        return ", ".join(f"{count} {state}" for state, count in Counter(run.state for run in self.runs).items())


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A run, or part of one, that the page does not show, and why."""

    what: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Stored:
    """All groups by environment, and what is left out."""

    groups: Sequence[Group] = ()
    left_out: Sequence[LeftOut] = ()

    @property
    def environments(self) -> dict[str, list[Group]]:
        """Groups by the short name of their environment."""
        found: dict[str, list[Group]] = {}
        for group in self.groups:
            found.setdefault(group.environment, []).append(group)
        return found

    @property
    def count(self) -> int:
        """Runs in all groups."""
        return sum(len(group.runs) for group in self.groups)


@dataclass
class _Read:
    """The logs of one group, by metric: (steps, values) of each seed."""

    series: dict[str, list[tuple[Floats, Floats]]] = field(default_factory=dict)


def read_stored(catalogue: Catalogue) -> Stored:
    """Read everything, each log once and one run at a time."""
    grouped = catalogue.groups()
    left_out = [LeftOut(what=shown(refused.path), reason=shown(refused.reason)) for refused in catalogue.refused]
    read = [_read(runs, left_out) for runs in grouped]
    curves = sum(len(one.series) for one in read)
    points = int(np.clip(NUMBERS / _ARRAYS / max(1, curves), FEWEST_POINTS, MOST_POINTS))
    names = labels(grouped)
    styles = _styles(names, grouped)
    groups = [
        _group(place, label, runs, one, points, style)
        for place, (label, runs, one, style) in enumerate(zip(names, grouped, read, styles, strict=True))
    ]
    return Stored(groups=groups, left_out=left_out)


def _styles(names: Sequence[str], groups: Sequence[list[Run]]) -> list[tuple[int, int]]:
    """Numbers of a colour and of a line style for each group; equal labels look equal everywhere."""
    algorithms = {name: runs[0].algorithm for name, runs in zip(names, groups, strict=True)}
    of = dict(zip(algorithms, dashes(algorithms.values()), strict=True))
    return [
        (COLOURS.index(colour(runs[0].algorithm)), DASHES.index(of[name]))
        for name, runs in zip(names, groups, strict=True)
    ]


def _read(runs: Sequence[Run], left_out: list[LeftOut]) -> _Read:
    found = _Read()
    for stored in runs:
        run = Run(stored.path, stored.spec)  # what is read of it is not kept
        columns, strange = _columns(run.rows)
        endless = 0
        for name, (x, y) in columns.items():
            endless += int((~np.isfinite(y)).sum())
            found.series.setdefault(name, []).append((x, y))
        torn = _lines(run.path / METRICS) - len(run.rows)
        for count, what in (
            (torn, "lines of its log cannot be read"), (strange, "values of its log are no numbers"),
            (endless, "values of its log are not finite"),
        ):  # fmt: skip
            if count > 0:
                left_out.append(LeftOut(what=shown(stored.path), reason=f"{what}: {count}."))
        if run.disagreement:
            left_out.append(LeftOut(what=shown(stored.path), reason=f"{shown(run.disagreement)}."))
    return found


def _columns(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, tuple[Floats, Floats]], int]:
    """Steps and values of each metric, and how many values, or steps, are no numbers."""
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        alike.setdefault(tuple(row), []).append(row)
    parts: dict[str, list[tuple[Floats, Floats]]] = {}
    strange = 0
    for names, some in alike.items():
        table = dict(zip(names, zip(*(row.values() for row in some), strict=True), strict=True))
        steps = table.pop("step", None)
        table.pop("wall", None)
        if steps is None:
            strange += len(some)
            continue
        for name, values in table.items():
            pairs = list(zip(steps, values, strict=True))
            if not {*map(type, steps), *map(type, values)} <= _NUMBERS:
                pairs = [pair for pair in pairs if {type(pair[0]), type(pair[1])} <= _NUMBERS]
                strange += len(some) - len(pairs)
            if pairs:
                x, y = zip(*pairs, strict=True)
                parts.setdefault(name, []).append((_floats(x), _floats(y)))
    whole = {
        name: some[0]
        if len(some) == 1
        else (np.concatenate([x for x, _ in some]), np.concatenate([y for _, y in some]))
        for name, some in parts.items()
    }
    return whole, strange


def _lines(file: Path) -> int:
    """Lines of a log, the last one counted even where it was torn; of anything else than a file none."""
    if file.is_symlink() or not file.is_file():
        return 0
    content = file.read_bytes()
    return content.count(b"\n") + bool(content and not content.endswith(b"\n"))


def _floats(values: Sequence[float]) -> Floats:
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:  # a whole number beyond the largest float
        return np.array([float(value) if abs(value) < 1e308 else np.inf for value in values])


def _group(place: int, label: str, runs: Sequence[Run], read: _Read, points: int, style: tuple[int, int]) -> Group:
    spec = runs[0].spec
    values = options(spec)
    metric = _headline([name for run in runs for name in run.status.get("metrics", {})] or [*read.series])
    settings = [
        (shown(name), shown(_plain(value)), shown(spec.origins.get(name, ""))) for name, value in values.items()
    ]
    plugin = f"{spec.algorithm.partition('/')[0]} {spec.plugin_version}"
    return Group(
        number=place, label=shown(label), plugin=shown(plugin), environment=shown(runs[0].environment), key=spec.key,
        steps=spec.steps, settings=settings, runs=[_line(run, metric) for run in runs], starts=_starts(runs),
        metric=shown(metric), curves=_curves(shown(label), len(runs), read, points, style),
    )  # fmt: skip


def _headline(names: Iterable[str]) -> str:
    """The metric that a table shows: a return, where there is one."""
    having = dict.fromkeys(names)
    return next((name for name in RETURNS if name in having), next(iter(having), ""))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _line(run: Run, metric: str) -> Line:
    status = run.status
    last, seconds = status.get("metrics", {}).get(metric), status.get("wall")
    state = "silent" if run.silence is not None else run.state
    reason = str(status.get("message") or status.get("outcome") or "")
    return Line(
        seed=run.seed, state=state, step=run.step, path=shown(run.path), reason=shown(reason),
        seconds=float(seconds) if isinstance(seconds, (int, float)) else None,
        last=number(last) if isinstance(last, (int, float)) and not isinstance(last, bool) else "",
    )  # fmt: skip


def _starts(runs: Sequence[Run]) -> list[Start]:
    """Distinct commands, versions and machines, with the seeds of each, in order of time."""
    found: dict[tuple[str, str, str], tuple[list[int], str]] = {}
    for run in runs:
        for start in run.starts:
            said = tuple(_said(start))
            seeds, _ = found.setdefault((said[0], said[1], said[2]), ([], shown(start.get("time", ""))))
            if run.seed not in seeds:
                seeds.append(run.seed)
    return [
        Start(seeds=_seeds(seeds), command=command, versions=versions, machine=machine, time=time)
        for (command, versions, machine), (seeds, time) in found.items()
    ]


def _said(start: Mapping[str, Any]) -> list[str]:
    argv, packages = start.get("argv"), start.get("packages")
    words = [str(word) for word in argv] if isinstance(argv, list) else []
    if words and Path(words[0]).name in ("zoo", "main.py", "__main__.py"):
        words[0] = "zoo"
    versions = {"python": start.get("python"), **(packages if isinstance(packages, dict) else {})}
    machine = [start.get("os"), start.get("cpu"), start.get("device"), f"{start.get('threads')} threads"]
    git = start.get("git")
    if git:
        versions["git"] = git if isinstance(git, str) else json.dumps(git)
    return [
        shown(shlex.join(words)), shown(", ".join(f"{name} {version}" for name, version in versions.items())),
        shown(", ".join(str(part) for part in machine if part)),
    ]  # fmt: skip


def _seeds(seeds: Sequence[int]) -> str:
    """``0 to 4, 7``."""
    spans: list[list[int]] = []
    for seed in sorted(seeds):
        if spans and seed == spans[-1][-1] + 1:
            spans[-1].append(seed)
        else:
            spans.append([seed])
    return ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]} to {span[-1]}" for span in spans)


def _curves(label: str, seeds: int, read: _Read, points: int, style: tuple[int, int]) -> dict[str, Any]:
    """Curves as the script reads them: steps are shared; ``[steps, mean]``, and least and largest where they differ."""
    grids: dict[bytes, int] = {}
    xs: list[list[float | int]] = []
    lines: dict[str, list[Any]] = {}
    binned = False
    for name, series in read.series.items():
        curve = thin(series, points)
        if curve is None:
            continue
        binned |= curve.binned
        identity = curve.x.tobytes()
        if identity not in grids:
            grids[identity] = len(xs)
            xs.append(short(curve.x))
        lines[shown(name)] = _line_json(curve, grids[identity], seeds)
    residuals = [name for name in lines if is_residual(name)]
    return {"label": label, "colour": style[0], "dash": style[1], "seeds": seeds, "x": xs, "lines": lines,
            "binned": binned, "log": residuals}  # fmt: skip


def _line_json(curve: Curve, grid: int, seeds: int) -> list[Any]:
    line: list[Any] = [grid, short(curve.mean)]
    ranged, partial = bool((curve.low != curve.high).any()), bool((curve.count != seeds).any())
    if ranged or partial:
        line += [short(curve.low), short(curve.high)] if ranged else [0, 0]
    if partial:
        line.append(short(curve.count))
    return line
