"""The grammar: seeded, labelled, and such that what was said tells something about what comes next."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from zoo_envs.text.grammar import INTENTS, dialogues


def test_seed_and_stream_determine_the_dialogues() -> None:
    assert dialogues(3, 1, 5, 4) == dialogues(3, 1, 5, 4)
    assert dialogues(3, 1, 5, 4) == dialogues(3, 1, 9, 4)[:5]
    assert dialogues(3, 1, 5, 4) != dialogues(3, 2, 5, 4)
    assert dialogues(3, 1, 5, 4) != dialogues(4, 1, 5, 4)


def test_intents_follow_one_another_as_the_grammar_says() -> None:
    said = dialogues(0, 7, 600, 4)
    assert {u.intent for dialogue in said for u in dialogue} == set(INTENTS)
    pairs = Counter((a.intent, b.intent) for dialogue in said for a, b in pairwise(dialogue))
    for first, second, p in (
        ("question", "inform", 0.8),
        ("directive", "commissive", 0.75),
        ("inform", "inform", 0.15),
    ):
        n = sum(count for (intent, _), count in pairs.items() if intent == first)
        assert abs(pairs[first, second] / n - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_words_of_a_dialogue_return() -> None:
    said = dialogues(0, 7, 500, 2)
    other = said[1:] + said[:1]

    def shared(pairs: object) -> float:
        return float(np.mean([len(set(a.text.split()) & set(b.text.split())) for a, b in pairs]))  # type: ignore[attr-defined]

    assert shared(said) > shared([(a[0], b[1]) for a, b in zip(said, other, strict=True)]) + 0.5
    assert all(word == word.lower() for dialogue in said for u in dialogue for word in u.text.split())
