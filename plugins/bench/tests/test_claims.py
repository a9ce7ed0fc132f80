"""Verdicts: the rules on fixed numbers, and the promise by simulation."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zoo_bench.claims import Records, Verdict, formula_of, judge, judge_claim
from zoo_bench.schema import Claim, Suite, Term

from zoo.errors import UsageError

ERR = Term(label="reload", metric="err")
GDA = Term(label="gda", metric="err")


def claim(**changes: Any) -> Claim:
    given: dict[str, Any] = {"id": "better", "text": "ReLOAD ends closer", "left": ERR, "relation": "<", "right": GDA}
    return Claim(**{**given, "environments": ("two",), "source": "paper", "setting": "paper", **changes})


def records(values: Mapping[tuple[str, str], Iterable[float | None]], first: int = 0) -> dict[Any, dict[str, Any]]:
    """Records with "err" as given; "aux" differs between seeds, so that no cell looks deterministic."""
    return {
        (label, env, first + seed): {"err": value, "aux": 0.1 * seed + 1 / 3}
        for (label, env), column in values.items()
        for seed, value in enumerate(column)
    }


def judged(claim: Claim, left: Iterable[float | None], right: Iterable[float | None] = ()) -> Verdict:
    return judge_claim(claim, records({("reload", "two"): left, ("gda", "two"): right}))


LOW, HIGH = [0.11, 0.12, 0.10, 0.13, 0.12], [0.51, 0.50, 0.52, 0.53, 0.49]


# The relation and its margin


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({}, "reproduced"),
        ({"relation": ">"}, "not reproduced"),
        ({"relation": "<=", "margin": -0.3}, "reproduced"),
        ({"relation": "<=", "margin": -0.5}, "not reproduced"),
        ({"relation": "<", "margin": -0.39}, "inconclusive"),
        ({"relation": "within", "margin": 0.5}, "reproduced"),
        ({"relation": "within", "margin": 0.2}, "not reproduced"),
        ({"relation": "within", "margin": 0.39}, "inconclusive"),
        ({"scale": "ratio", "margin": 0.5}, "reproduced"),
        ({"scale": "ratio", "margin": 0.1}, "not reproduced"),
        ({"scale": "ratio", "relation": "within", "margin": 3.0}, "not reproduced"),
        ({"scale": "ratio", "relation": "within", "margin": 8.0}, "reproduced"),
        ({"right": 0.3}, "reproduced"),
        ({"right": 0.3, "relation": ">="}, "not reproduced"),
        ({"right": 0.1, "relation": "within", "margin": 0.05}, "reproduced"),
    ],
)
@pytest.mark.parametrize("paired", [True, False])
def test_answers(changes: dict[str, Any], answer: str, paired: bool) -> None:
    found = judged(claim(**changes, paired=paired), LOW, HIGH)
    assert found.answer == answer, found.sentence
    (effect,) = found.effects
    assert (found.estimate, found.low, found.high) == pytest.approx((effect.estimate, effect.low, effect.high))
    assert effect.low < effect.estimate < effect.high and effect.n == 5


def test_a_ratio_is_that_of_the_values() -> None:
    found = judged(claim(scale="ratio", margin=1.0), [1e-6, 2e-6, 3e-6, 4e-6], [1e-3, 2e-3, 3e-3, 4e-3])
    assert found.estimate == pytest.approx(1e-3) and found.answer == "inconclusive"  # ratios tied at four seeds
    zero = judged(claim(scale="ratio", margin=1.0), [0.0, 1e-18, 0.0], [1e-3, 2e-3, 4e-3])
    assert (
        zero.estimate == pytest.approx(1e-16 / 2e-3) and zero.answer == "reproduced"
    )  # below rounding it counts as rounding


def test_a_ratio_to_a_number() -> None:
    found = judged(claim(scale="ratio", margin=0.5, right=0.01), [0.001, 0.0011, 0.0009, 0.001, 0.0012])
    assert found.estimate == pytest.approx((0.001 * 0.001 * 0.0011) ** (1 / 3) / 0.01) and found.answer == "reproduced"


def test_pairs_are_compared_seed_by_seed() -> None:
    """Seeds matter far more than the algorithms: only pairs show the difference."""
    base = np.array([1.0, 5.0, 9.0, 2.0, 7.0])
    left, right = base - np.array([0.1, 0.12, 0.11, 0.09, 0.1]), base
    assert judged(claim(), list(left), list(right)).answer == "reproduced"
    alone = judged(claim(paired=False), list(left), list(right))
    assert alone.answer == "inconclusive" and not alone.effects[0].paired
    shifted = records({("reload", "two"): left}) | records({("gda", "two"): right}, first=2)
    found = judge_claim(claim(), shifted)
    assert (found.effects[0].n, found.effects[0].missing) == (3, 4)


# Environments


def test_a_claim_holds_only_if_it_does_everywhere() -> None:
    everywhere = claim(environments=("two", "three"))
    good = {("reload", "two"): LOW, ("gda", "two"): HIGH}
    same = judge_claim(everywhere, records({**good, ("reload", "three"): LOW, ("gda", "three"): HIGH}))
    assert same.answer == "reproduced" and "tightest of 2" in same.sentence
    # The average over both would hold: far better on one, a little worse on the other.
    worse = judge_claim(
        everywhere, records({**good, ("reload", "three"): [x + 0.1 for x in HIGH], ("gda", "three"): HIGH})
    )
    assert worse.high < 0 and worse.answer == "not reproduced"
    assert "on three, the worst of 2" in worse.sentence
    assert [effect.answer for effect in worse.effects] == ["reproduced", "not reproduced"]
    open_ = judge_claim(everywhere, records({**good, ("reload", "three"): LOW, ("gda", "three"): LOW[::-1]}))
    assert open_.words == "inconclusive at 5 seeds"


def test_the_interval_over_all_environments_is_that_of_their_mean() -> None:
    draw = np.random.default_rng(1)
    one, two = list(draw.normal(1.0, 0.1, 20)), list(draw.normal(2.0, 0.1, 20))
    above = claim(right=0.0, relation=">", environments=("two", "three"))
    found = judge_claim(above, records({("reload", "two"): one, ("reload", "three"): two}))
    assert found.estimate == pytest.approx(np.mean([effect.estimate for effect in found.effects]))
    widths = [effect.high - effect.low for effect in found.effects]
    assert found.high - found.low == pytest.approx(math.hypot(*widths) / 2, rel=0.1)


def test_many_environments_are_refused_less_easily() -> None:
    """One environment of six violates at 95 %, which chance alone would bring about often; not at 99.2 %."""
    names = tuple(f"e{k}" for k in range(6))
    runs = {("reload", env): [-2.0, -1.9, -2.1] for env in names}
    below = claim(right=0.0, environments=names)
    assert judge_claim(below, records(runs)).answer == "reproduced"
    runs["reload", "e3"] = [2.0, 3.0, 4.0]  # low: 3 - 2.7 at 95 %, 3 - 5.1 at 99.2 %
    found = judge_claim(below, records(runs))
    assert found.effects[3].answer == "not reproduced" and found.answer == "inconclusive"
    runs["reload", "e3"] = [6.0, 7.0, 8.0]
    assert judge_claim(below, records(runs)).answer == "not reproduced"


def test_an_environment_without_runs_leaves_it_open() -> None:
    found = judge_claim(claim(environments=("two", "four")), records({("reload", "two"): LOW, ("gda", "two"): HIGH}))
    assert found.words == "inconclusive at 0 seeds" and math.isnan(found.low)
    assert found.sentence == "On four no run of reload or of gda has a value yet."
    json.loads(json.dumps(found.to_json(), allow_nan=False))


# Runs that do not vary


def planner(label: str, value: float, seeds: int, **more: float) -> dict[Any, dict[str, float]]:
    return {(label, "two", seed): {"err": value, **more} for seed in range(seeds)}


def test_a_deterministic_planner_is_judged_as_a_number() -> None:
    for seeds in (2, 3, 5):
        found = judge_claim(claim(), planner("reload", 0.012345678, seeds) | planner("gda", 0.412345678, seeds))
        assert found.answer == "reproduced" and (found.low, found.high) == pytest.approx((-0.4, -0.4))
        assert found.effects[0].exact and "exactly" in found.sentence
    alone = judge_claim(claim(), planner("reload", 0.012345678, 1) | planner("gda", 0.412345678, 1))
    assert alone.words == "inconclusive at 1 seed" and "at least 3 are needed" in alone.sentence


def test_strict_and_weak_relations_differ_at_equality() -> None:
    runs = planner("reload", 0.012345678, 2) | planner("gda", 0.012345678, 2)
    answers = {relation: judge_claim(claim(relation=relation), runs).answer for relation in ("<", "<=", ">", ">=")}
    assert answers == {"<": "not reproduced", "<=": "reproduced", ">": "not reproduced", ">=": "reproduced"}


def test_a_planner_beside_runs_that_vary() -> None:
    runs = planner("gda", 0.512345678, 2) | records({("reload", "two"): LOW})
    found = judge_claim(claim(), runs)
    assert (found.answer, found.n) == ("reproduced", 5) and not found.effects[
        0
    ].paired  # as many as there are that vary


@pytest.mark.parametrize(("seeds", "answer"), [(2, "inconclusive"), (4, "inconclusive"), (5, "reproduced")])
def test_a_bound_that_all_runs_reach_counts_from_five_seeds(seeds: int, answer: str) -> None:
    """500 of 500 may be luck: half the runs of a mediocre agent would do that three times in eight."""
    found = judged(claim(left=ERR, relation=">=", right=475.0), [500.0] * seeds)
    assert found.answer == answer
    if seeds == 4:
        assert "at least 5 are needed" in found.sentence
    without = {key: {"err": row["err"]} for key, row in records({("reload", "two"): [500.0] * seeds}).items()}
    assert judge_claim(claim(relation=">=", right=475.0), without).answer == answer  # round numbers agree by chance


# What is missing


def test_runs_without_a_value_are_left_out_and_told() -> None:
    found = judged(claim(right=0.3), [*LOW, None, math.nan])
    assert found.answer == "reproduced" and found.n == 5 and found.effects[0].missing == 2
    assert found.sentence.endswith("; 2 runs had no value or partner.")
    never = judged(claim(), LOW, [None, None])
    assert never.words == "inconclusive at 0 seeds" and "2 runs ended without a value" in never.sentence


@pytest.mark.parametrize("scale", ["difference", "ratio"])
@pytest.mark.parametrize("paired", [True, False])
def test_never_is_later_than_any_time(scale: str, paired: bool) -> None:
    times, never = [130.0, 150.0, 120.0, 140.0, 110.0], [math.inf] * 5
    sooner = claim(scale=scale, margin=0.5 if scale == "ratio" else -100.0, paired=paired)
    found = judged(sooner, times, never)
    extreme = 0.0 if scale == "ratio" else -math.inf
    assert found.answer == "reproduced" and found.high == pytest.approx(extreme, abs=1e-12)
    assert found.effects[0].right == math.inf
    assert judged(sooner, never, times).answer == "not reproduced"
    assert judged(sooner, never, never).answer == "not reproduced"  # neither is sooner
    assert judged(sooner, times, [100.0, math.inf, 140.0, math.inf, 120.0]).answer == "inconclusive"
    json.loads(json.dumps(found.to_json(), allow_nan=False))


def test_a_metric_that_no_run_has_is_an_error_naming_both() -> None:
    with pytest.raises(UsageError, match=r"'better' compares 'er' of reload: .* did you mean err\?"):
        judge_claim(claim(left=Term(label="reload", metric="er")), records({("reload", "two"): LOW}))
    assert judge_claim(claim(), {}).answer == "inconclusive"  # nothing was run yet: no reason to complain
    others = {("ppo", "two", 0): {"return": 1.0}, ("reload", "three", 0): {"return": 1.0}}
    assert (
        judge_claim(claim(), others).words == "inconclusive at 0 seeds"
    )  # nor if what was run is not about this claim


def test_ratios_need_values_that_are_not_negative() -> None:
    with pytest.raises(UsageError, match=r"'better': err of gda on two goes down to -1"):
        judged(claim(scale="ratio", margin=1.0), LOW, [-1.0, 2.0, 3.0])
    with pytest.raises(UsageError, match="ratio to 0"):
        judged(claim(scale="ratio", margin=1.0, right=0.0), LOW)


# In words


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "err(reload) < err(gda)"),
        ({"margin": -0.1, "relation": ">="}, "err(reload) - err(gda) >= -0.1"),
        ({"right": 0.01}, "err(reload) < 0.01"),
        ({"scale": "ratio", "margin": 0.01}, "err(reload) / err(gda) < 0.01"),
        ({"scale": "ratio", "margin": 1.0}, "err(reload) < err(gda)"),
        ({"relation": "within", "margin": 0.1}, "|err(reload) - err(gda)| <= 0.1"),
        ({"relation": "within", "margin": 4.0, "scale": "ratio"}, "0.25 <= err(reload) / err(gda) <= 4"),
    ],
)
def test_formula(changes: dict[str, Any], text: str) -> None:
    assert formula_of(claim(**changes)) == text


def test_a_number_on_the_right_is_told_as_a_value() -> None:
    sentence = judged(claim(right=0.3), LOW).sentence
    assert sentence.startswith("err of reload is 0.11667 [0.") and sentence.endswith(
        "at 5 seeds on two; claimed < 0.3."
    )


def test_a_suite_gets_a_verdict_for_each_claim_and_the_same_again() -> None:
    suite = Suite(name="s", title="t", path=Path("s.toml"), cells=(), claims=(claim(), claim(id="worse", relation=">")))
    runs: Records = records({("reload", "two"): LOW, ("gda", "two"): HIGH})
    first, second = judge(suite, runs), judge(suite, {key: runs[key] for key in reversed(list(runs))})
    assert [found.answer for found in first] == ["reproduced", "not reproduced"]
    assert [found.to_json() for found in first] == [found.to_json() for found in second]


# The promise, by simulation


def test_a_wider_margin_never_loses_a_claim() -> None:
    draw = np.random.default_rng(5)
    left, right = draw.normal(size=6), draw.normal(size=6)
    answers = [judged(claim(margin=margin), list(left), list(right)).answer for margin in np.linspace(-3, 3, 25)]
    order = {"not reproduced": 0, "inconclusive": 1, "reproduced": 2}
    assert [order[answer] for answer in answers] == sorted(order[answer] for answer in answers)
    assert {*answers} == {*order}


@given(st.lists(st.floats(-1, 1, width=16), min_size=3, max_size=6))
def test_swapping_the_sides_mirrors_the_verdict(left: list[float]) -> None:
    right = [0.1 * k - 0.2 for k in range(len(left))]
    one = judged(claim(paired=False), left, right).effects[0]
    other = judge_claim(
        claim(paired=False, relation=">", left=GDA, right=ERR),
        records({("reload", "two"): left, ("gda", "two"): right}),
    ).effects[0]
    assert one.estimate == pytest.approx(-other.estimate, abs=1e-12)
    if not math.isnan(one.low):
        width = max(one.high - one.low, 1e-9)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=0.25 * width)


def passes(answer: str, seeds: int, shift: float, trials: int, *, paired: bool, environments: int = 1) -> int:
    """How often data sets get this answer for "left < right", where left lies ``shift`` standard deviations below."""
    draw, hits = np.random.default_rng(seeds), 0
    names = tuple(f"e{k}" for k in range(environments))
    for _ in range(trials):
        values = {(label, env): list(draw.normal(0.0 if label == "gda" else -shift, 1.0, size=seeds))
                  for label in ("reload", "gda") for env in names}  # fmt: skip
        hits += judge_claim(claim(environments=names, paired=paired), records(values)).answer == answer
    return hits


@pytest.mark.parametrize(("seeds", "paired"), [(3, True), (5, True), (5, False), (10, False)])
def test_a_claim_on_the_edge_of_falsehood_passes_at_most_at_the_promised_rate(seeds: int, paired: bool) -> None:
    trials = 300
    most = 0.025 * trials + 3 * np.sqrt(0.025 * 0.975 * trials)
    assert passes("reproduced", seeds, 0.0, trials, paired=paired) <= most
    assert passes("not reproduced", seeds, 0.0, trials, paired=paired) <= most


def test_many_environments_raise_neither_error() -> None:
    trials = 100
    most = 0.05 * trials + 3 * np.sqrt(0.05 * 0.95 * trials)
    assert passes("not reproduced", 5, 0.0, trials, paired=False, environments=6) <= most
    assert passes("reproduced", 5, 0.0, trials, paired=False, environments=2) <= 1


@pytest.mark.parametrize(("seeds", "shift"), [(3, 12.0), (5, 5.0), (10, 3.0)])
def test_what_is_clearly_true_passes_nearly_always(seeds: int, shift: float) -> None:
    assert passes("reproduced", seeds, shift, 100, paired=True) >= 95
    assert passes("not reproduced", seeds, -shift, 100, paired=True) >= 95


# Whose claim it is, and by which statistic


def test_the_statistic_of_the_claim_decides() -> None:
    rare = [0.0] * 15 + [8.0, 9.0, 8.5, 9.5, 8.2]  # successes of a quarter of the runs: cut off by an IQM
    by = {name: judged(claim(statistic=name, relation=">", right=0.0), rare) for name in ("iqm", "mean", "median")}
    assert by["mean"].effects[0].left == pytest.approx(np.mean(rare))
    assert (by["mean"].answer, by["iqm"].effects[0].left, by["median"].effects[0].left) == ("reproduced", 0.0, 0.0)
    assert by["iqm"].answer != "reproduced"


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_false_claim_about_another_statistic_passes_rarely(statistic: str) -> None:
    rng = np.random.default_rng(5)
    null = claim(statistic=statistic, relation=">", right=0.0)
    passed = sum(judged(null, rng.normal(size=5)).answer == "reproduced" for _ in range(400))
    assert passed <= 20  # 2.5 % of 400 are 10, with a standard deviation of 3.1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "paper", "setting": "paper"}, "reproduced"),
        ({"source": "paper", "setting": "small model"}, "reproduced (small model)"),
        ({"source": "exact"}, "as before"),
        ({"source": "ours"}, "as before"),
        ({"source": "ours", "relation": ">"}, "changed"),
        ({"source": "paper", "setting": "small model", "relation": ">"}, "not reproduced (small model)"),
        ({"source": "ours", "margin": -0.39}, "inconclusive at 5 seeds"),
    ],
)
def test_only_what_a_paper_claims_is_reproduced(changes: dict[str, Any], words: str) -> None:
    assert judged(claim(**changes), LOW, HIGH).words == words
