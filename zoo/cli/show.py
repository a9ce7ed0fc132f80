"""``zoo show``: one run in full, or a list of those beneath a directory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from zoo.cli.document import emit
from zoo.cli.parser import CommandParser, Options


def main(args: Sequence[str], options: Options) -> int:
    """Run the command."""
    parser = CommandParser(
        prog="zoo show",
        usage="zoo show RUN [--json]",
        description="What a run is, where it stands and what it measured. With a directory above several runs, one\n"
        "line for each.",
        examples=[
            "zoo show runs/two-state/reload/6d3d5ab420/seed-0",
            "zoo show runs",
            "zoo show runs/CartPole-v1 --json",
        ],
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run directory, or a directory above some")
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    parsed = parser.parse_args(args)

    from zoo.results.describe import describe, lines, listing
    from zoo.results.store import open_runs

    catalogue = open_runs([parsed.run])
    runs = [run for group in catalogue.groups() for run in group]
    if parsed.json:
        refused = [{"path": str(found.path), "reason": found.reason} for found in catalogue.refused]
        emit({"runs": [describe(run) for run in runs], "refused": refused})
        return 0
    for found in catalogue.refused:
        sys.stderr.write(f"zoo: left out: {found.reason}\n")
    print("\n".join(lines(runs[0])) if len(runs) == 1 else listing(runs))
    return 0
