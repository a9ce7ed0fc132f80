"""Where a legend goes, and in how many columns it fits its figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LETTERS_PER_INCH = 14.0
"""of the legend's font"""
_ROW_INCHES = 0.165
_HANDLE_LETTERS = 7
"""what the line and the gap beside a label take, as letters"""


def legend_above(figure: Figure, handles: Sequence[Any], labels: Sequence[str], most: int) -> None:
    """One legend above all panels, in at most ``most`` columns.

    In fewer where long labels would leave the figure; the figure grows by the rows beyond the first, so that the
    panels keep their size.
    """
    longest = max(map(len, labels)) + _HANDLE_LETTERS
    columns = max(1, min(most, len(labels), int(figure.get_figwidth() * _LETTERS_PER_INCH // longest)))
    rows = math.ceil(len(labels) / columns)
    figure.set_figheight(figure.get_figheight() + _ROW_INCHES * (rows - 1))
    figure.legend(
        list(handles), list(labels), loc="outside upper right", ncols=columns,
        handlelength=1.8, columnspacing=1.2, borderaxespad=0.1,
    )  # fmt: skip
