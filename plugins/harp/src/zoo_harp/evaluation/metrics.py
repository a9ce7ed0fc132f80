"""Metrics: accuracy with Wilson's interval, pass@k, maj@k, tokens; P problems of N samples each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from zoo import UsageError

Answer = TypeVar("Answer")
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.95
"""confidence of every interval"""
NO_VOTE = -1
"""label of a sample without an answer, or cut off"""
RIGHT = 0
"""label of the group of right answers"""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; ``low`` and ``high`` are NaN where there is no interval."""

    value: float
    low: float
    high: float


def wilson(right: float, n: int) -> Estimate:
    """Share of right answers with Wilson's 95 % score interval (Wilson 1927), all in [0, 1].

    Raises:
        ValueError: not ``0 <= right <= n`` with ``n >= 1``.
    """
    if not 0 <= right <= n or n < 1:
        raise ValueError(f"{right} right of {n}: expected between 0 and n, and n at least 1.")
    z = NormalDist().inv_cdf(0.5 + 0.5 * LEVEL)
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return Estimate(share, 0.0 if right == 0 else middle - half, 1.0 if right == n else middle + half)


def check_k(k: int, samples: int) -> None:
    """Check that pass@k and maj@k exist for k.

    Raises:
        UsageError: there are no samples, or fewer than k, or k is below 1.
    """
    if samples < 1:
        raise UsageError("a problem has no samples: expected at least one.")
    if not 1 <= k <= samples:
        raise UsageError(f"k = {k}: expected from 1 to {samples}, the smallest number of samples of a problem.")


def pass_at_k(samples: ArrayLike, correct: ArrayLike, k: int) -> Floats:
    """Unbiased estimate of the probability that one of k samples, drawn without replacement, is right.

    ``1 - binom(N - C, k) / binom(N, k)``, computed as ``1 - prod_{j=N-C+1}^{N} (1 - k / j)``.

    Args:
        samples: N of each problem, ``[P]``.
        correct: C of each problem, ``[P]``.
        k: how many are drawn.

    Returns:
        ``[P]`` in [0, 1].

    Raises:
        UsageError: k > N or N = 0 for some problem.
        ValueError: not 0 <= C <= N.
    """
    n, c = np.broadcast_arrays(np.asarray(samples, dtype=np.int64), np.asarray(correct, dtype=np.int64))
    check_k(k, int(n.min(initial=k)))
    if ((c < 0) | (c > n)).any():
        raise ValueError("expected between 0 and N correct samples.")
    j = n[..., None] - np.arange(int(c.max(initial=0)))  # N, N - 1, ..., of which the first C belong to the product
    used = np.arange(j.shape[-1]) < c[..., None]
    # A factor at j <= k is zero or below: then N - C < k, and one of k samples is right for certain.
    factors = np.where(used, np.clip(1.0 - k / np.maximum(j, 1), 0.0, None), 1.0)
    return np.asarray(1.0 - factors.prod(axis=-1))


def group(answers: Sequence[Answer | None], right: Sequence[bool], same: Callable[[Answer, Answer], bool]) -> Ints:
    """Label the samples of one problem by equivalence of their answers.

    All right answers are one group, since each of them equals the reference answer; any other answer joins the first
    wrong group whose first member it equals.

    Args:
        answers: N extracted answers; None does not vote.
        right: whether each is right, N.
        same: whether two answers are equivalent.

    Returns:
        ``[N]``: ``RIGHT``, a number from 1 for each wrong group, or ``NO_VOTE``.
    """
    labels = np.full(len(answers), NO_VOTE, dtype=np.int64)
    labels_by_answer: dict[Answer, int] = {}  # equal texts need no comparison
    first: list[Answer] = []
    for place, (answer, correct) in enumerate(zip(answers, right, strict=True)):
        if answer is None:
            continue
        if correct:
            labels[place] = RIGHT
            continue
        if answer not in labels_by_answer:
            number = next((index for index, other in enumerate(first) if same(other, answer)), len(first))
            if number == len(first):
                first.append(answer)
            labels_by_answer[answer] = number + 1
        labels[place] = labels_by_answer[answer]
    return labels


def pad(labels: Sequence[Ints]) -> tuple[Ints, NDArray[np.bool_]]:
    """Labels of P problems, not all with as many samples, as ``[P, N]``, and the mask of real samples ``[P, N]``."""
    sizes = np.array([len(row) for row in labels], dtype=np.int64)
    is_sample = np.arange(int(sizes.max(initial=0))) < sizes[:, None]
    padded = np.full(is_sample.shape, NO_VOTE, dtype=np.int64)
    padded[is_sample] = np.concatenate(list(labels)) if len(labels) else padded[is_sample]
    return padded, is_sample


def shuffled(labels: Ints, is_sample: NDArray[np.bool_], orders: int, rng: np.random.Generator) -> Ints:
    """Random orders of each problem's samples: ``[P, N]`` to ``[orders, P, N]``; padding stays last."""
    keys = np.where(is_sample, rng.random((orders, *labels.shape)), np.inf)
    return np.take_along_axis(np.broadcast_to(labels, keys.shape), keys.argsort(axis=-1), axis=-1)


def majority(labels: Ints) -> Floats:
    """Score of a vote: 1 if the most frequent group is right, 1/T if T groups tie and one is right, else 0.

    Footnote 13 of the paper; samples labelled ``NO_VOTE`` do not vote, and where nobody votes the score is 0.

    Args:
        labels: ``[..., k]``, the votes.

    Returns:
        ``[...]`` in [0, 1].
    """
    groups = int(labels.max(initial=RIGHT)) + 1
    ballots = labels.reshape(-1, labels.shape[-1])
    voter = np.repeat(np.arange(len(ballots)), ballots.shape[1]).reshape(ballots.shape)
    cast = ballots != NO_VOTE
    votes = np.bincount((voter * groups + ballots)[cast], minlength=len(ballots) * groups).reshape(-1, groups)
    top = votes.max(axis=-1, keepdims=True)
    tied = (votes == top) & (top > 0)
    score = np.where(tied[:, RIGHT], 1.0 / np.maximum(tied.sum(axis=-1), 1), 0.0)
    return score.reshape(labels.shape[:-1])


def maj_at_k(orders: Ints, k: int, complete: bool) -> Estimate:
    """Mean maj@k over problems and orders, and its 95 % t interval over orders.

    Args:
        orders: labels ``[orders, P, N]``, as ``shuffled`` returns them.
        k: how many samples vote: the first k of each order.
        complete: whether k takes every sample, so that the order does not matter: then there is no interval.
    """
    by_order = majority(orders[..., :k]).mean(axis=-1)
    count = len(by_order)
    mean = float(by_order.mean())
    if complete or count < 2:
        return Estimate(mean, math.nan, math.nan)
    half = float(stdtrit(count - 1, 0.5 + 0.5 * LEVEL)) * float(by_order.std(ddof=1)) / math.sqrt(count)
    return Estimate(mean, mean - half, mean + half)


def quartiles(tokens: Sequence[int]) -> dict[str, float]:
    """Mean, lower quartile, median and upper quartile of numbers of output tokens; empty for no numbers."""
    if not tokens:
        return {}
    q1, median, q3 = np.percentile(np.asarray(tokens, dtype=np.float64), [25, 50, 75])
    return {"mean": float(np.mean(tokens)), "q1": float(q1), "median": float(median), "q3": float(q3)}


def at_least(right: NDArray[np.bool_]) -> Floats:
    """Share of problems with at least x of R runs right, for x = 1..R: bool ``[R, P]`` to ``[R]``.

    The last entry is the share with all runs right, the intersection.
    """
    runs = len(right)
    return np.asarray((right.sum(axis=0)[None, :] >= np.arange(1, runs + 1)[:, None]).mean(axis=-1))


def chance_of_at_least(x: int, runs: int, choices: int = 5) -> float:
    """How likely guessing among ``choices`` is right in at least ``x`` of ``runs`` runs: a binomial tail."""
    p = 1 / choices
    return sum(math.comb(runs, hits) * p**hits * (1 - p) ** (runs - hits) for hits in range(x, runs + 1))
