"""``zoo papers``: every claim of the papers, with our verdict on it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import CommandOptions, CommandParser, UsageError
from zoo.cli import documented, write
from zoo.terminal import raw, visible
from zoo_bench.cli.output import write_document

if TYPE_CHECKING:
    from zoo.discovery import Registry
    from zoo_bench.papers import Row
    from zoo_bench.schema import Suite

FORMATS = ("rich", "markdown", "latex", "json")


@documented
def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parsed = _parser().parse_args(args)
    registry = options.registry()
    rows = claimed_rows(parsed.suites, parsed.dir, parsed.raw, registry)
    if not rows:
        raise UsageError("no suite names a claim of a paper.", "zoo bench --list shows the suites.")
    if not any(row.verdicts for row in rows):
        sys.stderr.write(
            f"zoo: no result of these suites in {parsed.raw or parsed.dir}, so that nothing is judged: zoo bench SUITE "
            "makes runs, and zoo's source has results of ours: --from benchmarks/results.\n"
        )
    text = _render(rows, parsed.format, parsed.output)
    if parsed.output is None:
        write(text, styled=parsed.format == "rich")
        return 0
    write_document(parsed.output, visible(text))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo papers",
        usage="zoo papers [SUITE ...] [options]",
        description="Every claim of the papers in plain words: where it stands, our experiment, what was measured,\n"
        "and a verdict. What no experiment judges is a row, too, and says what is missing.",
        examples=[
            "zoo papers",
            "zoo papers --from benchmarks/results",
            "zoo papers fr lambda-r --format markdown -o claims.md",
        ],
    )
    add = parser.add_argument
    add("suites", nargs="*", metavar="SUITE", help="suites of these papers (default: all that name such claims)")
    add("--from", type=Path, dest="raw", metavar="FOLDER", help="results from FOLDER/SUITE.raw.csv, instead of runs")
    add("--dir", type=Path, default=Path("runs"), help="directory of all runs (default: runs)")
    add("--format", choices=FORMATS, default="rich", help="how to write it (default: rich)")
    add("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    add("-o", "--output", type=Path, metavar="FILE", help="write to this file")
    return parser


def claimed_rows(names: Sequence[str], folder: Path, raw: Path | None, registry: Registry) -> list[Row]:
    """A row for each claim of the papers of these suites, or of all, from runs in ``folder`` or ``raw`` results."""
    return [row for suite in _suites(names, registry) for row in _rows(suite, folder, raw, registry)]


def _suites(names: Sequence[str], registry: Registry) -> list[Suite]:
    from zoo_bench.suite import find_suites, open_suite

    if names:
        return [open_suite(name, registry) for name in names]
    return [suite for source in find_suites(registry).values() if (suite := source.load()).published]


def _rows(suite: Suite, folder: Path, raw: Path | None, registry: Registry) -> list[Row]:
    """The rows of one suite; where its packages are not installed, or nothing was run, nothing is judged."""
    from zoo_bench.claims import judge
    from zoo_bench.load import Records, from_suite, measure
    from zoo_bench.metrics import functions
    from zoo_bench.papers import rows_of
    from zoo_bench.raw import from_raw
    from zoo_bench.resolve import resolve_suite

    if raw is None and not folder.exists():
        return rows_of(suite, [])
    try:
        resolved = resolve_suite(suite, registry)
    except UsageError as error:
        sys.stderr.write(f"zoo: suite {suite.name} is not judged: {error.message}\n")
        return rows_of(suite, [])
    records = Records()
    file = raw / f"{suite.name}.raw.csv" if raw else None
    if file is None:
        records = from_suite(resolved, folder, list(resolved.used_metrics), measure(functions(registry)))
    elif file.exists():
        records = from_raw(resolved, file)
    return rows_of(resolved, judge(resolved, records.by_run, records.failed, records.noise) if records.finished else [])


def _render(rows: Sequence[Row], form: str, file: Path | None) -> str:
    from zoo_bench import render
    from zoo_bench.papers import ANSWERS, sheets, totals

    if form == "json":
        counts = {paper: {name: count[name] for name in ANSWERS} for paper, count in totals(rows).items()}
        return render.json_text({"claims": [row.to_json() for row in rows], "totals": counts})
    if form == "markdown":
        return render.markdown(sheets(rows))
    if form == "latex":
        return render.latex(sheets(rows))
    colour = file is None and raw(sys.stdout).isatty()
    return render.terminal(sheets(rows), shutil.get_terminal_size().columns, colour=colour)
