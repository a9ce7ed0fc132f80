"""Options from a frozen dataclass: it defines the command line, the JSON of the run, and the help."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import math
import re
import types
import typing
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from zoo.discovery.aliases import UnknownOptionError
from zoo.discovery.registration import describe
from zoo.discovery.values import BOOLEAN_FORMS, NOTHING, members, plain, truth
from zoo.errors import UnknownNameError, UsageError, ZooError, not_a_choice
from zoo.terminal.streams import brief

Origins = dict[str, str]
_TYPE = "type"
_NOT_FINITE = ("inf", "-inf", "nan")
_LATER = "later"  # key in a field's metadata: an option that older runs did not have, unsaid where it is the default
_FLAG = "flag"  # key in a field's metadata: its spelling as an option, where Python forbids the natural one (lambda)


def encode(value: Any) -> Any:
    """A configuration as plain JSON data.

    Nested dataclasses carry their class name under "type"; a float that is not finite, which JSON does not
    have, becomes the text "inf", "-inf" or "nan".
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {_TYPE: type(value).__name__, **fields}
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def encode_fields(config: Any) -> dict[str, Any]:
    """``encode`` of each field of a dataclass instance, but later ones with their default; empty for None."""
    if config is None:
        return {}
    return {
        field.name: encode(getattr(config, field.name))
        for field in dataclasses.fields(config)
        if not (field.metadata.get(_LATER) and getattr(config, field.name) == field.default)
    }


def decode_fields(cls: type, values: Mapping[str, Any], base: Any = None, where: str = "option") -> Any:
    """An instance of the dataclass ``cls``: ``base`` (or the defaults) with ``values`` put in, types checked.

    Raises:
        UsageError: a key is not a field (nearest ones named) or a value does not fit the field's type.
    """
    hints = _hints(cls)
    known = {field.name for field in dataclasses.fields(cls)}
    decoded = {}
    for key, value in values.items():
        if key not in known:
            raise UnknownNameError(where, key, known)
        decoded[key] = _decode(hints[key], value, f"{where} {key!r}")
    try:
        return dataclasses.replace(base, **decoded) if base is not None else cls(**decoded)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where} is refused: {brief(error)}") from error
    except (ZooError, KeyboardInterrupt):
        raise
    except BaseException as error:  # what a plugin's __post_init__ does with a value is not for us to know
        raise UsageError(f"{where} is refused: {describe(error)}") from error


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    return typing.get_type_hints(cls)


def _decode(hint: Any, value: Any, where: str) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        return _decode(args[0], value, where)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        for option in args:
            with contextlib.suppress(UsageError):
                return _decode(option, value, where)
    elif origin is Literal:
        for option in args:
            if value == option and type(value) is type(option):
                return option
    elif hint is type(None):
        if value is None:
            return None
    elif isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if isinstance(value, Mapping) and value.get(_TYPE, hint.__name__) == hint.__name__:
            fields = {key: item for key, item in value.items() if key != _TYPE}
            return decode_fields(hint, fields, where=where)
    elif origin in (tuple, list) and isinstance(value, (list, tuple)):
        fixed = origin is tuple and not (len(args) == 2 and args[1] is Ellipsis)
        if not fixed or len(args) == len(value):
            kinds = args if fixed else [args[0]] * len(value)
            items = [_decode(kind, item, where) for kind, item in zip(kinds, value, strict=True)]
            return origin(items)
    elif origin is dict or origin is Mapping:
        if isinstance(value, Mapping):
            return {str(key): _decode(args[1], item, where) for key, item in value.items()}
    elif hint is float and ((isinstance(value, (int, float)) and not isinstance(value, bool)) or value in _NOT_FINITE):
        return float(value)
    elif isinstance(hint, type) and isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    expected = getattr(hint, "__name__", None) if isinstance(hint, type) else str(hint).replace("typing.", "")
    expected = "true or false" if hint is bool else expected
    raise UsageError(f"{where} is {value!r}: expected {expected}.")


def field_origins(config: Any, base: Any, base_origin: str) -> Origins:
    """Where each field's value is from: ``base_origin`` where it differs from ``base``, else "default"."""
    return {
        field.name: base_origin if getattr(config, field.name) != getattr(base, field.name) else "default"
        for field in dataclasses.fields(config)
    }


def parse_options(
    parts: Mapping[str, Any], args: Sequence[str], *, prog: str, description: str = "", own: Sequence[str] = ()
) -> tuple[dict[str, Any], Origins]:
    """Parse plugin options with tyro.

    Args:
        parts: prefix to dataclass instance holding the defaults; the prefix "" has no prefix on its flags,
            "env" means ``--env.theta``.
        args: what is left of the command line.
        prog: shown in the usage line.
        description: shown above the options.
        own: options of the command itself, to suggest from.

    Returns:
        The instances by prefix, and for each field that was given (dotted) the origin "cli".

    Raises:
        UsageError: an unknown flag (nearest ones named), or a value that does not fit.
        SystemExit: after printing the help, for ``--help``.
    """
    import tyro

    fields = _by_spelling(parts)
    given: Origins = {}
    line: list[str] = []
    queue = deque(args)
    while queue:
        arg = queue.popleft()
        if not _is_flag(arg) or arg == "--help":
            line.append(arg)
            continue
        flag, equals, value = arg[2:].partition("=")
        flag = flag.replace("-", "_")
        plain = flag if flag in fields else re.sub(r"(^|\.)no_", r"\1", flag)
        if plain not in fields:
            spelled = {field.flag for field in fields.values()}
            raise UnknownOptionError(arg.partition("=")[0], own, spelled, f"{prog} --help lists all options.")
        field = fields[plain]
        given[field.name] = "cli"
        values = [value] if equals else []
        while not equals and queue and not _is_flag(queue[0]):
            values.append(queue.popleft())
        if plain != flag:  # --no-FIELD
            line += [arg, *values]
        else:
            line += field.typed(values)
    owners = []
    for prefix, default in parts.items():
        cls = _with_spelling(type(default))
        hint: Any = typing.Annotated[cls, tyro.conf.arg(name=prefix)]
        owners.append((prefix or "options", hint, dataclasses.field(default=_converted(cls, default))))
    options = dataclasses.make_dataclass("Options", owners, frozen=True)
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            parsed: Any = tyro.cli(options, args=line, prog=prog, description=description)
    except SystemExit as end:
        if end.code in (0, None):
            raise
        raise UsageError(_first_sentence(errors.getvalue()), f"{prog} --help lists all options.") from None
    except (TypeError, ValueError) as error:
        raise UsageError(f"these options are refused: {brief(error)}") from error
    except (ZooError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise UsageError(f"these options are refused: {describe(error)}") from error
    chosen = {
        prefix: _converted(type(default), getattr(parsed, prefix or "options")) for prefix, default in parts.items()
    }
    return chosen, given


def combinations(parts: Mapping[str, Any], args: Sequence[str]) -> list[tuple[dict[str, str], list[str]]]:
    """What values with commas stand for: ``--eta 0.1,1`` is two command lines.

    Numbers, truths and choices are taken apart; text and lists keep their commas, which may belong to them.

    Args:
        parts: as in ``parse_options``.
        args: what is left of the command line.

    Returns:
        For each combination, the first option slowest, its values by option, and its arguments.

    Raises:
        UsageError: nothing stands before or after a comma.
    """
    fields = _by_spelling(parts)
    lines: list[tuple[dict[str, str], list[str]]] = [({}, [])]
    for index, arg in enumerate(args):
        before = args[index - 1] if index and not _is_flag(arg) else ""
        flag, equals, text = arg.partition("=") if _is_flag(arg) else (before, "", arg)
        field = fields.get(flag[2:].replace("-", "_")) if _is_flag(flag) else None
        if field is None or not field.takes_apart(text):
            lines = [(values, [*line, arg]) for values, line in lines]
            continue
        choices = list(dict.fromkeys(map(str.strip, text.split(","))))
        if "" in choices:
            raise UsageError(f"{flag} is {text!r}: expected values with a comma between each two.")
        lines = [
            ({**values, flag[2:]: choice}, [*line, f"{flag}={choice}" if equals else choice])
            for values, line in lines
            for choice in choices
        ]
    return lines


def _by_spelling(parts: Mapping[str, Any]) -> dict[str, _Field]:
    """The options by every spelling that is understood."""
    fields: dict[str, _Field] = {}
    for prefix, default in parts.items():
        for field in _fields(default, f"{prefix}." if prefix else ""):
            fields |= {field.name: field, field.spelling: field}
    return fields


def _with_spelling(cls: Any) -> Any:
    """``cls``, or a subclass whose options are spelled as the metadata of its fields say."""
    import tyro

    hints = typing.get_type_hints(cls, include_extras=True)
    renamed = [
        (field.name, typing.Annotated[hints[field.name], tyro.conf.arg(name=field.metadata[_FLAG])], field)
        for field in dataclasses.fields(cls)
        if _FLAG in field.metadata
    ]
    return dataclasses.make_dataclass(cls.__name__, renamed, bases=(cls,), frozen=True) if renamed else cls


def _converted(cls: type, config: Any) -> Any:
    """``config`` as an instance of ``cls``, which has the same fields."""
    if type(config) is cls:
        return config
    return cls(**{field.name: getattr(config, field.name) for field in dataclasses.fields(config)})


def _is_flag(arg: str) -> bool:
    return arg.startswith("--") and not re.match(r"--?\d", arg)


@dataclasses.dataclass(frozen=True)
class _Field:
    """One option: the dotted name of its field, how it is spelled (with underscores), what it may be."""

    name: str
    spelling: str
    kinds: tuple[Any, ...]

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return "--" + self.spelling.replace("_", "-")

    def takes_apart(self, text: str) -> bool:
        """Whether commas in ``text`` separate values."""
        choices = [choice for kind in self.kinds if get_origin(kind) is Literal for choice in get_args(kind)]
        plain = all(kind in (bool, int, float, type(None)) or get_origin(kind) is Literal for kind in self.kinds)
        return "," in text and plain and text not in choices

    def typed(self, values: Sequence[str]) -> list[str]:
        """The option and its values as tyro reads them, from any spelling of truth and of nothing.

        Raises:
            UsageError: it is a switch, and its value is neither true nor false.
        """
        if self.kinds != (bool,):
            return [self.flag, *map(self._canonical, values)]
        if not values:
            return [self.flag]
        known = truth(values[0]) if len(values) == 1 else None
        if known is None:
            raise UsageError(f"{self.flag} is {' '.join(values)!r}: expected {BOOLEAN_FORMS}, or the option alone.")
        head, dot, tail = self.spelling.rpartition(".")
        return [self.flag if known else f"--{head}{dot}no-{tail}".replace("_", "-")]

    def _canonical(self, text: str) -> str:
        items = [item for kind in self.kinds if get_origin(kind) in (tuple, list) for item in get_args(kind)]
        kinds = {*self.kinds, *items}
        choices = {choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)}
        if text in choices:
            return text
        if type(None) in kinds and text.strip().lower() in NOTHING:
            return "None"
        known = truth(text)
        if bool in kinds and known is not None and not kinds & {int, float, str}:
            return str(known)
        return text


def _fields(config: Any, prefix: str) -> Iterator[_Field]:
    """The options of a dataclass instance, those of nested ones included."""
    hints = _hints(config.__class__)
    for field in dataclasses.fields(config):
        spelling = field.metadata.get(_FLAG, field.name).replace("-", "_")
        yield _Field(prefix + field.name, prefix + spelling, members(hints[field.name]))
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from _fields(value, f"{prefix}{field.name}.")


def _first_sentence(box: str) -> str:
    """The error message inside the box that tyro prints: the flag, what was given, what was expected.

    Where the terminal knows only ASCII, the box is a title between rules of hyphens.
    """
    lines = [line.strip("│╭╮╰╯| ").strip() for line in box.splitlines()]
    body: list[str] = []
    for line in lines[1:]:
        rule = set(line) <= {"─", "-", "+"}
        if (rule and body) or line.startswith(("Got errors", "For full helptext")):
            break
        body += [] if rule else [line]
    text = " ".join(body).rstrip(".")
    choice = re.match(r"invalid choice '(.*)' for argument '(\S+)'\. Expected one of \((.*)\)", text)
    if choice:
        return not_a_choice(choice[2], choice[1], re.findall(r"'([^']*)'", choice[3]))
    flag = re.match(r"Error parsing (--\S+?): ", text)
    if flag is None:
        return f"{text}."
    usage = next((line for line in lines if line.startswith((f"{flag[1]} ", f"{flag[1]},"))), "")
    expected = usage.removeprefix(flag[1]).strip() or "another value"
    given = re.findall(r"'([^']*)'", text.removeprefix(flag[0]))
    shown = repr(" ".join(given)) if given else "not understood"
    return f"{flag[1]} is {shown}: expected {expected}."


def parse_keywords(
    args: Sequence[str], prefix: str, only: Collection[str] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Split ``--env.key value`` pairs off ``args``: for wrappers, and for environments without a dataclass.

    Args:
        args: what is left of the command line.
        prefix: "env".
        only: the keys to split off; None: all.

    Returns:
        The keyword arguments as text, which ``zoo.discovery.constructors`` reads (a list of plain data, where there are
        several values, or the key is given again), and the rest of ``args``.

    Raises:
        UsageError: a flag has no value.
    """
    values: dict[str, Any] = {}
    rest: list[str] = []
    queue = list(args)
    while queue:
        arg = queue.pop(0)
        flag, equals, text = arg.partition("=")
        name = flag.removeprefix(f"--{prefix}.").replace("-", "_")
        if not arg.startswith(f"--{prefix}.") or (only is not None and name not in only):
            rest.append(arg)
            continue
        texts: list[Any] = [text] if equals else []
        while not equals and queue and not _is_flag(queue[0]):
            texts.append(queue.pop(0))
        if not texts:
            raise UsageError(f"{flag} has no value: expected {flag} VALUE.")
        if name in values:
            texts = [*(values[name] if isinstance(values[name], list) else [values[name]]), *texts]
        values[name] = texts[0] if len(texts) == 1 else [plain(item) for item in texts]
    return values, rest
