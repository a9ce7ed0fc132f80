"""Commands that plugins add: each plugin's apart from the others', so that none takes another down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.cli.document import spoken_by_plugin
from zoo.cli.parser import CommandParser, Options
from zoo.discovery.guard import ask, blaming
from zoo.discovery.registry import Registry
from zoo.errors import UnknownNameError, UsageError


def run(command: str, args: Sequence[str], options: Options, known: Sequence[str]) -> int:
    """Run the command ``command`` of a plugin; its exit status.

    Args:
        command: its name, or ``plugin/name`` where several plugins offer it.
        args: what follows it.
        options: the options before it.
        known: the commands of zoo, to suggest from.

    Raises:
        UnknownNameError: no plugin offers it.
        UsageError: several do.
        PluginError: it failed.
    """
    offered = _offered(options.registry())
    full = {f"{plugin}/{name}": (plugin, name, parser) for plugin, name, parser in offered}
    found = [key for key, (_, name, _) in full.items() if command in (key, name)]
    if not found:
        names = [*known, *(name for _, name, _ in offered)]
        raise UnknownNameError("command", command, names, "zoo --help lists all commands.")
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} plugins offer the command {command!r}: {', '.join(sorted(found))}.",
            "Use one of these full names.",
        )
    plugin, name, parser = full[found[0]]
    parsed = parser.parse_args([name, *args])
    passing = (SystemExit, BrokenPipeError)
    with spoken_by_plugin(), blaming(f"command {name!r} of plugin {plugin}", debug=options.debug, passing=passing):
        return int(parsed.run(parsed) or 0)


def _offered(registry: Registry) -> list[tuple[str, str, Any]]:
    """Plugin, name and parser of every command; a plugin whose hook fails is named and left out."""
    found = []
    for module in registry.modules("zoo_commands"):
        parser = CommandParser(prog="zoo")
        commands = parser.add_subparsers()
        for answer in ask(registry.manager, "zoo_commands", only=module, app=commands):
            if answer.error is not None:
                registry.leave_out(answer.plugin, "commands", answer.error)
            else:
                found += [(answer.plugin, name, parser) for name in map(str, commands.choices)]
    return found
