"""How to run, and the result of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.training.storage.run_dir import RunDir


@dataclass(frozen=True)
class Cadence:
    """How often to do something: every so many steps, or every so many seconds; one of them is 0."""

    steps: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to run, as opposed to what: none of this changes a result.

    Attributes:
        root: directory of all runs.
        resume: "auto": continue what is there; "never": set it aside and start afresh.
        checkpoint: how often to save.
        time_limit: seconds after which to save and stop; 0 for none.
        threads: threads of numerical libraries.
        deterministic: ask torch for deterministic kernels.
        trust: allow environment ids that import modules.
        debug: let exceptions of an algorithm through, with their traceback.
    """

    root: Path = Path("runs")
    resume: str = "auto"
    checkpoint: Cadence = Cadence(seconds=30.0)
    time_limit: float = 0.0
    threads: int = 1
    deterministic: bool = False
    trust: bool = False
    debug: bool = False


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """The result of one run: what ``--json`` prints, and notices for people."""

    path: Path
    seed: int
    status: str
    steps: int
    metrics: Mapping[str, float]
    message: str = ""
    outcome: str = ""
    score: Mapping[str, float] = field(default_factory=dict)
    resumed: str = ""

    def to_json(self) -> dict[str, Any]:
        """The documented part, as plain data."""
        return {
            "path": str(self.path), "seed": self.seed, "status": self.status, "steps": self.steps,
            "metrics": dict(self.metrics), "outcome": self.outcome, "message": self.message,
        }  # fmt: skip


def stored_result(run: RunDir) -> RunResult:
    """The result of a run as its directory has it."""
    status = run.status()
    return RunResult(
        path=run.path, seed=run.seed, status=status["state"], steps=status["step"],
        metrics=status.get("metrics", {}), message=status.get("message", ""), outcome=status.get("outcome", ""),
        score=status.get("score", {}),
    )  # fmt: skip
