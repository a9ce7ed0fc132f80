"""Shared by all commands: a parser that raises instead of exiting, and the plugins behind a command."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from zoo.discovery.aliases import UnknownOptionError
from zoo.discovery.registration import plugin_label
from zoo.discovery.registry import Registry, discover
from zoo.errors import UsageError, not_a_choice


@dataclass(frozen=True)
class CommandOptions:
    """The options before the command."""

    files: tuple[Path, ...] = ()
    debug: bool = False

    def registry(self) -> Registry:
        """All plugins, discovered once; each one that failed is named in one line on standard error."""
        return self._found

    @cached_property
    def _found(self) -> Registry:
        registry = discover(self.files)
        for plugin in registry.failures:
            sys.stderr.write(f"zoo: {plugin_label(plugin.plugin, plugin.version)} is left out: {plugin.reason}\n")
        for notice in registry.notices:
            sys.stderr.write(f"zoo: ZOO_PLUGINS: {notice}\n")
        return registry


class ParserBuilt(Exception):
    """Raised instead of parsing where ``CommandParser.describing`` is set."""

    def __init__(self, parser: CommandParser) -> None:
        super().__init__()
        self.parser = parser


class CommandParser(argparse.ArgumentParser):
    """argparse with errors as one sentence, exact flags only, and examples after the help."""

    describing: ClassVar[bool] = False
    """whether commands stop at their parser, which is what completion wants of them"""

    def __init__(self, *, examples: Sequence[str] = (), **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        if examples:
            shown = "\n".join(f"  {example}" for example in examples)
            kwargs["epilog"] = f"examples:\n{shown}"
        super().__init__(**kwargs)

    def add_subparsers(self, **kwargs: Any) -> Any:
        """As argparse; each ``add_parser`` may be given ``examples``."""
        return super().add_subparsers(**{"parser_class": Subcommand} | kwargs)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse, but an unknown flag is named first, before its value is mistaken for something else."""
        self.check_flags(args)
        return super().parse_args(args, namespace)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse."""
        if CommandParser.describing:
            raise ParserBuilt(self)
        return super().parse_known_args(args, namespace)

    def check_flags(self, args: Sequence[str] | None) -> None:
        """Refuse the first flag that neither this command nor one below it can have."""
        for arg in args or ():
            flag = arg.partition("=")[0]
            if flag == "--":
                break
            if flag.startswith("--") and self._subparsers is None and flag not in self._option_string_actions:
                raise self.unknown(flag)

    @property
    def flags(self) -> list[str]:
        """Every spelling of every option."""
        return list(self._option_string_actions)

    def unknown(self, flag: str) -> UnknownOptionError:
        """The error for a flag that this command does not have."""
        return UnknownOptionError(flag, self.flags, hint=f"{self.prog} --help lists all options.")

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError: the words of argparse as a sentence, with the nearest flag for an unknown one."""
        unrecognised = re.match(r"unrecognized arguments: (-\S+)", message)
        if unrecognised:
            raise self.unknown(unrecognised[1].partition("=")[0])
        choice = re.fullmatch(
            r"argument (\S+?)(?:/\S+)?: invalid choice: '?(.*?)'? \(choose from (.*)\)", message, re.DOTALL
        )
        sentence = re.sub(r"^argument (\S+?)(/\S+)?: ", r"\1: ", message).rstrip(".") + "."
        if choice:
            sentence = not_a_choice(choice[1], choice[2], re.findall(r"[^\s,']+", choice[3]))
        raise UsageError(sentence, f"{self.prog} --help lists all options.")


class Subcommand(CommandParser):
    """A subcommand: it refuses unknown flags itself, because its parent knows other flags."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse, but refuses arguments that are left over."""
        self.check_flags(args)
        parsed, left = super().parse_known_args(args, namespace)
        if left and left[0].startswith("-"):
            raise self.unknown(left[0].partition("=")[0])
        if left:
            self.error(f"{left[0]!r} is one argument too many")
        return parsed, left


def columns(rows: Sequence[Sequence[str]], *, indent: str = "  ") -> str:
    """``rows`` as aligned columns; without rich, which a listing would spend half its start-up on."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    lines = []
    for *cells, last in rows:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        lines.append((indent + "  ".join([*padded, last])).rstrip())
    return "\n".join(lines)
