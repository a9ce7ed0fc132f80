"""What every command takes, without running it; completion asks."""

from __future__ import annotations

import importlib

from zoo.cli.main import COMMANDS
from zoo.cli.parser import CommandOptions, CommandParser, ParserBuilt
from zoo.cli.plugin_commands import summaries


def all_commands(options: CommandOptions) -> dict[str, str]:
    """Each command of zoo and of plugins, with its summary."""
    return {**COMMANDS, **summaries(options.registry())}


def parser_of(command: str, options: CommandOptions) -> CommandParser | None:
    """The parser of a command; None where it cannot be imported, or has none of ours."""
    CommandParser.describing = True
    try:
        if command in COMMANDS:
            importlib.import_module(f"zoo.cli.commands.{command.replace('-', '_')}").main(["x"], options)
        else:
            options.registry().find(command, "command").resolve()(["x"], options)
    except ParserBuilt as built:
        return built.parser
    except Exception:  # of a plugin
        return None
    finally:
        CommandParser.describing = False
    return None
