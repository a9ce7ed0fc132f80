"""Clamps as text, for command lines and files: ``PrevToken(0:0,0:3, strength=0.9)``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any

from zoo_icl.clamps.attention import Induction, LabelsOnly, Match, NoPrevToken, PrevToken, Temperature
from zoo_icl.clamps.base import Clamp
from zoo_icl.clamps.heads import HEAD
from zoo_icl.clamps.subcircuits import Copy, Layer1
from zoo_icl.clamps.values import (
    Ablate,
    AblateEmbedding,
    Live,
    PreserveKeys,
    PreservePatterns,
    PreserveQueries,
    PreserveValues,
)

_KINDS: tuple[type[Clamp], ...] = (
    Ablate,
    AblateEmbedding,
    Copy,
    Induction,
    LabelsOnly,
    Layer1,
    Live,
    Match,
    NoPrevToken,
    PreserveKeys,
    PreservePatterns,
    PreserveQueries,
    PreserveValues,
    PrevToken,
    Temperature,
)
KINDS: Mapping[str, type[Clamp]] = {kind.__name__: kind for kind in _KINDS}
"""clamps that a text can name; a graft contains a model, so it can only be made in Python"""
CALL = re.compile(r"(\w+)\s*\(([^()]*)\)")


def split(text: str) -> list[str]:
    """The clamps of ``"A(...)+B(...)"``, each its own text; empty text: none."""
    return [part.strip() for part in re.split(r"(?<=\))\s*\+", text.strip())] if text.strip() else []


def parse(text: str) -> Clamp:
    """The clamp that ``text`` describes: its name, heads as ``layer:head``, then values in order or by name.

    Raises:
        ValueError: one sentence, with the nearest name.
    """
    match = CALL.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a clamp: expected a name and arguments, such as PrevToken(0:0).")
    name, inside = match.groups()
    if name not in KINDS:
        near = get_close_matches(name, KINDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(KINDS)}."
        raise ValueError(f"no clamp is called {name!r}: {hint}")
    kind = KINDS[name]
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    words = [word.strip() for word in inside.split(",") if word.strip()]
    heads = [word for word in words if HEAD.fullmatch(word)]
    arguments: dict[str, str] = {"heads": ",".join(heads)} if heads else {}
    free = [option for option in names if option != "heads"]
    for word in (word for word in words if not HEAD.fullmatch(word)):
        option, equals, value = word.removeprefix("tap=").partition("=")
        if not equals:
            option, value = next((option for option in free if option not in arguments), ""), word
        if option.strip() not in names:
            raise ValueError(f"{text}: {word!r} is not an argument; {name} has {', '.join(names) or 'none'}.")
        arguments[option.strip()] = value.strip()
    if "heads" in arguments and "heads" not in names:
        raise ValueError(f"{text}: {name} takes no heads.")
    for field in fields(kind):  # type: ignore[arg-type]
        if field.default is MISSING and field.name not in arguments:
            example = "heads, such as 1:3" if field.name == "heads" else field.name
            raise ValueError(f"{text}: {name} needs {example}.")
    types = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{option: _convert(text, option, value, types[option]) for option, value in arguments.items()})


def _convert(text: str, option: str, value: str, kind: Any) -> object:
    """``value`` as the type that the field's annotation, a string, names."""
    if kind == "bool":
        if value.lower() not in ("true", "false"):
            raise ValueError(f"{text}: {option} = {value!r}: expected true or false.")
        return value.lower() == "true"
    if kind == "float":
        try:
            return float(value)
        except ValueError:
            raise ValueError(f"{text}: {option} = {value!r}: expected a number.") from None
    return value
