"""One line for each response: its verdict, and why."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo import UsageError
from zoo_harp.evaluation.scoring import Scored


def record(scored: Scored) -> dict[str, Any]:
    """The verdict on one response as plain data."""
    problem, response = scored.problem, scored.response
    return {
        "id": problem.id,
        "level": problem.level,
        "subject": problem.subject,
        "run": response.run.name,
        "sample": response.sample,
        "gold": scored.gold,
        "extracted": scored.extracted,
        "correct": scored.correct,
        "rule": scored.rule,
        "reason": scored.reason,
        "finished": response.finished,
        "tokens": response.tokens,
        "claimed": response.claimed,
        "line": response.line,
    }


def write_items(path: Path, scored: Sequence[Scored]) -> None:
    """Write ``record`` of each response, as CSV or as JSON Lines, by the name of the file.

    In CSV a text that a spreadsheet would take for a formula is preceded by an apostrophe: model output is hostile.

    Raises:
        UsageError: the file cannot be written.
    """
    records = [record(item) for item in scored]
    try:
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            if path.suffix == ".jsonl":
                file.writelines(json.dumps(line) + "\n" for line in records)
                return
            writer = csv.DictWriter(file, list(records[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: _inert(value) for name, value in line.items()} for line in records)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _inert(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.replace("\x00", "\ufffd")
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
