"""``zoo show``: one run in full, or a list of those beneath a directory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cli.document import emit
from zoo.cli.parser import CommandOptions, CommandParser

if TYPE_CHECKING:
    from zoo.runs.store import Catalogue


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = CommandParser(
        prog="zoo show",
        usage="zoo show RUN [--verify] [--json]",
        description="The spec, the progress and the metrics of a run. With a directory above several runs, one\n"
        "line for each.",
        examples=[
            "zoo show runs/two-state/reload/6d3d5ab420/seed-0",
            "zoo show runs",
            "zoo show runs --verify",
            "zoo show runs/CartPole-v1 --json",
        ],
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run directory, or a directory above some")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="read every file and compare it with what was written; exit 1 if one differs",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    parsed = parser.parse_args(args)

    from zoo.runs.describe import describe, lines, listing
    from zoo.runs.store import open_runs

    catalogue = open_runs([parsed.run])
    runs = [run for group in catalogue.groups() for run in group]
    if parsed.verify:
        return _verify(catalogue, as_json=parsed.json)
    if parsed.json:
        left_out = [refused.to_json() for refused in catalogue.refused]
        emit({"runs": [describe(run) for run in runs], "refused": left_out})
        return 0
    for refused in catalogue.refused:
        sys.stderr.write(f"zoo: left out: {refused.reason}\n")
    print("\n".join(lines(runs[0])) if len(runs) == 1 else listing(runs))
    return 0


def _verify(catalogue: Catalogue, *, as_json: bool) -> int:
    from zoo.runs.sheet import table
    from zoo.runs.verify import verify

    verified = [(run, verify(run)) for group in catalogue.groups() for run in group]
    broken = {run.path for run, parts in verified if any(part.state == "damaged" for part in parts)}
    if as_json:
        runs = [
            {"path": str(run.path), "sound": run.path not in broken, "parts": [part.to_json() for part in parts]}
            for run, parts in verified
        ]
        left_out = [refused.to_json() for refused in catalogue.refused]
        emit({"runs": runs, "refused": left_out})
        return 1 if broken or left_out else 0
    for refused in catalogue.refused:
        sys.stderr.write(f"zoo: left out: {refused.reason}\n")
    for run, parts in verified:
        shown = [part for part in parts if len(verified) == 1 or part.state == "damaged"]
        print(f"{run.path}: {'damaged' if run.path in broken else 'sound'}")
        if shown:
            print(table([{"part": part.name, "state": part.state, "what": part.detail} for part in shown], keep=2))
    return 1 if broken or catalogue.refused else 0
