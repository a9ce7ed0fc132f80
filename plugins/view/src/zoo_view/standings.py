"""Where a run stands, from its files alone: status, the end of its log, and nothing that another process holds."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo import Run, RunError, ZooError, open_runs

_RETURNS = ("eval/return", "episode/return")
_TAIL_BYTES = 1 << 16
_ORDER = ("running", "silent", "new", "interrupted", "failed", "finished")


@dataclass(frozen=True)
class Standing:
    """One run at one moment.

    Attributes:
        path: its directory.
        algorithm: name.
        environment: name.
        seed: root seed.
        status: "new", "running", "silent", "finished", "failed" or "interrupted".
        step: environment steps so far.
        steps: the budget.
        rate: steps a second of training, over the last lines of the log; None where they do not tell.
        seconds_left: at this rate, None where the run does not go on or the rate is unknown.
        returned: the newest return, of an evaluation if there is one, else of training; None before the first.
        message: what went wrong, or why it stopped; may be empty.
    """

    path: str
    algorithm: str
    environment: str
    seed: int
    status: str
    step: int
    steps: int
    rate: float | None
    seconds_left: float | None
    returned: float | None
    message: str

    @classmethod
    def of(cls, run: Run) -> Standing:
        """Read it anew."""
        told, rows = run.status, _tail(run.path / "metrics.jsonl")
        status, step = run.state, run.step
        if run.silence is not None:
            status = "silent"
        if status in ("running", "silent"):
            step = max([step, *(int(row["step"]) for row in rows[-1:])])
        rate = _rate(rows)
        left = (run.spec.steps - step) / rate if rate and status == "running" else None
        return cls(
            path=str(run.path), algorithm=run.algorithm, environment=run.environment, seed=run.seed, status=status,
            step=step, steps=run.spec.steps, rate=rate, seconds_left=None if left is None else max(left, 0.0),
            returned=_newest(rows, told), message=" ".join(str(told.get("message") or "").split()),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def standings(folder: Path) -> list[Standing]:
    """All runs at or under ``folder``, those that go on first.

    Raises:
        UsageError: there is no such directory.
        RunError: there is no run in it.
    """
    found = []
    for run in open_runs(folder):
        try:
            found.append(Standing.of(run))
        except (ZooError, OSError):  # removed or set aside since it was listed
            continue
    return sorted(found, key=lambda standing: _ORDER.index(standing.status))


def _tail(path: Path) -> list[dict[str, Any]]:
    """The last rows of a log that parse and count steps; only its end is read."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return []
        with path.open("rb") as file:
            start = max(0, path.lstat().st_size - _TAIL_BYTES)
            file.seek(start)
            lines = file.read(_TAIL_BYTES).split(b"\n")
    except (OSError, RunError):
        return []
    rows = []
    for line in lines[1 if start else 0 :]:
        try:
            row = json.loads(line)
        except ValueError:  # torn, or still being written
            continue
        if isinstance(row, dict) and _number(row.get("step")):
            rows.append(row)
    return rows


def _rate(rows: Sequence[Mapping[str, Any]]) -> float | None:
    timed = [row for row in rows if _number(row.get("wall"))]
    if len(timed) < 2:
        return None
    steps, seconds = (float(timed[-1][name]) - float(timed[0][name]) for name in ("step", "wall"))
    return steps / seconds if steps > 0 and seconds > 0 else None


def _newest(rows: Sequence[Mapping[str, Any]], status: Mapping[str, Any]) -> float | None:
    kept = status.get("metrics")
    for name in _RETURNS:
        for row in [*reversed(rows), kept if isinstance(kept, Mapping) else {}]:
            if _number(row.get(name)):
                return float(row[name])
    return None


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
