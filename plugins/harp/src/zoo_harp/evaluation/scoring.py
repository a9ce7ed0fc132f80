"""Verdicts on responses, and votes among samples; what is right is decided by the checker alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from zoo import UsageError
from zoo_harp.evaluation.choices import shown_letter
from zoo_harp.evaluation.data import LETTERS, Problem
from zoo_harp.evaluation.metrics import Ints, group
from zoo_harp.evaluation.responses import Response

if TYPE_CHECKING:
    from zoo_harp.checker import Verdict

Kind = Literal["short", "choice"]
TIMEOUT = "timeout"
UNDECIDED = frozenset(("undecided", TIMEOUT, "limit"))
"""rules of the checker that leave a response undecided"""
UNFINISHED = "unfinished"
MAX_TIMEOUTS = 5
"""comparisons among the answers to one problem that may run out of time"""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A response with its verdict.

    Attributes:
        problem: the problem that was asked.
        response: the model's response.
        gold: the reference answer; for choices the letter under which it was shown.
        correct: whether the response is right.
        extracted: the answer that was found in it; None if there is none, or the response did not finish.
        rule: which rule of the checker decided.
        reason: why, for a person.
    """

    problem: Problem
    response: Response
    gold: str
    correct: bool
    extracted: str | None
    rule: str
    reason: str

    @property
    def timed_out(self) -> bool:
        """Whether the check timed out."""
        return self.reason == TIMEOUT

    @property
    def undecided(self) -> bool:
        """Whether the checker found the response neither right nor wrong."""
        return not self.correct and not UNDECIDED.isdisjoint((self.rule, self.reason))

    @property
    def vote(self) -> str | None:
        """What the sample votes for: its answer, a choice by its published letter; None if there is none."""
        if not self.extracted:
            return None
        letter = self.extracted.strip().upper()
        if self.response.run.layout and letter in tuple(LETTERS):
            return self.response.order[LETTERS.index(letter)]
        return self.extracted


def gold_of(problem: Problem, response: Response) -> str:
    """The answer to compare with: LaTeX, or the letter under which the right choice was shown.

    Raises:
        ValueError: the problem has no such answer; ask only for problems of the run's split.
    """
    gold = problem.answer_choice if response.run.layout else problem.answer
    if gold is None:
        raise ValueError(f"problem {problem.id} has no {'choices' if response.run.layout else 'answer'}.")
    return shown_letter(gold, response.order) if response.run.layout else gold


def score(
    problems: Mapping[str, Problem], responses: Sequence[Response], *, workers: int = 1, timeout_s: float = 2.0
) -> list[Scored]:
    """Check every response; one that did not finish, or is empty, is wrong without a check.

    Args:
        problems: by identifier.
        responses: of runs whose split their problems are in.
        workers: processes that check.
        timeout_s: for each check.

    Raises:
        UsageError: a reference answer is empty but for delimiters; names the problem.
    """
    golds = [_checked(gold_of(problems[response.id], response), response.id) for response in responses]
    asked: dict[tuple[Kind, str, str, str], None] = {}  # the same answer to the same problem is checked once
    keys: list[tuple[Kind, str, str, str] | None] = []
    for response, gold in zip(responses, golds, strict=True):
        if not response.finished or not (response.text or "").strip():
            keys.append(None)
            continue
        kind: Kind = "choice" if response.run.layout else "short"
        key = (kind, response.id, gold, response.text or "")
        asked[key] = None
        keys.append(key)
    verdicts = _verdicts(list(asked), workers, timeout_s)
    return [
        _scored(problems[response.id], response, gold, verdicts[key] if key else None)
        for response, gold, key in zip(responses, golds, keys, strict=True)
    ]


def _checked(gold: str, problem: str) -> str:
    from zoo_harp.checker.check import check_gold

    try:
        return check_gold(gold, problem)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _scored(problem: Problem, response: Response, gold: str, verdict: Verdict | None) -> Scored:
    if verdict is None:
        reason = UNFINISHED if not response.finished else "no-answer"
        return Scored(
            problem=problem, response=response, gold=gold, correct=False, extracted=None, rule="none", reason=reason
        )
    return Scored(
        problem=problem, response=response, gold=gold, correct=verdict.correct, extracted=verdict.extracted,
        rule=verdict.rule, reason=verdict.reason,
    )  # fmt: skip


def _verdicts(
    asked: Sequence[tuple[Kind, str, str, str]], workers: int, timeout_s: float
) -> dict[tuple[Kind, str, str, str], Verdict]:
    from zoo_harp import check_many

    verdicts: dict[tuple[Kind, str, str, str], Verdict] = {}
    kinds: tuple[Kind, ...] = ("short", "choice")
    for kind in kinds:
        of_kind = [key for key in asked if key[0] == kind]
        pairs = [(gold, text) for _, _, gold, text in of_kind]
        verdicts |= zip(of_kind, check_many(pairs, workers=workers, kind=kind, timeout_s=timeout_s), strict=True)
    return verdicts


def labels(samples: Sequence[Scored], *, timeout_s: float = 2.0) -> Ints:
    """Votes of the samples of one problem and run, ``[N]``, grouped by equivalence (``metrics.group``).

    After ``MAX_TIMEOUTS`` comparisons that ran out of time, further answers of the problem are only compared as
    written.
    """
    from zoo_harp import check

    timeouts = 0

    def same(a: str, b: str) -> bool:
        nonlocal timeouts
        if timeouts >= MAX_TIMEOUTS:
            return a == b
        try:
            verdict = check(a, rf"$\boxed{{{b}}}$", kind="short", timeout_s=timeout_s)
        except ValueError:  # an extracted answer need not be fit to be a reference
            return a == b
        timeouts += verdict.reason == TIMEOUT
        return verdict.correct

    is_choice = any(sample.response.run.layout for sample in samples)
    return group(
        [sample.vote for sample in samples],
        [sample.correct for sample in samples],
        (lambda a, b: a == b) if is_choice else same,
    )


def by_problem(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Samples of each problem by number, problems by identifier: the order of the file does not change the results."""
    grouped: dict[str, list[Scored]] = {}
    for item in sorted(scored, key=lambda item: (item.problem.id, item.response.sample)):
        grouped.setdefault(item.problem.id, []).append(item)
    return grouped


def right(scored: Mapping[str, Sequence[Scored]]) -> tuple[Ints, Ints]:
    """Numbers of samples N and of right ones C of each problem, ``[P]`` and ``[P]``."""
    n = np.array([len(samples) for samples in scored.values()], dtype=np.int64)
    c = np.array([sum(sample.correct for sample in samples) for samples in scored.values()], dtype=np.int64)
    return n, c
