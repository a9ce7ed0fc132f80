"""What a run logged, apart from the wall clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.runs.store import open_run


def logged(run: Path) -> list[dict[str, Any]]:
    """Lines of ``metrics.jsonl`` without ``wall``."""
    return [{name: value for name, value in row.items() if name != "wall"} for row in open_run(run).rows]
