"""What is searched: for each option a range or some choices, from its type and its value, or as it was asked for."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin

from zoo import UnknownNameError, UsageError
from zoo.discovery import plain

NARROWED = "tune"
"""class attribute of a configuration: what is worth tuning, option to range as after ``--param OPTION=``, "" for one
around the option's value"""
_AROUND = 10.0
_AROUND_INT = 4
Choice: TypeAlias = "bool | int | float | str | None"


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain data; what tells one study's space from another's."""
        return {"low": self.low, "high": self.high, "log": self.log, "whole": self.whole}

    def __str__(self) -> str:
        return f"{self.low:g}:{self.high:g}{':log' if self.log else ''}"


@dataclass(frozen=True)
class Choices:
    """One of some values."""

    values: tuple[Choice, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"choices": list(self.values)}

    def __str__(self) -> str:
        return ",".join(value if isinstance(value, str) else json.dumps(value) for value in self.values)


Space: TypeAlias = "dict[str, Range | Choices]"


def make_space(config: Any, asked: Sequence[str], fixed: Sequence[str] = ()) -> Space:
    """What to search around ``config``, by dotted names of options.

    Where ``--param`` names options, these alone; else those that the configuration's class names in ``tune``; else
    every number, truth and choice, around its value. Of a pair of numbers, which is a schedule, the first is searched,
    and the second keeps its ratio.

    Args:
        config: an instance of the algorithm's dataclass: the preset's values, or the defaults.
        asked: texts such as "learning-rate=1e-5:1e-2:log" or "activation=tanh,relu".
        fixed: options that are set already.

    Raises:
        UsageError: an option does not exist, is set already, or its range makes no sense.
    """
    options = dict(_options(config))
    narrowed: Mapping[str, str] = getattr(type(config), NARROWED, {})
    space: Space = {}
    if asked or narrowed:
        pairs = [_pair(text) for text in asked] if asked else list(narrowed.items())
        for name, text in pairs:
            name = name.replace("-", "_")
            if name not in options:
                raise UnknownNameError("option to tune", name, options)
            if name in space:
                raise UsageError(f"--param {name} is given twice.")
            found = _parsed(name, text, *options[name]) if text else _around(config, name, *options[name])
            if found is not None:
                space[name] = found
            elif asked:
                raise UsageError(f"--param {name} needs a range: its value is {options[name][1]!r}.")
    else:
        for name, (hint, value) in options.items():
            found = _around(config, name, hint, value)
            if found is not None:
                space[name] = found
    both = sorted(set(space) & set(fixed))
    if both and asked:
        raise UsageError(f"{both[0]} is set and to be tuned at once: leave out --set or --param.")
    space = {name: dimension for name, dimension in space.items() if name not in both}
    if not space:
        raise UsageError("there is nothing to tune.", "--param OPTION=LOW:HIGH says what to search.")
    return space


def chosen_options(config: Any, point: Mapping[str, Any]) -> dict[str, Any]:
    """Options by name, nested as in the dataclass, for values by dotted name."""
    values = {name: value for name, (_, value) in _options(config)}
    nested: dict[str, Any] = {}
    for name, value in point.items():
        *outer, last = name.split(".")
        inner = nested
        for part in outer:
            inner = inner.setdefault(part, {})
        base = values[name]
        inner[last] = [value, value * base[1] / base[0]] if _is_schedule(base) else value
    return nested


def _options(config: Any, prefix: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Dotted name, annotation and value of each option, those of nested dataclasses included."""
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from _options(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, (hints[field.name], value)


def _is_schedule(value: Any) -> bool:
    numbers = isinstance(value, tuple) and len(value) == 2 and all(type(part) is float for part in value)
    return numbers and value[0] != 0


def _around(config: Any, name: str, hint: Any, value: Any) -> Range | Choices | None:
    """What is derived for an option, if the configuration takes it."""
    found = _derived(hint, value)
    return found if found is not None and _accepts(config, name, found) else None


def _derived(hint: Any, value: Any) -> Range | Choices | None:
    """What the type and the value of an option suggest; None where they suggest nothing."""
    if _is_schedule(value):
        value = value[0]
    kinds = _members(hint)
    literals = tuple(choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind))
    if isinstance(value, bool):
        return Choices((False, True))
    if literals and value in literals:
        return Choices(literals) if len(literals) > 1 else None
    if isinstance(value, int) and value > 0:
        return Range(max(1, value // _AROUND_INT), value * _AROUND_INT, log=True, whole=True)
    if isinstance(value, float) and math.isfinite(value) and value > 0:
        if 0.5 < value <= 1.0:  # a discount, or another share near one: its distance from one is what matters
            rest = max(1.0 - value, 0.001)
            return Range(max(0.0, 1.0 - _AROUND * rest), 1.0 - rest / _AROUND)
        return Range(value / _AROUND, value * _AROUND, log=True)
    return None


def _accepts(config: Any, name: str, found: Range | Choices) -> bool:
    """Whether the configuration takes the ends of a range alone; what it refuses is left as it is."""
    ends: list[Any] = [found.low, found.high] if isinstance(found, Range) else list(found.values)
    whole = isinstance(found, Range) and found.whole
    for end in ends:
        nested = chosen_options(config, {name: int(end) if whole else end})
        try:
            _replaced(config, nested)
        except Exception:  # whatever a plugin's check raises
            return False
    return True


def _replaced(config: Any, nested: Mapping[str, Any]) -> Any:
    changes = {}
    for name, value in nested.items():
        inner = getattr(config, name)
        if dataclasses.is_dataclass(inner):
            changes[name] = _replaced(inner, value)
        else:
            changes[name] = tuple(value) if isinstance(value, list) else value
    return dataclasses.replace(config, **changes)


def _members(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in (Union, UnionType):
        return tuple(member for part in get_args(hint) for member in _members(part))
    return (hint,)


def _pair(text: str) -> tuple[str, str]:
    name, equals, rest = text.partition("=")
    if not name or (equals and not rest):
        raise UsageError(f"--param is {text!r}: expected OPTION, OPTION=LOW:HIGH, OPTION=LOW:HIGH:log or OPTION=A,B,C.")
    return name, rest


def _parsed(name: str, text: str, hint: Any, value: Any) -> Range | Choices:
    """The range or choices that ``text`` says for an option."""
    found = re.fullmatch(r"([^:,]+):([^:,]+)(:log)?", text)
    if found is None:
        values = tuple(plain(part) for part in text.split(","))
        if len(values) < 2 or ":" in text or any(isinstance(part, (list, dict)) for part in values):
            raise UsageError(f"--param {name} is {text!r}: expected LOW:HIGH, LOW:HIGH:log, or choices A,B,C.")
        return Choices(values)
    try:
        low, high = float(found[1]), float(found[2])
    except ValueError:
        raise UsageError(f"--param {name} is {text!r}: expected two numbers.") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"--param {name} is {text!r}: expected two numbers, the smaller one first.")
    if found[3] and low <= 0:
        raise UsageError(f"--param {name} is {text!r}: expected numbers above 0 where the scale is logarithmic.")
    kinds = _members(hint)
    return Range(low, high, log=bool(found[3]), whole=int in kinds and float not in kinds)
