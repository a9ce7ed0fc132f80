"""``zoo eval``: judge stored runs, or a file, with an evaluator."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli.arguments import natural, set_threads
from zoo.cli.document import emit
from zoo.cli.parser import CommandOptions, CommandParser
from zoo.discovery.config import parse_options
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Registry
from zoo.errors import RunError, UsageError, ZooError

if TYPE_CHECKING:
    from zoo.runs.evaluate import Evaluation, Judge


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = _parser()
    wants_help = bool({"-h", "--help"} & set(args))
    parsed, rest = parser.parse_known_args([arg for arg in args if arg not in ("-h", "--help")])
    names, flags = _split(rest)
    if wants_help or not args:
        print(parser.format_help(), end="" if not names else "\n")
        if not names:
            return 0 if wants_help else 2
    set_threads(1)
    registry = options.registry()
    paths, entry = _request(names, flags, registry, wants_help=wants_help)
    config = entry.default_config()
    if config is not None:
        flags = [*flags, *(["--help"] if wants_help else [])]
        chosen, _ = parse_options(
            {"": config}, flags, prog=f"zoo eval RUN {entry.name}", description=entry.summary, own=parser.flags
        )
        config = chosen[""]
    elif flags:
        raise UsageError(f"evaluator {entry.name!r} has no options, and {flags[0]} was given.")
    from zoo.runs.evaluate import Judge

    judge = Judge(
        entry=entry, config=config, registry=registry, seed=parsed.seed, device=parsed.device, trust=parsed.trust,
        debug=options.debug, checkpoint=parsed.checkpoint,
    )  # fmt: skip
    done, failed = _judge_all(judge, paths)
    _show(done, failed, parsed)
    return failed[0][1].exit_code if failed else 0


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo eval",
        add_help=False,
        usage="zoo eval RUN [RUN ...] EVALUATOR [options] [options of the evaluator]",
        description="Judge a checkpoint of stored runs, by default the newest, or a file. RUN is a run directory,\n"
        "any directory above some, or the file. Nothing is trained; the report is also kept in the run, under\n"
        "evaluations/.\n"
        "zoo list evaluators shows the evaluators; zoo eval EVALUATOR --help shows the options of one.",
        examples=[
            "zoo eval runs/two-state constraints",
            "zoo eval runs/CartPole-v1/ppo return --episodes 200 --csv returns.csv",
            "zoo eval runs/two-state/reload runs/two-state/gda constraints --rows",
            "zoo eval runs/CartPole-v1/ppo return --checkpoint best",
            "zoo eval responses.jsonl harp --dataset HARP.jsonl --html audit.html",
        ],
    )
    add = parser.add_argument
    add("-h", "--help", action="store_true", help="print this, and the options of the evaluator that is named")
    add("--rows", action="store_true", help="print one line for each item (episode, constraint) instead of each run")
    add("--csv", type=Path, metavar="FILE", help="write the table to this file, too")
    add("--seed", type=natural, default=0, metavar="N", help="root seed of the evaluation (default: 0)")
    add(
        "--checkpoint", default="newest", metavar="newest|best|STEP",
        help="checkpoint to judge: best has the best evaluation while it trained, constraints first (default: newest)",
    )  # fmt: skip
    add("--device", default="cpu", help="where tensors live: cpu, cuda, cuda:1 (default: cpu)")
    add("--trust", action="store_true", help="allow an environment id that imports a module")
    add("--json", action="store_true", help="print one JSON document on standard output")
    return parser


def _split(rest: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments before the first option, and the rest: an option's value looks like a run."""
    first = next((index for index, arg in enumerate(rest) if arg.startswith("-")), len(rest))
    return list(rest[:first]), list(rest[first:])


def _request(
    names: Sequence[str], flags: Sequence[str], registry: Registry, *, wants_help: bool
) -> tuple[list[Path], Entry]:
    """The paths to judge, and the evaluator."""
    if not names:
        before = f" before {flags[0]}" if flags else ""
        raise UsageError(f"zoo eval needs a run and an evaluator{before}.", "zoo eval --help has examples.")
    *paths, name = names
    evaluators = [entry.name for entry in registry.entries("evaluator")]
    if not wants_help and Path(name).exists() and name not in evaluators:
        raise UsageError(
            f"zoo eval needs an evaluator after {name}: there are {', '.join(evaluators)}.",
            f"zoo eval {' '.join(names)} {'return' if 'return' in evaluators else 'EVALUATOR'}",
        )
    if Path(name).parent != Path() and Path(name).parent.is_dir():
        raise UsageError(f"{name} does not exist, and is no evaluator: there are {', '.join(evaluators)}.")
    entry = registry.find(name, "evaluator")
    if not paths and not wants_help:
        raise UsageError(f"zoo eval {name} needs a run before the evaluator.", "zoo eval --help has examples.")
    return [Path(path) for path in paths], entry


def _judge_all(judge: Judge, paths: Sequence[Path]) -> tuple[list[Evaluation], list[tuple[Path, ZooError]]]:
    """The evaluations, and what failed; alone, a failure is raised."""
    from zoo.runs.store import Run, open_runs

    subjects: list[Run | Path]
    failed: list[tuple[Path, ZooError]] = []
    if judge.entry.subject == "file":
        subjects = list(paths)
    else:
        catalogue = open_runs(paths)
        subjects = [run for group in catalogue.groups() for run in group]
        failed += [(refused.path, RunError(refused.reason)) for refused in catalogue.refused]
    done = []
    for subject in subjects:
        try:
            evaluation = judge.file(subject) if isinstance(subject, Path) else judge.run(subject)
        except ZooError as error:
            if len(subjects) == 1 and not failed:
                raise
            failed.append((subject if isinstance(subject, Path) else subject.path, error))
            continue
        done.append(evaluation)
        try:
            evaluation.save()
        except RunError as error:
            sys.stderr.write(f"zoo: the report is not kept: {error.message}\n")
    for path, reason in failed:
        whose = "" if str(path) in reason.message else f"{path}: "
        sys.stderr.write(f"zoo: {whose}{reason.message}\n")
    return done, failed


def _show(done: Sequence[Evaluation], failed: Sequence[tuple[Path, ZooError]], parsed: argparse.Namespace) -> None:
    documents = [evaluation.to_json() for evaluation in done]
    records: list[dict[str, Any]] = []
    names = _labels(done)
    for evaluation, document in zip(done, documents, strict=True):
        rows = document["rows"] if parsed.rows else [document["scores"]]
        records += [evaluation.identity() | names.get(evaluation.path, {}) | row for row in rows]
    if parsed.csv:
        _write_csv(parsed.csv, records)
    if parsed.json:
        document = {"evaluations": documents}
        if failed:
            document["failed"] = [{"path": str(path), "error": error.message} for path, error in failed]
        emit(document)
        return
    if not done:
        return
    from zoo.runs.sheet import table

    identity = list(done[0].identity())
    same = [name for name in identity[:-1] if len({record[name] for record in records}) == 1]
    if same:  # what all lines share is said once, and leaves its width to the scores
        print(" on ".join(records[0][name] for name in same))
    if records:
        shown = [{name: value for name, value in record.items() if name not in same} for record in records]
        print(table(shown, keep=_leading(shown, len(identity) - len(same))) + "\n")
    for note in dict.fromkeys(note for document in documents for note in document["notes"]):
        about = [evaluation for evaluation in done if note in evaluation.notes]
        which = "" if len(about) == len(done) else f"{_names_of(about)}: "
        print(f"note: {which}{note}")


def _leading(records: Sequence[Mapping[str, Any]], identity: int) -> int:
    """How many leading columns identify a line: the identity, and the columns of text after it."""
    words = 0
    for name in list(records[0])[identity:]:
        if not all(isinstance(record.get(name), str) for record in records):
            break
        words += 1
    return identity + words


def _labels(done: Sequence[Evaluation]) -> dict[Path, dict[str, str]]:
    """For each run a label that distinguishes it from others of the same algorithm."""
    from zoo.runs.labelling import labels
    from zoo.runs.store import Catalogue

    groups = Catalogue([evaluation.source for evaluation in done if evaluation.source], []).groups()
    return {run.path: {"algorithm": name} for group, name in zip(groups, labels(groups), strict=True) for run in group}


def _names_of(about: Sequence[Evaluation]) -> str:
    return ", ".join(" ".join(map(str, evaluation.identity().values())) for evaluation in about)


def _write_csv(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    from zoo.runs.sheet import columns_of

    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns_of(records), lineterminator="\n")
            writer.writeheader()
            writer.writerows(records)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
