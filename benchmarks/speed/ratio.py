"""Time rivals beside each other: alternating rounds, medians, ratios to the first one.

Absolute times on a shared machine mean little; the ratio of two functions run in the same rounds does. Every round runs
each function once, in turn, so that a slow spell of the machine hits all of them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Clock = Callable[[], float]
THREADS = "OMP_NUM_THREADS"


def _cpu() -> float:
    """CPU seconds of this process and of its finished children, user and system."""
    spent = os.times()
    # process_time resolves nanoseconds, os.times only ticks: take the children alone from the latter.
    return time.process_time() + spent.children_user + spent.children_system


CLOCKS: Mapping[str, Clock] = {"cpu": _cpu, "wall": time.perf_counter}


@dataclass(frozen=True)
class Row:
    """The times of one function."""

    name: str
    seconds: tuple[float, ...]
    """One call, each round."""
    ratio: float
    """Median over rounds of this function's time over the first one's: above 1, the first one is faster."""
    ratio_range: tuple[float, float]
    """Least and largest ratio over the rounds."""
    result: object = field(repr=False, default=None)
    """What the last call returned, for checking that all rivals solved the same problem."""

    @property
    def median(self) -> float:
        """Median seconds of one call."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Table:
    """One comparison; ``notes`` hold anything worth a line beside the times, such as errors."""

    title: str
    clock: str
    rows: tuple[Row, ...]
    notes: dict[str, object] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Row:
        """The row called ``name``."""
        return next(row for row in self.rows if row.name == name)

    def speedup(self) -> float:
        """How many times faster the first function is than the fastest of the others."""
        return min(row.ratio for row in self.rows[1:])

    def as_json(self) -> dict[str, object]:
        """Plain data."""
        rows = [
            {"name": r.name, "median_s": r.median, "seconds": r.seconds, "ratio": r.ratio, "range": r.ratio_range}
            for r in self.rows
        ]
        return {"title": self.title, "clock": self.clock, "rows": rows, "notes": self.notes}

    def as_text(self) -> str:
        """An aligned table."""
        width = max(len(row.name) for row in self.rows)
        lines = [f"{self.title}  [{self.clock} seconds, median of {len(self.rows[0].seconds)} rounds]"]
        for row in self.rows:
            low, high = row.ratio_range
            lines.append(f"  {row.name:<{width}}  {row.median:10.5f} s  {row.ratio:8.2f}x  ({low:.2f} .. {high:.2f})")
        lines += [f"  {key}: {value}" for key, value in self.notes.items()]
        return "\n".join(lines)


def compare(
    functions: Mapping[str, Callable[[], object]],
    rounds: int = 3,
    *,
    title: str = "",
    clock: str = "cpu",
    at_least: float = 0.02,
) -> Table:
    """Run every function once a round, alternating, after one warm-up call each that is not counted.

    Args:
        functions: name to function, the yardstick first.
        rounds: counted rounds, at least 1.
        title: what is compared.
        clock: ``"cpu"`` (this process and its finished children) or ``"wall"``.
        at_least: a function quicker than this many seconds is called several times a round and the mean taken.
    """
    read = CLOCKS[clock]
    results: dict[str, object] = {}
    calls: dict[str, int] = {}
    for name, function in functions.items():
        function()
        began = read()
        function()
        calls[name] = max(1, math.ceil(at_least / max(read() - began, 1e-7)))
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            began = read()
            for _ in range(calls[name]):
                results[name] = function()
            seconds[name].append((read() - began) / calls[name])
    yardstick = seconds[next(iter(functions))]
    rows = []
    for name, times in seconds.items():
        ratios = [mine / first for mine, first in zip(times, yardstick, strict=True)]
        rows.append(Row(name, tuple(times), statistics.median(ratios), (min(ratios), max(ratios)), results[name]))
    return Table(title, clock, tuple(rows))


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the options that every speed script has: ``--rounds`` and ``--json``.

    Makes sure of one thread: libraries read the setting when they are loaded, so a script that was started without it
    is started once more.
    """
    if THREADS not in os.environ:
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, THREADS: "1"})
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds (default 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    return parser


def show(tables: list[Table], *, as_json: bool) -> None:
    """Print the tables, or one JSON document."""
    if as_json:
        json.dump({"tables": [table.as_json() for table in tables]}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write("\n\n".join(table.as_text() for table in tables) + "\n")
