"""One run in Weights & Biases."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb

FILE = "wandb.json"
"""the file in a run directory that says which run there this is, so that a resumed run goes on in the same one"""


class Tracked:
    """Rows are held until a checkpoint, so that what is done again after a crash is there once."""

    def __init__(self, run: Any) -> None:
        algorithm, environment = run.spec.short
        self._rows: list[dict[str, float]] = []
        self._run = wandb.init(
            id=_identity(run.path / FILE), resume="allow", reinit="create_new", mode=_mode(),
            dir=str(run.path.parent), name=f"{algorithm} {environment} seed {run.seed}", group=run.spec.key,
            tags=[algorithm, environment], config=run.spec.to_json(),
            settings=wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True),
        )  # fmt: skip
        self._run.define_metric("*", step_metric="env_steps")

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Hold one row, at ``step`` environment steps."""
        self._rows.append({**metrics, "env_steps": step})

    def saved(self) -> None:
        """Send what is held."""
        for row in self._rows:
            self._run.log(row)
        self._rows.clear()

    def close(self, status: str) -> None:
        """Send what is held, and end the run there, as failed if it did."""
        self.saved()
        self._run.summary["status"] = status
        self._run.finish(exit_code=1 if status == "failed" else 0)


def _identity(file: Path) -> str:
    """The run's id there, made at its first start."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["id"])
    except (OSError, ValueError, KeyError, TypeError):
        identity = secrets.token_hex(8)
        file.write_text(json.dumps({"id": identity}), encoding="utf-8")
        return identity


def _mode() -> Any:
    """As ``WANDB_MODE`` says; else online where there is a key, because training never waits for a question."""
    return os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False) else "offline")
