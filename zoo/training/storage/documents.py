"""The schema of the JSON documents of a run; a field of another kind is refused by its name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo.errors import RunError

Check = tuple[Callable[[Any], bool], str]
STATES = ("new", "running", "finished", "failed", "interrupted")
KINDS = ("algorithm", "representation", "file")
MOST_COPIES = 10_000_000
_HASH = re.compile(r"[0-9a-f]{64}")


def is_number(value: Any) -> bool:
    """Whether it is a finite number, not a boolean."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_count(value: Any) -> bool:
    """Whether it is a whole number from 0 up to 10^18."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**18


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_number, value.values()))


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _is_history(count: Any = None, milestones: Any = None, **_: Any) -> bool:
    return is_count(count) and isinstance(milestones, list) and all(map(is_count, milestones))


def _one_of(*names: str) -> Check:
    return lambda value: value in names, f"one of {', '.join(names)}"


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check[0](value), f"{check[1]}, or null"


TEXT: Check = (_is_text, "text")
NUMBER: Check = (is_number, "a finite number")
COUNT: Check = (is_count, "a whole number, 0 or more")
NUMBERS: Check = (_is_numbers, "names with finite numbers")
MAPPING: Check = (_is_mapping, "an object")
TEXTS: Check = (_is_texts, "names with text")
TEXTS_AND_TRUTH: Check = (
    lambda value: isinstance(value, dict) and all(isinstance(item, (str, bool)) for item in value.values()),
    "names with text, true or false",
)

SPEC: Mapping[str, Check] = {
    "algorithm": TEXT, "kind": _one_of(*KINDS), "plugin_version": TEXT, "environment": TEXT, "env_config": MAPPING,
    "config": MAPPING, "representation": _or_none(MAPPING), "collect": _or_none(MAPPING), "steps": COUNT,
    "num_envs": (lambda value: is_count(value) and 1 <= value <= MOST_COPIES, f"a whole number, 1 to {MOST_COPIES}"),
    "eval_every": COUNT, "eval_episodes": COUNT, "seed": COUNT, "device": TEXT, "origins": TEXTS, "key": TEXT,
    "extended_from": _or_none(MAPPING), "files": TEXTS, "stop": TEXT,
}  # fmt: skip
STATUS: Mapping[str, Check] = {
    "state": _one_of(*STATES), "step": COUNT, "wall": NUMBER, "metrics": NUMBERS, "score": NUMBERS, "outcome": TEXT,
    "message": TEXT, "resume": TEXT, "time": TEXT, "host": TEXT,
}  # fmt: skip
MANIFEST: Mapping[str, Check] = {
    "format": COUNT, "step": COUNT, "key": TEXT, "best": _or_none(COUNT), "logs": MAPPING, "buffers": MAPPING,
    "summary": TEXT,
    "files": (lambda value: _is_texts(value) and all(map(_HASH.fullmatch, value.values())), "names with SHA-256 sums"),
    "finished": (lambda value: isinstance(value, bool), "true or false"),
}  # fmt: skip
REPORT: Mapping[str, Check] = {
    "scores": NUMBERS, "notes": (lambda value: isinstance(value, list) and all(map(_is_text, value)), "a list of text"),
    "step": COUNT, "time": TEXT, "evaluator": TEXT, "plugin_version": TEXT,
    "rows": (lambda value: isinstance(value, list) and all(map(_is_mapping, value)), "a list of objects"),
}  # fmt: skip
LOOP: Mapping[str, Check] = {
    "wall": NUMBER, "last": NUMBERS, "score": NUMBERS, "evaluated": COUNT,
    "checkpoints": (lambda value: _is_mapping(value) and _is_history(**value), "a count and milestones"),
    "sizes": (lambda value: isinstance(value, dict) and all(map(is_count, value.values())), "names with sizes"),
    "outcome": _or_none(TEXTS_AND_TRUTH), "exact": (lambda value: isinstance(value, bool), "true or false"),
}  # fmt: skip
"""Fields of a checkpoint beside the state of the algorithm."""
HOLDER: Mapping[str, Check] = {"pid": COUNT, "host": TEXT, "started": TEXT}


def checked(
    data: Any, checks: Mapping[str, Check], path: Path, what: str, required: tuple[str, ...] = ()
) -> dict[str, Any]:
    """``data``, an object whose known fields are of their kind; others are let through.

    Args:
        data: content of a document.
        checks: what each known field must be.
        path: the file, for messages.
        what: name of the document, such as "the spec of a run".
        required: fields that must be there.

    Raises:
        RunError: it is not an object, or a field is missing or of another kind.
    """
    if not isinstance(data, dict):
        raise RunError(f"{path} is not {what}: expected an object.")
    for name in required:
        if name not in data:
            raise RunError(f"{path} is not {what}: it has no {name!r}.")
    for name, value in data.items():
        if name in checks and not checks[name][0](value):
            raise RunError(f"{path} is not {what}: {name!r} is {short(value)}, expected {checks[name][1]}.")
    return data


def short(value: Any) -> str:
    """A value for a message, at most 60 characters long."""
    text = repr(value) if isinstance(value, (str, int, float, bool, type(None))) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
