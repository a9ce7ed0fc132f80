"""``zoo composite proxy``: proxy points from stored runs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from zoo import CommandOptions, CommandParser

_EXAMPLES = (
    "zoo train ppo-sum tiny-composite --weights r1 1 r2 0 --learning-rate 1e-4 --steps 24576 --dir paths",
    "zoo train ppo-sum tiny-composite --weights r1 0 r2 1 --learning-rate 1e-4 --steps 24576 --dir paths",
    "zoo train ppo-sum tiny-composite --learning-rate 1e-4 --steps 24576 --dir paths",
    "zoo composite proxy paths",
)


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run ``zoo composite``."""
    parsed = _parser().parse_args(args)
    return int(parsed.run(parsed))


def _parser() -> CommandParser:
    about = "Composite reward models: where each stops being a good proxy."
    parser = CommandParser(prog="zoo composite", description=about, examples=["zoo composite proxy paths"])
    commands = parser.add_subparsers(dest="composite_command", metavar="COMMAND", required=True)
    about = "Individual and joint proxy points from runs that follow one reward model each, and their sum."
    proxy = commands.add_parser("proxy", help=about, description=about, examples=list(_EXAMPLES))
    proxy.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run, or a directory with runs below it")
    proxy.add_argument("--degree", type=int, metavar="N", help="degree of the polynomial surface, 1 to 6 (default: 3)")
    proxy.add_argument(
        "--min-density",
        type=float,
        metavar="X",
        help="search only where measurements are at least this dense, 1 being evenly spread (default: 0.3)",
    )
    proxy.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    proxy.set_defaults(run=show_points)
    return parser


def show_points(args: argparse.Namespace) -> int:
    """``zoo composite proxy``."""
    from zoo import open_runs
    from zoo_composite_rm.proxy.points import find_proxy_points
    from zoo_composite_rm.proxy.runs import paths_of

    names, paths = paths_of(open_runs(args.runs).runs)
    options = {"degree": args.degree, "min_density": args.min_density}
    points = find_proxy_points(paths, names, **{name: value for name, value in options.items() if value is not None})
    rows, warnings = points.rows(), points.warnings
    if args.json:
        _print_line(json.dumps({"points": rows, "warnings": warnings}, indent=2, allow_nan=False))
        return 0
    columns = [*rows[0]][:-1]
    lines = [[column.replace("_", " ") for column in columns]]
    lines += [[row[column] if column == "point" else f"{row[column]:.4f}" for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        _print_line("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for warning in warnings:
        _print_line(f"warning: {warning}")
    return 0


def _print_line(text: str) -> None:
    sys.stdout.write(text + "\n")
