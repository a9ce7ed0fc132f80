"""One stored run as text and plain data: its spec, its progress, its metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import RunError
from zoo.runs.labelling import labels, options
from zoo.runs.sheet import as_cell, number, table
from zoo.runs.store import Catalogue, Run
from zoo.training.storage.files import open_read

_LOG = "log.txt"
_LOG_LINES = 10
_LOG_BYTES = 1 << 20
_HEADLINES = (("eval/return", "episode/return"), ("err", "kkt"))


def describe(run: Run) -> dict[str, Any]:
    """Everything ``zoo show`` shows, as JSON data."""
    spec = run.spec
    return {
        "path": str(run.path),
        "algorithm": spec.algorithm,
        "kind": spec.kind,
        "plugin_version": spec.plugin_version,
        "environment": spec.environment,
        "seed": spec.seed,
        "key": spec.key,
        "extended_from": spec.extended_from,
        "options": option_rows(run),
        "status": _status(run),
        "lineage": [_start(start) for start in run.starts],
        "checkpoints": run.checkpoints,
        "best": run.best,
        "metrics": run.last,
        "evaluations": {
            name: {key: report.get(key) for key in ("scores", "notes", "step", "time")}
            for name, report in run.evaluations.items()
        },
        "warnings": warnings(run),
    }


def option_rows(run: Run) -> list[dict[str, Any]]:
    """Name, value and origin of everything that was or could have been set."""
    spec = run.spec
    values: dict[str, Any] = {"steps": spec.steps, "num_envs": spec.num_envs, "eval_every": spec.eval_every}
    values |= {"eval_episodes": spec.eval_episodes, "device": spec.device, **({"stop": spec.stop} if spec.stop else {})}
    values |= dict(spec.config) | {f"env.{name}": value for name, value in spec.env_config.items()}
    if spec.representation:
        values["representation"] = spec.representation.get("name")
        own = spec.representation.get("config") or {}
        values |= {f"representation.{name}": value for name, value in own.items()}
    values |= dict(spec.collect or {})
    origins = spec.origins
    return [
        {"option": inner, "value": item, "origin": origins.get(inner, origins.get(name, "default"))}
        for name, value in values.items()
        for inner, item in _flat(name, value)
    ]


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """An option, and those nested in it with dotted names, as they are typed; of a nested one first which it is."""
    if not isinstance(value, Mapping):
        yield name, value
        return
    if "type" in value or not value:
        yield name, value.get("type", "")
    for key, item in value.items():
        if key != "type":
            yield from _flat(f"{name}.{key}", item)


def _status(run: Run) -> dict[str, Any]:
    status = run.status
    description = {"state": run.state, "step": run.step, "steps": run.spec.steps}
    description |= {
        name: status[name] for name in ("outcome", "message", "resume", "wall", "score", "time") if status.get(name)
    }
    if run.state == "new" and run.checkpoints:  # the status is lost, and what was done is not
        description |= {"state": "unreadable", "step": run.checkpoints[-1]}
    if run.killed:
        description["killed"] = True
    if run.silence is not None:
        description["silent_seconds"] = round(run.silence)
    return description


def _start(start: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("time", "resumed_from", "python", "packages", "plugin", "git", "device", "threads", "deterministic")
    return {name: start.get(name) for name in kept}


def warnings(run: Run) -> list[str]:
    """Warnings: damaged lines, the state kept after a failure, and the log's last warnings."""
    sentences = []
    finished = run.state in ("finished", "interrupted", "failed")
    if run.torn_lines and (finished or run.torn_lines > 1):
        sentences.append(
            f"metrics.jsonl has {run.torn_lines} damaged line{'s' * (run.torn_lines > 1)}, which are left out."
        )
    elif run.problem:
        sentences.append(f"{run.problem}.")
    if (run.path / "failed").is_dir():
        sentences.append("the state at the failure is kept in failed/.")
    if not run.checkpoints and finished:
        sentences.append("there is no checkpoint.")
    return sentences + _logged(run.path / _LOG)


def _logged(path: Path) -> list[str]:
    """The last warnings of a log; only its end is read."""
    try:
        with open_read(path) as file:
            file.seek(max(0, path.lstat().st_size - _LOG_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except (OSError, RunError):
        return []
    return [line.strip() for line in lines if "WARNING" in line or "ERROR" in line][-_LOG_LINES:]


def state_in_words(status: Mapping[str, Any]) -> str:
    """One line: the state, the step, and the algorithm's outcome."""
    words = f"{status['state']} at step {status['step']} of {status['steps']}"
    if status.get("outcome"):
        words += f", {str(status['outcome']).replace('_', ' ')}"
    if status.get("wall"):
        words += f", after {_duration(float(status['wall']))} of training"
    if status.get("killed"):
        words += "; its process was killed"
    if status.get("silent_seconds"):
        words += f"; no sign of life for {_duration(float(status['silent_seconds']))}: it was probably killed"
    return words


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def lines(run: Run) -> list[str]:
    """``describe`` as text, section by section."""
    about = describe(run)
    status = about["status"]
    text = [
        f"{run.algorithm} on {run.environment}, seed {run.seed}",
        f"{run.path}",
        "",
        f"status       {state_in_words(status)}",
    ]
    if status.get("message"):
        text.append(f"             {' '.join(status['message'].split())}")
    if status.get("resume"):
        text.append(f"resume       {_RESUME.get(status['resume'], status['resume'])}")
    steps = [f"{step} (best)" if step == about["best"] else str(step) for step in about["checkpoints"]]
    text.append(f"checkpoints  {', '.join(steps) or 'none'}")
    if run.spec.extended_from is not None:
        text.append(f"goes on from {options(run.spec)['extended_from']}")
    text.append(f"made by      {about['algorithm']} {about['plugin_version']}, key {about['key']}")
    text += [f"{'started' if i == 0 else '':<12} {_lineage(start)}" for i, start in enumerate(about["lineage"])]
    text += [f"warning      {warning}" for warning in about["warnings"]]
    rows = [row | {"value": as_cell(row["value"])} for row in about["options"]]
    text += ["", table(rows, keep=1)]
    if about["metrics"]:
        text += ["", table([{"last metric": name, "value": value} for name, value in about["metrics"].items()], keep=1)]
    for name, report in about["evaluations"].items():
        scores = ", ".join(f"{score} {number(value)}" for score, value in (report["scores"] or {}).items())
        text += ["", f"zoo eval {name} at step {report['step']}: {scores}"]
    return text


_RESUME = {"exact": "bit for bit", "statistical": "with fresh episodes: the environment cannot be restored exactly"}


def _lineage(start: Mapping[str, Any]) -> str:
    words = str(start["time"])
    if start["resumed_from"] is not None:
        words += f" from step {start['resumed_from']}"
    git = start["git"]
    if isinstance(git, Mapping):
        words += f", git {str(git.get('revision'))[:10]}{' with changes' if git.get('dirty') else ''}"
    packages = start["packages"] if isinstance(start["packages"], Mapping) else {}
    return f"{words}, python {start['python']}, " + ", ".join(f"{name} {version}" for name, version in packages.items())


def listing(runs: Sequence[Run]) -> str:
    """Several runs, one line each; where an algorithm has several settings, with the options in which they differ."""
    groups = Catalogue(list(runs), []).groups()
    names = {group[0].spec.key: label for group, label in zip(groups, labels(groups), strict=True)}
    records = []
    for run in runs:
        outcome = str(run.status.get("outcome") or "")
        record = {
            "algorithm": names[run.spec.key],
            "environment": run.environment,
            "key": run.spec.key,
            "seed": run.seed,
        }
        record |= {"status": outcome.replace("_", " ") or run.state, "step": run.step}
        shown = [name for choice in _HEADLINES for name in [n for n in choice if n in run.last][:1]]
        records.append(
            record | {name: run.last[name] for name in shown} | ({"problem": "damaged"} if run.problem else {})
        )
    return table(records, keep=4)
