"""Which run there this is, and how many rows of its metrics are there for certain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_METRICS = "metrics.jsonl"


class Identity:
    """A small file in a run directory.

    Args:
        run: of zoo.
        name: of the file.

    Attributes:
        known: what an earlier start wrote; empty where there was none.
    """

    def __init__(self, run: Any, name: str) -> None:
        self._run, self._file = run.path, run.path / name
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        self.known: dict[str, Any] = known if isinstance(known, dict) else {}

    def write(self, **known: Any) -> None:
        """Add to what is known, whole or not at all."""
        self.known |= known
        part = self._file.with_name(f".{self._file.name}")
        part.write_text(json.dumps(self.known), encoding="utf-8")
        part.replace(self._file)

    def delivered(self, count: int) -> None:
        """So many more rows are there for certain."""
        self.write(rows=self.known.get("rows", 0) + count)

    def undelivered(self) -> list[dict[str, float]]:
        """Rows of earlier starts that may not be there, with "step"."""
        return _rows(self._run / _METRICS)[self.known.get("rows", 0) :]


def _rows(file: Path) -> list[dict[str, float]]:
    try:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return []
    return [{name: value for name, value in row.items() if name != "wall"} for row in rows]
