"""``zoo diff``: the differences of two runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoo.cli.document import emit
from zoo.cli.parser import CommandOptions, CommandParser


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = CommandParser(
        prog="zoo diff",
        usage="zoo diff RUN RUN [--json]",
        description="The differences of two runs: options, versions, git revision, and the last value of each metric.",
        examples=[
            "zoo diff runs/two-state/reload/6d3d5ab420/seed-0 runs/two-state/reload/6d3d5ab420/seed-1",
            "zoo diff runs/two-state/reload/6d3d5ab420/seed-0 runs/two-state/gda/2895617289/seed-0 --json",
        ],
    )
    parser.add_argument("a", type=Path, metavar="RUN", help="a run directory")
    parser.add_argument("b", type=Path, metavar="RUN", help="another one")
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    parsed = parser.parse_args(args)

    from zoo.runs.compare import compare, lines
    from zoo.runs.store import open_run

    a, b = open_run(parsed.a), open_run(parsed.b)
    if parsed.json:
        emit(compare(a, b))
    else:
        print("\n".join(lines(a, b)))
    return 0
