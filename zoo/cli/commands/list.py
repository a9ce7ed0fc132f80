"""``zoo list``: what is installed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from zoo.api import unmet
from zoo.cli.document import emit
from zoo.cli.parser import CommandOptions, CommandParser, columns
from zoo.discovery.registration import KINDS, Entry, Kind
from zoo.discovery.registry import Registry
from zoo.errors import UsageError


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    plurals = {f"{kind}s": kind for kind in KINDS}
    parser = CommandParser(
        prog="zoo list",
        description="List what is installed, from names alone: nothing heavy is imported.",
        examples=["zoo list", "zoo list environments --for reload", "zoo list algorithms --for CartPole-v1 --json"],
    )
    parser.add_argument("kind", nargs="?", choices=plurals, metavar="KIND", help=", ".join(plurals))
    parser.add_argument("--for", dest="suits", metavar="NAME", help="only what suits this algorithm or environment")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parsed = parser.parse_args(args)
    registry = options.registry()
    entries = registry.entries(*([plurals[parsed.kind]] if parsed.kind else []))
    if parsed.suits:
        asked = {(entry.kind, entry.qualified) for entry in entries}
        entries = [entry for entry in _suited(parsed.suits, registry) if (entry.kind, entry.qualified) in asked]
    if parsed.json:
        emit({"entries": [_plain(entry) for entry in entries]})
        return 0
    bare = Counter((entry.kind, entry.name) for entry in registry.entries())
    for kind in KINDS:
        shown = [entry for entry in entries if entry.kind == kind]
        if shown:
            rows = [_row(entry, ambiguous=bare[kind, entry.name] > 1) for entry in shown]
            print(f"{kind}s\n{columns(rows)}\n")
    if not entries:
        print("Nothing is installed that fits. zoo plugins shows what was found.")
    elif not parsed.kind and not parsed.suits:
        print("Any gymnasium id is an environment too, such as CartPole-v1.")
    return 0


def _row(entry: Entry, *, ambiguous: bool) -> list[str]:
    name = entry.qualified if ambiguous else entry.name
    return [name, entry.plugin, entry.summary + (f" [{entry.paper}]" if entry.paper else "")]


def _plain(entry: Entry) -> dict[str, Any]:
    facts = asdict(entry)
    unused: dict[Kind, tuple[str, ...]] = {
        "algorithm": ("offers", "subject", "vector"),
        "representation": ("offers", "subject", "vector"),
        "environment": ("needs", "subject", "steps", "presets", "paper"),
        "evaluator": ("needs", "offers", "steps", "presets", "vector", "paper"),
    }
    return {"qualified": entry.qualified, **{k: v for k, v in facts.items() if k not in unused[entry.kind]}}


def _suited(name: str, registry: Registry) -> list[Entry]:
    """What fits the algorithm, representation or environment of that name; a gymnasium id is built to look."""
    known = registry.entries("algorithm", "representation", "environment")
    named = [entry for entry in known if name in (entry.name, entry.qualified)]
    if named:
        kinds = {entry.kind for entry in named}
        if len(kinds) > 1:
            raise UsageError(f"{name!r} is {' and '.join(sorted(kinds))}.", "Use its full name, as zoo list shows it.")
        return registry.fitting(registry.find(name, *kinds))
    from zoo.discovery.names import resolve_env
    from zoo.training.environments.make_env import make_env, offers_of

    env = make_env(resolve_env(name, registry), {}, 1)
    offers = offers_of(env)
    env.close()
    return [entry for entry in registry.entries("algorithm", "representation") if not unmet(entry.needs, offers)]
