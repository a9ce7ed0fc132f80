"""One colour for each algorithm, the same in every figure, whatever else is installed or drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#332288")
"""Okabe and Ito's set without black (for reference lines) and yellow (lost on white), and two of Paul Tol's: every
pair stays at least 17 CIELAB units apart for protanopes and deuteranopes."""
DASHES = ("solid", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)))
"""Line styles, in order of use, as matplotlib spells them."""
Dash = str | tuple[int, tuple[float, ...]]
VERDICTS: dict[str, str] = {
    "reproduced": "#009E73",
    "not reproduced": "#D55E00",
    "inconclusive": "#6E6E6E",
    "incomplete": "#B0B0B0",
}
"""Colours of the answers to claims; figures tell them apart by the marker as well."""
_SALT = "19545"


def colour(name: str) -> str:
    """The colour of an algorithm: a hash of its name, so that adding one later changes no other.

    The salt is the first with which common rivals (the constrained planners among themselves, likewise the on-policy
    and the off-policy learners) get different colours; with more names than colours some must share one.
    """
    digest = hashlib.sha256(f"{_SALT}{name}".encode()).digest()
    return COLOURS[int.from_bytes(digest[:8], "big") % len(COLOURS)]


def dashes(names: Iterable[str]) -> list[Dash]:
    """A line style for each curve of one figure: solid, unless an earlier one already has the same colour."""
    used: dict[str, int] = {}
    found: list[Dash] = []
    for name in names:
        number = used.get(colour(name), 0)
        used[colour(name)] = number + 1
        found.append(DASHES[number % len(DASHES)])
    return found
