"""Run directories that nothing trained: numbers with a known answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.training.storage.files import to_json
from zoo.training.storage.spec import RunSpec

SPEC = RunSpec(
    algorithm="made-up/learner", kind="algorithm", plugin_version="1.2.3", environment="made-up/task", steps=100
)


def spec(algorithm: str = "learner", environment: str = "task", **more: Any) -> RunSpec:
    """The spec of a run of the plugin "made-up"."""
    return replace(SPEC, algorithm=f"made-up/{algorithm}", environment=f"made-up/{environment}", **more)


def store(
    root: Path, of: RunSpec, seed: int, rows: Sequence[Mapping[str, float]], *, state: str = "finished", **status: Any
) -> Path:
    """Write one run whose updates logged ``rows``, 10 steps apart; its directory."""
    mine = of.with_seed(seed)
    folder = mine.folder(root)
    folder.mkdir(parents=True)
    last: dict[str, float] = {}
    lines = []
    for number, row in enumerate(rows):
        last |= row
        lines.append(json.dumps({"step": 10 * (number + 1), "wall": float(number), **row}) + "\n")
    content = {"state": state, "step": 10 * len(rows), "wall": 1.0, "metrics": last, "outcome": "", **status}
    (folder / "spec.json").write_bytes(to_json({"zoo": "0.1.0", **mine.to_json()}))
    (folder / "status.json").write_bytes(to_json(content))
    (folder / "metrics.jsonl").write_text("".join(lines))
    return folder
