"""The bandit over lambda against updates done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zoo_successor.deep.bandit import EpisodeRounds, ExponentialWeights


class Fixed:
    """A generator whose uniform numbers are given, so that the arms are known."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = list(numbers)

    def random(self) -> float:
        return self.numbers.pop(0)


def test_two_rounds_by_hand() -> None:
    # Uniform numbers 0.5, 0.9, 0.1 choose the arms 1, 2, 0 while the probabilities are near 1/3 each.
    bandit = ExponentialWeights((0.0, 0.5, 1.0), Fixed(0.5, 0.9, 0.1), lr=0.1, decay=0.9, window=5)  # type: ignore[arg-type]
    assert bandit.value == 0.5
    bandit.end_round(3.0)  # the first feedback is 0, its mean too: nothing is learned
    assert bandit.weights.tolist() == [0.0, 0.0, 0.0]
    assert bandit.value == 1.0
    bandit.end_round(7.0)  # feedbacks 0 and 4: mean 2, deviation 2, so (4 - 2) / 2 = 1, through p = 1/3
    assert bandit.weights == pytest.approx([0.0, 0.0, 0.1 * 1 * 3])
    share = 1 / (2 + math.exp(0.3))
    assert bandit.probabilities == pytest.approx([share, share, 1 - 2 * share])
    assert bandit.value == 0.0


def test_the_old_weight_of_the_arm_decays_and_the_others_stay() -> None:
    bandit = ExponentialWeights((0.0, 1.0), Fixed(0.9, 0.9, 0.9), lr=0.2, decay=0.5, window=2)  # type: ignore[arg-type]
    bandit.weights = np.array([1.0, 2.0])
    bandit.end_round(1.0)
    assert bandit.weights == pytest.approx([1.0, 1.0])
    bandit.end_round(1.0)
    assert bandit.weights == pytest.approx([1.0, 0.5])


def test_the_window_forgets() -> None:
    bandit = ExponentialWeights((0.0,), Fixed(*[0.0] * 5), lr=1.0, decay=0.0, window=3)  # type: ignore[arg-type]
    for total in (0.0, 100.0, 104.0, 105.0):
        bandit.end_round(total)
    # The window holds the feedbacks 100, 4 and 1: mean 35, variance 2114; one arm has probability 1.
    assert bandit.weights == pytest.approx([(1 - 35) / math.sqrt(2114)])


def test_the_better_arm_is_played_more() -> None:
    better = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        bandit = ExponentialWeights((0.0, 0.5, 1.0), rng)
        chosen = []
        for _ in range(300):
            chosen.append(bandit.value)
            bandit.end_round(10.0 * (bandit.value == 0.5) + rng.normal())
        better.append(np.mean(np.array(chosen[100:]) == 0.5))
    assert np.mean(better) - 4 * np.std(better) / math.sqrt(len(better)) > 1 / 3


def test_resume() -> None:
    one = ExponentialWeights((0.0, 0.5, 1.0), np.random.default_rng(1))
    for total in (1.0, 4.0, 2.0):
        one.end_round(total)
    other = ExponentialWeights((0.0, 0.5, 1.0), np.random.default_rng(2))
    other.load_state(one.state())
    for total in np.random.default_rng(3).normal(size=20):
        one.end_round(total)
        other.end_round(total)
        assert one.value == other.value
    assert one.weights.tolist() == other.weights.tolist()


def test_a_round_ends_when_every_copy_has_ended_an_episode() -> None:
    rounds = EpisodeRounds(2)
    assert rounds.add(np.array([1.0, 2.0]), np.array([True, False])) is None
    assert rounds.add(np.array([3.0, 4.0]), np.array([True, False])) is None
    # Episodes of returns 1, 3 and 2 + 4 + 5; the third episode of copy 0 goes on.
    assert rounds.add(np.array([7.0, 5.0]), np.array([False, True])) == pytest.approx((1 + 3 + 11) / 3)
    assert rounds.add(np.array([1.0, 1.0]), np.array([True, True])) == pytest.approx((8 + 1) / 2)


@given(st.lists(st.tuples(st.floats(-10, 10), st.booleans()), max_size=30), st.integers(0, 29))
def test_with_one_copy_a_round_is_an_episode_also_after_a_resume(steps: list[tuple[float, bool]], cut: int) -> None:
    rounds, running = EpisodeRounds(1), 0.0
    for number, (reward, done) in enumerate(steps):
        if number == cut:
            state = rounds.state()
            rounds = EpisodeRounds(1)
            rounds.load_state(state)
        running += reward
        found = rounds.add(np.array([reward]), np.array([done]))
        if done:
            assert found == pytest.approx(running)
            running = 0.0
        else:
            assert found is None
