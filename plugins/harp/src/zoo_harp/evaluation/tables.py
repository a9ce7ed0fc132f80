"""From verdicts to rows: one for each run and each level, subject, and level of a subject."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo_harp.evaluation import paper
from zoo_harp.evaluation.data import SUBJECTS, Problem
from zoo_harp.evaluation.metrics import (
    Ints,
    at_least,
    chance_of_at_least,
    check_k,
    maj_at_k,
    pad,
    pass_at_k,
    quartiles,
    shuffled,
    wilson,
)
from zoo_harp.evaluation.responses import Run
from zoo_harp.evaluation.scoring import Scored, by_problem, labels, right

Row = dict[str, Any]
PERCENT = 100.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the tables.

    Attributes:
        k: values for pass@k and maj@k; empty: powers of two up to the number of samples, and that number.
        orders: random orders for maj@k.
        models: of the paper, whose figures are shown beside ours.
        timeout_s: of one check, for the comparisons among votes.
    """

    k: tuple[int, ...] = ()
    orders: int = 5
    models: Sequence[str] = field(default_factory=tuple)
    timeout_s: float = 2.0


@dataclass(frozen=True)
class Sampled:
    """One run's verdicts by problem, and its votes in random orders if there are several samples."""

    run: Run
    problems: Sequence[Problem]
    samples: Mapping[str, Sequence[Scored]]
    ks: tuple[int, ...]
    orders: Ints | None
    """labels ``[orders, P, N]``"""
    n: Ints
    """N of each problem ``[P]``"""


def sampled(run: Run, scored: Sequence[Scored], settings: Settings, rng: np.random.Generator) -> Sampled:
    """Prepare one run.

    Raises:
        UsageError: a value of k is larger than the number of samples of some problem.
    """
    samples = by_problem(scored)
    problems = [items[0].problem for items in samples.values()]
    n, _ = right(samples)
    least = int(n.min())
    ks = settings.k or _powers(least)
    for k in ks:
        check_k(k, least)
    orders = None
    if int(n.max()) > 1:
        votes = [labels(items, timeout_s=settings.timeout_s) for items in samples.values()]
        orders = shuffled(*pad(votes), settings.orders, rng)
    return Sampled(run, problems, samples, ks if orders is not None else (), orders, n)


def _powers(most: int) -> tuple[int, ...]:
    return tuple(dict.fromkeys([*(2**power for power in range(most.bit_length())), most]))


def groups(problems: Sequence[Problem]) -> Iterator[tuple[str, list[int]]]:
    """Names of groups and the indices of their problems: all, levels, subjects, levels of subjects."""
    levels = sorted({problem.level for problem in problems})
    subjects = [subject for subject in SUBJECTS if any(problem.subject == subject for problem in problems)]
    yield "all", list(range(len(problems)))
    for level in levels:
        yield f"L{level}", [index for index, problem in enumerate(problems) if problem.level == level]
    for subject in subjects:
        yield subject, [index for index, problem in enumerate(problems) if problem.subject == subject]
    for level in levels:
        for subject in subjects:
            in_group = [
                index for index, problem in enumerate(problems) if (problem.level, problem.subject) == (level, subject)
            ]
            if in_group:
                yield f"L{level} {subject}", in_group


def rows(run: Sampled, settings: Settings, *, both: bool = False) -> list[Row]:
    """The rows of one run, in percent where a share is meant."""
    name = f"{run.run.name} (both splits)" if both else run.run.name
    items = list(run.samples.values())
    table = []
    for group, indices in groups(run.problems):
        published = paper.published_figures(run.run.name, group, both=both, names=settings.models)
        table.append({"run": name, "group": group} | _with_published(_figures(run, items, indices), published))
    return table


def _with_published(ours: Row, published: Mapping[str, Mapping[str, float]]) -> Row:
    """Our figures, each followed by the published ones of the same metric."""
    row: Row = {}
    for metric, value in ours.items():
        row[metric] = value
        row |= {f"{model}/{metric}": figure for model, figure in published.get(metric, {}).items()}
    return row


def _figures(run: Sampled, items: Sequence[Sequence[Scored]], indices: Sequence[int]) -> Row:
    in_group = [items[index] for index in indices]
    flat = [sample for samples in in_group for sample in samples]
    n, c = run.n[indices], np.array([sum(sample.correct for sample in samples) for samples in in_group])
    share = float((c / n).mean())
    # Samples of one problem are correlated, so the interval counts problems, not samples.
    interval = wilson(share * len(in_group), len(in_group))
    row: Row = {
        "n": len(in_group),
        "accuracy": PERCENT * share,
        "low": PERCENT * interval.low,
        "high": PERCENT * interval.high,
        "unfinished": PERCENT * float(np.mean([not sample.response.finished for sample in flat])),
        "undecided": PERCENT * float(np.mean([sample.undecided for sample in flat])),
        "timeouts": sum(sample.timed_out for sample in flat),
    }
    for k in run.ks:
        row[f"pass@{k}"] = PERCENT * float(pass_at_k(n, c, k).mean())
    for k in run.ks:
        row |= _vote(run, indices, n, k)
    for name, kept in (("tokens", flat), ("tokens if right", [sample for sample in flat if sample.correct])):
        counted = [sample.response.tokens for sample in kept if sample.response.tokens is not None]
        row |= {f"{name}/{statistic}": value for statistic, value in quartiles(counted).items()}
    return row


def _vote(run: Sampled, indices: Sequence[int], n: Ints, k: int) -> Row:
    if run.orders is None:
        return {}
    vote = maj_at_k(run.orders[:, indices], k, complete=bool((n == k).all()))
    row: Row = {f"maj@{k}": PERCENT * vote.value}
    if not math.isnan(vote.low):
        row |= {f"maj@{k} low": PERCENT * vote.low, f"maj@{k} high": PERCENT * vote.high}
    return row


def restrict(run: Sampled, ids: frozenset[str]) -> Sampled:
    """The same run on some of its problems."""
    indices = [index for index, problem in enumerate(run.problems) if problem.id in ids]
    problems = [run.problems[index] for index in indices]
    samples = {problem.id: run.samples[problem.id] for problem in problems}
    orders = run.orders[:, indices] if run.orders is not None else None
    return Sampled(run.run, problems, samples, run.ks, orders, run.n[indices])


def shuffle_rows(runs: Sequence[Sampled]) -> list[Row]:
    """Results over all shuffles of the choices, for each layout with at least two shuffles.

    The mean over runs, and the shares of problems that at least x of R runs, and all of them, get right; beside each
    the chance that guessing does. A run counts with the first sample of each problem, on the problems that all share.
    """
    table: list[Row] = []
    by_layout: dict[str, list[Sampled]] = {}
    for run in runs:
        if run.run.shuffle:
            by_layout.setdefault(run.run.layout, []).append(run)
    for layout, several in by_layout.items():
        shared = set.intersection(*(set(run.samples) for run in several))
        if len(several) < 2 or not shared:
            continue
        ids = [problem.id for problem in several[0].problems if problem.id in shared]
        hit = np.array([[run.samples[name][0].correct for name in ids] for run in several])
        table.append(_shuffle_row(f"{layout} shuffles", "mean over runs", float(hit.mean()), len(ids), 0.2))
        for x, share in enumerate(at_least(hit), start=1):
            group = f"all {len(several)} right" if x == len(several) else f"at least {x} of {len(several)} right"
            chance = chance_of_at_least(x, len(several))
            table.append(_shuffle_row(f"{layout} shuffles", group, float(share), len(ids), chance))
    return table


def _shuffle_row(run: str, group: str, share: float, n: int, chance: float) -> Row:
    interval = wilson(share * n, n)
    return {
        "run": run, "group": group, "n": n, "accuracy": PERCENT * share, "low": PERCENT * interval.low,
        "high": PERCENT * interval.high, "guessing": PERCENT * chance,
    }  # fmt: skip
