"""What may stand on a command line, as plain data: learned from the installed plugins, and remembered in a file."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import typing
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from zoo_complete.memory import memory_file, stamp

if TYPE_CHECKING:
    from zoo import CommandOptions
    from zoo.discovery import Entry, Registry

_VALUES = {"ALGORITHM": "algorithm", "ENVIRONMENT": "environment", "EVALUATOR": "evaluator", "SUITE": "suite"}
"""metavars of arguments that are names, to the kind of name"""
_FILES = ("FILE", "DIR", "PATH", "FOLDER", "RUN", "RESPONSE", "GOLD")


def remember(options: CommandOptions) -> dict[str, Any]:
    """Learn everything anew, and write it where ``answer`` finds it."""
    words = learn(options)
    path = memory_file()
    with contextlib.suppress(OSError):  # without a place to write, each answer learns anew
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_text(json.dumps(words), encoding="utf-8")
        part.replace(path)
    return words


def learn(options: CommandOptions) -> dict[str, Any]:
    """Commands with what they take, names by kind, and the options of algorithms and environments."""
    from zoo.cli import all_commands, parser_of

    registry = options.registry()
    commands: dict[str, Any] = {}
    for name, summary in all_commands(options).items():
        parser = parser_of(name, options)
        commands[name] = {"help": summary, "arguments": _arguments(parser) if parser is not None else []}
    kinds = {kind: [entry.name for entry in registry.entries(kind)] for kind in ("environment", "evaluator")}
    learners = registry.entries("algorithm", "representation")
    kinds |= {"algorithm": [entry.name for entry in learners], "suite": _suites(registry)}
    if "eval" in commands:  # its positional arguments are told apart by what they are
        commands["eval"]["arguments"].append({"names": ["subjects"], "nargs": "*", "values": "run evaluator"})
    return {
        "stamp": stamp(),
        "commands": commands,
        "names": {kind: sorted(set(names)) for kind, names in kinds.items()},
        "options": {
            **{entry.name: list(_options(entry, "--")) for entry in learners},
            **{f"env {e.name}": list(_options(e, "--env.")) for e in registry.entries("environment")},
        },
    }


def _suites(registry: Registry) -> list[str]:
    found = registry.ask("zoo_suites")
    return [PurePosixPath(file).stem for answer in found if answer.error is None for file in answer.value or ()]


def _arguments(parser: argparse.ArgumentParser) -> list[dict[str, Any]]:
    """The arguments of a parser; of one with commands of its own, theirs too."""
    arguments = []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        metavar = action.metavar if isinstance(action.metavar, str) else ""
        words = metavar.split("|")
        values = next((_VALUES[word] for word in words if word in _VALUES), "")
        argument: dict[str, Any] = {
            "names": list(action.option_strings) or [action.dest],
            "nargs": action.nargs,
            "help": " ".join((action.help or "").split()),
            "values": values or ("run" if "RUN" in words else "file" if set(words) & set(_FILES) else ""),
        }
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            argument["commands"] = {
                name: {"help": helps.get(name, ""), "arguments": _arguments(sub)}
                for name, sub in action.choices.items()
            }
        elif action.choices is not None:
            argument["choices"] = [str(choice) for choice in action.choices]
        elif len(words) > 1:  # of newest|best|STEP, those that are typed as they stand
            argument["choices"] = [word for word in words if word.islower()]
        arguments.append(argument)
    return arguments


def _options(entry: Entry, prefix: str) -> Iterator[dict[str, Any]]:
    """The options of a component as ``zoo train`` spells them; none where its module cannot be imported."""
    try:
        config = entry.default_config()
        if config is not None:
            yield from _fields(type(config), config, prefix)
    except Exception:  # of a plugin
        return


def _fields(cls: type, config: Any, prefix: str) -> Iterator[dict[str, Any]]:
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        name = str(field.metadata.get("flag", field.name)).replace("_", "-")
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            yield from _fields(type(value), value, f"{prefix}{name}.")
            continue
        kinds = get_args(hints[field.name]) if get_origin(hints[field.name]) is not Literal else (hints[field.name],)
        choices = [str(choice) for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
        choices += ["true", "false"] * (hints[field.name] is bool)
        yield {
            "names": [f"{prefix}{name}"],
            "nargs": "?",
            "help": f"default: {value}",
            "values": "",
            "choices": choices,
        }
