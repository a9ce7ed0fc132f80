"""Events of curves and the dense evaluation set, against loops and sequences counted by hand."""

from __future__ import annotations

import itertools
import math
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from zoo_icl.probes import dense_evaluation_set, opposition, phase_change, transience

LN2 = math.log(2.0)
CURVES = st.lists(st.floats(0.0, 1.5), min_size=1, max_size=25)


def on_the_line(seqs, curve, first, level):
    """Where the line to evaluation ``first`` meets the level, by numpy's interpolation of the inverse."""
    if first == 0 or not curve[first - 1] >= level:
        return seqs[first]
    return float(np.interp(level, [curve[first], curve[first - 1]], [seqs[first], seqs[first - 1]]))


def near(found, expected):
    return found == expected if None in (found, expected) else math.isclose(found, expected, rel_tol=1e-9)


@settings(max_examples=60)
@given(loss=CURVES)
def test_a_phase_change_is_what_a_reader_of_the_curve_would_say(loss):
    seqs = [10.0 * i**1.5 + i for i in range(len(loss))]
    found = phase_change(seqs, loss)
    onset = [i for i in range(len(loss) - 2) if all(x < 0.9 * LN2 for x in loss[i : i + 3])]
    assert near(found.onset, on_the_line(seqs, loss, onset[0], 0.9 * LN2) if onset else None)
    for value, level in ((found.t_half, 0.5), (found.below_40_percent, 0.4)):
        below = [i for i, x in enumerate(loss) if x < level * LN2]
        assert near(value, on_the_line(seqs, loss, below[0], level * LN2) if below else None)
    stretches = [
        (seqs[i], seqs[j])
        for i, j in itertools.combinations_with_replacement(range(len(loss)), 2)
        if all(abs(x - LN2) <= 0.1 for x in loss[i : j + 1])
    ]
    longest = max(stretches, key=lambda ends: (ends[1] - ends[0], -ends[0]), default=None)
    assert found.plateau == longest


def test_events_of_a_measured_curve():
    seqs = [0, 32e3, 64e3, 96e3, 128e3, 160e3, 192e3, 256e3]
    found = phase_change(seqs, [1.933, 0.887, 0.729, 0.457, 0.184, 0.076, 0.040, 0.015])
    assert found.plateau == (64e3, 64e3)
    assert found.onset == pytest.approx(64e3 + 32e3 * (0.729 - 0.9 * LN2) / (0.729 - 0.457))
    assert found.t_half == pytest.approx(96e3 + 32e3 * (0.457 - 0.5 * LN2) / (0.457 - 0.184))
    assert found.below_40_percent == pytest.approx(96e3 + 32e3 * (0.457 - 0.4 * LN2) / (0.457 - 0.184))
    nothing = phase_change(seqs[:3], [1.9, 1.8, float("nan")])
    assert (nothing.plateau, nothing.onset, nothing.t_half, nothing.below_40_percent) == (None, None, None, None)
    assert phase_change([1, 2], [0.1, 0.1]).onset is None
    assert phase_change([1, 2, 3], [0.91 * LN2] * 3).onset is None
    assert phase_change([1, 2, 3], [0.89 * LN2] * 3).onset == 1
    assert phase_change([1, 2], [2.0, 0.9], floor=2.0).t_half == pytest.approx(1 + 1 / 1.1)
    assert phase_change([1, 2], [float("nan"), 0.9], floor=2.0).t_half == 2


@settings(max_examples=40)
@given(icl=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20), seed=st.integers(0, 99))
def test_transience_is_of_the_median_filtered_curve(icl, seed):
    seqs = [100.0 * (i + 1) for i in range(len(icl))]
    flip = np.random.default_rng(seed).random(len(icl)).tolist()
    found = transience(seqs, icl, flip)

    def smooth(curve):
        return [median(curve[max(0, i - 2) : i + 3]) for i in range(len(curve))]

    curve, swapped = smooth(icl), smooth(flip)
    assert math.isclose(found.peak, max(curve))
    assert found.peak_at == seqs[curve.index(max(curve))]
    assert math.isclose(found.final, curve[-1])
    assert math.isclose(found.drop, max(curve) - curve[-1], abs_tol=1e-12)
    assert found.transient == (found.peak >= 0.7 and found.drop >= 0.15)
    summit = swapped.index(max(swapped))
    after = [i for i in range(summit, len(swapped)) if swapped[i] < 0.5]
    crossed = after and max(swapped) > 0.5
    assert near(found.t_cross, on_the_line(seqs, swapped, after[0], 0.5) if crossed else None)


def test_transience_of_a_measured_curve():
    seqs = np.arange(10) * 64e3
    icl = [0.488, 0.985, 0.976, 0.940, 0.856, 0.740, 0.731, 0.707, 0.692, 0.703]
    flip = [0.530, 0.962, 0.939, 0.827, 0.495, 0.281, 0.182, 0.117, 0.110, 0.100]
    found = transience(seqs, icl, flip)
    assert found.transient
    assert found.peak_at <= 128e3
    assert 0.2 < found.drop < 0.3
    assert found.t_cross == pytest.approx(192e3 + 64e3 * (0.827 - 0.5) / (0.827 - 0.495))
    finer = [43008, 55296, 69632, 88064, 110592, 139264, 174080, 219136, 274432, 344064, 384000]
    fallen = [0.558, 0.693, 0.734, 0.711, 0.655, 0.515, 0.300, 0.184, 0.115, 0.085, 0.082]
    assert transience(finer, fallen, fallen).t_cross == pytest.approx(141_700, rel=1e-3)
    steady = transience(seqs, np.linspace(0.5, 1.0, 10), np.full(10, 0.4))
    assert (steady.transient, steady.drop, steady.t_cross) == (False, 0.0, None)
    assert not transience(seqs, [0.69] * 5 + [0.0] * 5).transient


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: phase_change([1, 2], [1.0]), "two curves of the same length"),
        (lambda: phase_change([1, 1], [1.0, 1.0]), "seqs goes from 1 to 1"),
        (lambda: phase_change([1], [1.0], floor=0.0), "floor = 0.0"),
        (lambda: transience([], []), "icl of 0 evaluations"),
        (lambda: transience([1], [0.5], [math.nan]), "flip of 1 evaluations"),
        (lambda: dense_evaluation_set([3, 3], [(0, 1)]), "all different"),
        (lambda: dense_evaluation_set([3, 4], [(0, 1), (1, 0)]), "none twice"),
        (lambda: dense_evaluation_set([3, 4], []), "0 label pairs"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_dense_set_has_every_sequence_once():
    pairs = [(0, 2), (4, 1), (2, 1)]
    found = dense_evaluation_set([7, 5, 9, 11], pairs)
    want = {
        (a, b, q, la, lb, la if q == a else lb)
        for a, b in itertools.permutations([7, 5, 9, 11], 2)
        for pair in pairs
        for la, lb in itertools.permutations(pair)
        for q in (a, b)
    }
    rows = [tuple(row) for row in np.column_stack([found.classes, found.labels]).tolist()]
    assert set(rows) == want
    assert len(rows) == len(want) == len(found)
    each = np.arange(len(found))
    assert (found.classes[each, found.correct] == found.classes[:, 2]).all()


def test_the_dense_set_of_the_paper_has_78400_sequences():
    pairs = list(itertools.combinations(range(5), 2))[:8]
    assert len(dense_evaluation_set(range(50), pairs)) == 78_400


GRID = st.integers(0, 6).map(lambda n: n / 6)  # few values, so that ranks tie


@settings(max_examples=80)
@given(curves=st.lists(st.tuples(GRID, GRID), min_size=1, max_size=15))
def test_opposition_is_the_rank_correlation_from_the_peak_on(curves):
    falls, rises = (list(curve) for curve in zip(*curves, strict=True))
    start = falls.index(max(falls))
    found = opposition(falls, rises)
    if len(curves) - start < 3 or len(set(falls[start:])) == 1 or len(set(rises[start:])) == 1:
        assert found is None
    else:
        assert found == pytest.approx(spearmanr(falls[start:], rises[start:]).statistic)


def test_opposition_of_curves_that_change_places():
    assert opposition([0.5, 0.9, 0.8, 0.7, 0.6], [0.9, 0.1, 0.2, 0.3, 0.4]) == pytest.approx(-1.0)
    with pytest.raises(ValueError, match="expected as many of both"):
        opposition([0.5, 0.4], [0.1])
    with pytest.raises(ValueError, match="finite"):
        opposition([0.5, math.nan], [0.1, 0.2])
