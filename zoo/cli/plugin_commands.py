"""Commands that plugins register: they are listed from strings, and imported when they are run."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.cli.document import spoken_by_plugin
from zoo.cli.parser import CommandOptions
from zoo.discovery.guard import blaming
from zoo.discovery.registry import Registry
from zoo.errors import UsageError

BENCH = ("bench", "table", "papers", "plot")
"""Commands of zoo-bench, which is suggested where it is not installed."""


def run(command: str, args: Sequence[str], options: CommandOptions, known: Sequence[str]) -> int:
    """Run the command ``command`` of a plugin; its exit status.

    Args:
        command: its name, or ``plugin/name`` where several plugins offer it.
        args: what follows it.
        options: the options before it.
        known: the commands of zoo, to suggest from.

    Raises:
        UnknownNameError: no plugin offers it.
        UsageError: several do, or the package that brings it is not installed.
        PluginError: it failed.
    """
    registry = options.registry()
    if command in BENCH and not any(entry.name == command for entry in registry.entries("command")):
        raise UsageError(f"zoo {command} is a command of zoo-bench, which is not installed.", "pip install zoo-bench")
    entry = registry.find(command, "command", also=known)
    function = entry.resolve()
    whose = f"command {entry.name!r} of plugin {entry.plugin}"
    with spoken_by_plugin(), blaming(whose, debug=options.debug, passing=(SystemExit, BrokenPipeError)):
        return int(function(list(args), options) or 0)


def summaries(registry: Registry) -> dict[str, str]:
    """One line for each command of a plugin, by the name that runs it."""
    entries = registry.entries("command")
    names = [entry.name for entry in entries]
    return {entry.qualified if names.count(entry.name) > 1 else entry.name: entry.summary for entry in entries}
