"""``zoo report``: claims, figures and runs as one page of HTML."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import CommandOptions, CommandParser, RunError, UsageError
from zoo.cli import documented, emit, natural
from zoo.terminal import visible
from zoo_bench.cli.output import write_document

if TYPE_CHECKING:
    from zoo.discovery import Registry
    from zoo.runs import Catalogue

_FILE = Path("report.html")
_PORT = 8765


@documented
def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parsed = _parser().parse_args(args)
    registry = options.registry()
    if parsed.serve:
        for flag, given in (("--output", parsed.output is not None), ("--json", parsed.json)):
            if given:
                raise UsageError(f"--serve writes no file: leave out {flag}, or --serve.")
        for path in parsed.runs:
            if not path.exists():
                raise UsageError(f"{path} does not exist.")
        from zoo_bench.page.serve import serve

        port = _PORT if parsed.port is None else parsed.port
        serve(lambda version: _page(parsed, registry, version)[0], _places(parsed), port, _say)
        return 0
    if parsed.port is not None:
        raise UsageError("--port is of --serve, which was not given.")
    file = parsed.output or _FILE
    if file.is_dir():  # known before the page is made, which may take a while
        raise UsageError(f"{file} is a folder: it cannot be written as a page.")
    text, about = _page(parsed, registry)
    write_document(file, text)
    if parsed.json:
        emit({"file": str(file), "bytes": file.stat().st_size, **about})
    else:
        print(f"{file}: {about['runs']} runs, {about['claims']} claims judged, {file.stat().st_size / 1e6:.1f} MB.")
    return 0


def _say(address: str) -> None:
    print(f"{address}  (Ctrl-C ends it)", flush=True)


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo report",
        usage="zoo report [RUN ...] [options]",
        description="One page of HTML that holds everything: claims of the papers, their verdicts and figures, and\n"
        "of each run its command line, versions, settings and curves. It fetches nothing, so it can be sent.\n"
        "RUN is a run directory, or any directory above some.",
        examples=[
            "zoo report",
            "zoo report runs/CartPole-v1 -o cartpole.html",
            "zoo report --from benchmarks/results -o papers.html",
            "zoo report --serve",
        ],
    )
    add = parser.add_argument
    add("runs", nargs="*", type=Path, metavar="RUN", help="runs to show (default: those in --dir)")
    add("-o", "--output", type=Path, metavar="FILE", help=f"the page (default: {_FILE})")
    add("--from", type=Path, dest="raw", metavar="FOLDER", help="judge claims by the results FOLDER/SUITE.raw.csv, "
        "instead of runs in --dir")  # fmt: skip
    add("--dir", type=Path, default=Path("runs"), help="directory of all runs (default: runs)")
    add("--serve", action="store_true", help="show it on this machine alone, anew while runs go on; Ctrl-C ends it")
    add("--port", type=natural, metavar="N", help=f"of --serve; 0 for any (default: {_PORT})")
    add("--json", action="store_true", help="print one JSON document on standard output")
    return parser


def _places(parsed: argparse.Namespace) -> list[Path]:
    """Where the runs of the page are."""
    return list(parsed.runs) or [parsed.dir]


def _page(parsed: argparse.Namespace, registry: Registry, version: str = "") -> tuple[str, dict[str, Any]]:
    """The page, and what is in it; with a version, as it is served.

    Raises:
        UsageError: there is nothing to report, or a path does not exist.
    """
    from zoo import __version__
    from zoo_bench.cli.papers import claimed_rows
    from zoo_bench.page.document import page
    from zoo_bench.page.papers import claims_of
    from zoo_bench.page.runs import LeftOut, Stored, read_stored

    if parsed.raw is not None and not parsed.raw.is_dir():
        raise UsageError(f"--from {parsed.raw} is not a folder: expected one with results, SUITE.raw.csv.")
    catalogue = _catalogue(parsed)
    stored = read_stored(catalogue) if len(catalogue) or catalogue.refused else Stored()
    rows = claimed_rows([], parsed.dir, parsed.raw, registry)
    judged = sum(bool(row.verdicts) for row in rows)
    if not stored.groups and not judged and not version:
        raise UsageError(
            f"there is nothing to report: {', '.join(map(str, _places(parsed)))} has no runs, and no claim is judged.",
            "zoo train makes runs; --from FOLDER reads results of suites.",
        )
    claims = claims_of(rows, registry, catalogue) if judged else None
    unjudged = "" if judged else f"None of the {len(rows)} claims of the papers is judged by what is here."
    left_out = [*stored.left_out, *_not_finished(stored)]
    if len(catalogue) and (missing := _without_plugins(registry)):
        left_out += [LeftOut(what=name, reason=reason) for name, reason in missing.items()]
    content = {
        "title": "zoo report", "made": _made(stored, __version__), "claims": claims, "unjudged": unjudged,
        "stored": stored, "left_out": left_out,
        "states": sorted({run.state for group in stored.groups for run in group.runs}),
    }  # fmt: skip
    text = page(content, [group.curves for group in stored.groups], live=version)
    return text, {"runs": stored.count, "settings": len(stored.groups), "claims": judged, "left_out": len(left_out)}


def _catalogue(parsed: argparse.Namespace) -> Catalogue:
    """The runs that were named, or those of the folder of all; none where there is no such folder."""
    from zoo.runs import Catalogue, distinct, open_runs

    if not parsed.runs and not parsed.dir.exists():
        return Catalogue([], [])
    try:
        return distinct(open_runs(_places(parsed)))
    except RunError as error:
        if parsed.runs or error.exit_code != UsageError.exit_code:  # there are some, and they cannot be read
            raise
        return Catalogue([], [])


def _made(stored: Any, version: str) -> str:
    """When, with what, of how much."""
    import datetime

    now = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return f"Made {now} by zoo {version}; {stored.count} runs of {len(stored.groups)} settings."


def _not_finished(stored: Any) -> list[Any]:
    """Runs that are in the page, and in no table of results."""
    from zoo_bench.page.runs import LeftOut

    found = []
    for group in stored.groups:
        for run in group.runs:
            if run.state != "finished":
                why = f": {run.reason.rstrip('.')}" if run.reason else ""
                reason = f"{run.state} at step {run.step} of {group.steps}{why}; no claim counts it as a result."
                found.append(LeftOut(what=run.path, reason=reason))
    return found


def _without_plugins(registry: Registry) -> dict[str, str]:
    return {visible(plugin.plugin): visible(f"failed to load: {plugin.reason}") for plugin in registry.failures}
