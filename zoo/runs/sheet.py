"""Tables as plain text: numbers to read, headers in two lines, no column ever cut off."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

_GAP = 2


def number(value: Any) -> str:
    """A value for a person: five significant digits, whole numbers whole, tiny and huge ones with an exponent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value).replace("\n", "\\n").replace("\t", "\\t")  # a cell is one line
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if value == int(value) and size < 1e7:
        return str(int(value))
    if size < 1e-3 or size >= 1e6:
        mantissa, _, exponent = f"{value:.2e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{value:.5g}"


def as_cell(value: Any) -> Any:
    """An option's value as one cell: numbers and text as they are, anything else in words."""
    if value is None:
        return "none"
    return value if isinstance(value, (int, float, str)) else str(value)


def columns_of(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """All keys of the records, in order of first appearance."""
    return list(dict.fromkeys(key for record in records for key in record))


def table(records: Sequence[Mapping[str, Any]], *, keep: int, width: int | None = None) -> str:
    """Records as aligned text, one line each; missing entries stay empty.

    A name such as "value/heat" becomes a header of two lines. What does not fit the width continues below, with
    the first ``keep`` columns repeated, so that nothing is shortened.

    Args:
        records: one mapping for each line.
        keep: how many leading columns identify the lines.
        width: in characters; by default that of the terminal.
    """
    names = columns_of(records)
    if width is None:
        width = shutil.get_terminal_size().columns
    cells = {name: [number(record.get(name)) for record in records] for name in names}
    headers = {name: _header(name) for name in names}
    widths = {name: max(map(len, [*headers[name], *cells[name]])) for name in names}
    numeric = {name: any(isinstance(record.get(name), (int, float)) for record in records) for name in names}
    blocks = []
    for block in _blocks(names, widths, keep, width):
        lines = [[headers[name][0] for name in block]] if any(headers[name][0] for name in block) else []
        lines.append([headers[name][1] for name in block])
        lines += [[cells[name][row] for name in block] for row in range(len(records))]
        blocks.append("\n".join(_line(line, block, widths, numeric) for line in lines))
    return "\n\n".join(blocks)


def _header(name: str) -> tuple[str, str]:
    group, slash, rest = name.partition("/")
    return (group, rest) if slash else ("", group)


def _line(cells: Sequence[str], block: Sequence[str], widths: Mapping[str, int], numeric: Mapping[str, bool]) -> str:
    placed = [
        cell.rjust(widths[name]) if numeric[name] else cell.ljust(widths[name])
        for cell, name in zip(cells, block, strict=True)
    ]
    return (" " * _GAP).join(placed).rstrip()


def _blocks(names: Sequence[str], widths: Mapping[str, int], keep: int, width: int) -> list[list[str]]:
    kept = list(names[:keep])
    start = sum(widths[name] + _GAP for name in kept) - _GAP
    blocks, block, used = [], list(kept), start
    for name in names[keep:]:
        if used + _GAP + widths[name] > width and len(block) > len(kept):
            blocks.append(block)
            block, used = list(kept), start
        block.append(name)
        used += _GAP + widths[name]
    return [*blocks, block]
