"""Classes of a context: frequencies against enumerated probabilities, and what must hold in every sequence."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.icl.batch import BURSTY, DISTRACTOR, OTHER, QUERY
from zoo_envs.icl.class_distribution import RankDistribution
from zoo_envs.icl.sampler import Sampler

MODES: tuple[dict[str, Any], ...] = (
    {},
    {"no_support": True},
    {"unique_rest": True},
    {"distractor": False},
    {"burstiness": 0, "no_support": True},
)


def renormalised(p: dict[int, float], without: set[int]) -> dict[int, float]:
    total = sum(value for rank, value in p.items() if rank not in without)
    return {rank: value / total for rank, value in p.items() if rank not in without}


def enumerated(sampler: Sampler, p: dict[int, float]) -> dict[tuple[int, ...], float]:
    """Probability of each (classes of the context, query), from docs/methods/icl.md, section 1."""
    found: dict[tuple[int, ...], float] = defaultdict(float)
    for query, p_query in p.items():
        starts: list[tuple[list[int], set[int], float]] = [([query] * sampler.burstiness, {query}, p_query)]
        if sampler.distractor and sampler.burstiness:
            starts = [
                (slots + [d] * sampler.burstiness, taken | {d}, chance * p_d)
                for slots, taken, chance in starts
                for d, p_d in renormalised(p, {query}).items()
            ]
        for _ in range(sampler.context - len(starts[0][0])):
            longer = []
            for slots, taken, chance in starts:
                without = taken if sampler.unique_rest or sampler.no_support else set()
                for other, p_other in renormalised(p, without).items():
                    more = taken | {other} if sampler.unique_rest else taken
                    longer.append(([*slots, other], more, chance * p_other))
            starts = longer
        orders = list(itertools.permutations(range(sampler.context)))
        for slots, _, chance in starts:
            for order in orders:
                found[(*(slots[place] for place in order), query)] += chance / len(orders)
    return found


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(mode) or "plain")
@pytest.mark.parametrize("alpha", [0.0, 1.3])
def test_frequencies_are_the_enumerated_probabilities(mode: dict[str, Any], alpha: float) -> None:
    sampler = Sampler(**({"context": 3, "burstiness": 1} | mode))
    weights = {rank: (rank + 1) ** -alpha for rank in range(4)}
    p = {rank: weight / sum(weights.values()) for rank, weight in weights.items()}
    expected = enumerated(sampler, p)
    assert sum(expected.values()) == pytest.approx(1)
    size = 40_000
    ranks, _ = sampler.draw(RankDistribution(4, alpha), size, np.random.default_rng(7))
    counts = Counter(map(tuple, ranks.tolist()))
    assert set(counts) <= set(expected)
    for sequence, chance in expected.items():
        error = np.sqrt(size * chance * (1 - chance))
        assert abs(counts[sequence] - size * chance) < 5 * error + 1, (sequence, counts[sequence], size * chance)


samplers = st.builds(
    lambda burstiness, rest, distractor, no_support, unique: Sampler(
        context=max(burstiness * (2 if distractor else 1) + rest, 1),
        burstiness=burstiness,
        distractor=distractor,
        no_support=no_support,
        unique_rest=unique,
    ),
    st.integers(0, 3),
    st.integers(0, 3),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(sampler=samplers, spare=st.integers(0, 5), alpha=st.sampled_from([0.0, 0.5, 3.0]), seed=st.integers(0, 99))
def test_every_sequence_is_as_asked(sampler: Sampler, spare: int, alpha: float, seed: int) -> None:
    law = RankDistribution(sampler.needed + spare, alpha)
    sampler.check(law, "training")
    ranks, kinds = sampler.draw(law, 20, np.random.default_rng(seed))
    assert ranks.shape == kinds.shape == (20, sampler.context + 1)
    assert ranks.min() >= 0 and ranks.max() < law.count
    B = sampler.burstiness
    for row, kind in zip(ranks, kinds, strict=True):
        query, context, of = row[-1], row[:-1], kind[:-1]
        assert kind[-1] == QUERY and (of != QUERY).all()
        assert (context[of == BURSTY] == query).all() and (of == BURSTY).sum() == B
        reserved = {query}
        if sampler.distractor:
            assert (of == DISTRACTOR).sum() == B
            if B:
                (d,) = set(context[of == DISTRACTOR])
                assert d != query
                reserved.add(d)
        else:
            assert (of != DISTRACTOR).all()
        others = context[of == OTHER].tolist()
        if sampler.no_support or sampler.unique_rest:
            assert not reserved & set(others)
        if sampler.unique_rest:
            assert len(set(others)) == len(others)


@settings(deadline=None, max_examples=40)
@given(count=st.integers(1, 7), alpha=st.sampled_from([0.0, 1.0, 2.5]), data=st.data())
def test_excluded_ranks_never_come_and_all_others_can(count: int, alpha: float, data: st.DataObject) -> None:
    without = data.draw(st.lists(st.integers(0, count - 1), unique=True, max_size=count - 1))
    law = RankDistribution(count, alpha)
    drawn = law.draw(2000, np.random.default_rng(0), np.tile(np.array(without, dtype=np.int64), (2000, 1)))
    assert not set(without) & set(drawn.tolist())
    left = [rank for rank in range(count) if rank not in without]
    p = np.array([(rank + 1.0) ** -alpha for rank in left])
    p /= p.sum()
    counts = np.array([(drawn == rank).sum() for rank in left])
    assert (np.abs(counts - 2000 * p) <= 6 * np.sqrt(2000 * p * (1 - p)) + 2).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"context": 3, "burstiness": 2}, "2 x burstiness = 4 slots do not fit into a context of 3"),
        ({"context": 1, "burstiness": 2, "distractor": False}, "burstiness = 2 slots do not fit into a context of 1"),
        ({"context": 0, "burstiness": 0}, "context must be at least 1"),
        ({"context": 2, "burstiness": -1}, "burstiness must be at least 0"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Sampler(**options)


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ({"burstiness": 0, "unique_rest": True}, 5),
        ({"burstiness": 1, "unique_rest": True}, 4),
        ({"burstiness": 0, "no_support": True}, 2),
        ({"burstiness": 1, "no_support": True}, 3),
        ({"burstiness": 2}, 2),
    ],
)
def test_too_few_classes_are_refused(options: dict[str, Any], needed: int) -> None:
    sampler = Sampler(context=4, **options)
    sampler.check(RankDistribution(needed), "training")
    with pytest.raises(ValueError, match=f"training has {needed - 1} classes: .*needs at least {needed}"):
        sampler.check(RankDistribution(needed - 1), "training")


def test_a_law_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="zipf_alpha must be a finite number of at least 0, got -1"):
        RankDistribution(3, -1)
    with pytest.raises(ValueError, match="at least 1 class, got 0"):
        RankDistribution(0)
    with pytest.raises(ValueError, match=r"zipf_alpha 40\.0 leaves the last of 9 classes no weight"):
        RankDistribution(9, 40.0)
