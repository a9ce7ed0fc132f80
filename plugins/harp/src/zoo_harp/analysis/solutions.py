"""Human solutions: how many a problem has and how long they are, compared with a model's tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo_harp.evaluation.data import Problem
from zoo_harp.evaluation.metrics import Floats
from zoo_harp.evaluation.responses import Response

Row = dict[str, Any]


def length(text: str) -> int:
    """The number of words of a solution, separated by white space."""
    return len(text.split())


def solution_rows(problems: Sequence[Problem], responses: Sequence[Response] = ()) -> list[Row]:
    """One row for all problems and one for each level: number and length of human solutions, and tokens used.

    Args:
        problems: with their solutions.
        responses: of a model, with the tokens it used; the mean over the samples of a problem counts.

    Returns:
        Rows with ``group``, ``n``, the mean number of ``solutions`` of a problem, the quartiles of the ``words`` of its
        shortest solution, and with responses the mean ``tokens`` and Spearman's correlation ``rho`` of tokens with
        those words over problems, NaN for fewer than three.
    """
    used: dict[str, list[int]] = {}
    for response in responses:
        if response.tokens is not None:
            used.setdefault(response.id, []).append(response.tokens)
    tokens = {name: float(np.mean(counts)) for name, counts in used.items()}
    groups = {"all": list(problems)}
    for level in sorted({problem.level for problem in problems}):
        groups[f"L{level}"] = [problem for problem in problems if problem.level == level]
    return [_row(name, members, tokens) for name, members in groups.items() if members]


def _row(group: str, problems: Sequence[Problem], tokens: Mapping[str, float]) -> Row:
    counts = [len(problem.solutions) for problem in problems]
    words = [min(map(length, problem.solutions)) for problem in problems]
    low, middle, high = np.quantile(words, (0.25, 0.5, 0.75))
    row: Row = {"group": group, "n": len(problems), "solutions": float(np.mean(counts)),
                "words/q25": float(low), "words/median": float(middle), "words/q75": float(high)}  # fmt: skip
    if tokens:
        both = [
            (count, tokens[problem.id]) for problem, count in zip(problems, words, strict=True) if problem.id in tokens
        ]
        row |= {"answered": len(both), "tokens": float(np.mean([t for _, t in both])) if both else float("nan")}
        row["rho"] = _correlation(np.array(both, dtype=np.float64).reshape(-1, 2))
    return row


def _correlation(both: Floats) -> float:
    """Spearman's; NaN where it does not exist."""
    from scipy.stats import spearmanr

    if len(both) < 3 or any(np.ptp(column) == 0 for column in both.T):
        return float("nan")
    return float(spearmanr(both[:, 0], both[:, 1]).statistic)
