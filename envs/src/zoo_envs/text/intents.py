"""Reward model ``intent``: a classifier's probability that the text has the intent of the reference.

The classifier is a softmax regression on the words and pairs of words of an utterance, trained here on utterances of
the grammar. It knows nothing of the context, nor whether a text is a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from zoo_envs.text.grammar import INTENTS, dialogues
from zoo_envs.text.samples import RewardModel, Sample

__all__ = ["Intent", "IntentClassifier"]

_STREAM = 1
"""stream of the grammar whose utterances train classifiers"""


class IntentClassifier:
    """P(intent | utterance) = softmax(w f + b), where f indicates the words and pairs of words of the text.

    Args:
        texts: training texts.
        labels: the intent of each, as an index of `INTENTS`.
        decay: weight of the squared norm of w in the loss, which keeps the probabilities from 0 and 1.
        steps: of gradient descent with the step size `rate`.
        rate: its step size.
    """

    def __init__(
        self, texts: Sequence[str], labels: Sequence[int], decay: float = 1e-3, steps: int = 100, rate: float = 2.0
    ) -> None:
        known = sorted({feature for text in texts for feature in _features(text)})
        self._number = {feature: number for number, feature in enumerate(known)}
        f, targets = self._encode(texts), np.eye(len(INTENTS))[list(labels)]
        self._w = np.zeros((len(known) + 1, len(INTENTS)))
        for _ in range(steps):
            gradient = f.T @ (_softmax(f @ self._w) - targets) / len(texts) + decay * self._w
            self._w -= rate * gradient

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probabilities of the intents, float64[n,4] in the order of `INTENTS`."""
        # Not one product of matrices: its rounding would depend on how many texts there are.
        return _softmax(np.stack([self._w[self._rows(text)].sum(0) for text in texts]))

    def _rows(self, text: str) -> list[int]:
        """The rows of w that count for a text; the last is b."""
        known = {self._number[feature] for feature in _features(text) if feature in self._number}
        return [*sorted(known), len(self._number)]

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float64]:
        f = np.zeros((len(texts), len(self._number) + 1))
        for row, text in zip(f, texts, strict=True):
            row[self._rows(text)] = 1.0
        return f


def _features(text: str) -> Iterable[tuple[str, ...]]:
    words = text.split()
    return [*zip(words, strict=True), *pairwise(words)]


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    odds = np.exp(logits - logits.max(1, keepdims=True))
    p: NDArray[np.float64] = odds / odds.sum(1, keepdims=True)
    return p


@lru_cache(maxsize=4)
def _classifier(seed: int) -> IntentClassifier:
    said = [utterance for dialogue in dialogues(seed, _STREAM, 300, 6) for utterance in dialogue]
    return IntentClassifier([u.text for u in said], [INTENTS.index(u.intent) for u in said])


class Intent(RewardModel):
    """The classifier's probability of the sample's intent, in [0, 1]."""

    # The local reference has .50 where it samples, and .64 where it always says the most probable word.
    threshold: ClassVar[float | None] = 0.58
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    grammar: ClassVar[bool] = True

    def __init__(self, argument: str, seed: int) -> None:
        """See RewardModel."""
        if argument:
            raise ValueError(f"the reward model 'intent' takes no argument, got {argument!r}")
        self._classifier = _classifier(seed)

    def score(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        """See RewardModel."""
        p = self._classifier.probabilities([sample.text for sample in samples])
        intents = [INTENTS.index(sample.intent) for sample in samples]
        scores: NDArray[np.float64] = p[np.arange(len(samples)), intents]
        return scores
