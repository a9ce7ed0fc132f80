"""Regularisers and default policies by name, as entry points, so that any installed package can add to them.

The group ``zoo_rpo.regularisers`` names subclasses of ``zoo_rpo.regularisers.Regulariser``; ``zoo_rpo.defaults`` names
frozen dataclasses with a method ``make(setting) -> DefaultPolicy``. The fields of either are their options. Names are
looked up in metadata: nothing is imported until it is used, and a run directory can only name what its reader has
installed, never a module of its own choice.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, TypeAlias

from zoo import InterfaceError, UnknownNameError, UsageError

__all__ = ["Kind", "build", "check_name", "names"]

Kind: TypeAlias = Literal["regulariser", "default"]


@cache  # what is installed does not change while a process runs, and reading its metadata takes long
def _points(kind: Kind) -> dict[str, EntryPoint]:
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"zoo_rpo.{kind}s"):
        other = points.setdefault(point.name, point)
        if other.value != point.value:
            raise UsageError(
                f"two packages offer the {kind} {point.name!r}: {other.value} and {point.value}; uninstall one of them."
            )
    return points


def names(kind: Kind) -> list[str]:
    """All names of a kind, sorted."""
    return sorted(_points(kind))


def check_name(kind: Kind, name: str) -> None:
    """Check that a regulariser or default policy of this name is installed.

    Raises:
        UnknownNameError: it is not; the message has the nearest names.
    """
    known = _points(kind)
    if name not in known:
        raise UnknownNameError(kind, name, known)


def build(kind: Kind, name: str, options: Sequence[str] = ()) -> Any:
    """The regulariser or default policy with this name and these options.

    Args:
        kind: "regulariser" or "default".
        name: its name, as registered.
        options: each "field=value"; values are converted to the field's type.

    Raises:
        UnknownNameError: there is none of this name, or it does not have such an option.
        UsageError: a value is not of the field's type or not in its range.
        InterfaceError: what is registered cannot be imported or is not a dataclass.
    """
    check_name(kind, name)
    try:
        cls: Any = _points(kind)[name].load()
    except Exception as error:
        raise InterfaceError(f"{kind} {name!r} cannot be imported: {type(error).__name__}: {error}.") from error
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise InterfaceError(f"{kind} {name!r} is {cls!r}: expected a dataclass.")
    hints = typing.get_type_hints(cls)
    known = [field.name for field in dataclasses.fields(cls)]
    values: dict[str, Any] = {}
    for option in options:
        field, equals, text = option.partition("=")
        if field not in known:
            raise UnknownNameError(f"option of {kind} {name}", field, known)
        if not equals or field in values:
            raise UsageError(f"option {option!r} of {kind} {name}: expected {field}=VALUE, once.")
        values[field] = _read(f"{kind} {name}: {field}", text, hints[field])
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{kind} {name} refuses its options: {error}") from error


_WORDS = {"true": True, "false": False}


def _read(where: str, text: str, kind: Any) -> Any:
    if kind is bool:
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
    elif kind is str:
        return text
    elif kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    else:
        raise InterfaceError(f"{where} is of type {kind}: expected an option that is a bool, int, float or str.")
    raise UsageError(f"{where} is {text!r}: expected {kind.__name__}.")
