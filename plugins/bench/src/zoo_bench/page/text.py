"""Foreign text for a page: nothing that reorders or hides words, and no more of it than anybody reads."""

from __future__ import annotations

from zoo.terminal import visible

_MOST = 400
"""characters of one name, value or message"""


def shown(text: object) -> str:
    """``text`` with control characters written as their codes, and its middle left out where it is very long."""
    line = " ".join(str(text).split())
    if len(line) > _MOST:
        half = _MOST // 2
        line = f"{line[:half]} [{len(line) - 2 * half} characters left out] {line[-half:]}"
    return visible(line)
