"""Tuned options as a preset: the TOML that a plugin could ship, and ``zoo train --preset FILE.toml`` takes."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.training import RunSpec


def write_preset(path: Path, spec: RunSpec, defaults: Any, provenance: Sequence[str]) -> None:
    """Write what ``spec`` sets otherwise than the defaults, with comments on where it is from.

    Args:
        path: the file, replaced whole.
        spec: of a run with the tuned options.
        defaults: an instance of the algorithm's dataclass.
        provenance: sentences.
    """
    algorithm, environment = spec.short
    default = {field.name: getattr(defaults, field.name) for field in dataclasses.fields(defaults)}
    lines = [f"# {sentence}" for sentence in provenance]
    lines += ["", f"[{json.dumps(environment)}.{json.dumps(algorithm)}]"]
    for name, value in spec.config.items():
        if value is not None and value != _plain(default[name]):
            lines.append(f"{name} = {_toml(value)}")
    lines.append(f"run = {_toml({'steps': spec.steps, 'num_envs': spec.num_envs})}")
    part = path.with_name(f".{path.name}")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.replace(path)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        inner = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": type(value).__name__, **inner}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _toml(value: Any) -> str:
    """A value on one line; what is None is left out of tables, since TOML has no such value."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items() if item is not None) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
