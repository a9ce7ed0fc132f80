"""``zoo plot``: learning curves, performance profiles, verdicts on claims, and the figures of plugins."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import CommandOptions, CommandParser, RunError, UnknownNameError, UsageError, nearest
from zoo.cli import documented, emit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.runs import Catalogue
    from zoo_bench.plots.curves import Group
    from zoo_bench.plots.plugin_figures import PluginFigure


@documented
def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parsed = _parser().parse_args(args)
    if parsed.output:
        from zoo_bench.plots.learning_curves import check_file

        check_file(parsed.output)
    if parsed.claims:
        return _claims(parsed, options)
    if parsed.list and not parsed.runs:
        return _list_figures(parsed, options)
    figure = _asked_figure(parsed, options)
    if not parsed.runs:
        raise UsageError("zoo plot has no RUN: expected a run directory, or a directory above some.", "zoo plot --help")
    from zoo_bench.plots.curves import check_metrics, make_groups
    from zoo_bench.suite import find_suites

    for path in parsed.runs:
        if not path.exists() and str(path) in find_suites(options.registry()):
            raise UsageError(f"{path} is a suite: expected runs.", f"zoo plot --claims {path} draws its claims.")
    catalogue = _catalogue(parsed)
    groups = make_groups(catalogue.groups())
    if parsed.list:
        return _list(groups, as_json=parsed.json)
    check_metrics([*(parsed.metric or []), *([parsed.profile] if parsed.profile else [])], groups)
    if figure:
        return _figure(figure, catalogue, groups, parsed)
    return _profile(groups, parsed) if parsed.profile else _curves(groups, parsed)


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo plot",
        usage="zoo plot [FIGURE] RUN [RUN ...] [options]\n       zoo plot --claims SUITE [options]",
        description="Draw learning curves of stored runs: one panel for each metric, thin lines for the seeds, bold\n"
        "for their interquartile mean. RUN is a run directory, or any directory above some. Other figures:\n"
        "performance profiles, the claims of a suite with their intervals, and FIGUREs that plugins offer.",
        examples=[
            "zoo plot runs/two-state",
            "zoo plot runs/CartPole-v1/ppo -o ppo.pdf --metric eval/return",
            "zoo plot runs/two-state/reload runs/two-state/gda --metric err kkt --log yes",
            "zoo plot runs/CartPole-v1 --profile eval/return",
            "zoo plot --claims reload -o claims.svg",
            "zoo plot runs/CartPole-v1 --list",
        ],
    )
    add = parser.add_argument
    add("runs", nargs="*", type=Path, metavar="RUN", help="a run directory, or a directory above some")
    add("-o", "--output", type=Path, metavar="FILE", help="PNG, SVG or PDF (default: plots/ENVIRONMENT-ALGORITHMS.png)")
    add(
        "--metric", nargs="+", action="extend", metavar="NAME", help="what to draw (default: what these runs are about)"
    )
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--profile", metavar="METRIC", help="share of runs that end better than each value of METRIC")
    kinds.add_argument("--claims", metavar="SUITE", help="each claim of a suite: its interval beside what was claimed")
    kinds.add_argument("--figure", metavar="NAME", help="a figure of a plugin; also as the first word after zoo plot")
    add("--x", choices=("steps", "wall"), default="steps", help="steps, or seconds of training (default: steps)")
    add("--log", choices=("auto", "yes", "no"), default="auto", help="logarithmic values (default: for residuals)")
    add("--quick", action="store_true", help="with --claims: only the suite's quick cells")
    add("--dir", type=Path, default=Path("runs"), help="with --claims: directory of all runs (default: runs)")
    add("--list", action="store_true", help="list metrics of these runs, or without RUN the figures; draw nothing")
    add("--json", action="store_true", help="print one JSON document on standard output")
    return parser


def _asked_figure(parsed: argparse.Namespace, options: CommandOptions) -> PluginFigure | None:
    """The figure that was named; the first word names one if it is not a path and a plugin's figure is called so."""
    named = not parsed.figure
    if named and (parsed.profile or not parsed.runs or parsed.runs[0].exists()):
        return None
    from zoo_bench.plots.plugin_figures import find_figures

    found = find_figures(options.registry())
    name = parsed.runs[0].as_posix() if named else parsed.figure
    if named and name not in found and not nearest(name, found):
        return None
    parsed.runs = parsed.runs[named:]
    if name in found:
        return found[name]
    kind = "figure or directory of runs" if named else "figure"
    raise UnknownNameError(kind, name, found, _can_draw(name, found, parsed))


def _can_draw(name: str, found: Mapping[str, PluginFigure], parsed: argparse.Namespace) -> str:
    """Which figures of the plugin that was meant the runs given can draw; where none are meant, how to list all."""
    from zoo_bench.plots.plugin_figures import drawable

    near = nearest(name, found, 1)
    if near and parsed.runs and all(path.exists() for path in parsed.runs):
        meant = [figure for figure in found.values() if figure.plugin == found[near[0]].plugin]
        if names := drawable(meant, _catalogue(parsed).runs):
            return f"these runs can draw {', '.join(names)}."
    return "zoo plot --list lists the figures of all plugins."


def _catalogue(parsed: argparse.Namespace) -> Catalogue:
    from zoo import open_runs
    from zoo.runs import distinct

    catalogue = distinct(open_runs(parsed.runs))
    for refused in catalogue.refused:
        sys.stderr.write(f"zoo: left out: {refused.reason}\n")
    return catalogue


def _curves(groups: Sequence[Group], parsed: argparse.Namespace) -> int:
    from zoo_bench.plots.learning_curves import caption, default_file, draw, make_panels, title

    panels = make_panels(groups, parsed.metric or [], parsed.x, parsed.log)
    if not panels:
        raise RunError(f"{', '.join(map(str, parsed.runs))}: nothing has been logged yet.")
    drawn = [
        {
            "metric": panel.metric,
            "environment": panel.environment,
            "log": panel.log,
            "curves": [{"label": c.group.label, "colour": c.group.colour, "seeds": len(c.seeds)} for c in panel.curves],
        }
        for panel in panels
    ]
    notes = caption(panels, groups)
    names = f"panels: {'; '.join(dict.fromkeys(title(panel.metric) for panel in panels))}."
    return _write(draw(panels, parsed.x), default_file(groups), parsed, {"panels": drawn}, [names], notes)


def _profile(groups: Sequence[Group], parsed: argparse.Namespace) -> int:
    from zoo_bench.plots.learning_curves import default_file
    from zoo_bench.plots.profiles import caption_profiles, draw_profiles, make_profiles

    chart = make_profiles(groups, parsed.profile, parsed.log)
    about = {
        "metric": chart.metric,
        "better": "lower" if chart.lower else "higher",
        "scaled": chart.scaled,
        "environments": chart.environments,
        "profiles": [{"label": p.label, "colour": p.colour, "runs": p.runs} for p in chart.profiles],
    }
    file = default_file(groups, f"profile-{chart.metric}")
    return _write(draw_profiles(chart), file, parsed, about, [], caption_profiles(chart))


def _claims(parsed: argparse.Namespace, options: CommandOptions) -> int:
    from zoo.discovery import slug
    from zoo_bench.claims import judge
    from zoo_bench.load import from_suite, measure
    from zoo_bench.metrics import functions
    from zoo_bench.plots.forest import caption_forest, draw_forest
    from zoo_bench.resolve import resolve_suite
    from zoo_bench.suite import open_suite

    if parsed.runs:
        raise UsageError(f"--claims takes its runs from --dir: leave out {' '.join(map(str, parsed.runs))}.")
    registry = options.registry()
    suite = open_suite(parsed.claims, registry, hint="A suite is a name, or a TOML file.")
    suite = resolve_suite(suite.quick() if parsed.quick else suite, registry)
    if not suite.claims:
        raise UsageError(f"suite {suite.name!r} claims nothing{' of its quick cells' * parsed.quick}.")
    records = from_suite(suite, parsed.dir, suite.used_metrics, measure(functions(registry)))
    if not records.finished:
        repeat = f"zoo bench {parsed.claims}{' --quick' * parsed.quick} makes them."
        raise RunError(f"there are no finished runs of suite {suite.name!r} in {parsed.dir}.", repeat)
    verdicts = judge(suite, records.by_run, records.failed, records.noise)
    notes = caption_forest(verdicts)
    if records.dropped:
        runs = "1 run" if len(records.dropped) == 1 else f"{len(records.dropped)} runs"
        them = "it" if len(records.dropped) == 1 else "them"
        notes.append(f"left out: {runs}; zoo table {parsed.claims} lists {them} with the reason.")
    about = {"suite": suite.name, "claims": [verdict.to_json() for verdict in verdicts]}
    file = Path("plots") / f"{slug(suite.name)}-claims.png"
    return _write(draw_forest(suite, verdicts), file, parsed, about, [], notes)


def _figure(figure: PluginFigure, catalogue: Catalogue, groups: Sequence[Group], parsed: argparse.Namespace) -> int:
    from zoo_bench.plots.learning_curves import default_file
    from zoo_bench.plots.plugin_figures import FigureOptions

    asked = FigureOptions(metrics=tuple(parsed.metric or ()), axis=parsed.x, log=parsed.log)
    drawn = figure.draw(catalogue.runs, asked)
    about = {"figure": figure.name, "plugin": figure.plugin, "runs": len(catalogue.runs)}
    notes = [f"figure {figure.name} of {figure.plugin}, over {len(catalogue.runs)} runs."]
    return _write(drawn, default_file(groups, figure.name), parsed, about, [], notes)


def _write(
    figure: Figure, default: Path, parsed: argparse.Namespace, about: dict[str, Any], first: list[str], notes: list[str]
) -> int:
    """Write the figure and say where and what; ``first`` is for people only."""
    from zoo_bench.plots.learning_curves import write

    path = parsed.output or default
    write(figure, path)
    if parsed.json:
        emit({"file": str(path), **about, "notes": notes})
    else:
        print("\n".join([str(path), *first, *notes]))
    return 0


def _list(groups: Sequence[Group], *, as_json: bool) -> int:
    from zoo.runs import table
    from zoo_bench.plots.curves import logged

    runs = [run for group in groups for run in group.runs]
    records: list[dict[str, Any]] = []
    for name in logged(groups):
        having = [run for run in runs if name in run.metrics]
        lengths = [len(run.series(name).values) for run in having]
        records.append({"metric": name, "runs": len(having), "points": max(lengths), "last": having[-1].last[name]})
    if as_json:
        emit({"metrics": records})
    else:
        print(table(records, keep=1))
    return 0


def _list_figures(parsed: argparse.Namespace, options: CommandOptions) -> int:
    from zoo.runs import table
    from zoo_bench.plots.plugin_figures import find_figures

    problems: list[str] = []
    found = find_figures(options.registry(), problems=problems)
    for problem in problems:
        sys.stderr.write(f"zoo: {problem}\n")
    records = [{"figure": name, "plugin": figure.plugin, "summary": figure.summary} for name, figure in found.items()]
    if parsed.json:
        emit({"figures": records})
    else:
        print(table(records, keep=1) if records else "no plugin offers figures; zoo plot RUN draws learning curves.")
    return 0
