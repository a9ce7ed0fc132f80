"""``zoo plot``: learning curves of stored runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli.parser import CommandParser, Options

if TYPE_CHECKING:
    from zoo.results.curves import Group


def main(args: Sequence[str], options: Options) -> int:
    """Run the command."""
    parser = CommandParser(
        prog="zoo plot",
        usage="zoo plot RUN [RUN ...] [options]",
        description="Draw learning curves of stored runs: one panel for each metric, thin lines for the seeds, bold\n"
        "for their interquartile mean. RUN is a run directory, or any directory above some.",
        examples=[
            "zoo plot runs/two-state",
            "zoo plot runs/CartPole-v1/ppo -o ppo.pdf --metric eval/return",
            "zoo plot runs/two-state/reload runs/two-state/gda --metric err kkt --log yes",
            "zoo plot runs/CartPole-v1 --list",
        ],
    )
    add = parser.add_argument
    add("runs", nargs="+", type=Path, metavar="RUN", help="a run directory, or a directory above some")
    add("-o", "--output", type=Path, metavar="FILE", help="PNG, SVG or PDF (default: plots/ENVIRONMENT-ALGORITHMS.png)")
    add(
        "--metric", nargs="+", action="extend", metavar="NAME", help="what to draw (default: what these runs are about)"
    )
    add("--x", choices=("steps", "wall"), default="steps", help="steps, or seconds of training (default: steps)")
    add("--log", choices=("auto", "yes", "no"), default="auto", help="logarithmic values (default: for residuals)")
    add("--list", action="store_true", help="list the metrics of these runs, and draw nothing")
    add("--json", action="store_true", help="print one JSON document on standard output")
    parsed = parser.parse_args(args)

    from zoo.results.curves import check_metrics, make_groups
    from zoo.results.plot import caption, check_file, default_file, draw, make_panels, title, write
    from zoo.results.store import open_runs

    if parsed.output:
        check_file(parsed.output)
    catalogue = open_runs(parsed.runs)
    for refused in catalogue.refused:
        sys.stderr.write(f"zoo: left out: {refused.reason}\n")
    groups = make_groups(catalogue.groups())
    if parsed.list:
        return _list(groups, as_json=parsed.json)
    check_metrics(parsed.metric or [], groups)
    panels = make_panels(groups, parsed.metric or [], parsed.x, parsed.log)
    if not panels:
        from zoo.errors import RunError

        raise RunError(f"{', '.join(map(str, parsed.runs))}: nothing has been logged yet.")
    path = parsed.output or default_file(groups)
    write(draw(panels, parsed.x), path)
    if parsed.json:
        drawn = [
            {
                "metric": panel.metric,
                "environment": panel.environment,
                "log": panel.log,
                "curves": [
                    {"label": c.group.label, "colour": c.group.colour, "seeds": len(c.seeds)} for c in panel.curves
                ],
            }
            for panel in panels
        ]
        print(json.dumps({"file": str(path), "panels": drawn, "notes": caption(panels)}, indent=1))
        return 0
    print(path)
    print(f"panels: {'; '.join(dict.fromkeys(title(panel.metric) for panel in panels))}.")
    for note in caption(panels):
        print(note)
    return 0


def _list(groups: Sequence[Group], *, as_json: bool) -> int:
    from zoo.results.curves import logged
    from zoo.results.table import table

    runs = [run for group in groups for run in group.runs]
    records: list[dict[str, Any]] = []
    for name in logged(groups):
        having = [run for run in runs if name in run.metrics]
        lengths = [len(run.series(name).values) for run in having]
        records.append({"metric": name, "runs": len(having), "points": max(lengths), "last": having[-1].last[name]})
    if as_json:
        print(json.dumps({"metrics": records}, indent=1))
    else:
        print(table(records, keep=1))
    return 0
