"""``zoo harp lm-eval``, ``solutions`` and ``overlap``: a task file, and statistics of the problems."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Add = Callable[..., argparse.ArgumentParser]


def add_commands(commands: Any, add: Add) -> None:
    """Add the three commands; ``add`` makes a parser with its summary and examples."""
    parser = add(
        commands, "lm-eval", _lm_eval, "Write a task of lm-evaluation-harness for a file of problems.",
        ["zoo harp lm-eval HARP.jsonl --out tasks",
         "lm_eval --model hf --include_path tasks --tasks harp --log_samples"],
    )  # fmt: skip
    parser.add_argument("file", type=Path, metavar="FILE", help="problems, .jsonl")
    parser.add_argument("--out", type=Path, default=Path("harp-task"), metavar="DIR", help="default: harp-task")
    parser.add_argument("--force", action="store_true", help="write over files that are there")
    parser = add(
        commands, "solutions", _solutions,
        "Number and length of human solutions by level, and a model's tokens beside them.",
        ["zoo harp solutions HARP.jsonl", "zoo harp solutions HARP.jsonl --responses responses.jsonl --json"],
    )  # fmt: skip
    parser.add_argument("file", type=Path, metavar="FILE", help="problems: .jsonl, or a .zip that holds one")
    parser.add_argument("--responses", type=Path, metavar="FILE", help="of a model, with tokens")
    parser.add_argument("--json", action="store_true", help="print one JSON object a row")
    parser = add(
        commands, "overlap", _overlap, "Problems that another collection has too, such as MATH.",
        ["zoo harp overlap HARP.jsonl --with MATH.jsonl", "zoo harp overlap HARP.jsonl --with MATH.jsonl --share 0.3"],
    )  # fmt: skip
    parser.add_argument("file", type=Path, metavar="FILE", help="problems: .jsonl, or a .zip that holds one")
    parser.add_argument("--with", dest="other", type=Path, required=True, metavar="FILE",
                        help='lines of JSON with the field "problem"')  # fmt: skip
    parser.add_argument("--share", type=float, default=0.5, metavar="S",
                        help="least fraction of shared eight-word n-grams (default: 0.5)")  # fmt: skip


def _print_line(text: str) -> None:
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")


def _lm_eval(parsed: argparse.Namespace) -> int:
    from zoo_harp.protocol.lm_eval_files import TASK, write_task

    for path in write_task(parsed.out, parsed.file, force=parsed.force):
        _print_line(f"wrote {path}")
    _print_line(f"next: lm_eval --model hf --include_path {parsed.out} --tasks {TASK} --log_samples --output_path logs")
    return 0


def _solutions(parsed: argparse.Namespace) -> int:
    from zoo_harp.analysis.solutions import solution_rows
    from zoo_harp.evaluation.data import load_dataset
    from zoo_harp.evaluation.responses import load_responses

    dataset = load_dataset(parsed.file)
    responses = load_responses(parsed.responses, known=dataset.problems.__contains__).items if parsed.responses else ()
    rows = solution_rows(list(dataset.problems.values()), responses)
    if parsed.json:
        for row in rows:
            _print_line(json.dumps({name: None if _is_nan(value) else value for name, value in row.items()}))
    else:
        _table(rows)
    return 0


def _overlap(parsed: argparse.Namespace) -> int:
    from zoo import UsageError
    from zoo_harp.analysis.overlap import overlaps
    from zoo_harp.evaluation.data import load_dataset
    from zoo_harp.evaluation.jsonl import Line, load

    if not 0 < parsed.share <= 1:
        raise UsageError(f"--share is {parsed.share}: expected above 0, at most 1.")

    def text(line: Line) -> str:
        return line.text("problem")

    dataset = load_dataset(parsed.file)
    others = list(load(parsed.other, text).items)
    found_overlaps = overlaps(list(dataset.problems.values()), others, share=parsed.share)
    for overlap in found_overlaps:
        _print_line(f"{overlap.problem}  line {overlap.place + 1}  {100 * overlap.share:.0f} %")
    _print_line(
        f"{len(found_overlaps)} of {len(dataset.problems)} problems overlap with {len(others)} of {parsed.other}."
    )
    return 0


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(rows[0])
    cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    for line in cells:
        _print_line("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def _cell(value: object) -> str:
    return ("-" if math.isnan(value) else f"{value:.2f}") if isinstance(value, float) else str(value)
