"""The true quality of a text, as measured here: half lexical similarity, half diversity.

The shape is that of the evaluation in arXiv:2310.04373: half lexical metrics, half diversity metrics, each scaled by a
range. Neither is a reward model, and no step pays for them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoo_envs.text.grammar import dialogues
from zoo_envs.text.overlap import f_score
from zoo_envs.text.samples import Sample

__all__ = ["NAMES", "RANGES", "Quality", "evaluate"]

NAMES: tuple[str, ...] = ("lexical", "diversity")
RANGES: tuple[tuple[float, float], ...] = ((0.2, 0.6), (0.2, 0.6))
"""of the means of `NAMES`: what counts as 0 and as 1

Measured with the local model: (.24, .51) where the reference samples, (.34, .47) where it always says the most probable
word, and (.27, .47) after 128,000 tokens of PPO on the sum of the reward models without KL.
"""
_STREAM = 2
"""stream of the grammar whose utterances give the word counts"""


def evaluate(statistics: NDArray[np.floating]) -> float:
    """Return half the lexical and half the diversity mean, each scaled to [0, 1] by `RANGES` and clipped there.

    Args:
        statistics: means of `NAMES`, [2].
    """
    low, high = np.array(RANGES).T
    return float(np.clip((np.asarray(statistics) - low) / (high - low), 0.0, 1.0).mean())


class Quality:
    """Lexical similarity and diversity of single texts.

    Lexical is the F-score of the longest common subsequence of words with the reference (ROUGE-L, Lin 2004).
    Diversity is the sum of the rarities of a text's different words, over the number of its words: it falls when
    words repeat, and when they are those that are said everywhere. The rarity of a word is its log frequency in the
    grammar, 0 for the most frequent and 1 for the rarest; a word that the grammar does not have counts 0.

    Args:
        seed: of the grammar.
    """

    def __init__(self, seed: int) -> None:
        said = dialogues(seed, _STREAM, 300, 6)
        counts = Counter(word for dialogue in said for utterance in dialogue for word in utterance.text.split())
        most, least = math.log(max(counts.values())), math.log(min(counts.values()))
        self._rarity = {word: (most - math.log(count)) / (most - least) for word, count in counts.items()}

    def measure(self, samples: Sequence[Sample]) -> NDArray[np.float32]:
        """Return float32[n,2], in the order of `NAMES`."""
        rows = [(_similarity(s.text.split(), s.reference.split()), self._diversity(s.text.split())) for s in samples]
        return np.array(rows, dtype=np.float32)

    def _diversity(self, words: Sequence[str]) -> float:
        return sum(self._rarity.get(word, 0.0) for word in set(words)) / len(words) if words else 0.0


def _similarity(written: Sequence[str], expected: Sequence[str]) -> float:
    longest = [0] * (len(expected) + 1)
    for word in written:
        before = 0
        for place, other in enumerate(expected, 1):
            here = longest[place]
            longest[place] = before + 1 if word == other else max(here, longest[place - 1])
            before = here
    return f_score(longest[-1], len(written), len(expected))
