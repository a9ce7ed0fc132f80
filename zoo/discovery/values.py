"""Values of options as text: one spelling of truth and of nothing, and text read as the kind that is wanted.

``true``, ``yes`` and ``1`` are one thing in any case, and so are ``false``, ``no`` and ``0``, and ``none`` and
``null``. Text is never taken for a truth or a number because it merely is not empty: it is read, or refused.
"""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from zoo.errors import UsageError

TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
NOTHING = ("none", "null")
BOOLEAN_FORMS = "true or false (also yes or no, 1 or 0)"
_FORMS: dict[type, str] = {
    bool: BOOLEAN_FORMS, int: "a whole number", float: "a number", str: "text", list: "a JSON list",
    tuple: "a JSON list", dict: "a JSON object", type(None): "none",
}  # fmt: skip


def members(hint: Any) -> tuple[Any, ...]:
    """What a type annotation admits, unions and ``Annotated`` taken apart: ``int | None`` is (int, NoneType)."""
    origin = get_origin(hint)
    if origin is typing.Annotated:
        return members(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return tuple(dict.fromkeys(member for part in get_args(hint) for member in members(part)))
    return (type(None),) if hint is None else (hint,)


def truth(text: str) -> bool | None:
    """The boolean that a text spells; None for any other text."""
    return TRUTHS.get(text.strip().lower())


def plain(text: str) -> Any:
    """Text where nothing is known of what is wanted: a word for truth or nothing, JSON, or else the text itself.

    ``1`` and ``0`` are numbers here; a JSON string (``'"no"'``) is its content, so that every text can be given.
    """
    word = text.strip().lower()
    if word in NOTHING:
        return None
    value = _json(text)
    if value is not _NO_JSON:
        return value
    known = truth(text)
    return text if known is None else known


def forms(wanted: Sequence[Any]) -> str:
    """What is accepted, in words: "a number or none"; empty where nothing is known of it."""
    literals = [str(choice) for kind in wanted if get_origin(kind) is Literal for choice in get_args(kind)]
    kinds = [get_origin(kind) or kind for kind in wanted if get_origin(kind) is not Literal]
    return " or ".join(dict.fromkeys([*literals, *(_FORMS[kind] for kind in kinds if kind in _FORMS)]))


def read(value: Any, wanted: Sequence[Any], where: str, *, typed: bool = False) -> Any:
    """``value`` as one of the kinds in ``wanted``.

    Args:
        value: text, or plain data.
        wanted: as ``members`` gives them; empty, or with a kind that is not plain data: anything goes.
        where: what the value is of, for the message.
        typed: text is from a command line, where all is text, and not from a file, which has kinds of its own.

    Raises:
        UsageError: the value is of none of these kinds; the message has the forms that are accepted.
    """
    literals = [choice for kind in wanted if get_origin(kind) is Literal for choice in get_args(kind)]
    kinds = [get_origin(kind) or kind for kind in wanted if get_origin(kind) is not Literal]
    if not wanted or any(kind not in _FORMS for kind in kinds):
        return _finite(plain(value) if typed and isinstance(value, str) else value, where)
    for candidate in _readings(value, kinds, literals):
        return _finite(candidate, where)
    raise UsageError(f"{where} is {value!r}: expected {forms(wanted)}.")


def _readings(value: Any, kinds: Sequence[Any], literals: Sequence[Any]) -> typing.Iterator[Any]:
    """The possible readings of ``value``, the most specific first."""
    is_text = isinstance(value, str)
    if type(None) in kinds and (value is None or (is_text and value.strip().lower() in NOTHING)):
        yield None
    yield from (choice for choice in literals if value == choice and type(value) is type(choice))
    given = _json(value) if is_text else value
    yield from (choice for choice in literals if given == choice and type(given) is type(choice))
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        # 2 and 2.0 are one value, and so one experiment: a whole number where whole numbers are taken, else a fraction.
        if int in kinds and (isinstance(given, int) or given.is_integer()):
            yield int(given)
        if float in kinds:
            yield _as_float(given)
    if bool in kinds:
        known = truth(value) if is_text else value if isinstance(value, bool) else TRUTHS.get(str(value))
        if known is not None:
            yield known
    if isinstance(given, list) and (list in kinds or tuple in kinds):
        yield given
    if isinstance(given, Mapping) and dict in kinds:
        yield given
    if str in kinds and is_text:
        if value.strip().lower() == "null":  # JSON's own word; "none" may be a name
            yield None
        yield given if isinstance(given, str) else value


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _finite(value: Any, where: str) -> Any:
    """A keyword argument ends in JSON, which has no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{where} is {value}: expected a finite number.")
    return value


_NO_JSON = object()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return _NO_JSON
