"""One run in Weights & Biases."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from typing import Any

import wandb

from zoo_trackers.identity import Identity

FILE = "wandb.json"


class Tracked:
    """Rows are held until a checkpoint, so that none is there which a resumed run does again.

    They reach the disk or the network at some later time, without a word. After a crash, all that the last process had
    sent is therefore sent again: the same numbers at the same steps.
    """

    def __init__(self, run: Any) -> None:
        algorithm, environment = run.spec.short
        self._identity = Identity(run, FILE)
        if "id" not in self._identity.known:
            self._identity.write(id=secrets.token_hex(8))
        self._rows = self._identity.undelivered()
        self._sent = 0
        self._run = wandb.init(
            id=str(self._identity.known["id"]), resume="allow", reinit="create_new", mode=_mode(),
            dir=str(run.path.parent), name=f"{algorithm} {environment} seed {run.seed}", group=run.spec.key,
            tags=[algorithm, environment], config=run.spec.to_json(),
            settings=wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True),
        )  # fmt: skip
        self._run.define_metric("*", step_metric="step")

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Hold one row, at ``step`` environment steps."""
        self._rows.append({"step": step, **metrics})

    def saved(self) -> None:
        """Send what is held."""
        for row in self._rows:
            self._run.log(row)
        self._sent += len(self._rows)
        self._rows.clear()

    def close(self, status: str) -> None:
        """Send what is held, and end the run there, as failed if it did."""
        self.saved()
        self._run.summary["status"] = status
        self._run.finish(exit_code=1 if status == "failed" else 0)  # waits until all is there
        self._identity.delivered(self._sent)


def _mode() -> Any:
    """As ``WANDB_MODE`` says; else online where there is a key, because training never waits for a question."""
    return os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False) else "offline")
