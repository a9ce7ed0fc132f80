"""The problems: schema, identifiers and splits (after the README of HARP's data, and its make_datasets)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from zoo import UsageError, nearest
from zoo_harp.evaluation.jsonl import DataError, Line, Loaded, load, shown

Split = Literal["short", "choice", "proof", "required", "both", "raw"]
SPLITS: tuple[Split, ...] = get_args(Split)
SUBJECTS = ("prealgebra", "algebra", "counting_and_probability", "geometry", "number_theory", "precalculus", "calculus")
"""in the order of the paper's tables; calculus is only in the raw file"""
LETTERS = "ABCDE"
MAX_LEVEL = 9


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One problem.

    Attributes:
        year: may carry a suffix, as in "2005_II".
        contest: such as "AMC_10A"; ends in "MO" where a proof is asked for.
        number: of the problem in the contest.
        level: 1 (easiest) to 9.
        subject: one of ``SUBJECTS``.
        multiple_choice_only: it cannot be answered without its choices.
        problem: LaTeX.
        answer: bare LaTeX or within dollars; None for proofs, and in raw files.
        choices: letter to text, None where there are none.
        answer_choice: the right letter, None where there are no choices.
        solutions: at least one; each ends in a boxed answer unless it is a proof.
    """

    year: str
    contest: str
    number: int
    level: int
    subject: str
    multiple_choice_only: bool
    problem: str
    answer: str | None
    choices: Mapping[str, str] | None
    answer_choice: str | None
    solutions: tuple[str, ...]

    @property
    def id(self) -> str:
        """``year/contest/number``."""
        return f"{self.year}/{self.contest}/{self.number}"


def _answerable(problem: Problem) -> bool:
    return not problem.contest.endswith("MO") and problem.subject != "calculus"


def _short(problem: Problem) -> bool:
    return _answerable(problem) and not problem.multiple_choice_only and problem.answer is not None


def _choice(problem: Problem) -> bool:
    return _answerable(problem) and not problem.contest.startswith("AIME") and problem.choices is not None


_RULES: Mapping[Split, Callable[[Problem], bool]] = {
    "short": _short,
    "choice": _choice,
    "proof": lambda problem: problem.contest.endswith("MO"),
    "required": lambda problem: problem.multiple_choice_only,
    "both": lambda problem: _short(problem) and _choice(problem),
    "raw": lambda problem: True,
}


@dataclass(frozen=True)
class Dataset:
    """The problems of a file by identifier, in the file's order.

    Attributes:
        path: the file.
        problems: identifier to problem.
        skipped: errors of the lines that were left out.
    """

    path: Path
    problems: Mapping[str, Problem]
    skipped: tuple[DataError, ...] = ()

    def split(self, name: str) -> list[Problem]:
        """The problems of one split.

        ``short``: answers in LaTeX; ``choice``: letters; ``proof``; ``required``: only answerable with choices;
        ``both``: short and choice; ``raw``: everything.

        Raises:
            UsageError: there is no such split.
        """
        if name not in _RULES:
            near = nearest(name, SPLITS) or SPLITS
            raise UsageError(f"no split called {name!r}: expected {' or '.join(near)}.")
        return [problem for problem in self.problems.values() if _RULES[name](problem)]  # type: ignore[index]


def load_dataset(path: Path, *, skip_bad: bool = False) -> Dataset:
    """Read problems from a ``.jsonl`` file, or a ``.zip`` that holds exactly one.

    Args:
        path: the file.
        skip_bad: skip bad lines and record their errors.

    Raises:
        DataError: with file, line and field: malformed JSON, a missing or wrong field, an unknown subject, a level
            outside 1-9, an identifier that repeats.
    """
    seen: dict[str, int] = {}

    def parse(line: Line) -> Problem:
        problem = _problem(line)
        if problem.id in seen:
            line.fail("number", f"makes the identifier {problem.id} of line {seen[problem.id]} again.")
        seen[problem.id] = line.number
        return problem

    loaded: Loaded[Problem] = load(path, parse, skip_bad=skip_bad)
    return Dataset(path, {problem.id: problem for problem in loaded.items}, loaded.skipped)


def _problem(line: Line) -> Problem:
    subject = line.text("subject")
    if subject not in SUBJECTS:
        near = nearest(subject, SUBJECTS)
        line.fail("subject", f"is {shown(subject)}: expected {' or '.join(near or SUBJECTS)}.")
    year, contest = (_part(line, field) for field in ("year", "contest"))
    choices = _choices(line)
    problem = Problem(
        year=year,
        contest=contest,
        number=line.whole("number", 0),
        level=line.whole("level", 1, MAX_LEVEL),
        subject=subject,
        multiple_choice_only=line.flag("multiple_choice_only"),
        problem=line.text("problem"),
        answer=_answer(line),
        choices=choices,
        answer_choice=_answer_choice(line, choices),
        solutions=_solutions(line),
    )
    if problem.answer is None and problem.choices is None and _answerable(problem):
        line.fail("answer", "is missing, and the problem has no choices: expected one of the two.")
    return problem


def _part(line: Line, field: str) -> str:
    value = line.text(field)
    if "/" in value:
        line.fail(field, f"is {shown(value)}: expected a name without '/', which separates the parts of identifiers.")
    return value


def _answer(line: Line) -> str | None:
    value = line.values.get("answer")
    if isinstance(value, int) and not isinstance(value, bool):  # HARP's scraper writes answers of AIME as integers
        return str(value)
    if value is not None and not (isinstance(value, str) and value.strip()):
        line.fail("answer", f"is {shown(value)}: expected a string that is not empty, a whole number or null.")
    return value


def _choices(line: Line) -> Mapping[str, str] | None:
    value = line.values.get("choices")
    if value is None:
        return None
    if not isinstance(value, dict) or "".join(sorted(value)) != LETTERS:
        line.fail("choices", f"is {shown(value)}: expected an object with the letters A to E, or null.")
    for letter, text in value.items():
        if not isinstance(text, str):
            line.fail("choices", f"has {shown(text)} for {letter}: expected a string.")
    return {letter: value[letter] for letter in LETTERS}


def _answer_choice(line: Line, choices: Mapping[str, str] | None) -> str | None:
    value = line.values.get("answer_choice")
    if value is None and choices is None:
        return None
    if value is None:
        line.fail("answer_choice", "is missing, and the problem has choices: expected a letter from A to E.")
    if not isinstance(value, str) or len(value) != 1 or value not in LETTERS:
        line.fail("answer_choice", f"is {shown(value)}: expected a letter from A to E, or null.")
    if choices is None:
        line.fail("answer_choice", f"is {shown(value)}, and the problem has no choices: expected null.")
    return str(value)


def _solutions(line: Line) -> tuple[str, ...]:
    count = line.whole("num_solutions", 1)
    present = sum(
        field.startswith("solution_") and field.removeprefix("solution_").isdecimal() for field in line.values
    )
    if present != count:
        line.fail("num_solutions", f"is {shown(count)}, and {present} solutions are there.")
    return tuple(line.text(f"solution_{number}") for number in range(1, count + 1))


def counts(problems: Sequence[Problem]) -> list[dict[str, int | str]]:
    """How many problems there are by level and subject, one mapping a level with a column for each subject."""
    rows: list[dict[str, int | str]] = []
    for level in sorted({problem.level for problem in problems}):
        of_level = [problem for problem in problems if problem.level == level]
        by_subject = {subject: sum(problem.subject == subject for problem in of_level) for subject in SUBJECTS}
        rows.append({"level": level, "n": len(of_level), **by_subject})
    return rows


PUBLISHED = {"raw": 5409, "short": 4780, "choice": 4110, "level 6": 197}
"""problems of the public file: all, with a checkable answer, with choices, and the hardest of the checkable"""


def published_counts(dataset: Dataset) -> list[str]:
    """Sentences on how a file that has the size of the public one agrees with its published counts; none for others."""
    if len(dataset.problems) != PUBLISHED["raw"]:
        return []
    short = dataset.split("short")
    counted = {"raw": len(dataset.problems), "short": len(short), "choice": len(dataset.split("choice")),
             "level 6": sum(problem.level == 6 for problem in short)}  # fmt: skip
    differ = [
        f"{name} has {count}, published are {PUBLISHED[name]}."
        for name, count in counted.items()
        if count != PUBLISHED[name]
    ]
    return differ or [
        "the counts are those of the public file: " + ", ".join(f"{n} {c}" for n, c in counted.items()) + "."
    ]


def write_problems(path: Path, problems: Sequence[Problem]) -> None:
    """Write problems as a ``.jsonl`` file that ``load_dataset`` reads.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(_record(problem)) + "\n" for problem in problems)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _record(problem: Problem) -> dict[str, Any]:
    record = {field.name: getattr(problem, field.name) for field in fields(problem) if field.name != "solutions"}
    record |= {f"solution_{number}": text for number, text in enumerate(problem.solutions, start=1)}
    return record | {"num_solutions": len(problem.solutions)}
