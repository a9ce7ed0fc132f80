"""``zoo icl``: ``heads`` of other people's models, and ``toy``, the three-vector model of a phase change."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from zoo import CommandOptions, CommandParser
from zoo_icl.heads_command import add_heads

__all__ = ["main"]

_EXPECTED = {
    (): "a plateau, then a drop",
    ("a",): "a shorter plateau",
    ("b",): "a shorter plateau",
    ("c",): "a shorter plateau",
    ("a", "b"): "exponential decay",
    ("a", "c"): "exponential decay",
    ("b", "c"): "exponential decay",
}


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run ``zoo icl``."""
    parsed = _parser().parse_args(args)
    return int(parsed.run(parsed))


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo icl",
        description="In-context learning: models small enough to understand.",
        examples=["zoo icl heads ./gpt2", "zoo icl toy --dim 20"],
    )
    commands = parser.add_subparsers(dest="icl_command", metavar="COMMAND", required=True)
    add_heads(commands)
    summary = "Fit a product of three vectors with some of them clamped (Singh et al. 2024, arXiv:2404.07129)."
    toy = commands.add_parser("toy", help=summary, description=summary)
    toy.add_argument("--dim", type=_positive, default=20, metavar="N", help="length of each vector (default: 20)")
    toy.add_argument("--steps", type=_positive, default=1000, metavar="N", help="gradient steps (default: 1000)")
    toy.add_argument("--seed", type=int, default=0, metavar="N", help="of target and initial values (default: 0)")
    toy.add_argument("--json", action="store_true", help="print the losses as one JSON document")
    toy.set_defaults(run=_toy)
    return parser


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def _toy(parsed: argparse.Namespace) -> int:
    from zoo_icl.phase_change import fit

    fits = [fit(clamped, dim=parsed.dim, steps=parsed.steps, seed=parsed.seed) for clamped in _EXPECTED]
    if parsed.json:
        sys.stdout.write(json.dumps({"+".join(each.clamped) or "none": each.loss.tolist() for each in fits}) + "\n")
        return 0
    rows = [("clamped", "loss 90 % at", "10 % at", "plateau", "expected")]
    for each in fits:
        levels = (_step_text(each.steps_to(0.9)), _step_text(each.steps_to(0.1)))
        rows.append((" ".join(each.clamped) or "none", *levels, f"{each.plateau:.2f}", _EXPECTED[each.clamped]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        sys.stdout.write("  ".join(map(str.ljust, row, widths)).rstrip() + "\n")
    sys.stdout.write(
        "plateau: steps until the loss is at 90 % over those from there to 10 %; exponential decay: .05.\n"
    )
    return 0


def _step_text(step: int | None) -> str:
    return "never" if step is None else str(step)
