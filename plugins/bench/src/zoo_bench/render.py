"""Tables as Markdown, LaTeX, CSV, JSON, or for a terminal; what they say is decided elsewhere."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.runs import columns_of
from zoo.terminal import console

_GAP = 3
_PAGE_WIDTH, _PAGE_ROWS = 90, 45  # characters and rows at footnotesize on a page of an article
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.])(-?)(\d+(?:\.\d+)?)(?:e(-?\d+))?(?![\w.])")
_STYLES = {"reproduced": "green", "not reproduced": "red", "inconclusive": "yellow", "incomplete": "yellow"}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table for people.

    Attributes:
        title: above it; may be empty.
        head: names of the columns, unique.
        rows: cells as text, each row as long as ``head``.
        numeric: columns that are numbers, which stand on the right.
        keep: how many leading columns tell the rows apart; repeated where a table is broken.
        notes: sentences below it.
    """

    title: str = ""
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[str] = frozenset()
    keep: int = 1
    notes: Sequence[str] = field(default_factory=tuple)


def markdown(sheets: Sequence[Sheet]) -> str:
    """GitHub's tables, with the title as a heading and the notes as a list."""
    return "\n".join(_markdown(sheet) for sheet in sheets)


def _markdown(sheet: Sheet) -> str:
    lines = [f"### {sheet.title}", ""] if sheet.title else []
    if sheet.rows:
        lines.append(_markdown_line(sheet.head))
        lines.append(_markdown_line(["---:" if name in sheet.numeric else "---" for name in sheet.head]))
        lines += [_markdown_line(row) for row in sheet.rows]
    lines += [*([""] if sheet.rows and sheet.notes else []), *(f"* {_plain_line(note)}" for note in sheet.notes)]
    return "\n".join([*lines, ""])


def _markdown_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_plain_line(cell).replace("\\", "\\\\").replace("|", "\\|") for cell in cells) + " |"


def _plain_line(text: str) -> str:
    return " ".join(text.split())


def latex(sheets: Sequence[Sheet]) -> str:
    """Tables for a document that uses booktabs, which fit a page of an article: one ``table`` for each part that does.

    The notes follow as paragraphs, since a float cannot be broken.
    """
    head = "% \\usepackage{booktabs} \\usepackage[T1]{fontenc}\n"
    return head + "\n".join(_latex(sheet) for sheet in sheets)


def _latex(sheet: Sheet) -> str:
    if not sheet.rows:
        return "".join(f"% {_plain_line(note)}\n" for note in (sheet.title, *sheet.notes) if note)
    parts: list[str] = []
    for block in _blocks(sheet, _PAGE_WIDTH):
        rows = _rows(sheet, block)
        for first in range(0, len(rows), _PAGE_ROWS):
            parts.append(_latex_table(sheet, block, rows[first : first + _PAGE_ROWS], more=bool(parts)))
    notes = [rf"{{\footnotesize {escape_numbers(note)}\par}}" for note in sheet.notes]
    return "\n".join([*parts, *notes, ""])


def _latex_table(sheet: Sheet, block: Sequence[int], rows: Sequence[Sequence[str]], *, more: bool) -> str:
    head = [sheet.head[column] for column in block]
    lines = [r"\begin{table}", r"  \centering\footnotesize"]
    if sheet.title:
        lines.append(rf"  \caption{{{escape(sheet.title)}{' (continued)' * more}}}")
    lines.append(rf"  \begin{{tabular}}{{{''.join('r' if name in sheet.numeric else 'l' for name in head)}}}")
    lines += [r"    \toprule", _latex_line(head, escape), r"    \midrule"]
    lines += [_latex_line(row, escape_numbers) for row in rows]
    return "\n".join([*lines, r"    \bottomrule", r"  \end{tabular}", r"\end{table}"])


def _latex_line(cells: Sequence[str], form: Callable[[str], str]) -> str:
    # The braces keep a leading [ from being read as the optional argument of the line break before it.
    texts = [form(cell) for cell in cells]
    return "    " + " & ".join(f"{{{text}}}" if text.startswith(("[", "*")) else text for text in texts) + r" \\"


def escape(text: str) -> str:
    """``text`` with every character that LaTeX would interpret escaped, and without line breaks."""
    return "".join(_LATEX.get(character, character) for character in _plain_line(text))


def escape_numbers(text: str) -> str:
    """As ``escape``, with numbers set as mathematics where they have a sign or an exponent."""
    parts: list[str] = []
    end = 0
    for found in _NUMBER.finditer(text):
        parts.append(escape_keeping_space(text[end : found.start()]))
        sign, mantissa, exponent = found.groups()
        if exponent is not None:
            mantissa = ("" if mantissa == "1" else rf"{mantissa}\cdot ") + f"10^{{{int(exponent)}}}"
        parts.append(f"${sign}{mantissa}$" if sign or exponent is not None else mantissa)
        end = found.end()
    return "".join([*parts, escape_keeping_space(text[end:])])


def escape_keeping_space(text: str) -> str:
    """As ``escape``, for a part of a sentence: the spaces at its ends stay."""
    return "".join(_LATEX.get(character, character) for character in re.sub(r"\s+", " ", text))


def csv_text(records: Sequence[Mapping[str, Any]]) -> str:
    """Records as CSV with one header line; None is empty, numbers keep all their digits."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns_of(records), lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue()


def json_text(document: Any) -> str:
    """One JSON document; infinite and undefined numbers, which JSON has not, as text."""
    return json.dumps(_finite(document), indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def terminal(sheets: Sequence[Sheet], width: int, *, colour: bool) -> str:
    """Tables for a terminal, broken between columns where it is too narrow, never cut off."""
    file = io.StringIO()
    out = console(
        file=file, width=max(width, 20), force_terminal=colour, color_system="standard" if colour else None,
        highlight=False, markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    for number, sheet in enumerate(sheets):
        if number:
            out.print()
        _print(out, sheet)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _print(console: Any, sheet: Sheet) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    if sheet.title:
        console.print(Text(sheet.title, style="bold"))
    for place, block in enumerate(_blocks(sheet, console.width) if sheet.rows else ()):
        if place:
            console.print()
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for column in block:
            name = sheet.head[column]
            table.add_column(Text(name), justify="right" if name in sheet.numeric else "left", overflow="fold")
        for row in _rows(sheet, block):
            table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
        console.print(table)
    for note in sheet.notes:
        console.print(Text(note, style="dim"), soft_wrap=True)


def _style(cell: str) -> str:
    return next((style for verdict, style in _STYLES.items() if cell.startswith(verdict)), "")


def _blocks(sheet: Sheet, width: int) -> list[list[int]]:
    """The columns of each block: the first ``keep`` of them, then as many others as fit."""
    wide = [max(map(len, column)) + _GAP for column in zip(sheet.head, *sheet.rows, strict=True)]
    kept = list(range(sheet.keep))
    blocks, block = [], list(kept)
    for column in range(sheet.keep, len(sheet.head)):
        if len(block) > len(kept) and sum(wide[c] for c in [*block, column]) - _GAP > width:
            blocks.append(block)
            block = list(kept)
        block.append(column)
    return [*blocks, block]


def _rows(sheet: Sheet, block: Sequence[int]) -> list[list[str]]:
    """The rows of one block; of a part of the columns only those that say something there."""
    whole = len(block) == len(sheet.head)
    rows = [[row[column] for column in block] for row in sheet.rows]
    return [row for row in rows if whole or any(row[sheet.keep :])]
