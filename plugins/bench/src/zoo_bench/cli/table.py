"""``zoo table``: results of stored runs as a table, with intervals, published values and verdicts."""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import CommandOptions, CommandParser, RunError, UnknownNameError, UsageError
from zoo.cli import documented, write
from zoo.terminal import raw, visible
from zoo_bench.cli.output import write_document

if TYPE_CHECKING:
    from zoo.discovery import Registry
    from zoo.runs import Catalogue
    from zoo_bench.render import Sheet
    from zoo_bench.results_table import ResultsTable
    from zoo_bench.schema import Suite

FORMATS = ("rich", "markdown", "latex", "csv", "json", "raw", "digest")
_ENDINGS = {".md": "markdown", ".tex": "latex", ".csv": "csv", ".json": "json"}
_HEADLINES = (("eval/return", "episode/return"), ("err", "kkt"), ("loss",))


@documented
def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parsed = _parser().parse_args(args)
    form = parsed.format or _ENDINGS.get(parsed.output.suffix if parsed.output else "", "rich")
    if parsed.check:
        return _check(parsed, form, options.registry())
    if form == "digest":
        _write(_digest(parsed, options.registry()), parsed.output)
        return 0
    if parsed.proof:
        raise UsageError("--proof is for digests: expected --format digest --from FILE.csv --proof DIR.")
    results_table = _results_table(parsed, options)
    text = _render(results_table, form, parsed)
    status = _compare(results_table, parsed.against) if parsed.against else 0
    _write(text, parsed.output, styled=form == "rich")
    incomplete = [verdict for verdict in results_table.verdicts if verdict.answer == "incomplete"]
    for verdict in incomplete if parsed.strict else ():
        sys.stderr.write(f"zoo: claim {verdict.claim.id} is {verdict.words}: {verdict.sentence}\n")
    return 1 if incomplete and parsed.strict else status


def _check(parsed: argparse.Namespace, form: str, registry: Registry) -> int:
    """Print which committed results are stale; 1 if any is, or cannot be checked."""
    from zoo_bench.cli.check import RESULTS, checked, document, sheet
    from zoo_bench.render import json_text

    if form in ("csv", "raw", "digest"):
        raise UsageError(f"--check has no format {form}: expected rich, markdown, latex or json.")
    folder = parsed.raw or RESULTS
    if not folder.is_dir():
        raise UsageError(f"there is no directory {folder}: expected committed results.", "Try --from DIRECTORY.")
    found = checked(parsed.what, registry, folder)
    text = json_text(document(found)) if form == "json" else _sheets([sheet(found, folder)], form, parsed)
    _write(text, parsed.output, styled=form == "rich")
    return 1 if any(problem for problem in found.values()) else 0


def _digest(parsed: argparse.Namespace, registry: Registry) -> str:
    """The digest of a suite's results: from its runs, or the committed one with the claims of today."""
    from dataclasses import replace

    from zoo_bench.digests import digest_of_suite, proven, read_digest
    from zoo_bench.load import from_suite, measure
    from zoo_bench.metrics import functions
    from zoo_bench.raw import from_raw
    from zoo_bench.resolve import resolve_suite

    if not parsed.what or (parsed.proof and not parsed.raw):
        raise UsageError("a digest is of a suite: expected zoo table SUITE --format digest; --proof needs --from.")
    suite = resolve_suite(_suite(parsed, registry), registry)
    if not parsed.raw:
        return digest_of_suite(suite, registry, parsed.dir).text()
    committed = read_digest(parsed.raw.with_name(parsed.raw.name.replace(".raw.csv", ".digest.json")))
    if parsed.proof:
        again = from_suite(suite, parsed.proof, list(suite.used_metrics), measure(functions(registry)))
        committed = proven(suite, committed, from_raw(suite, parsed.raw), again, registry, parsed.proof)
    return replace(committed, claims=digest_of_suite(suite, registry).claims).text()


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo table",
        usage="zoo table [SUITE | RUN ...] [options]",
        description="Interquartile mean over seeds with its 95 % interval for each experiment. With a suite also the\n"
        "published values and the verdicts on its claims. RUN is a run directory, or any directory above\n"
        "some (default: all of --dir). Only finished runs count; what is left out is listed with the reason.",
        examples=[
            "zoo table smoke",
            "zoo table reload --format latex -o reload.tex",
            "zoo table reload --format raw -o reload.raw.csv && zoo table reload --from reload.raw.csv",
            "zoo table --check  # are the committed results those of today's suites and code?",
            "zoo table reload --strict  # exit 1 where seeds failed or are missing",
            "zoo table runs/CartPole-v1 --group-by algorithm learning_rate --sort eval/return --descending",
        ],
    )  # fmt: skip
    add = parser.add_argument
    add("what", nargs="*", metavar="SUITE|RUN", help="a suite (a name, or its TOML file), or runs")
    add("--format", choices=FORMATS, help="how to print (default: by the ending of -o, else rich); raw: one line "
        "of CSV for each run and metric of a suite; digest: what these depend on")  # fmt: skip
    add("--metric", nargs="+", action="extend", metavar="NAME", help="columns (default: those of the suite, or errors "
        "and returns)")  # fmt: skip
    add("--group-by", nargs="+", action="extend", metavar="COLUMN",
        help="one row for each: environment, label, algorithm, or any option (default: environment label)")  # fmt: skip
    add("--sort", metavar="COLUMN", help="order by this column or metric (default: as in the suite)")
    add("--descending", action="store_true", help="largest first, with --sort")
    add("--quick", action="store_true", help="only the suite's quick cells")
    add("--from", type=Path, metavar="FILE.csv", dest="raw", help="the suite's results from this file, which --format "
        "raw wrote, instead of stored runs")  # fmt: skip
    add("--check", action="store_true", help="only say which committed results (those in --from DIRECTORY, default: "
        "benchmarks/results) are stale: cells, options, or code; exit 1 where some are")  # fmt: skip
    add("--proof", type=Path, metavar="DIR", help="with --format digest --from: cells whose runs in DIR, made anew, "
        "have the committed numbers get the code that made these")  # fmt: skip
    add("--against", type=Path, metavar="FILE.csv", help="exit 1 where an interval does not meet that of this table")
    add("--strict", action="store_true", help="exit 1 where a verdict is incomplete: seeds failed or are missing")
    add("-o", "--output", type=Path, metavar="FILE", help="write to this file")
    add("--dir", type=Path, default=Path("runs"), help="directory of all runs (default: runs)")
    add("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    return parser


def _results_table(parsed: argparse.Namespace, options: CommandOptions) -> ResultsTable:
    if not parsed.what or all(Path(name).is_dir() for name in parsed.what):
        if parsed.quick:
            raise UsageError("--quick is for suites: expected zoo table SUITE --quick.")
        if parsed.raw or parsed.format == "raw":
            raise UsageError(f"{'--from' if parsed.raw else '--format raw'} is for suites: expected zoo table SUITE.")
        return _runs_report(parsed)
    registry = options.registry()
    return _suite_report(_suite(parsed, registry), parsed, registry)


def _suite(parsed: argparse.Namespace, registry: Registry) -> Suite:
    """The suite that was asked for."""
    from zoo_bench.suite import open_suite

    name, *more = parsed.what
    folders = [str(near) for near in Path(name).parent.glob("*/")]
    suite = open_suite(name, registry, what="suite or directory of runs", also=folders)
    if more:
        raise UsageError(f"zoo table takes one suite, or runs: {name} is a suite, so leave out {' '.join(more)}.")
    return suite.quick() if parsed.quick else suite


def _suite_report(suite: Suite, parsed: argparse.Namespace, registry: Registry) -> ResultsTable:
    from zoo_bench.aggregate import summarise
    from zoo_bench.claims import judge
    from zoo_bench.load import check_columns, check_metrics, from_suite, measure
    from zoo_bench.metrics import functions
    from zoo_bench.raw import from_raw
    from zoo_bench.resolve import resolve_suite
    from zoo_bench.results_table import ResultsTable

    suite = resolve_suite(suite, registry)
    shown = [suite.metric(name) for name in dict.fromkeys(parsed.metric or ())] or list(suite.used_metrics)
    asked = {metric.name: metric for metric in (*shown, *suite.used_metrics)}
    if parsed.raw:
        records = from_raw(suite, parsed.raw)
    else:
        records = from_suite(suite, parsed.dir, list(asked.values()), measure(functions(registry)))
    group_by = parsed.group_by or ["environment", "label"]
    check_columns(records, group_by)
    check_metrics(records, parsed.metric or ())
    rows = summarise(records, shown, group_by, suite)
    repeat = f"zoo bench {parsed.what[0]}{' --quick' if parsed.quick else ''} runs what is missing."
    results_table = ResultsTable(
        title=suite.title, rows=rows, metrics=shown, group_by=group_by, dropped=records.dropped, suite=suite,
        repeat=repeat, runs=records,
        verdicts=judge(suite, records.by_run, records.failed, records.noise) if records.finished else (),
    )  # fmt: skip
    return _sorted(results_table, parsed)


def _runs_report(parsed: argparse.Namespace) -> ResultsTable:
    from zoo_bench.aggregate import summarise
    from zoo_bench.load import check_columns, check_metrics, from_catalogue, measure
    from zoo_bench.metrics import FUNCTIONS
    from zoo_bench.results_table import ResultsTable
    from zoo_bench.schema import Metric

    catalogue = _catalogue(parsed)
    metrics = [Metric(name=name, of=name) for name in parsed.metric or _headlines(catalogue)]
    records = from_catalogue(catalogue, metrics, measure(FUNCTIONS))
    group_by = parsed.group_by or ["environment", "label"]
    check_columns(records, group_by)
    check_metrics(records, parsed.metric or ())
    return _sorted(
        ResultsTable(
            title="", rows=summarise(records, metrics, group_by, None), metrics=metrics, group_by=group_by,
            dropped=records.dropped,
        ),
        parsed,
    )  # fmt: skip


def _catalogue(parsed: argparse.Namespace) -> Catalogue:
    from zoo import open_runs

    if not parsed.what and not parsed.dir.exists():
        raise RunError(f"{parsed.dir} does not exist: there are no runs yet.", "zoo train and zoo bench make runs.")
    return open_runs([Path(name) for name in parsed.what] or [parsed.dir])


def _headlines(catalogue: Catalogue) -> list[str]:
    """What runs of these algorithms are about: of each kind of metric the first that any of them has."""
    from zoo_bench.metrics import last_values

    having = {name for run in catalogue.runs if run.state == "finished" for name in last_values(run)}
    return [name for kind in _HEADLINES for name in [n for n in kind if n in having][:1]]


def _sorted(results_table: ResultsTable, parsed: argparse.Namespace) -> ResultsTable:
    if parsed.sort is None:
        if parsed.descending:
            raise UsageError("--descending has nothing to order: expected --sort COLUMN.")
        return results_table
    known = [*results_table.group_by, *(metric.name for metric in results_table.metrics)]
    if parsed.sort not in known:
        raise UnknownNameError("column to sort by", parsed.sort, known)
    return results_table.sorted(parsed.sort, descending=parsed.descending)


def _render(results_table: ResultsTable, form: str, parsed: argparse.Namespace) -> str:
    from zoo_bench import render

    if form == "raw":
        from zoo_bench.raw import raw_text

        return raw_text(results_table.runs)
    if form == "csv":
        return render.csv_text(results_table.records)
    if form == "json":
        return render.json_text(results_table.to_json())
    return _sheets(results_table.sheets(), form, parsed)


def _sheets(sheets: Sequence[Sheet], form: str, parsed: argparse.Namespace) -> str:
    from zoo_bench import render

    if form == "markdown":
        return render.markdown(sheets)
    if form == "latex":
        return render.latex(sheets)
    colour = parsed.output is None and raw(sys.stdout).isatty()
    return render.terminal(sheets, shutil.get_terminal_size().columns, colour=colour)


def _compare(results_table: ResultsTable, file: Path) -> int:
    """1 where the table has left the intervals of a committed one, with a sentence for each."""
    from zoo_bench.results_table import drift

    try:
        with file.open(encoding="utf-8", newline="") as lines:
            committed = list(csv.DictReader(lines))
        found = drift(results_table, committed)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except (KeyError, ValueError) as error:
        raise UsageError(f"{file} is not a table that zoo table --format csv wrote: {error}.") from error
    for sentence in found:
        sys.stderr.write(f"zoo: {sentence}\n")
    return 1 if found else 0


def _write(text: str, file: Path | None, *, styled: bool = False) -> None:
    """Write to a file, or print; what is ``styled`` has been made visible before."""
    if file is None:
        write(text, styled=styled)
        return
    write_document(file, visible(text))
