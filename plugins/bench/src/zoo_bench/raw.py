"""Raw results of a suite: one line of CSV for each run and metric, from which tables and verdicts are computed.

``low`` and ``high`` are the interval that a number has by itself because its evaluator sampled; "nan" where it was
sampled and has none, empty where nothing was sampled. Files from before these columns cannot tell: what evaluators
scored, and evaluations while training, count as sampled there.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from zoo import UsageError
from zoo_bench.load import Dropped, Key, Record, Records
from zoo_bench.metrics import UNBOUNDED, Ends
from zoo_bench.schema import Cell, Suite

COLUMNS = ("cell", "environment", "seed", "metric", "value", "low", "high", "status", "reason")
_WITHOUT_ENDS = tuple(name for name in COLUMNS if name not in ("low", "high"))
FINISHED = "finished"
_LARGEST = 100_000_000
"""bytes of a file that is read"""


def raw_text(records: Records) -> str:
    """The records as CSV. A run that is in no average has one line, without a metric, with its state and reason."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for record in records.finished:
        run = [record.label, record.environment, record.seed]
        for metric, value in record.values.items():
            ends = [repr(float(end)) for end in record.sampled.get(metric, ())] or ["", ""]
            lines.writerow([*run, metric, repr(float(value)), *ends, FINISHED, ""])
        if not record.values:
            lines.writerow([*run, "", "", "", "", FINISHED, ""])
    for left in records.dropped:
        lines.writerow([left.label, left.environment, left.seed, "", "", "", "", left.state, left.reason])
    return text.getvalue()


def from_raw(suite: Suite, file: Path) -> Records:
    """The records of a resolved suite that ``raw_text`` wrote; cells and seeds that the file lacks are missing.

    Raises:
        UsageError: the file cannot be read, is no such file, or has cells that the suite has not.
    """
    lines = list(_lines(file))
    records = Records()
    cells = {(cell.label, cell.environment): cell for cell in suite.cells}
    values: dict[Key, dict[str, float]] = {}
    sampled: dict[Key, dict[str, Ends]] = {}
    states: dict[Key, tuple[str, str]] = {}
    for number, line in enumerate(lines, start=2):
        key = line["cell"], line["environment"], _seed(line, file, number)
        if key[:2] not in cells:
            raise UsageError(f"{file}, line {number}: suite {suite.name} has no cell {key[0]!r} on {key[1]!r}.")
        states[key] = line["status"], line["reason"]
        row = values.setdefault(key, {})
        if line["metric"]:
            row[line["metric"]] = _value(line, "value", file, number)
            ends = _ends(line, suite, cells[key[:2]], file, number)
            if ends is not None:
                sampled.setdefault(key, {})[line["metric"]] = ends
    for (label, environment), cell in cells.items():
        for seed in cell.seeds:
            key = label, environment, seed
            state, reason = states.get(key, ("missing", f"not in {file}"))
            if state == FINISHED and cell.spec is not None:
                spec = cell.spec.with_seed(seed)
                records.finished.append(
                    Record(
                        label=label, environment=environment, seed=seed, spec=spec, values=values[key],
                        sampled=sampled.get(key, {}),
                    )
                )  # fmt: skip
            else:
                records.dropped.append(
                    Dropped(label=label, environment=environment, seed=seed, path=file, state=state, reason=reason)
                )
    return records


def _lines(file: Path) -> Iterable[Mapping[str, str]]:
    try:
        if file.stat().st_size > _LARGEST:
            raise UsageError(f"{file} has {file.stat().st_size} bytes: expected at most {_LARGEST}.")
        with file.open(encoding="utf-8", newline="") as text:
            lines = csv.DictReader(text, strict=True)
            if tuple(lines.fieldnames or ()) not in (COLUMNS, _WITHOUT_ENDS):
                raise UsageError(
                    f"{file} has the columns {', '.join(lines.fieldnames or ())}: expected {', '.join(COLUMNS)}, as "
                    "zoo table SUITE --format raw writes them."
                )
            for line in lines:
                if None in line or None in line.values():
                    raise UsageError(f"{file}, line {lines.line_num}: expected {len(lines.fieldnames or ())} columns.")
                yield line
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} is not a table of raw results: {error}.") from error


def _seed(line: Mapping[str, str], file: Path, number: int) -> int:
    if not (line["seed"].isascii() and line["seed"].isdigit() and len(line["seed"]) <= 18):
        raise UsageError(f"{file}, line {number}: seed is {line['seed']!r}: expected a whole number, 0 or more.")
    return int(line["seed"])


def _value(line: Mapping[str, str], name: str, file: Path, number: int) -> float:
    try:
        return float(line[name])
    except ValueError:
        raise UsageError(f"{file}, line {number}: {name} is {line[name]!r}: expected a number.") from None


def _ends(line: Mapping[str, str], suite: Suite, cell: Cell, file: Path, number: int) -> Ends | None:
    """The interval that a number has by itself; None where nothing was sampled."""
    if "low" not in line:
        of = suite.metric(line["metric"]).of
        scored = of.partition(".")[0] in [request.name for request in cell.evaluators] and not cell.file
        return UNBOUNDED if scored or of.startswith("eval/") else None
    if not line["low"] and not line["high"]:
        return None
    low, value, high = (_value(line, name, file, number) for name in ("low", "value", "high"))
    if low > value or high < value or math.isnan(low) != math.isnan(high):
        raise UsageError(
            f"{file}, line {number}: low and high are {low:g} and {high:g}: expected them around {value:g}."
        )
    return low, high


def tells_what_was_sampled(file: Path) -> bool:
    """Whether a file of raw results has the columns ``low`` and ``high``.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with file.open(encoding="utf-8", errors="replace") as text:
            return "low" in text.readline(1000).strip().split(",")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
