"""A seeded grammar of small dialogues: the corpus, the prompts, and the labels that classifiers learn.

Two speakers talk about one topic. Each utterance has an intent, which depends on that of the utterance before it, and
is a sentence whose words come from the topic. A dialogue keeps returning to one subject, one quality and one time, so
that what was said tells something about what will be said, but never all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["INTENTS", "Dialogue", "Utterance", "dialogues"]

INTENTS: tuple[str, ...] = ("inform", "question", "directive", "commissive")
"""the dialogue acts that DailyDialog distinguishes (Li et al. 2017, arXiv:1710.03957)"""

_FIRST = (0.3, 0.4, 0.2, 0.1)
"""law of the first intent"""

_TRANSITIONS = (
    (0.15, 0.55, 0.20, 0.10),
    (0.80, 0.06, 0.07, 0.07),
    (0.10, 0.10, 0.05, 0.75),
    (0.20, 0.15, 0.55, 0.10),
)
"""row: law of the intent that answers each one"""

_SENTENCES: tuple[tuple[str, ...], ...] = (
    (
        "the {noun} is {quality} {when}",
        "i like the {quality} {noun}",
        "we saw the {noun} {where}",
        "my {person} has a {quality} {noun}",
        "there is a {quality} {noun} {where}",
        "it was {quality} {when}",
    ),
    (
        "do you like the {noun} ?",
        "where is the {quality} {noun} ?",
        "is the {noun} {quality} {when} ?",
        "have you seen the {noun} {where} ?",
        "when do we get the {noun} ?",
        "what did your {person} say about the {noun} ?",
    ),
    (
        "please bring the {noun} {when}",
        "let us look for the {noun} {where}",
        "tell me about the {quality} {noun}",
        "you should try the {noun} {where}",
        "do not forget the {noun} !",
        "ask your {person} for a {quality} {noun}",
    ),
    (
        "i will bring the {noun} {when}",
        "sure , i will look for the {quality} {noun}",
        "no , i can not come {when}",
        "okay , we will try the {noun} {where}",
        "yes , let me get the {noun}",
        "i promise to ask my {person} {when}",
    ),
)
"""of each intent"""


@dataclass(frozen=True)
class _Topic:
    nouns: tuple[str, ...]
    qualities: tuple[str, ...]
    places: tuple[str, ...]


_TOPICS: tuple[_Topic, ...] = (
    _Topic(
        ("soup", "bread", "cake", "tea", "fish", "rice"),
        ("hot", "fresh", "sweet", "salty"),
        ("at the cafe", "in the kitchen", "at the market"),
    ),
    _Topic(
        ("train", "ticket", "map", "bag", "hotel", "bus"),
        ("late", "cheap", "full", "fast"),
        ("at the station", "in the city", "near the beach"),
    ),
    _Topic(
        ("song", "band", "guitar", "concert", "record", "piano"),
        ("loud", "new", "old", "good"),
        ("at the hall", "in the park", "near the theatre"),
    ),
    _Topic(
        ("report", "letter", "meeting", "desk", "phone", "plan"),
        ("short", "urgent", "long", "clear"),
        ("in the office", "near the door", "at the bank"),
    ),
    _Topic(
        ("ball", "match", "team", "race", "bike", "coach"),
        ("strong", "hard", "quick", "fair"),
        ("on the field", "at the gym", "near the river"),
    ),
)
_TIMES = ("today", "tonight", "tomorrow", "now", "on monday", "this week", "after lunch", "in the morning")
_PERSONS = ("brother", "sister", "friend", "teacher")

_P_OWN_WORD = {"noun": 0.8, "quality": 0.6, "where": 0.6, "when": 0.6, "person": 0.6}
"""probability that an utterance uses the dialogue's own choice of each kind of word"""


@dataclass(frozen=True)
class Utterance:
    """What one speaker says: words separated by blanks, and one of `INTENTS`."""

    text: str
    intent: str


Dialogue = tuple[Utterance, ...]


def dialogues(seed: int, stream: int, count: int, turns: int) -> list[Dialogue]:
    """Draw `count` dialogues of `turns` utterances.

    Args:
        seed: of the corpus, at least 0.
        stream: another number gives other dialogues with the same seed: what is trained on is kept from prompts.
        count: number of dialogues.
        turns: utterances in each.
    """
    rng = np.random.default_rng([seed, stream])
    return [_dialogue(rng, turns) for _ in range(count)]


def _dialogue(rng: np.random.Generator, turns: int) -> Dialogue:
    topic = _TOPICS[int(rng.integers(len(_TOPICS)))]
    choices = {
        "noun": topic.nouns,
        "quality": topic.qualities,
        "where": topic.places,
        "when": _TIMES,
        "person": _PERSONS,
    }
    favourites = {kind: _choice(rng, words) for kind, words in choices.items()}
    said: list[Utterance] = []
    probabilities = _FIRST
    for _ in range(turns):
        intent = int(rng.choice(len(INTENTS), p=probabilities))
        probabilities = _TRANSITIONS[intent]
        words = {
            kind: favourites[kind] if rng.random() < _P_OWN_WORD[kind] else _choice(rng, known)
            for kind, known in choices.items()
        }
        said.append(Utterance(_choice(rng, _SENTENCES[intent]).format_map(words), INTENTS[intent]))
    return tuple(said)


def _choice(rng: np.random.Generator, of: tuple[str, ...]) -> str:
    return of[int(rng.integers(len(of)))]
