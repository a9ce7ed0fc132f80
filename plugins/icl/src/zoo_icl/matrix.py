"""Numbers by layer and head as lines of text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def number(value: float, digits: int = 2) -> str:
    """Without the zero before the point; a dash for what is not defined."""
    if math.isnan(value):
        return "-"
    shown = f"{round(value, digits) + 0.0:.{digits}f}"  # adding 0 takes the sign off a zero
    return shown.replace("0.", ".", 1) if shown.lstrip("-").startswith("0.") else shown


def matrix(rows: Mapping[str, Sequence[float]], columns: Sequence[str] = ()) -> str:
    """One line for each row, its name before its numbers, under the columns' names, or their numbers from 0."""
    longest = max(len(row) for row in rows.values())
    lines = [["", *(columns or map(str, range(longest)))]]
    lines += [[name, *map(number, row)] for name, row in rows.items()]
    left = max(len(line[0]) for line in lines)
    width = max(len(cell) for line in lines for cell in line[1:])
    return "\n".join(
        " ".join([line[0].rjust(left), *(cell.rjust(width) for cell in line[1:])]).rstrip() for line in lines
    )
