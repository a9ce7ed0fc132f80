"""``zoo runs``: the stored runs below a directory, one line each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from zoo.cli.document import emit
from zoo.cli.parser import CommandOptions, CommandParser
from zoo.training.storage.documents import STATES


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = CommandParser(
        prog="zoo runs",
        usage="zoo runs [DIR ...] [--algorithm NAME] [--environment NAME] [--status STATUS] [--json]",
        description="The stored runs below a directory, one line each. zoo show RUN shows one in full.",
        examples=["zoo runs", "zoo runs --status failed", "zoo runs runs/CartPole-v1 --algorithm ppo --json"],
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="DIR", default=[Path("runs")], help="where to look (default: runs)"
    )
    parser.add_argument("--algorithm", metavar="NAME", help="only runs of this algorithm or representation")
    parser.add_argument("--environment", metavar="NAME", help="only runs on this environment")
    parser.add_argument("--status", choices=STATES, metavar="STATUS", help=f"only runs that are {', '.join(STATES)}")
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    parsed = parser.parse_args(args)

    from zoo.errors import UnknownNameError
    from zoo.runs.describe import describe, listing
    from zoo.runs.store import open_runs

    catalogue = open_runs(parsed.paths)
    runs = list(catalogue)
    for name in ("algorithm", "environment"):
        wanted = getattr(parsed, name)
        known = {getattr(run, name) for run in runs}
        if wanted is not None and wanted not in known:
            raise UnknownNameError(f"{name} among these runs", wanted, known)
        runs = [run for run in runs if wanted in (None, getattr(run, name))]
    runs = [run for run in runs if parsed.status in (None, run.state)]
    if parsed.json:
        left_out = [refused.to_json() for refused in catalogue.refused]
        emit({"runs": [describe(run) for run in runs], "refused": left_out})
        return 0
    for refused in catalogue.refused:
        sys.stderr.write(f"zoo: left out: {refused.reason}\n")
    print(listing(runs) if runs else f"None of {len(catalogue)} runs is {parsed.status}.")
    return 0
