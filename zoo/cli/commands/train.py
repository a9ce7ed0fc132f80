"""``zoo train``: from names and options to runs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.cli.arguments import cadence, count, natural, seconds, seeds, set_threads
from zoo.cli.config_file import with_config
from zoo.cli.document import emit
from zoo.cli.parser import CommandOptions, CommandParser
from zoo.discovery.config import combinations, parse_keywords, parse_options
from zoo.discovery.names import find_algorithm, resolve_env
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Registry
from zoo.errors import PluginError, UsageError
from zoo.terminal.streams import visible_streams

NOT_CONVERGED = 3


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = _parser()
    args = with_config(
        args, [flag for action in parser._actions if action.nargs == 0 for flag in action.option_strings]
    )
    wants_help = bool({"-h", "--help"} & set(args))
    parsed, rest = parser.parse_known_args([arg for arg in args if arg not in ("-h", "--help")])
    if parsed.algorithm is None and not parsed.resume_run:
        if wants_help or not args:
            print(parser.format_help(), end="")
            return 0 if wants_help else 2
        raise UsageError("zoo train needs an algorithm and an environment.", "zoo train --help has examples.")
    set_threads(parsed.threads)
    registry = options.registry()
    if parsed.resume_run:
        from zoo.cli.commands.resume import left_over

        return _resume(parsed, left_over(parser, args), registry, options)
    entry = find_algorithm(parsed.algorithm, parsed.environment or "", registry)
    if parsed.environment is None and not wants_help:
        flagged = next((word for word in rest if word.split("=")[0] in ("--env", "--environment")), "")
        hint = f"zoo list environments --for {parsed.algorithm} shows what fits."
        if flagged:
            hint = f"It is typed without {flagged.split('=')[0]}: zoo train {parsed.algorithm} ENVIRONMENT. {hint}"
        raise UsageError(f"zoo train {parsed.algorithm} needs an environment.", hint)
    if parsed.environment is None:
        print(parser.format_help())
        print_options(entry)
        return 0
    resolve_env(parsed.environment, registry).check_installed()  # a wrong name is an error, not a help text
    if wants_help:
        print(parser.format_help())
    specs, seeds = _specs(parsed, [*rest, *(["--help"] if wants_help else [])], registry)
    from zoo.cli.commands.resume import offer

    for spec in specs.values():
        offer(spec, seeds, parsed.dir)
    if parsed.dry_run:
        return _dry_run(specs, seeds, parsed)
    return _train(specs, seeds, parsed, registry, options)


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo train",
        add_help=False,
        usage="zoo train ALGORITHM ENVIRONMENT [options] [options of the algorithm] [--env.OPTION VALUE]",
        description="Train an algorithm or a representation. The same command again continues where it was,\n"
        "or says that it is finished: a sweep is resumed by typing it again.\n"
        "An option with commas, as --eta 0.1,0.3, means a run for each value, and for each combination of several;\n"
        "text and lists keep their commas. Each combination has a directory of its own.\n"
        "zoo train ALGORITHM ENVIRONMENT --help shows the options of both.",
        examples=[
            "zoo train reload two-state",
            "zoo train reload constrained-catch --env.theta 0.7 --eta auto",
            "zoo train ppo CartPole-v1 --steps 50000 --seeds 0:5 --jobs 2",
            "zoo train reload two-state --eta 0.1,0.3,1 --env.theta 0.4,0.6",
            "zoo train --config mine.toml --steps 100000",
            "zoo train --resume runs/CartPole-v1/ppo/1a2b3c4d5e/seed-0",
            "zoo train --resume runs/CartPole-v1/ppo/1a2b3c4d5e/seed-0 --steps 100000",
        ],
    )
    add = parser.add_argument
    add("algorithm", nargs="?", metavar="ALGORITHM", help="an algorithm or a representation; zoo list shows them")
    add("environment", nargs="?", metavar="ENVIRONMENT", help="a registered name, or any gymnasium id")
    add("-h", "--help", action="store_true", help="print this, and the options of what is named")
    add("--seed", type=natural, metavar="N", help="root seed (default: 0)")
    add("--seeds", type=seeds, metavar="A:B", help="seeds A up to, not including, B; or a list 0,3,7")
    add("--jobs", type=count, metavar="N", help="workers that share the seeds (default: 1, or all that a cluster has)")
    add("--executor", default="local", metavar="NAME", help="where the seeds are trained: processes of this machine, "
        "or what a plugin offers, as zoo-bench dask, ray and slurm; see docs/clusters.md (default: local)")  # fmt: skip
    add("--executor-option", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="of the executor")
    add("--steps", type=count, metavar="N", help="budget in the algorithm's env_steps, such as 50000 or 1e6")
    add("--num-envs", type=count, metavar="N", help="copies of the environment (default: preset, or 1)")
    add(
        "--config", type=Path, metavar="FILE",
        help="TOML with these options and those of the algorithm, as if typed: steps = 5000, [env] theta = 0.7",
    )  # fmt: skip
    add(
        "--preset",
        default="",
        metavar="NAME|FILE",
        help="a preset of the plugin, or a file .toml of your own (default: the plugin's default, if it has one)",
    )
    add("--eval-every", type=natural, default=0, metavar="N", help="steps between evaluations (default: only the last)")
    add("--eval-episodes", type=natural, default=20, metavar="N", help="episodes of each evaluation (default: 20)")
    add("--stop", default="", metavar="RULE", help="end as soon as metrics fulfil this, such as 'eval/return >= 475'")
    add("--representation", metavar="NAME", help="hand this representation to the algorithm (--representation.OPTION)")
    add("--policy", default="uniform", help="for a representation: uniform, greedy:STATE, or a run to follow")
    add("--exact", action="store_true", help="for a representation: solve exactly, where the environment is tabular")
    add(
        "--resume", default="auto", metavar="auto|never|RUN",
        help="continue (default), start afresh, or this run; with larger --steps a run of its own goes on from it",
    )  # fmt: skip
    add(
        "--checkpoint-every",
        type=cadence,
        metavar="STEPS|TIME",
        help="such as 10000 or 30s (default: 30s); saving takes at most a tenth of the time",
    )
    add("--time-limit", type=seconds, default=0.0, metavar="TIME", help="save and stop after this, such as 90s or 2h")
    add("--device", default="cpu", help="where tensors live: cpu, cuda, cuda:1 (default: cpu)")
    add("--threads", type=count, default=1, metavar="N", help="threads of numerical libraries (default: 1)")
    add("--deterministic", action="store_true", help="ask torch for deterministic kernels")
    add("--dir", type=Path, default=Path("runs"), help="directory of all runs (default: runs)")
    add("--dry-run", action="store_true", help="print what would be run, and where each value is from")
    add("--trust", action="store_true", help="allow an environment id that imports a module when resuming a run")
    add("--quiet", action="store_true", help="no progress display")
    add("--json", action="store_true", help="print one JSON document on standard output")
    parser.set_defaults(resume_run=None)
    original = parser.parse_known_args

    def parse_known_args(*args: Any, **kwargs: Any) -> Any:
        parsed, rest = original(*args, **kwargs)
        if parsed.resume not in ("auto", "never"):
            parsed.resume_run, parsed.resume = Path(parsed.resume), "auto"
        return parsed, rest

    parser.parse_known_args = parse_known_args  # type: ignore[method-assign]
    return parser


def print_options(entry: Entry) -> None:
    """The options of one component alone."""
    config = entry.default_config()
    if config is not None:
        parse_options({"": config}, ["--help"], prog=f"zoo train {entry.name} ENVIRONMENT", description=entry.summary)


def _specs(parsed: argparse.Namespace, rest: list[str], registry: Registry) -> tuple[dict[str, Any], list[int]]:
    """The specs that the command line, the preset and the defaults add up to, and the seeds.

    Each is by the values in which it differs from the others, as "eta=0.1"; the only one by "".
    """
    from zoo.discovery.wrappers import options_of
    from zoo.training.request import RunRequest, complete, draft

    request = RunRequest(
        algorithm=parsed.algorithm, environment=parsed.environment, preset=parsed.preset, steps=parsed.steps,
        num_envs=parsed.num_envs, eval_every=parsed.eval_every, eval_episodes=parsed.eval_episodes,
        representation=parsed.representation or "", policy=parsed.policy, exact=parsed.exact, device=parsed.device,
        stop=parsed.stop,
    )  # fmt: skip
    drafted = draft(request, registry)
    _refuse_taken(drafted.entry, drafted.options.get(""))
    if drafted.takes_any and "--help" in rest:
        from zoo.cli.parser import columns
        from zoo.discovery.constructors import parameters_of

        print(f"options of {drafted.env.short}:\n{columns(parameters_of(drafted.env).described())}\n")
    wrappers = options_of(registry)
    spelled = {f"--env.{entry.name}": entry.summary for entry in wrappers.values()}
    if wrappers and "--help" in rest:
        from zoo.cli.parser import columns

        print(f"options of every environment:\n{columns([[*item] for item in spelled.items()])}\n")
    own = drafted.bases.get("env")
    only = None if drafted.takes_any else {name for name in wrappers if not hasattr(own, name)}
    env_config, rest = parse_keywords(rest, "env", only)
    specs = {}
    for values, line in combinations(drafted.options, rest):
        chosen, given = parse_options(
            drafted.options, line, prog=f"zoo train {drafted.entry.name} {drafted.env.short}",
            description=drafted.entry.summary, own=[*_parser().flags, *spelled],
        )  # fmt: skip
        name = ", ".join(f"{flag}={value}" for flag, value in values.items())
        specs[name] = complete(drafted, chosen, given, registry, env_config, "cli")
    if parsed.seed is not None and parsed.seeds is not None:
        raise UsageError("--seed and --seeds cannot be given together: expected one of them.")
    return specs, parsed.seeds if parsed.seeds is not None else [parsed.seed or 0]


def _refuse_taken(entry: Entry, config: Any) -> None:
    """Refuse an algorithm with an option that is spelled as one of ``zoo train`` itself, which nobody could set."""
    taken = {*_parser().flags, "--debug", "--env"}
    for field in dataclasses.fields(config) if config is not None else ():
        flag = "--" + str(field.metadata.get("flag", field.name)).replace("_", "-")
        if flag in taken:
            raise PluginError(
                f"{entry.owner}: its option {field.name!r} is spelled {flag}, which zoo train has already.",
                "Its author has to rename it; zoo.testing.check_algorithm says so, too.",
            )


def _dry_run(specs: Mapping[str, Any], seeds: Sequence[int], parsed: argparse.Namespace) -> int:
    if parsed.json:
        documents = [{**spec.to_json(), "seeds": list(seeds)} for spec in specs.values()]
        emit(documents[0] if len(documents) == 1 else {"runs": documents})
        return 0
    from zoo.cli.parser import columns

    spec = next(iter(specs.values()))
    values = {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec)}
    shown = ("algorithm", "environment", "steps", "num_envs", "eval_every", "eval_episodes", "stop", "device",
             "collect")  # fmt: skip
    rows = [[name, spec.origins.get(name, ""), str(values[name])] for name in shown if values[name] not in (None, "")]
    options = {**spec.config, **{f"env.{name}": value for name, value in spec.env_config.items()}}
    rows += [[name, spec.origins.get(name, "default"), json.dumps(value)] for name, value in options.items()]
    print(columns(rows, indent=""))
    print("\nNothing was run. It would be written to:")
    for name, spec in specs.items():
        for seed in seeds:
            print(f"  {spec.with_seed(seed).folder(parsed.dir)}{'  ' * bool(name)}{name}")
    return 0


def _resume(parsed: argparse.Namespace, other: Sequence[str], registry: Registry, options: CommandOptions) -> int:
    from zoo.cli.commands.resume import extended, open_resumed

    run, parsed.dir = open_resumed(parsed.resume_run, other)
    spec = run.spec
    if parsed.steps is not None and parsed.steps != spec.steps:
        spec = extended(run, parsed.steps, parsed.dir, dry_run=parsed.dry_run)
    if parsed.dry_run:
        return _dry_run({"": spec}, [run.seed], parsed)
    return _train({"": spec}, [run.seed], parsed, registry, options)


@visible_streams(discard_when_closed=True)
def _train(
    specs: Mapping[str, Any],
    seeds: Sequence[int],
    parsed: argparse.Namespace,
    registry: Registry,
    options: CommandOptions,
) -> int:
    from zoo.cli.commands.resume import all_finished
    from zoo.cli.progress import summary
    from zoo.training.callbacks import Silent
    from zoo.training.loop import train_seeds
    from zoo.training.progress import Terminal
    from zoo.training.settings import Cadence, Settings
    from zoo.training.stop import Stop
    from zoo.training.workers.executor import Executor

    executor = Executor.parse(parsed.executor, parsed.executor_option, parsed.jobs)
    settings = Settings(
        root=parsed.dir, resume=parsed.resume, time_limit=parsed.time_limit,
        checkpoint=parsed.checkpoint_every or Cadence(seconds=30.0),
        threads=parsed.threads, deterministic=parsed.deterministic, debug=options.debug,
        trust=parsed.trust or parsed.resume_run is None,  # a module that is named on the command line is asked for
    )  # fmt: skip
    stop = Stop(settings.time_limit)
    quiet = parsed.quiet or parsed.json
    ended: list[Any] = []
    for name, spec in specs.items():
        idle = all_finished(spec, seeds, settings.root) if settings.resume == "auto" else ""
        with Silent() if quiet else Terminal(spec, len(seeds)) as watch, stop.listening():
            if executor.serves(len(seeds)):
                from zoo.training.workers.seeds import train_parallel

                results = train_parallel(spec, seeds, registry, settings, watch, stop, executor)
            else:
                results = train_seeds(spec, seeds, registry, settings, watch, stop)
        ended += results
        if not parsed.json:
            if idle:
                print(idle)
            summary(spec, results, stop.reason, len(seeds), name)
        if stop.asked():
            break
    if parsed.json:
        emit({"runs": [result.to_json() for result in ended]})
    return _status(ended, stop.signal)


def _status(results: Sequence[Any], signal_number: int) -> int:
    if signal_number:
        return 128 + signal_number
    if any(result.status == "failed" for result in results):
        from zoo.training.storage.run_dir import LOG

        failed = [result for result in results if result.status == "failed"]
        for message in dict.fromkeys(result.message for result in failed):
            same = [result for result in failed if result.message == message]
            seeds = f"seed{'s' * (len(same) > 1)} {', '.join(str(result.seed) for result in same)}"
            sys.stderr.write(f"zoo: {seeds} failed: {message}\n")
            if (same[0].path / LOG).exists():
                sys.stderr.write(f"     {same[0].path / LOG} has the traceback.\n")
        return 1
    if any(result.outcome not in ("", "converged") and result.status == "finished" for result in results):
        return NOT_CONVERGED
    return 0
