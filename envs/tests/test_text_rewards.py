"""Reward models by hand, one sample at a time, and found by name; the evaluation too."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.text.grammar import INTENTS, dialogues
from zoo_envs.text.quality import RANGES, Quality, evaluate
from zoo_envs.text.samples import RewardModel, Sample
from zoo_envs.text.scorers import reward_models

QUALITY = Quality(seed=0)


@cache
def model(name: str) -> RewardModel:
    """A reward model of the grammar, built when it is first asked for: collecting the tests trains nothing."""
    return reward_models([name], seed=0)[name]


WORDS = sorted({word for dialogue in dialogues(0, 9, 20, 3) for u in dialogue for word in u.text.split()})
SAMPLES = st.lists(
    st.builds(
        lambda text, reference, intent: Sample(("hello",), " ".join(text), " ".join(reference), intent),
        st.lists(st.sampled_from([*WORDS[:12], "xyz"]), max_size=8),
        st.lists(st.sampled_from(WORDS[:12]), min_size=1, max_size=8),
        st.sampled_from(INTENTS),
    ),
    min_size=1,
    max_size=12,
)


def pair(text: str, reference: str) -> Sample:
    return Sample((), text, reference, "inform")


@pytest.mark.parametrize(
    ("text", "reference", "score"),
    [
        ("a b c", "a b c", 1.0),
        ("", "a b", 0.0),
        ("x y", "a b", 0.0),
        ("b a", "a b", 0.5),  # both words, no pair
        ("a a a a", "a b", (2 * 1 / 6 + 0) / 2),  # a word counts as often as the reference has it
        ("a b x", "a b", (2 * 2 / 5 + 2 * 1 / 3) / 2),
    ],
)
def test_overlap_by_hand(text: str, reference: str, score: float) -> None:
    assert model("ngram").score([pair(text, reference)]) == pytest.approx([score])


@settings(max_examples=50, deadline=None)
@given(samples=SAMPLES, order=st.randoms(use_true_random=False))
def test_permuting_a_batch_permutes_its_rewards(samples: list[Sample], order: Any) -> None:
    permutation = list(range(len(samples)))
    order.shuffle(permutation)
    shuffled = [samples[i] for i in permutation]
    for scorer in (model("ngram"), model("intent")):
        scores = scorer.score(samples)
        assert scores.shape == (len(samples),) and ((scores >= 0) & (scores <= 1)).all()
        assert scorer.score(shuffled).tolist() == scores[permutation].tolist()
        assert [scorer.score([sample])[0] for sample in samples] == scores.tolist()
    assert QUALITY.measure(shuffled).tolist() == QUALITY.measure(samples)[permutation].tolist()


def test_intents_of_unseen_utterances_are_recognised() -> None:
    said = [u for dialogue in dialogues(0, 8, 100, 4) for u in dialogue]
    right = model("intent").score([Sample((), u.text, "", u.intent) for u in said])
    assert right.mean() > 0.9
    wrong = model("intent").score([Sample((), u.text, "", INTENTS[INTENTS.index(u.intent) - 1]) for u in said])
    assert wrong.mean() < 0.1
    # The four probabilities of one text sum to one, and a text without known words gets the intents' shares.
    each = [model("intent").score([Sample((), "xyz", "", intent)])[0] for intent in INTENTS]
    assert sum(each) == pytest.approx(1) and max(each) < 0.6


def test_likeness_is_of_the_longest_common_subsequence() -> None:
    ((likeness, _),) = QUALITY.measure([pair("a x b c", "a b y c z")])
    assert likeness == pytest.approx(2 * 3 / 9)
    assert QUALITY.measure([pair("", "a")]).tolist() == [[0.0, 0.0]]


def test_diversity_falls_with_repetition_and_with_common_words() -> None:
    said = [u.text for dialogue in dialogues(0, 2, 300, 6) for u in dialogue]
    count = {word: sum(text.split().count(word) for text in said) for word in ("the", "soup")}
    assert count["the"] > 5 * count["soup"]
    texts = ["the soup", "the the soup soup", "soup", "the", "xyz"]
    both, repeated, rare, common, unknown = QUALITY.measure([pair(text, "a") for text in texts])[:, 1].tolist()
    assert repeated == pytest.approx(both / 2)
    assert rare > both > common >= 0.0 and unknown == 0.0


@pytest.fixture(autouse=True)
def no_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reward functions that other tests have registered in this process are not there."""
    monkeypatch.setattr("zoo_envs.text.scorers.registered", dict)


def test_evaluation_is_half_of_each_between_its_ends() -> None:
    low, high = np.array(RANGES).T
    assert evaluate(low) == 0.0 and evaluate(high) == 1.0
    assert evaluate(np.array([high[0], low[1]])) == pytest.approx(0.5)
    assert evaluate((low + high) / 2) == pytest.approx(0.5)
    assert evaluate(high + 5) == 1.0 and evaluate(low - 5) == 0.0


def test_a_reward_model_of_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "length_reward.py").write_text(
        "import numpy as np\n"
        "class Length:\n"
        "    threshold, range = None, (0.0, 99.0)\n"
        "    def __init__(self, argument, seed):\n"
        "        self.unit = float(argument or 1)\n"
        "    def score(self, samples):\n"
        "        return np.array([len(s.text.split()) / self.unit for s in samples])\n",
        encoding="utf-8",
    )
    info = tmp_path / "length_reward-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: length-reward\nVersion: 1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        "[zoo_envs.reward_models]\nlength = length_reward:Length\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    ngram, length, half = reward_models(["ngram", "length", "length:2"], seed=0).values()
    assert isinstance(ngram, RewardModel)
    assert [model.score([pair("a b c", "a b")])[0] for model in (length, half)] == [3.0, 1.5]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("ngrm",), "no reward model 'ngrm': did you mean 'ngram'"),
        (("qqq",), "no reward model 'qqq': known are .*hf, intent, ngram"),
        (("ngram", "ngram"), "distinct"),
        ((), "one at least"),
        (("ngram:3",), "'ngram' takes no argument"),
        (("intent:x",), "'intent' takes no argument"),
        (("hf",), "'hf:NAME'"),
    ],
)
def test_names_that_are_refused(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reward_models(names, seed=0)
