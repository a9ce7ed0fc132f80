"""``zoo tune``: search for better options, write them as a preset, and judge them on fresh seeds."""

from __future__ import annotations

import argparse
import datetime
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zoo
from zoo import CommandOptions, CommandParser, RunError, UsageError
from zoo.cli import count, documented, emit, natural, seeds, set_threads
from zoo.discovery import plain, slug

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from zoo.training import RunRequest
    from zoo_tune.evaluate import Trainer
    from zoo_tune.judge import Verdict
    from zoo_tune.study import TuningStudy

_REPORTS = 5
_EPISODES = 20


@documented
def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parsed = _parser().parse_args(args)
    set_threads(1)
    if parsed.reports < 1 or set(parsed.seeds) & set(parsed.judge_seeds):
        both = sorted(set(parsed.seeds) & set(parsed.judge_seeds))
        raise UsageError(f"seed {both[0]} is to tune on and to judge on: expected seeds apart from each other.")
    if not parsed.no_judge and len(parsed.judge_seeds) < 3:
        raise UsageError(f"--judge-seeds are {len(parsed.judge_seeds)}: expected at least 3, or --no-judge.")
    from zoo.training import draft, resolve
    from zoo_tune.evaluate import Trainer
    from zoo_tune.space import make_space

    registry = options.registry()
    request = _request(parsed)
    drafted = draft(request, registry)
    base = drafted.options.get("")
    spec = resolve(request, registry, origin="tune")  # a request that cannot be is refused before anything else
    if base is None:
        raise UsageError(f"{drafted.entry.name} has no options, so there is nothing to tune.")
    space = make_space(base, parsed.param, list(request.options))
    if parsed.list:
        return _list(space, parsed)
    folder = parsed.study or Path("tuning") / slug(drafted.env.short) / slug(drafted.entry.name)
    trainer = Trainer(
        request=request, metric=_metric(parsed, request, registry), reports=parsed.reports, registry=registry,
        root=folder / "runs", jobs=parsed.jobs,
    )  # fmt: skip
    trainer = trainer.with_reports(spec.steps)
    if not folder.exists():
        trainer.check(parsed.seeds[0])
    from zoo_tune.study import held, open_study

    definition = {
        "algorithm": spec.algorithm, "environment": spec.environment, "env_options": spec.env_config,
        "options": spec.config, "steps": spec.steps, "num_envs": spec.num_envs, "metric": trainer.metric,
        "maximise": not parsed.minimise, "seeds": list(parsed.seeds), "sampler_seed": parsed.sampler_seed,
        "eval_episodes": parsed.eval_episodes, "reports": parsed.reports, "tolerance": parsed.tolerance,
        "space": {name: dimension.to_json() for name, dimension in space.items()},
    }  # fmt: skip
    with held(folder):
        study = open_study(folder, definition, space, base, seed=parsed.sampler_seed, tolerance=parsed.tolerance)
        stop = study.search(trainer, parsed.seeds, parsed.trials, _Progress(parsed).tell)
        if stop.signal:
            return _stopped(stop.signal)
        best = study.best
        if best is None:
            reason = next(
                (str(t.user_attrs["failed"]) for t in study.ended if "failed" in t.user_attrs), "all were pruned"
            )
            raise RunError(f"none of {len(study.ended)} trials came to its end: {reason.rstrip('.')}.")
        verdict: Verdict | None = None
        if not parsed.no_judge:
            from zoo_tune.judge import judge

            judging = trainer.apart(folder / "judged", episodes=parsed.judge_episodes)
            verdict, stop = judge(
                judging, study.options(best), parsed.judge_seeds,
                maximise=not parsed.minimise, tolerance=parsed.tolerance,
            )  # fmt: skip
            if stop.signal:
                return _stopped(stop.signal)
        preset = folder / "preset.toml"
        _write(preset, study, best, trainer, verdict, parsed, args, options)
    _show(study, best, verdict, preset, trainer, parsed)
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo tune",
        usage="zoo tune ALGORITHM ENVIRONMENT [options]",
        description="Search for better options of an algorithm than its preset's, with optuna: a trial trains on\n"
        "the tuning seeds, and is pruned where its evaluations lag behind the median. The best one is written as a\n"
        "preset, and compared with the preset it began from on fresh seeds. The same command again goes on where it\n"
        "was, also after kill -9; with more --trials it goes on further. Where the environment has constraints, only\n"
        "options that keep them can be the best. Everything is under tuning/ENVIRONMENT/ALGORITHM.",
        examples=[
            "zoo tune ppo-native CartPole-v1 --trials 30 --steps 30000",
            "zoo tune ppo CartPole-v1 --param learning-rate=1e-5:1e-2:log --param n-epochs=4:20 --seeds 0:3",
            "zoo tune reload hazard-grid --steps 300 --set env.slip=0.2",
            "zoo tune ppo-native CartPole-v1 --seeds 0:4 --jobs 4",
            "zoo tune ppo-native CartPole-v1 --list",
            "zoo train ppo-native CartPole-v1 --preset tuning/CartPole-v1/ppo-native/preset.toml",
        ],
    )
    add = parser.add_argument
    add("algorithm", metavar="ALGORITHM", help="an algorithm; zoo list shows them")
    add("environment", metavar="ENVIRONMENT", help="a registered name, or any gymnasium id")
    add("--trials", type=count, default=30, metavar="N", help="sets of options to try (default: 30)")
    add(
        "--param", action="append", default=[], metavar="OPTION[=RANGE]",
        help="search this option: LOW:HIGH, LOW:HIGH:log, A,B,C, or around its value; may be repeated, and then "
        "these alone are searched",
    )  # fmt: skip
    add(
        "--set",
        action="append",
        default=[],
        metavar="OPTION=VALUE",
        help="fix an option, or env.OPTION; may be repeated",
    )
    add("--preset", default="", metavar="NAME|FILE", help="where to begin, and what to beat (default: the plugin's)")
    add("--steps", type=count, metavar="N", help="budget of each run (default: the preset's)")
    add("--num-envs", type=count, metavar="N", help="copies of the environment (default: the preset's)")
    add("--seeds", type=seeds, default=[0, 1], metavar="A:B", help="to tune on (default: 0:2)")
    add(
        "--judge-seeds",
        type=seeds,
        default=list(range(1000, 1010)),
        metavar="A:B",
        help="to judge on (default: 1000:1010)",
    )
    add("--no-judge", action="store_true", help="leave the comparison on fresh seeds out")
    add(
        "--metric", default="", metavar="NAME",
        help="what counts: a metric of runs, or constraints/SCORE of zoo eval RUN constraints "
        "(default: eval/return; with constraints: constraints/value)",
    )  # fmt: skip
    add("--minimise", action="store_true", help="less of the metric is better")
    add(
        "--tolerance", type=_share, default=0.01, metavar="SHARE",
        help="violations up to this share of a threshold (where that is 0, of the value's range) count as kept "
        "(default: 0.01)",
    )  # fmt: skip
    add(
        "--reports", type=count, default=_REPORTS, metavar="N", help="evaluations of each run, to prune by (default: 5)"
    )
    add("--eval-episodes", type=count, default=_EPISODES, metavar="N", help="episodes of each evaluation (default: 20)")
    add(
        "--judge-episodes", type=count, default=100, metavar="N", help="episodes of each run that judges (default: 100)"
    )
    add(
        "--jobs", type=count, default=1, metavar="N",
        help="worker processes that share the seeds of a trial and of the judging; with several, trials are not pruned "
        "(default: 1)",
    )  # fmt: skip
    add("--sampler-seed", type=natural, default=0, metavar="N", help="of optuna's sampler (default: 0)")
    add("--study", type=Path, metavar="DIR", help="where everything is kept (default: tuning/ENVIRONMENT/ALGORITHM)")
    add("--device", default="cpu", help="where tensors live: cpu, cuda, cuda:1 (default: cpu)")
    add("--list", action="store_true", help="print what would be searched, and do nothing")
    add("--quiet", action="store_true", help="no line for each trial")
    add("--json", action="store_true", help="print one JSON document on standard output")
    return parser


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a share: expected a number of 0 or more")
    return value


def _request(parsed: argparse.Namespace) -> RunRequest:
    from zoo.training import RunRequest

    options: dict[str, Any] = {}
    env_options: dict[str, Any] = {}
    for text in parsed.set:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"--set is {text!r}: expected OPTION=VALUE, or env.OPTION=VALUE.")
        name = name.replace("-", "_")
        if name.startswith("env."):
            env_options[name[4:]] = plain(value)
        else:
            options[name] = plain(value)
    return RunRequest(
        algorithm=parsed.algorithm, environment=parsed.environment, preset=parsed.preset, steps=parsed.steps,
        num_envs=parsed.num_envs, eval_episodes=parsed.eval_episodes, device=parsed.device, options=options,
        env_options=env_options,
    )  # fmt: skip


def _metric(parsed: argparse.Namespace, request: RunRequest, registry: Any) -> str:
    if parsed.metric:
        return str(parsed.metric)
    known = [e for e in registry.entries("environment") if request.environment in (e.name, e.qualified)]
    constrained = bool(known) and known[0].offers.constraints
    return "constraints/value" if constrained else "eval/return"


class _Progress:
    """A line on standard error for each trial."""

    def __init__(self, parsed: argparse.Namespace) -> None:
        self._trials, self._quiet = parsed.trials, parsed.quiet or parsed.json

    def tell(self, study: TuningStudy, trial: FrozenTrial) -> None:
        """After each trial."""
        if self._quiet:
            return
        best = study.best
        known = "" if best is None else f"  (best {best.value:.5g})"
        sys.stderr.write(f"trial {len(study.ended)}/{self._trials}: {_came_to(study, trial)}{known}  {_point(trial)}\n")


def _came_to(study: TuningStudy, trial: FrozenTrial) -> str:
    if "failed" in trial.user_attrs:
        return f"failed: {trial.user_attrs['failed']}"
    if trial.value is None or trial.state.name == "PRUNED":
        return "pruned"
    kept = "" if study.excess(trial) == 0 else ", violates a constraint"
    return f"{trial.value:.5g}{kept}"


def _point(trial: FrozenTrial) -> str:
    values = ((name, f"{value:.3g}" if isinstance(value, float) else value) for name, value in trial.params.items())
    return " ".join(f"{name}={value}" for name, value in values)


def _stopped(number: int) -> int:
    sys.stderr.write("zoo: stopped; everything is saved. The same command continues.\n")
    return 128 + number


def _list(space: Any, parsed: argparse.Namespace) -> int:
    if parsed.json:
        emit({"space": {name: dimension.to_json() for name, dimension in space.items()}})
    else:
        from zoo.cli import columns

        print(columns([[name, str(dimension)] for name, dimension in space.items()], indent=""))
    return 0


def _write(
    path: Path, study: TuningStudy, best: FrozenTrial, trainer: Trainer, verdict: Verdict | None,
    parsed: argparse.Namespace, args: Sequence[str], options: CommandOptions,
) -> None:  # fmt: skip
    from zoo_tune.preset import write_preset

    spec = trainer.spec(study.options(best))
    entry = options.registry().find(parsed.algorithm, "algorithm", "representation")
    provenance = [
        f"Tuned by zoo tune {shlex.join(args)}",
        f"zoo {zoo.__version__}, {spec.algorithm} {spec.plugin_version}, {datetime.date.today().isoformat()}: trial "
        f"{best.number} of {len(study.ended)}, {trainer.metric} {best.value:.6g} on seeds "
        f"{', '.join(map(str, parsed.seeds))}.",
        f"Judged: {verdict.sentence}." if verdict is not None else "Not judged on fresh seeds.",
    ]
    write_preset(path, spec, entry.default_config(), provenance)


def _show(
    study: TuningStudy, best: FrozenTrial, verdict: Verdict | None, preset: Path, trainer: Trainer,
    parsed: argparse.Namespace,
) -> None:  # fmt: skip
    ended = study.ended
    states = [trial.state.name for trial in ended]
    if parsed.json:
        emit({
            "metric": trainer.metric, "trials": len(ended), "pruned": states.count("PRUNED"),
            "failed": states.count("FAIL"), "best": {
                "trial": best.number, "value": best.value, "feasible": study.excess(best) == 0, "params": best.params,
            },
            "verdict": verdict.to_json() if verdict is not None else None, "preset": str(preset),
        })  # fmt: skip
        return
    print(f"{len(ended)} trials, {states.count('PRUNED')} pruned, {states.count('FAIL')} failed")
    print(
        f"best: {trainer.metric} {_came_to(study, best)} on seeds {', '.join(map(str, parsed.seeds))}: {_point(best)}"
    )
    if verdict is not None:
        print(verdict.sentence)
    print(f"\nnext: zoo train {parsed.algorithm} {parsed.environment} --preset {preset}")
