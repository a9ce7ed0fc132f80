"""``--config FILE.toml``: options that are kept in a file, as if they had been typed before the others."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import RunError, UsageError
from zoo.terminal.streams import brief
from zoo.training.storage.files import read_bytes

_MOST_BYTES = 1 << 20


def with_config(args: Sequence[str], switches: Collection[str]) -> list[str]:
    """Arguments with those of the file that ``--config`` names, unless they are typed as well.

    The file has the names of the flags without their dashes: ``learning-rate = 3e-4``, and a table for dotted ones:
    ``[env]`` with ``theta = 0.7`` is ``--env.theta 0.7``. ``algorithm`` and ``environment`` are the positional ones.

    Args:
        args: the command line.
        switches: flags that take no value, such as ``--exact``.

    Raises:
        UsageError: the file is not there or is not TOML, or a value is of a type that no option has.
    """
    args = list(args)
    for index, word in enumerate(args):
        flag, equals, value = word.partition("=")
        if flag == "--config":
            used = 1 if equals else 2
            if not equals and index + 1 == len(args):
                raise UsageError("--config has no value: expected --config FILE.toml.")
            path = Path(value if equals else args[index + 1])
            others = [*args[:index], *args[index + used :]]
            if any(word.partition("=")[0] == "--config" for word in others):
                raise UsageError("--config is given twice: expected one file.")
            return _merged(_read(path), others, switches, path)
    return args


def _merged(table: dict[str, Any], args: list[str], switches: Collection[str], path: Path) -> list[str]:
    typed = next((index for index, word in enumerate(args) if word.startswith("-")), len(args))
    names = [*args[:typed], *(table[name] for name in ("algorithm", "environment")[typed:] if name in table)]
    if not all(isinstance(name, str) for name in names):
        raise UsageError(f"{path}: algorithm and environment are names: expected text in quotes.")
    given = {_spelled(word.partition("=")[0]) for word in args if word.startswith("--")}
    words: list[str] = []
    for flag, value in _flat("-", {key: table[key] for key in table if key not in ("algorithm", "environment")}):
        if flag in given:
            continue
        if flag in switches:
            if not isinstance(value, bool):
                raise UsageError(f"{path}: {flag[2:]} is {value!r}: expected true or false.")
            words += [flag] if value else []
        else:
            typed_value = _words(value, flag, path)
            words += [flag, *typed_value] if isinstance(value, list) else [f"{flag}={typed_value[0]}"]
    return [*names, *words, *args[typed:]]


def _flat(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        flag = f"{prefix}.{key}" if prefix != "-" else f"--{key}"
        if isinstance(value, Mapping):
            yield from _flat(flag, value)
        else:
            yield _spelled(flag), value


def _spelled(flag: str) -> str:
    return flag.replace("_", "-")


def _words(value: Any, flag: str, path: Path) -> list[str]:
    """A value as it is typed."""
    if isinstance(value, list):
        return [word for item in value for word in _words(item, flag, path)]
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, (str, int, float)):
        return [str(value)]
    raise UsageError(f"{path}: {flag[2:]} is {value}: expected text, a number, true, false or a list of them.")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_bytes(path.resolve(), _MOST_BYTES).decode())
    except RunError as error:
        raise UsageError(error.message, "--config takes a TOML file of options.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {brief(error)}") from error
