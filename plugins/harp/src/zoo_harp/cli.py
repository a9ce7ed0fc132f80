"""``zoo harp``: ask a model, check one answer or many, explain a verdict, describe a file of problems."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from zoo import CommandOptions, CommandParser, UsageError

if TYPE_CHECKING:
    from zoo_harp.backends.pairs import Pair
    from zoo_harp.checker import Verdict
    from zoo_harp.evaluation.data import Problem
    from zoo_harp.protocol.run import Outcome

_FORMAT = """
a file of responses, for zoo eval FILE harp, has one JSON object a line:
  id             year/contest/number of the problem
  response       what the model wrote, or null; or samples: a list of such texts, or of objects with the fields
                 response, finish_reason, tokens, correct
  finish_reason  "stop" or the like; any other, such as "length", makes the response wrong (default: normal)
  tokens         number of output tokens (optional)
  sample         number of the sample, from 0, where each has a line of its own (default: 0)
  layout         of the choices: original, dot, paren, none; without it a short answer was asked for
  shuffle        number of the shuffle of the choices, with permutation: the published letters in the order shown
  correct        the verdict of another scorer, to compare with (optional)
Samples that lm-evaluation-harness logs, and logs of inspect_ai, are read as they are."""
Subparsers: TypeAlias = "argparse._SubParsersAction[Any]"
Command = Callable[[argparse.Namespace], int]


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run ``zoo harp``."""
    parsed = _parser().parse_args(args)
    return int(parsed.run(parsed))


def _parser() -> CommandParser:
    from zoo_harp.commands import add_commands

    parser = CommandParser(
        prog="zoo harp", description="Competition mathematics: ask a model, check its answers, explain a verdict.",
        examples=["zoo harp run --model openai/gpt-4o-mini --dataset HARP.jsonl --out responses.jsonl",
                  "zoo eval responses.jsonl harp --dataset HARP.jsonl --html audit.html",
                  r"zoo harp explain '\sqrt{45}' 'So the length is $3\sqrt5$.'"],
    )  # fmt: skip
    parser.epilog = f"{parser.epilog}\n{_FORMAT}"
    commands = parser.add_subparsers(dest="harp_command", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_check(commands)
    _add_explain(commands)
    _add_data(commands)
    add_commands(commands, _add)
    return parser


def _add(
    commands: Subparsers, name: str, run: Command, summary: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary, examples=examples)
    parser.set_defaults(run=run)
    return parser


def _print_line(text: str) -> None:
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")


# zoo harp run


def _add_run(commands: Subparsers) -> None:
    from zoo_harp.names import ALIGNS, FAMILIES, LAYOUTS

    parser = _add(
        commands, "run", _run, "Ask a model the problems, through inspect_ai; the same command again goes on.",
        ["zoo harp run --model openai/gpt-4o-mini --dataset HARP.jsonl",
         "zoo harp run --model google/gemini-1.5-pro --dataset HARP.zip --samples 64 --out pro.jsonl",
         "zoo harp run --model openai-api/local/llama --base-url http://localhost:8000/v1 --dataset HARP_mcq.jsonl "
         "--split choice --layout paren --shuffles 5"],
    )  # fmt: skip
    add = parser.add_argument
    add("--model", required=True, metavar="NAME", help="as inspect_ai names it: openai/gpt-4o-mini, vllm/...")
    add("--dataset", required=True, metavar="FILE", help="problems: .jsonl, or a .zip that holds one")
    add("--out", type=Path, default=Path("responses.jsonl"), metavar="FILE", help="default: responses.jsonl")
    add("--split", choices=("short", "choice"), default="short", help="short answers (default), or choices")
    add("--prompt", choices=FAMILIES, default="", help="default: final-answer, or mcq for choices")
    add("--layout", choices=LAYOUTS, default="original", help="of choices (default: original)")
    add("--shuffles", type=int, default=0, metavar="R", help="ask R times with shuffled choices (default: 0)")
    add("--samples", type=int, default=1, metavar="N", help="samples of each problem (default: 1)")
    add("--limit", type=int, default=0, metavar="P", help="only the first P problems of the split")
    add("--seed", type=int, default=0, metavar="S", help="of shuffles and examples (default: 0)")
    add("--prefill", action="store_true", help='send the beginning of the reply, "Solution:"; not all services take it')
    add("--shots", default="", metavar="FILE", help="solved examples to show before, in the format of the dataset")
    add("--shot-count", type=int, default=4, metavar="E", help="how many of them (default: 4)")
    add("--align", choices=ALIGNS, default="any", help="what examples share with the problem (default: any)")
    add("--temperature", type=float, metavar="T", help="default: 0 for one sample, 1 for several")
    add("--top-p", type=float, metavar="Q", help="default: 0.95 where the temperature is above 0")
    add("--max-tokens", type=int, default=2048, metavar="M", help="of one response (default: 2048)")
    add("--base-url", default="", metavar="URL", help="of the service, if not the provider's own")
    add("--max-connections", type=int, default=10, metavar="C", help="questions at the same time (default: 10)")
    add("--max-retries", type=int, default=5, metavar="N", help="of one question (default: 5)")
    add("--timeout-s", type=int, default=600, metavar="SECONDS", help="for a question with its retries (default: 600)")
    add("--attempt-timeout-s", type=int, default=300, metavar="SECONDS", help="for one attempt (default: 300)")
    add("--log-dir", type=Path, metavar="DIR", help="of inspect_ai's log (default: inspect-logs beside FILE)")
    add("--display", choices=("full", "rich", "plain", "log", "none"), default="plain", help="default: plain")
    add("--json", action="store_true", help="print the outcome as JSON")


def _run(parsed: argparse.Namespace) -> int:
    from zoo_harp.protocol.plan import Plan
    from zoo_harp.protocol.run import ModelSettings, run

    def chosen(cls: type) -> dict[str, Any]:
        return {field.name: getattr(parsed, field.name) for field in fields(cls)}

    outcome = run(
        Plan(**chosen(Plan)),
        ModelSettings(**{**chosen(ModelSettings), "display": "none" if parsed.json else parsed.display}),
    )
    if parsed.json:
        _print_line(json.dumps(asdict(outcome) | {"out": str(parsed.out)}))
    else:
        _print_outcome(outcome, parsed)
    if outcome.interrupted:
        return 130
    return 0 if outcome.complete else 1


def _print_outcome(outcome: Outcome, parsed: argparse.Namespace) -> None:
    _print_line(f"{parsed.out}: {outcome.answered} of {outcome.asked} answered, {outcome.before} of them before.")
    for reason in outcome.errors:
        _print_line(f"not answered: {reason}.")
    if outcome.complete:
        _print_line(f"next: zoo eval {parsed.out} harp --dataset {parsed.dataset}")
    else:
        _print_line("the same command again asks what is left.")


# zoo harp check


def _add_check(commands: Subparsers) -> None:
    parser = _add(
        commands, "check", _check, "Is a response right? One pair, or a file of pairs.",
        [r"zoo harp check '\frac{9}{4}' 'The answer is $2\frac14$.'",
         "zoo harp check C 'I choose (C).' --kind choice",
         "zoo harp check --pairs pairs.jsonl --workers 4 --json",
         "zoo harp check --pairs pairs.jsonl --compare-backends"],
    )  # fmt: skip
    add = parser.add_argument
    add("gold", nargs="?", metavar="GOLD", help="the reference answer")
    add("response", nargs="?", metavar="RESPONSE", help="what a model wrote")
    add("--pairs", type=Path, metavar="FILE", help='lines with "gold", "response" and perhaps "correct" instead')
    add("--compare-backends", action="store_true", help="also ask math-verify, and show where the two differ")
    add("--kind", choices=("auto", "short", "choice"), default="auto", help="of answer (default: auto)")
    add("--workers", type=int, default=1, metavar="N", help="processes for a file (default: 1)")
    add("--timeout-s", type=float, default=2.0, metavar="SECONDS", help="for one check (default: 2)")
    add("--json", action="store_true", help="print one JSON object a pair")


def _check(parsed: argparse.Namespace) -> int:
    from zoo_harp import check_many
    from zoo_harp.backends.pairs import Pair, load_pairs

    if (parsed.pairs is None) == (parsed.gold is None or parsed.response is None):
        raise UsageError("expected either GOLD and RESPONSE, or --pairs FILE.", "zoo harp check --help has examples.")
    if parsed.workers < 1:
        raise UsageError(f"--workers is {parsed.workers}: expected at least 1.")
    pairs = load_pairs(parsed.pairs) if parsed.pairs else [Pair(parsed.gold, parsed.response)]
    try:
        if parsed.compare_backends:
            return _compare(pairs, parsed)
        texts = [(pair.gold, pair.response) for pair in pairs]
        verdicts = check_many(texts, workers=parsed.workers, kind=parsed.kind, timeout_s=parsed.timeout_s)
    except ValueError as error:
        raise UsageError(f"{error}") from error
    for verdict in verdicts:
        _print_line(json.dumps(asdict(verdict)) if parsed.json else _line(verdict))
    if len(verdicts) > 1 and not parsed.json:
        _print_line(f"{sum(verdict.correct for verdict in verdicts)} of {len(verdicts)} right.")
    return 0


def _line(verdict: Verdict) -> str:
    answer = "no answer" if verdict.extracted is None else repr(verdict.extracted)
    return f"{'right' if verdict.correct else 'wrong'}  {answer}  {verdict.rule}: {verdict.reason}"


def _compare(pairs: Sequence[Pair], parsed: argparse.Namespace) -> int:
    from zoo_harp.backends.compare import compare_backends, report

    compared = compare_backends(pairs, kind=parsed.kind, timeout_s=parsed.timeout_s)
    for line in [json.dumps(asdict(comparison)) for comparison in compared] if parsed.json else report(compared):
        _print_line(line)
    return 0


# zoo harp explain


def _add_explain(commands: Subparsers) -> None:
    parser = _add(
        commands, "explain", _explain, "Both answers as the checker reads them, side by side, and why it decided so.",
        [r"zoo harp explain '\sqrt{45}' 'So it is $3\sqrt5$.'", "zoo harp explain '(5,6]' '[5,6]'"],
    )  # fmt: skip
    parser.add_argument("gold", metavar="GOLD", help="the reference answer")
    parser.add_argument("response", metavar="RESPONSE", help="what a model wrote")


def _explain(parsed: argparse.Namespace) -> int:
    from zoo_harp import explain

    try:
        _print_line(str(explain(parsed.gold, parsed.response)))
    except ValueError as error:
        raise UsageError(f"{error}") from error
    return 0


# zoo harp data


def _add_data(commands: Subparsers) -> None:
    parser = _add(
        commands, "data", _data, "Check a file of problems, count its splits, and write one of them.",
        ["zoo harp data HARP_raw.jsonl", "zoo harp data HARP_raw.zip --split choice --out choice.jsonl",
         "zoo harp data HARP.jsonl --check-solutions"],
    )  # fmt: skip
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="problems: .jsonl, or a .zip that holds one")
    add("--split", default="raw", metavar="NAME", help="short, choice, both, required, proof or raw (default: raw)")
    add("--out", type=Path, metavar="FILE", help="write the problems of the split to this file")
    add("--skip-bad", action="store_true", help="leave bad lines out and name them")
    add("--check-solutions", action="store_true", help="name the solutions that do not end in the reference answer")


def _data(parsed: argparse.Namespace) -> int:
    from zoo_harp.evaluation.data import SPLITS, counts, load_dataset, published_counts, write_problems

    dataset = load_dataset(parsed.file, skip_bad=parsed.skip_bad)
    chosen = dataset.split(parsed.split)
    for error in dataset.skipped:
        _print_line(f"skipped: {error.message}")
    for split in SPLITS:
        _print_line(f"{split:<10}{len(dataset.split(split)):>6}")
    for sentence in published_counts(dataset):
        _print_line(sentence)
    rows = counts(chosen)
    names = list(rows[0]) if rows else []
    table = [names, *([str(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(names))]
    _print_line("")
    for line in table if rows else []:
        _print_line("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    if parsed.check_solutions:
        _check_solutions(dataset.split("short"))
    if parsed.out is not None:
        write_problems(parsed.out, chosen)
        _print_line(f"{parsed.out}: {len(chosen)} problems.")
    return 0


def _check_solutions(problems: Sequence[Problem]) -> None:
    """Does every solution lead to its problem's answer? If not, there is an error in the data or in the checker."""
    from zoo_harp import check_many

    solved = [(problem, place, text) for problem in problems for place, text in enumerate(problem.solutions, start=1)]
    verdicts = check_many([(problem.answer or "", text) for problem, _, text in solved], kind="short")
    for (problem, place, _), verdict in zip(solved, verdicts, strict=True):
        if not verdict.correct:
            _print_line(f"{problem.id}, solution {place}: {verdict.extracted!r}, and the answer is {problem.answer!r}.")
    _print_line(f"{sum(verdict.correct for verdict in verdicts)} of {len(solved)} solutions end in the answer.")
