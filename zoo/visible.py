"""Making control characters visible, so that text of a file or a plugin cannot steer a terminal or hide words."""

from __future__ import annotations

import re

# C0 but tab and line feed, DEL, C1; marks that reorder what is read (bidirectional controls); lone surrogates.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """``text`` with each character that would steer a terminal written as its code, as ``repr`` does."""
    return _STEERING.sub(_code, text) if _STEERING.search(text) else text


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
