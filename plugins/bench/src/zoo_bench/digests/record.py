"""In each run that ``zoo bench`` makes: by what code it was trained, and by what code it was judged."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from zoo import Run
from zoo.discovery import Registry, slug
from zoo.training import Callback, RunDir, RunResult, RunSpec
from zoo_bench.digests.code import Code, code_of

FILE = "code.json"
FORMAT = 1


def training_code(spec: RunSpec, registry: Registry) -> Code:
    """The code that trains a run: of its algorithm, its representation and its environment.

    Raises:
        UsageError: the source of one of them is not there.
    """
    if spec.kind == "file":
        return {}
    entries = [registry.find(spec.algorithm, "algorithm", "representation")]
    if spec.representation is not None:
        entries.append(registry.find(spec.representation["name"], "representation"))
    if ":" not in spec.environment:  # one of gymnasium, or of a module, is no plugin's
        entries.append(registry.find(spec.environment, "environment"))
    return code_of(entries, registry)


class Recorder:
    """Passes on what happens to runs, and writes into each, when it starts, the code that trains it."""

    def __init__(self, callback: Callback, code: Code) -> None:
        self._callback = callback
        self._code = code
        self.updated = callback.updated
        self.checkpointed = callback.checkpointed

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """As Callback. Of a run that goes on, the code is known if it is what trained it until now."""
        starts = len(Run(run.path, run.spec).starts)
        before = _read(run.path)
        same = before.get("training") == self._code and before.get("starts") == starts - 1
        _write(run.path, {"starts": starts, "training": self._code if step == 0 or same else None, "judged": {}})
        self._callback.started(run, step, notice)

    def finished(self, run: RunDir, result: RunResult) -> None:
        """As Callback."""
        self._callback.finished(run, result)


def record_judgement(path: Path, evaluator: str, code: Code) -> None:
    """Write into a run which code of ``evaluator`` made its report of now."""
    record: dict[str, Any] = {"starts": 0, "training": None, "judged": {}, **_read(path)}
    time = _time_of(path, evaluator)
    record["judged"] = {**record["judged"], evaluator: {"time": time, "code": code}}
    _write(path, record)


def _time_of(path: Path, evaluator: str) -> str | None:
    """When a run's report of an evaluator was made."""
    try:
        found = json.loads((path / "evaluations" / f"{slug(evaluator)}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    time = found.get("time") if isinstance(found, dict) else None
    return time if isinstance(time, str) else None


def code_that_made(run: Run, evaluators: Iterable[str]) -> dict[str, Code] | None:
    """The code behind a finished run and its reports of ``evaluators``, by "training" and name of the evaluator.

    None where it is not known: it was not made by ``zoo bench``, or not by one code from beginning to end.
    """
    record = _read(run.path)
    made: dict[str, Code | None] = {"training": {}}
    if run.spec.kind != "file":
        made["training"] = record.get("training") if record.get("starts") == len(run.starts) else None
    for evaluator in evaluators:
        judged = record.get("judged", {}).get(evaluator, {})
        same = judged.get("time") == _time_of(run.path, evaluator) is not None
        made[evaluator] = judged.get("code") if same else None
    known = {part: code for part, code in made.items() if code is not None}
    return known if len(known) == len(made) else None


def _read(path: Path) -> dict[str, Any]:
    """The record of a run; empty where there is none, or none that can be read."""
    try:
        found = json.loads((path / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("format") == FORMAT else {}


def _write(path: Path, record: Mapping[str, Any]) -> None:
    """Replace the record of a run; one that cannot be written is missed later, and stops nothing."""
    part = path / f".{FILE}.part"
    try:
        part.write_text(json.dumps({"format": FORMAT, **record}), encoding="utf-8")
        part.replace(path / FILE)
    except OSError as error:
        sys.stderr.write(f"zoo: {path / FILE} cannot be written: {error.strerror}.\n")
