"""Raw results of a suite: one line of CSV for each run and metric, from which tables and verdicts are computed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from zoo import UsageError
from zoo_bench.load import Dropped, Key, Record, Records
from zoo_bench.schema import Suite

COLUMNS = ("cell", "environment", "seed", "metric", "value", "status", "reason")
FINISHED = "finished"
_LARGEST = 100_000_000
"""bytes of a file that is read"""


def raw_text(records: Records) -> str:
    """The records as CSV. A run that is in no average has one line, without a metric, with its state and reason."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for record in records.found:
        for metric, value in record.values.items():
            lines.writerow([record.label, record.environment, record.seed, metric, repr(float(value)), FINISHED, ""])
        if not record.values:
            lines.writerow([record.label, record.environment, record.seed, "", "", FINISHED, ""])
    for run in records.dropped:
        lines.writerow([run.label, run.environment, run.seed, "", "", run.state, run.reason])
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
    states: dict[Key, tuple[str, str]] = {}
    for number, line in enumerate(lines, start=2):
        key = line["cell"], line["environment"], _seed(line, file, number)
        if key[:2] not in cells:
            raise UsageError(f"{file}, line {number}: suite {suite.name} has no cell {key[0]!r} on {key[1]!r}.")
        states[key] = line["status"], line["reason"]
        row = values.setdefault(key, {})
        if line["metric"]:
            row[line["metric"]] = _value(line, file, number)
    for (label, environment), cell in cells.items():
        for seed in cell.seeds:
            key = label, environment, seed
            state, reason = states.get(key, ("missing", f"not in {file}"))
            if state == FINISHED and cell.spec is not None:
                spec = cell.spec.with_seed(seed)
                records.found.append(
                    Record(label=label, environment=environment, seed=seed, spec=spec, values=values[key])
                )
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
            if tuple(lines.fieldnames or ()) != COLUMNS:
                raise UsageError(
                    f"{file} has the columns {', '.join(lines.fieldnames or ())}: expected {', '.join(COLUMNS)}, as "
                    "zoo table SUITE --format raw writes them."
                )
            for line in lines:
                if None in line or None in line.values():
                    raise UsageError(f"{file}, line {lines.line_num}: expected {len(COLUMNS)} columns.")
                yield line
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} is no table of raw results: {error}.") from error


def _seed(line: Mapping[str, str], file: Path, number: int) -> int:
    if not (line["seed"].isascii() and line["seed"].isdigit() and len(line["seed"]) <= 18):
        raise UsageError(f"{file}, line {number}: seed is {line['seed']!r}: expected a whole number, 0 or more.")
    return int(line["seed"])


def _value(line: Mapping[str, str], file: Path, number: int) -> float:
    try:
        return float(line["value"])
    except ValueError:
        raise UsageError(f"{file}, line {number}: value is {line['value']!r}: expected a number.") from None
