"""``zoo plugins``: plugins that were found, and whether they loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from zoo.cli.document import emit
from zoo.cli.parser import CommandOptions, CommandParser, columns
from zoo.discovery.registry import Plugin, discover
from zoo.errors import ZooError


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = CommandParser(
        prog="zoo plugins",
        description="Show every plugin found: its state, version, import time and entries.\n\n"
        "ZOO_PLUGINS=a,b loads only these distributions; ZOO_STRICT=1 makes a broken plugin an error.",
        examples=["zoo plugins", "zoo plugins --check", "ZOO_PLUGINS=zoo-reload zoo plugins --json"],
    )
    parser.add_argument("--check", action="store_true", help="import every target; status 1 if one fails")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parsed = parser.parse_args(args)
    registry = discover(options.files)
    broken: dict[str, list[str]] = {plugin.source: [plugin.reason] for plugin in registry.failures}
    if parsed.check:
        for plugin in registry.plugins:
            broken.setdefault(plugin.source, []).extend(_check(plugin))
    broken = {source: reasons for source, reasons in broken.items() if reasons}
    if parsed.json:
        rows = [_plain(plugin, broken.get(plugin.source, [])) for plugin in registry.plugins]
        emit({"plugins": rows})
    else:
        rows_text = [["plugin", "version", "state", "import", "entries"]]
        rows_text += [_row(plugin, plugin.source in broken) for plugin in registry.plugins]
        print(columns(rows_text, indent=""))
        for plugin in registry.plugins:
            for reason in broken.get(plugin.source, []):
                print(f"\n{plugin.plugin} {plugin.version}: {reason}")
        for notice in registry.notices:
            print(f"\nZOO_PLUGINS: {notice}")
    return 1 if parsed.check and broken else 0


def _check(plugin: Plugin) -> list[str]:
    reasons = []
    for entry in plugin.entries:
        targets: list[Callable[[], object]] = [entry.resolve, entry.resolve_config]
        if entry.vector:
            targets.append(partial(entry.load, entry.vector))
        for resolve in targets:
            try:
                resolve()
            except ZooError as error:
                reasons.append(error.message)
    return reasons


def _row(plugin: Plugin, broken: bool) -> list[str]:
    names = ", ".join(entry.name for entry in plugin.entries) or "-"
    state = "failed" if broken else plugin.state
    return [plugin.plugin, plugin.version, state, f"{plugin.seconds * 1000:.0f} ms", names]


def _plain(plugin: Plugin, reasons: Sequence[str]) -> dict[str, object]:
    return {
        "plugin": plugin.plugin, "version": plugin.version, "source": plugin.source,
        "state": "failed" if reasons else plugin.state, "seconds": round(plugin.seconds, 4),
        "entries": [f"{entry.kind}:{entry.name}" for entry in plugin.entries], "reasons": list(reasons),
    }  # fmt: skip
