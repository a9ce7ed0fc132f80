"""Metrics against enumeration of all subsets and orders, and against closed forms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zoo_harp.evaluation.metrics import (
    NO_VOTE,
    RIGHT,
    at_least,
    chance_of_at_least,
    group,
    maj_at_k,
    majority,
    pad,
    pass_at_k,
    quartiles,
    shuffled,
    wilson,
)

from zoo import UsageError


@pytest.mark.parametrize("n", [1, 2, 5, 7])
def test_pass_at_k_is_the_share_of_subsets_with_a_right_sample(n):
    for c, k in itertools.product(range(n + 1), range(1, n + 1)):
        samples = [True] * c + [False] * (n - c)
        subsets = list(itertools.combinations(samples, k))
        share = sum(map(any, subsets)) / len(subsets)
        assert pass_at_k([n], [c], k)[0] == pytest.approx(share, abs=1e-14)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=20), st.integers(1, 300))
def test_pass_at_k_is_the_ratio_of_binomials(pairs, k):
    n = [max(pair) + k for pair in pairs]
    c = [min(pair) for pair in pairs]
    exact = [1 - math.comb(a - b, k) / math.comb(a, k) for a, b in zip(n, c, strict=True)]
    assert pass_at_k(n, c, k) == pytest.approx(exact, abs=1e-12)


def test_pass_at_k_has_no_value_beyond_the_samples():
    assert pass_at_k([4], [1], 4)[0] == 1.0
    for n, k in (([4, 3], 4), ([0], 1), ([4], 0)):
        with pytest.raises(UsageError):
            pass_at_k(n, [0] * len(n), k)
    with pytest.raises(ValueError, match="between 0 and N"):
        pass_at_k([3], [4], 1)


def voted(ballot):
    """maj@k by the words of the paper, on letters; "r" is right, "-" does not vote."""
    votes = {letter: ballot.count(letter) for letter in ballot if letter != "-"}
    best = [letter for letter, count in votes.items() if count == max(votes.values())]
    return 1 / len(best) if "r" in best else 0.0


LABEL = {"-": NO_VOTE, "r": RIGHT, "a": 1, "b": 2, "c": 3}


@given(st.lists(st.text("-rabc", min_size=4, max_size=4), min_size=1, max_size=8))
def test_majority_follows_the_definition(ballots):
    labels = np.array([[LABEL[letter] for letter in ballot] for ballot in ballots])
    assert majority(labels).tolist() == pytest.approx([voted(ballot) for ballot in ballots])


def test_majority_keeps_the_leading_axes():
    labels = np.array([[[0, 0, 1], [1, 1, 0]], [[0, 1, 2], [-1, -1, -1]]])
    assert majority(labels).tolist() == [[1.0, 0.0], [pytest.approx(1 / 3), 0.0]]


@pytest.mark.parametrize(("text", "k"), [("rrab", 2), ("raab-", 3), ("rrraab", 4)])
def test_maj_at_k_over_random_orders_approaches_the_mean_over_all(text, k):
    exact = np.mean([voted(order[:k]) for order in itertools.permutations(text)])
    labels, there = pad([np.array([LABEL[letter] for letter in text])])
    orders = shuffled(labels, there, 4000, np.random.default_rng(1))
    vote = maj_at_k(orders, k, complete=False)
    assert abs(vote.value - exact) < 4 * 0.5 / math.sqrt(4000)
    assert vote.low <= vote.value <= vote.high


def test_every_order_is_as_likely():
    labels, there = pad([np.array([0, 1, 2])])
    orders = shuffled(labels, there, 6000, np.random.default_rng(0))[:, 0]
    _, times = np.unique(orders, axis=0, return_counts=True)
    assert len(times) == 6
    assert np.abs(times - 1000).max() < 5 * math.sqrt(6000 * (1 / 6) * (5 / 6))


def test_problems_with_fewer_samples_keep_theirs_first():
    labels, there = pad([np.array([0, 1]), np.array([2, 2, 2, 2])])
    orders = shuffled(labels, there, 50, np.random.default_rng(0))
    assert {tuple(sorted(row)) for row in orders[:, 0, :2].tolist()} == {(0, 1)}
    assert (orders[:, 0, 2:] == NO_VOTE).all()
    assert (orders[:, 1] == 2).all()


def test_the_interval_over_orders_is_students():
    orders = np.array([[[0]], [[0]], [[1]], [[0]], [[1]]])
    vote = maj_at_k(orders, 1, complete=False)
    values = [1.0, 1.0, 0.0, 1.0, 0.0]
    half = 2.776445105 * np.std(values, ddof=1) / math.sqrt(5)
    assert (vote.value, vote.low, vote.high) == pytest.approx((0.6, 0.6 - half, 0.6 + half), rel=1e-8)
    assert math.isnan(maj_at_k(orders, 1, complete=True).low)


def test_wilson_solves_its_equation():
    z = 1.959963984540054
    for right, n in ((1, 7), (3, 10), (40, 64), (17.5, 50)):
        interval = wilson(right, n)
        p = right / n
        roots = np.sort(np.roots([1 + z * z / n, -(2 * p + z * z / n), p * p]))
        assert (interval.low, interval.high) == pytest.approx(tuple(roots), rel=1e-9)
    assert wilson(0, 9).low == 0.0
    assert wilson(9, 9).high == 1.0
    assert wilson(0, 9).high == pytest.approx(z * z / (9 + z * z))
    for right, n in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match="expected between 0 and n"):
            wilson(right, n)


def test_groups_by_equivalence():
    compared = []

    def same(one, other):
        compared.append((one, other))
        return one.lower() == other.lower()

    answers = ["x", None, "y", "Y", "right", "z", "X", "y", "RIGHT"]
    right = [False, False, False, False, True, False, False, False, True]
    assert group(answers, right, same).tolist() == [1, -1, 2, 2, 0, 3, 1, 2, 0]
    assert len(compared) == len(set(compared))
    assert all("right" not in pair for pair in compared)


def test_at_least_counts_problems():
    right = np.array([[1, 1, 0, 0], [1, 0, 0, 1], [1, 0, 0, 1]], dtype=bool)
    assert at_least(right).tolist() == [0.75, 0.5, 0.25]


def test_chance_of_guessing():
    exact = sum(sum(hits) >= 3 for hits in itertools.product([1, 0, 0, 0, 0], repeat=5)) / 5**5
    assert chance_of_at_least(3, 5) == pytest.approx(exact)
    assert chance_of_at_least(0, 5) == pytest.approx(1.0)


def test_quartiles():
    assert quartiles([]) == {}
    assert quartiles([4, 1, 3, 2, 5]) == {"mean": 3.0, "q1": 2.0, "median": 3.0, "q3": 4.0}
