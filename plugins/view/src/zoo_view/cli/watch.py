"""``zoo watch``: what all runs in a directory are doing."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import CommandOptions, CommandParser, RunError
from zoo.cli import count, documented, emit

if TYPE_CHECKING:
    from rich.table import Table

    from zoo_view.standings import Standing

_STYLES = {"running": "green", "silent": "yellow", "failed": "red", "interrupted": "yellow", "finished": "dim"}
_AROUND = 4
"""lines of a terminal that the table's heading and its last lines take"""


@documented
def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parsed = _parser().parse_args(args)
    from zoo.terminal import console
    from zoo_view.standings import standings

    out = console()
    if parsed.json:
        emit({"runs": [standing.to_json() for standing in standings(parsed.dir)]})
    elif parsed.once or not out.is_terminal:
        found = standings(parsed.dir)
        if not out.is_terminal:
            out = console(width=_wide(found))
        out.print(_table(found, most=len(found)))
        sys.stdout.flush()
    else:
        _live(parsed)
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo watch",
        usage="zoo watch [DIR] [options]",
        description="A live table of all runs in a directory: how far they are, how fast, how long they will take,\n"
        "and the newest return. Only files are read, so the runs may be of other machines on a shared disk. Ctrl-C\n"
        "ends it; into a pipe or a file it prints once.",
        examples=["zoo watch", "zoo watch /shared/runs --every 30", "zoo watch runs --once", "zoo watch runs --json"],
    )
    add = parser.add_argument
    add(
        "dir",
        nargs="?",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="any directory above runs (default: runs)",
    )
    add("--once", action="store_true", help="print the table once")
    add("--every", type=count, default=2, metavar="SECONDS", help="how often to look (default: 2)")
    add("--json", action="store_true", help="print one JSON document on standard output, once")
    return parser


def _live(parsed: argparse.Namespace) -> None:
    """Until Ctrl-C."""
    from rich.live import Live
    from rich.text import Text

    from zoo.terminal import console
    from zoo_view.standings import standings

    out = console()
    with Live(console=out, auto_refresh=False) as live:
        try:
            while True:
                try:
                    found = standings(parsed.dir)
                except RunError:  # nothing has begun yet
                    live.update(Text(f"no runs in {parsed.dir} yet"), refresh=True)
                else:
                    live.update(_table(found, most=max(1, out.height - _AROUND)), refresh=True)
                time.sleep(parsed.every)
        except KeyboardInterrupt:  # the way to end it
            return


def _table(found: Sequence[Standing], *, most: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    counts = Counter(standing.status for standing in found)
    table = Table(box=None, pad_edge=False, caption_justify="left")
    table.caption = Text(", ".join(f"{number} {status}" for status, number in counts.items()))
    for heading, right in _HEADINGS.items():
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for standing in found[:most]:
        cells = [Text(cell) for cell in _cells(standing)]
        cells[3].stylize(_STYLES.get(standing.status, ""))
        table.add_row(*cells)
    if len(found) > most:
        table.caption = Text.assemble(f"and {len(found) - most} runs more; ", table.caption)
    return table


_HEADINGS = {
    "algorithm": False, "environment": False, "seed": True, "status": False, "progress": True, "steps": True,
    "steps/s": True, "left": True, "return": True,
}  # fmt: skip


def _cells(standing: Standing) -> list[str]:
    """One cell for each heading."""
    from zoo.runs import number

    share = 1.0 if standing.status == "finished" else min(1.0, standing.step / standing.steps)
    rate = "" if standing.rate is None else f"{standing.rate:,.0f}" if standing.rate >= 10 else f"{standing.rate:.2g}"
    left = "" if standing.seconds_left is None else _duration(standing.seconds_left)
    return [
        standing.algorithm, standing.environment, str(standing.seed), standing.status, f"{share:.0%}",
        f"{standing.step:,}", rate, left, number(standing.returned),
    ]  # fmt: skip


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def _wide(found: Sequence[Standing]) -> int:
    """Columns that hold every cell whole."""
    rows = [list(_HEADINGS), *map(_cells, found)]
    return max(80, sum(max(map(len, column)) + 1 for column in zip(*rows, strict=True)) + 1)
