"""``zoo bench``: run the experiments of a suite, as far as they are missing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import CommandOptions, CommandParser, UnknownNameError, UsageError, ZooError
from zoo.cli import columns, count, documented, emit, seeds, set_threads
from zoo.discovery import Registry
from zoo.terminal import console, visible_streams

if TYPE_CHECKING:
    from zoo.training import Executor
    from zoo_bench.claims import Verdict
    from zoo_bench.schema import Suite
    from zoo_bench.sweep import Experiment


@documented
def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = _parser()
    parsed = parser.parse_args(args)
    if parsed.suite is None and not parsed.list:
        print(parser.format_help(), end="")
        return 2
    from zoo.training import Executor

    executor = Executor.parse(parsed.executor, parsed.executor_option, parsed.jobs)
    set_threads(1)
    registry = options.registry()
    if parsed.suite is None:
        return _list_suites(registry, parsed)
    suites, problems = _suites(parsed, registry)
    from zoo_bench.sweep import survey

    experiments = survey(suites, registry, parsed.dir)
    if parsed.list:
        return _list_cells(experiments, parsed)
    return _run(suites, problems, experiments, parsed, registry, options, executor)


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo bench",
        usage="zoo bench SUITE|FILE.toml|all [options]",
        description="Run what is missing of a suite's experiments. The same command again continues where it was:\n"
        "finished runs are left alone, interrupted ones go on. A run that fails stops no other; all that failed\n"
        "are listed at the end, with the command that repeats each alone.",
        examples=[
            "zoo bench --list",
            "zoo bench smoke --jobs 2",
            "zoo bench reload --quick",
            "zoo bench control --list",
            "zoo bench my-suite.toml --seeds 0:3",
            "zoo bench control --executor slurm --jobs 50 --executor-option partition=cpu time=120",
        ],
    )
    add = parser.add_argument
    add("suite", nargs="?", metavar="SUITE", help="a suite's name, its TOML file, or all; --list shows the names")
    add("--quick", action="store_true", help="only the cells marked quick: a run of seconds")
    add("--seeds", type=seeds, metavar="A:B", help="these seeds instead of those of the suite")
    add("--first", type=count, metavar="N", help="only the first N seeds of each cell: a sample of the suite")
    add("--jobs", type=count, metavar="N", help="workers side by side (default: 1, or all that a cluster has)")
    add("--executor", default="local", metavar="NAME", help="where the runs are made: processes of this machine, or "
        "what a plugin offers, as dask, ray and slurm; see docs/clusters.md (default: local)")  # fmt: skip
    add("--executor-option", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
        help="of the executor: scheduler=ADDRESS of dask, address=ADDRESS of ray, partition=NAME of slurm")  # fmt: skip
    add("--list", action="store_true", help="the suites there are; with a suite, its cells and how far each is")
    add("--dir", type=Path, default=Path("runs"), help="directory of all runs (default: runs)")
    add("--quiet", action="store_true", help="no progress display")
    add("--json", action="store_true", help="print one JSON document on standard output")
    return parser


def _suites(parsed: argparse.Namespace, registry: Registry) -> tuple[list[Suite], list[ZooError]]:
    """The suites that were asked for, resolved; with "all", those that cannot be are problems."""
    from zoo_bench.resolve import resolve_suite
    from zoo_bench.suite import find_suites, load_suite

    loaded: list[Suite] = []
    problems: list[ZooError] = []
    if parsed.suite.endswith(".toml"):
        loaded.append(resolve_suite(_narrowed(load_suite(Path(parsed.suite)), parsed), registry))
        return loaded, problems
    notices: list[str] = []
    found = find_suites(registry, problems=notices)
    for notice in notices:
        sys.stderr.write(f"zoo: {notice}\n")
    if parsed.suite != "all":
        if parsed.suite not in found:
            raise UnknownNameError("suite", parsed.suite, [*found, "all"], "zoo bench --list shows all suites.")
        loaded.append(resolve_suite(_narrowed(found[parsed.suite].load(), parsed), registry))
        return loaded, problems
    for source in found.values():
        try:
            loaded.append(resolve_suite(_narrowed(source.load(), parsed), registry))
        except ZooError as error:
            problems.append(error)
    return [suite for suite in loaded if suite.cells], problems


def _narrowed(suite: Suite, parsed: argparse.Namespace) -> Suite:
    """The cells and seeds that were asked for."""
    if parsed.quick:
        suite = suite.quick()
        if not suite.cells and parsed.suite != "all":
            raise UsageError(f"suite {suite.name} has no quick cells: leave out --quick.")
    if parsed.seeds:
        seeds = tuple(parsed.seeds)
        cells = tuple(cell if cell.file else replace(cell, seeds=seeds) for cell in suite.cells)
        suite = replace(suite, cells=cells)
    if parsed.first:
        suite = replace(suite, cells=tuple(replace(cell, seeds=cell.seeds[: parsed.first]) for cell in suite.cells))
    return suite


def _list_suites(registry: Registry, parsed: argparse.Namespace) -> int:
    from zoo_bench.suite import find_suites

    notices: list[str] = []
    rows, documents = [], []
    for name, source in find_suites(registry, problems=notices).items():
        try:
            suite = source.load()
        except ZooError as error:
            notices.append(error.message)
            continue
        quick = sum(cell.quick for cell in suite.cells)
        runs = sum(len(cell.seeds) for cell in suite.cells)
        rows.append([name, f"{len(suite.cells)} cells", f"{quick} quick", f"{runs} runs",
                     f"{len(suite.claims)} claims", suite.title])  # fmt: skip
        documents.append({"suite": name, "title": suite.title, "cells": len(suite.cells), "quick": quick, "runs": runs,
                          "claims": len(suite.claims), "file": str(source.file), "plugin": source.plugin})  # fmt: skip
    for notice in notices:
        sys.stderr.write(f"zoo: {notice}\n")
    if parsed.json:
        emit({"suites": documents})
    else:  # zoo-bench itself ships some
        print(columns(rows, indent=""))
        print(f"\nnext: zoo bench {rows[0][0]} --list")
    return 1 if notices else 0


def _list_cells(experiments: Sequence[Experiment], parsed: argparse.Namespace) -> int:
    if parsed.json:
        emit({"cells": [_cell_json(experiment, parsed) for experiment in experiments]})
        return 0
    from zoo_bench.cli.progress import duration

    rows = [["suite", "cell", "environment", "algorithm", "steps", "done", "a run takes", ""]]
    for experiment in experiments:
        done = len(experiment.states) - len(experiment.missing)
        others = [state for state in experiment.states.values() if state not in ("finished", "new")]
        rows.append(
            [
                experiment.suite, experiment.cell.label, experiment.cell.environment, experiment.spec.short[0],
                str(experiment.spec.steps), f"{done}/{len(experiment.states)}",
                duration(experiment.seconds) if experiment.seconds is not None else "?",
                ", ".join(f"{others.count(state)} {state}" for state in dict.fromkeys(others)),
            ]
        )  # fmt: skip
    print(columns(rows, indent=""))
    return 0


def _cell_json(experiment: Experiment, parsed: argparse.Namespace) -> dict[str, Any]:
    return {
        "suite": experiment.suite,
        "label": experiment.cell.label,
        "environment": experiment.cell.environment,
        "key": experiment.spec.key,
        "runs": [
            {
                "seed": seed,
                "state": state,
                "path": str(experiment.path(parsed.dir, seed)),
                "error": experiment.errors.get(seed, ""),
            }
            for seed, state in experiment.states.items()
        ],
    }


@visible_streams(discard_when_closed=True)
def _run(
    suites: Sequence[Suite], problems: Sequence[ZooError], experiments: Sequence[Experiment],
    parsed: argparse.Namespace, registry: Registry, options: CommandOptions, executor: Executor,
) -> int:  # fmt: skip
    from zoo.training import Settings, Stop
    from zoo_bench.cli.progress import SilentProgress, SweepProgress
    from zoo_bench.sweep import PRELOAD, sweep

    settings = Settings(root=parsed.dir, trust=True, debug=options.debug)  # what a suite names is asked for
    stop = Stop()
    workers = executor.workers(registry, settings, PRELOAD)
    missing = sum(len(experiment.missing) for experiment in experiments)
    quiet = parsed.quiet or parsed.json
    if not quiet:
        runs = sum(len(experiment.states) for experiment in experiments)
        sys.stderr.write(f"{missing} of {runs} runs to do, in {len(experiments)} cells.\n")
    with SilentProgress() if quiet else SweepProgress(experiments, parsed.jobs or 1) as progress, stop.listening():
        sweep(experiments, settings.root, progress, stop, workers, parsed.jobs or 1)
    failed = [(experiment, seed) for experiment in experiments for seed in experiment.errors]
    verdicts, unjudged = _verdicts(suites, registry, parsed)
    if not stop.reason and not failed:  # with everything run, a claim about nothing is an error of its suite
        problems = [*problems, *unjudged]
    if parsed.json:
        document = {
            "cells": [_cell_json(experiment, parsed) for experiment in experiments],
            "failed": [
                {"label": experiment.cell.label, "environment": experiment.cell.environment, "seed": seed,
                 "error": experiment.errors[seed], "command": _repeat(experiment, seed, parsed, registry)}
                for experiment, seed in failed
            ],
            "left_out": [problem.message for problem in problems],
            "claims": [{"suite": suite.name, **verdict.to_json()} for suite, verdict in verdicts],
        }  # fmt: skip
        emit(document)
    else:
        _report(suites, experiments, verdicts, parsed, stopped=stop.reason)
    for problem in problems:
        sys.stderr.write(f"zoo: {problem.message}{f' {problem.hint}' if problem.hint else ''}\n")
    for experiment, seed in failed:
        sys.stderr.write(f"zoo: {experiment.name}, seed {seed} failed: {experiment.errors[seed]}\n")
        sys.stderr.write(f"     {_repeat(experiment, seed, parsed, registry)}\n")
    if stop.signal:
        return 128 + stop.signal
    return 1 if failed or problems else 0


def _repeat(experiment: Experiment, seed: int, parsed: argparse.Namespace, registry: Registry) -> str:
    """What to type to repeat a failed seed alone: its training, or the evaluators of the run or file."""
    from zoo_bench.reproduce import eval_command, shown, train_command

    cell = experiment.cell
    if experiment.states[seed] != "unjudged" and not cell.file:
        return shown(train_command(cell, seed, parsed.dir, registry))
    path = Path(cell.file) if cell.file else experiment.path(parsed.dir, seed)
    return " && ".join(shown(eval_command(path, request, registry)) for request in cell.evaluators)


def _verdicts(
    suites: Sequence[Suite], registry: Registry, parsed: argparse.Namespace
) -> tuple[list[tuple[Suite, Verdict]], list[ZooError]]:
    """What the finished runs say about each claim, and why some claims cannot be judged."""
    from zoo_bench.claims import judge_claim
    from zoo_bench.load import from_suite, measure
    from zoo_bench.metrics import functions

    found: list[tuple[Suite, Verdict]] = []
    problems: list[ZooError] = []
    for suite in suites:
        if not suite.claims:
            continue
        records = from_suite(suite, parsed.dir, suite.used_metrics, measure(functions(registry)))
        for claim in suite.claims:
            try:
                found.append((suite, judge_claim(claim, records.by_run, suite, records.failed, records.noise)))
            except ZooError as error:
                problems.append(error)
    return found, problems


def _report(
    suites: Sequence[Suite], experiments: Sequence[Experiment], verdicts: Sequence[tuple[Suite, Verdict]],
    parsed: argparse.Namespace, *, stopped: str,
) -> None:  # fmt: skip
    from rich.text import Text

    from zoo.cli import WIDE, stop_message

    out = console()
    if not out.is_terminal:
        out = console(width=WIDE)
    colours = {"reproduced": "green", "not reproduced": "red"}
    for suite, verdict in verdicts:
        prefix = f"{suite.name}: " if len(suites) > 1 else ""
        out.print(
            Text.assemble(prefix, (verdict.words, colours.get(verdict.answer, "yellow")), f": {verdict.claim.text}")
        )
        out.print(Text(f"  {verdict.sentence}", style="dim"))
    runs = sum(len(experiment.states) for experiment in experiments)
    done = runs - sum(len(experiment.missing) for experiment in experiments)
    out.print(Text(f"{done} of {runs} runs are done."))
    if stopped:
        out.print(Text(stop_message(stopped, left=runs - done)))
    for suite in suites:
        name = parsed.suite if len(suites) == 1 and parsed.suite != "all" else suite.name
        more = [" --quick" if parsed.quick else "", f" --dir {parsed.dir}" if parsed.dir != Path("runs") else ""]
        out.print(Text(f"next: zoo table {name}{''.join(more)}", style="dim"), soft_wrap=True)
    sys.stdout.flush()
