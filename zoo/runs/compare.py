"""The differences of two runs: options, machine and versions, results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.runs.labelling import different, options
from zoo.runs.sheet import as_cell, table
from zoo.runs.store import Run

_REVISION = 40  # hexadecimal digits of a git revision


def compare(a: Run, b: Run) -> dict[str, Any]:
    """Everything ``zoo diff`` shows, as JSON data.

    ``options``, ``versions`` and ``git`` hold only what differs; ``metrics`` holds the last value of every metric in
    either run, and the difference ``b - a`` where both have one.
    """
    return {
        "runs": [str(a.path), str(b.path)],
        "verdict": verdict(a, b),
        "options": _differing(_identity(a), _identity(b)),
        "versions": _differing(_versions(a), _versions(b)),
        "git": _differing(_git(a), _git(b)),
        "metrics": [_metric(name, a.last, b.last) for name in dict.fromkeys([*a.last, *b.last])],
    }


def verdict(a: Run, b: Run) -> str:
    """How the two runs are related, in one sentence."""
    if a.path.resolve() == b.path.resolve():
        return "the same run twice."
    if a.spec.key == b.spec.key:
        if a.seed == b.seed:
            return "the same spec and seed, run twice."
        return f"the same run, seeds differ ({a.seed} and {b.seed})."
    parts = [name for name in ("algorithm", "environment") if getattr(a.spec, name) != getattr(b.spec, name)]
    if parts:
        same = {"algorithm": "environment", "environment": "algorithm"}
        shared = f" on the same {same[parts[0]]}" if len(parts) == 1 and parts[0] == "algorithm" else ""
        plural = {"algorithm": "algorithms", "environment": "environments"}
        note = "" if "environment" not in parts else ": their returns are not comparable"
        return f"different {' and '.join(plural[part] for part in parts)}{shared}{note}."
    count = len(_differing(options(a.spec), options(b.spec)))
    seeds = "the same seed" if a.seed == b.seed else f"seeds {a.seed} and {b.seed}"
    if not count:
        return f"the same request to different versions of the plugin, {seeds}."
    return f"the same algorithm and environment, {count} option{'s' * (count > 1)} differ{'s' * (count == 1)}, {seeds}."


def _identity(run: Run) -> dict[str, Any]:
    spec = run.spec
    head = {"algorithm": spec.algorithm, "environment": spec.environment, "seed": spec.seed, "device": spec.device}
    return head | options(run.spec)


def _versions(run: Run) -> dict[str, Any]:
    """Versions of the last start; the plugin's under its own name."""
    last: Mapping[str, Any] = run.starts[-1] if run.starts else {}
    machine = {name: last.get(name) for name in ("python", "os", "cpu", "threads", "deterministic")}
    for group in ("packages", "plugin"):
        versions = last.get(group)
        machine |= dict(versions) if isinstance(versions, Mapping) else {}
    return machine


def _git(run: Run) -> dict[str, Any]:
    last: Mapping[str, Any] = run.starts[-1] if run.starts else {}
    git = last.get("git")
    return dict(git) if isinstance(git, Mapping) else {}


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[dict[str, Any]]:
    sides = (("a", a), ("b", b))
    return [
        {"name": name} | {side: of[name] for side, of in sides if name in of} for name in different(dict(a), dict(b))
    ]


def _metric(name: str, a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "a": a.get(name), "b": b.get(name)}
    if isinstance(row["a"], (int, float)) and isinstance(row["b"], (int, float)):
        row["difference"] = row["b"] - row["a"]
    return row


def lines(a: Run, b: Run) -> list[str]:
    """``compare`` as text, section by section."""
    differences = compare(a, b)
    text = [f"a  {a.path}", f"b  {b.path}", "", differences["verdict"][0].upper() + differences["verdict"][1:]]
    for name, heading in (("options", "option"), ("versions", "version"), ("git", "git")):
        if differences[name]:
            rows = [
                {heading: row["name"]} | {side: _short(row.get(side, "")) for side in "ab"} for row in differences[name]
            ]
            text += ["", table(rows, keep=1)]
    if differences["metrics"]:
        rows = [
            {"last metric": row["name"]} | {k: v for k, v in row.items() if k != "name"}
            for row in differences["metrics"]
        ]
        text += ["", table(rows, keep=1)]
    return text


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) == _REVISION:
        return value[:10]
    return as_cell(value)
