"""Shares, means of heavy tails, and values with intervals of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from zoo_bench.claims import judge_claim
from zoo_bench.claims.spreads import Side, clopper_pearson, effect_spread
from zoo_bench.schema import level_of

from plugins.bench.tests.test_claims import claim, records
from zoo.stats import combined_interval


def interval(*sides: Side, statistic: str = "mean", paired: bool = False) -> tuple[float, float]:
    return combined_interval([effect_spread(sides, statistic, np.random.default_rng(0), paired=paired)])


def share(successes: int, trials: int) -> Side:
    return Side(sign=1.0, values=np.array([2.0] * successes + [0.0] * (trials - successes)))


def test_the_statistic_names_its_number() -> None:
    assert level_of("share-above(1e5)") == 1e5 and level_of("share-above(-3)") == -3.0
    assert [level_of(text) for text in ("iqm", "share-above(x)", "share-above()", "share-above(nan)")] == [None] * 4


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (5, 5), (1, 5), (96, 100), (500, 1000)])
def test_the_interval_of_a_share_is_clopper_and_pearsons(successes: int, trials: int) -> None:
    known = binomtest(successes, trials).proportion_ci(0.95, "exact")
    assert clopper_pearson(successes, trials) == pytest.approx((known.low, known.high), abs=1e-12)
    low, high = interval(share(successes, trials), statistic="share-above(1)")
    assert (low, high) == pytest.approx((known.low, known.high), abs=2e-3)


@pytest.mark.parametrize("trials", [5, 10, 100])
@pytest.mark.parametrize("truth", [0.02, 0.2, 0.5, 0.9])
def test_each_end_of_a_share_misses_the_truth_in_at_most_one_case_of_forty(trials: int, truth: float) -> None:
    ends = [interval(share(k, trials), statistic="share-above(1)") for k in range(trials + 1)]
    weights = binom.pmf(np.arange(trials + 1), trials, truth)
    below = sum(weight for (low, _), weight in zip(ends, weights, strict=True) if low > truth + 1e-3)
    above = sum(weight for (_, high), weight in zip(ends, weights, strict=True) if high < truth - 1e-3)
    assert max(below, above) <= 0.025


def test_a_difference_of_shares_covers_the_truth() -> None:
    rng, n, p, q = np.random.default_rng(1), 20, 0.9, 0.6
    missed = 0
    for _ in range(300):
        left, right = (rng.random(n) < p) * 2.0, (rng.random(n) < q) * 2.0
        low, high = interval(Side(sign=1, values=left), Side(sign=-1, values=right), statistic="share-above(1)")
        missed += not low <= p - q <= high
    assert missed / 300 <= 0.06


def test_noise_of_the_evaluation_widens_what_agrees_by_chance() -> None:
    values, half = np.full(5, 1.0), 0.2
    ends = np.stack([values - half, values + half])
    low, high = interval(Side(sign=1.0, values=values, ends=ends))
    assert (low, high) == pytest.approx((1 - half / math.sqrt(5), 1 + half / math.sqrt(5)), rel=0.01)
    spread_out = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    wide = Side(sign=1.0, values=spread_out, ends=np.stack([spread_out - half, spread_out + half]))
    assert interval(wide) == pytest.approx(interval(Side(sign=1.0, values=spread_out)), rel=0.05)


def test_noise_of_the_evaluation_is_all_there_is_of_runs_that_do_not_vary() -> None:
    values = np.array([92.9, 93.3])
    ends = np.stack([values - 1.0, values + 1.0])
    low, high = interval(Side(sign=1.0, values=values, fixed=True, ends=ends))
    assert (low, high) == pytest.approx((93.1 - 1 / math.sqrt(2), 93.1 + 1 / math.sqrt(2)), rel=1e-3)
    assert math.isnan(interval(Side(sign=1.0, values=values, fixed=True, ends=np.full((2, 2), np.nan)))[0])


def test_paired_sides_have_the_noise_of_both() -> None:
    values, half = np.arange(6.0), 0.3
    ends = np.stack([values - half, values + half])
    left, right = Side(sign=1.0, values=values + 1, ends=ends + 1), Side(sign=-1.0, values=values, ends=ends)
    low, high = interval(left, right, paired=True)
    both = half * math.sqrt(2 / 6)
    assert (low, high) == pytest.approx((1 - both, 1 + both), rel=0.02)


@pytest.mark.parametrize(
    ("ends", "answer"),
    [
        (None, "reproduced"),
        ((math.nan, math.nan), "inconclusive"),
        ((0.8, 1.2), "reproduced"),
        ((0.0, 2.0), "inconclusive"),
    ],
)
def test_equal_numbers_are_exact_only_if_nothing_was_sampled(ends: tuple[float, float] | None, answer: str) -> None:
    made = records({("reload", "two"): [1.0] * 5})
    noise = {} if ends is None else {key: {"err": ends} for key in made}
    verdict = judge_claim(claim(right=0.7, relation=">"), made, noise=noise)
    assert verdict.answer == answer
    assert verdict.effects[0].exact is (ends is None)
    assert ("exactly" in verdict.sentence) is (ends is None)


def test_a_share_counts_runs_above_the_number_and_infinity_among_them() -> None:
    values = [10.0] * 96 + [math.inf] * 2 + [0.0] * 2
    made = records({("reload", "two"): values})
    verdict = judge_claim(claim(statistic="share-above(5)", relation=">", right=0.9), made)
    assert verdict.effects[0].left == 0.98 and verdict.answer == "reproduced"
    assert "share above 5 of err of reload is 0.98" in verdict.sentence
    assert judge_claim(claim(statistic="share-above(5)", relation=">", right=0.97), made).answer == "inconclusive"
