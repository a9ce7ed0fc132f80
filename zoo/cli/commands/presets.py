"""``zoo presets``: the settings that an algorithm's plugin recommends for an environment."""

from __future__ import annotations

import json
from collections.abc import Sequence

from zoo.cli.document import emit
from zoo.cli.parser import CommandOptions, CommandParser, columns


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = CommandParser(
        prog="zoo presets",
        usage="zoo presets ALGORITHM [ENVIRONMENT] [--json]",
        description="The presets of an algorithm or representation: environment by environment, what they set.\n"
        "The preset named default applies by itself; any other is chosen by zoo train --preset NAME.",
        examples=["zoo presets ppo", "zoo presets ppo CartPole-v1", "zoo presets icl-transformer --json"],
    )
    parser.add_argument("algorithm", metavar="ALGORITHM", help="an algorithm or representation")
    parser.add_argument("environment", nargs="?", metavar="ENVIRONMENT", help="only what suits this environment")
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    parsed = parser.parse_args(args)

    from zoo.discovery.presets import load_preset, preset_environments, preset_files
    from zoo.errors import UnknownNameError

    entry = options.registry().find(parsed.algorithm, "algorithm", "representation")
    found = {name: preset_environments(entry, name) for name in sorted(preset_files(entry))}
    known = sorted({environment for environments in found.values() for environment in environments})
    if parsed.environment is not None and known and parsed.environment not in known:
        raise UnknownNameError(f"environment in the presets of {entry.name}", parsed.environment, known)
    chosen = [
        (name, environment, load_preset(entry, environment, name))
        for name, environments in found.items()
        for environment in environments
        if parsed.environment in (None, environment)
    ]
    chosen = [row for row in chosen if row[2].run or row[2].options or row[2].env]  # a section for its siblings alone
    if parsed.json:
        emit({
            "presets": [
                {"preset": name, "environment": environment, "run": dict(preset.run), "options": dict(preset.options),
                 "env": dict(preset.env)}
                for name, environment, preset in chosen
            ]
        })  # fmt: skip
        return 0
    if not chosen:
        print(f"{entry.name} has no presets: its own defaults apply everywhere.")
        return 0
    rows = [["preset", "environment", "sets"]]
    for name, environment, preset in chosen:
        settings = {**preset.run, **preset.options, **{f"env.{key}": value for key, value in preset.env.items()}}
        rows.append([name, environment, "  ".join(f"{key}={json.dumps(value)}" for key, value in settings.items())])
    print(columns(rows, indent=""))
    return 0
