"""Checks of a configuration dataclass."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import itertools
import json
import re
import subprocess
import sys
import textwrap
import typing
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from zoo.discovery.config import decode_fields, encode_fields, parse_options
from zoo.discovery.registration import Entry
from zoo.errors import UsageError
from zoo.testing.contract import Contract

_ALWAYS_TAKEN = frozenset({"debug", "env"})
"""flags that ``zoo`` takes off the line before ``train`` sees it, and the prefix of the environment's options"""


def check_options(contract: Contract, entry: Entry) -> None:
    """A frozen keyword-only dataclass whose documented fields survive the command line and JSON.

    Raises:
        AssertionError: naming the field and what is wrong with it.
    """
    with contract.during("its options"):
        cls = entry.resolve_config()
    if cls is None:
        contract.require(entry.kind == "environment", "it has no options class: register config='module:Config'")
        return
    _check_class(contract, cls)
    with contract.during(f"{cls.__name__}() with its defaults"):
        default = cls()
    if entry.kind in ("algorithm", "representation"):
        for field in dataclasses.fields(cls):
            flag = str(field.metadata.get("flag", field.name)).replace("_", "-")
            contract.require(
                flag not in core_flags(), f"option {field.name!r} is spelled --{flag}, which zoo train has already"
            )
    for config in (default, _altered(default)):
        _check_json(contract, config)
        _check_command_line(contract, config)


def _check_class(contract: Contract, cls: Any) -> None:
    name = cls.__name__
    frozen = cls.__dataclass_params__.frozen
    contract.require(frozen, f"{name} is not frozen: expected @dataclass(frozen=True, kw_only=True)")
    with contract.during(f"reading the types of {name}"):
        hints = typing.get_type_hints(cls)
    documented = documented_fields(cls)
    for field in dataclasses.fields(cls):
        where = f"field {field.name!r} of {name}"
        contract.require(field.kw_only, f"{where} is not keyword-only: expected @dataclass(frozen=True, kw_only=True)")
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        contract.require(has_default, f"{where} has no default")
        contract.require(field.name in documented, f"{where} has no docstring: put one on the line below it")
        if dataclasses.is_dataclass(hints[field.name]):
            _check_class(contract, hints[field.name])


def documented_fields(cls: type) -> set[str]:
    """Names of the fields of ``cls`` and its bases that are followed by a string literal in the source."""
    trace: set[str] = set()
    for base in cls.__mro__:
        if not dataclasses.is_dataclass(base):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for statement, after in itertools.pairwise(body):
            said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and said:
                text = typing.cast(ast.Constant, typing.cast(ast.Expr, after).value).value
                if isinstance(text, str) and text.strip():
                    trace.add(statement.target.id)
    return trace


@functools.cache
def core_flags() -> frozenset[str]:
    """The flags of ``zoo train`` itself, without hyphens in front, as its help prints them."""
    code = "import sys; from zoo.cli.main import main; sys.exit(main(['train', '--help']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return frozenset(re.findall(r"^\s+(?:-\w, )?--([a-z][a-z-]*)", done.stdout, re.MULTILINE)) | _ALWAYS_TAKEN


def _check_json(contract: Contract, config: Any) -> None:
    name = type(config).__name__
    with contract.during(f"writing {name} as JSON and reading it back"):
        text = json.dumps(encode_fields(config), allow_nan=False)
        repeated = decode_fields(type(config), json.loads(text))
    contract.require(repeated == config, f"{name} does not survive JSON: {config} became {repeated}")


def _check_command_line(contract: Contract, config: Any) -> None:
    cls = type(config)
    args = list(_spelled(config, ""))
    with contract.during(f"parsing {' '.join(args)}"):
        chosen, _ = parse_options({"": cls()}, args, prog="zoo train")
    repeated = chosen[""]
    contract.require(
        repeated == config, f"{cls.__name__} does not survive the command line: {config} became {repeated}"
    )


def _spelled(config: Any, prefix: str) -> Iterator[str]:
    """``config`` as flags; what a command line cannot spell, such as an empty list, is left at its default."""
    default = type(config)()
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        flag = f"--{prefix}{field.name.replace('_', '-')}"
        if dataclasses.is_dataclass(value):
            yield from _spelled(value, f"{prefix}{field.name.replace('_', '-')}.")
        elif isinstance(value, bool) and value != getattr(default, field.name):
            yield flag if value else f"--{prefix}no-{field.name.replace('_', '-')}"
        elif value is None or (isinstance(value, (int, float, str)) and not isinstance(value, bool)):
            yield from (flag, str(value))
        elif isinstance(value, tuple) and value and all(isinstance(item, (int, float, str)) for item in value):
            yield from (flag, *map(str, value))


def _altered(config: Any) -> Any:
    """``config`` with as many fields as possible at another legal value, to see that each one arrives."""
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        for value in _others(hints[field.name], getattr(config, field.name)):
            try:
                config = dataclasses.replace(config, **{field.name: value})
            except (UsageError, ValueError, TypeError):
                continue
            break
    return config


def _others(hint: Any, value: Any) -> list[Any]:
    if get_origin(hint) is Literal:
        return [option for option in get_args(hint) if option != value]
    if dataclasses.is_dataclass(value):
        return [_altered(value)]
    if hint is bool:
        return [not value]
    if hint is int:
        return [value + 1, value - 1]
    if hint is float:
        return [value * 0.5, value + 0.5, value * 2.0] if value else [0.5, 1.0]
    return []
