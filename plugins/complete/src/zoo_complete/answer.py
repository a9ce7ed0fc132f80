"""The answer to the tab key, from what is remembered; the zoo itself is imported only where that is out of date."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from typing import Any

import argcomplete
from argcomplete.completers import SuppressCompleter

from zoo_complete.memory import recall

GLOBAL = ("--plugin", "--debug", "--version", "--help")


def main() -> int:
    """Answer a shell, as argcomplete has it: ``COMP_LINE`` and ``COMP_POINT`` in, completions on descriptor 8 out."""
    words = recall()
    if words is None:
        from zoo import CommandOptions
        from zoo_complete.words import remember

        words = remember(CommandOptions())
    line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", 0))]
    argcomplete.autocomplete(
        _parser(words, line.split()), always_complete_options="long", default_completer=SuppressCompleter()
    )
    return 0


def _parser(words: dict[str, Any], typed: list[str]) -> argparse.ArgumentParser:
    """A parser of the command that is being typed; the others are names alone."""
    parser = argparse.ArgumentParser(prog="zoo", add_help=False, allow_abbrev=False)
    for flag in GLOBAL:
        if flag == "--plugin":
            parser.add_argument(flag).completer = Files()  # type: ignore[attr-defined]
        else:
            parser.add_argument(flag, action="store_true")
    commands = parser.add_subparsers(dest="command")
    for name, command in words["commands"].items():
        own = commands.add_parser(name, help=command["help"], add_help=False, allow_abbrev=False)
        if name in typed:
            _add(own, command["arguments"], words["names"])
            if name == "train":
                added = [words["options"].get(word, []) for word in typed]
                added += [words["options"].get(f"env {word}", []) for word in typed]
                _add(own, [option for options in added for option in options], words["names"])
    return parser


def _add(parser: argparse.ArgumentParser, arguments: list[dict[str, Any]], names: dict[str, list[str]]) -> None:
    taken: set[str] = set()
    for argument in arguments:
        spelled = [name for name in argument["names"] if name not in taken]
        taken |= set(spelled)
        if not spelled:
            continue
        if "commands" in argument:
            commands = parser.add_subparsers(dest=spelled[0])
            for name, command in argument["commands"].items():
                own = commands.add_parser(name, help=command["help"], add_help=False, allow_abbrev=False)
                _add(own, command["arguments"], names)
            continue
        told = {"help": argument.get("help", "").replace("%", "%%")}
        if argument["nargs"] == 0:
            parser.add_argument(*spelled, action="store_true", **told)
            continue
        action = parser.add_argument(*spelled, nargs=argument["nargs"], **told)
        action.completer = _completer(argument, names)  # type: ignore[attr-defined]


def _completer(argument: dict[str, Any], names: dict[str, list[str]]) -> Any:
    kinds = argument["values"].split()
    choices = [*argument.get("choices", ()), *(name for kind in kinds for name in names.get(kind, ()))]
    files = Files(folders="file" not in kinds) if {"run", "file"} & set(kinds) else None

    def complete(prefix: str, **_: Any) -> list[str]:
        return [choice for choice in choices if choice.startswith(prefix)] + (files(prefix) if files else [])

    return complete


class Files:
    """Files and folders, or folders alone; a run is an end, and other folders lead on."""

    def __init__(self, *, folders: bool = False) -> None:
        self._folders = folders

    def __call__(self, prefix: str, **_: Any) -> list[str]:
        """The paths that begin with ``prefix``."""
        folder, slash, beginning = prefix.rpartition("/")
        try:
            with os.scandir(os.path.expanduser(folder + slash) or ".") as found:  # noqa: PTH111
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            return []
        return list(self._shown(entries, folder + slash, beginning))

    def _shown(self, entries: list[os.DirEntry[str]], folder: str, beginning: str) -> Iterable[str]:
        for entry in entries:
            if not entry.name.startswith(beginning) or (entry.name.startswith(".") and not beginning):
                continue
            if not entry.is_dir():
                if not self._folders:
                    yield folder + entry.name
            elif os.path.exists(os.path.join(entry.path, "spec.json")):  # noqa: PTH110, PTH118
                yield folder + entry.name
            else:
                yield f"{folder}{entry.name}/"
