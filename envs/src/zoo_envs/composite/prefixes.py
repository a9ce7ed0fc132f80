"""Every beginning of a sequence of TinyComposite: the tables that the environment and its oracle share.

Sequences have T = 8 tokens out of V = 5 and no end token (docs/methods/composite-rm.md, section 8). A prefix is the
number of a node in the complete V-ary tree: the empty one is 0, and appending token a to prefix v gives V*v + 1 + a.
So the 97,656 unfinished prefixes come first, then the 390,625 sequences in lexicographic order.

An observation holds the position, the previous token and the counts of tokens; there are 3,961 different ones, called
kinds, in the order of their position.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LENGTH",
    "NUM_PREFIXES",
    "NUM_SEQUENCES",
    "VOCABULARY",
    "Prefixes",
    "prefixes",
    "reference_logits",
    "tokens",
]

VOCABULARY = 5
LENGTH = 8
NUM_SEQUENCES = VOCABULARY**LENGTH
NUM_PREFIXES = (NUM_SEQUENCES - 1) // (VOCABULARY - 1)
"""how many prefixes are unfinished, and so the number of the first complete sequence"""

_START = VOCABULARY  # stands for the previous token where there is none
_REFERENCE = (
    (0.30, 0.25, 0.05, 0.20, 0.20),
    (0.40, 0.10, 0.10, 0.15, 0.25),
    (0.35, 0.20, 0.05, 0.20, 0.20),
    (0.30, 0.20, 0.10, 0.10, 0.30),
    (0.45, 0.20, 0.10, 0.20, 0.05),
    (0.40, 0.20, 0.10, 0.15, 0.15),
)
"""pi0, rows = previous token, then start"""


def _independent() -> tuple[tuple[float, ...], ...]:
    """pi0 under which counting {1, 2} and counting {2, 3} are independent, with scores about as above.

    Whether a token is in one set depends on whether the previous one was in the same set, and on nothing else. What is
    in neither set is 0 rather than 4 with probability 0.6.
    """
    rows = []
    for previous in (*range(VOCABULARY), None):
        a, b = (p[previous is not None and bool(counted[previous])] for p, counted in zip(_ALONE, _SCORED, strict=True))
        rest = (1 - a) * (1 - b)
        rows.append((0.6 * rest, a * (1 - b), a * b, (1 - a) * b, 0.4 * rest))
    return tuple(rows)


_ALONE = ((0.30, 0.20), (0.27, 0.22))
"""of each set, the probability of a token in it, after a token outside and after one inside"""
_SCORED = ((0, 1, 1, 0, 0), (0, 0, 1, 1, 0))
"""which tokens r1 and r2 count"""


@dataclass(frozen=True, eq=False)
class Prefixes:
    """The tables, about 3 MB; K = 3,961 kinds of prefixes, of which the first `num_unfinished` are unfinished.

    Attributes:
        kind: int16 [488281], the kind of each prefix and each sequence.
        observations: float32 [K,19], one-hot position (8, none where complete), one-hot previous token (6, the last
            one for none), counts / 8 (5).
        scores: float64 [K,2], r1 and r2 in [0,1] of complete sequences, 0 elsewhere.
        reference: float64 [K,5], log pi0 of the next token.
        num_unfinished: 2,311, how many kinds are unfinished.
    """

    kind: NDArray[np.int16]
    observations: NDArray[np.float32]
    scores: NDArray[np.float64]
    reference: NDArray[np.float64]
    num_unfinished: int


@cache
def prefixes(*, independent: bool = False) -> Prefixes:
    """Return the tables, built at the first call; r1 and r2 are `independent` under their reference, or not."""
    one_more = np.hstack([np.arange(VOCABULARY)[:, None], np.eye(VOCABULARY, dtype=np.int64)])
    rows = np.array([[_START, *[0] * VOCABULARY]])  # previous token and counts, of the kinds of one position
    kind = np.zeros(1, dtype=np.int64)  # of the prefixes of one position, a row of `rows`
    levels, kinds, first = [rows], [kind], 0
    for _ in range(LENGTH):
        following = rows[:, None] * np.array([0, *[1] * VOCABULARY]) + one_more
        first += len(rows)
        rows, successor = np.unique(following.reshape(-1, 1 + VOCABULARY), axis=0, return_inverse=True)
        kind = successor.reshape(-1, VOCABULARY)[kind].ravel()
        levels.append(rows)
        kinds.append(first + kind)
    position = np.repeat(np.arange(LENGTH + 1), [len(level) for level in levels])
    previous, counts = np.split(np.concatenate(levels), [1], axis=1)
    previous = previous[:, 0]
    one_hot = np.eye(LENGTH + 1)[position, :LENGTH], np.eye(VOCABULARY + 1)[previous]
    tables = Prefixes(
        kind=np.concatenate(kinds).astype(np.int16),
        observations=np.hstack([*one_hot, counts / LENGTH]).astype(np.float32),
        scores=np.where(position[:, None] == LENGTH, counts @ np.array(_SCORED).T / LENGTH, 0.0),
        reference=_log_reference(independent)[previous],
        num_unfinished=first,
    )
    for table in (tables.kind, tables.observations, tables.scores, tables.reference):
        table.flags.writeable = False
    return tables


def reference_logits(observations: NDArray[np.floating], *, independent: bool = False) -> NDArray[np.float64]:
    """Return log pi0 of each next token, float64 [...,5], for `observations` [...,19]."""
    previous = observations[..., LENGTH : LENGTH + VOCABULARY + 1].argmax(-1)
    logits: NDArray[np.float64] = _log_reference(independent)[previous]
    return logits


def _log_reference(independent: bool) -> NDArray[np.float64]:
    return np.log(_independent() if independent else _REFERENCE)


def tokens(prefix: int) -> list[int]:
    """Return the tokens of the prefix or sequence with the number `prefix`."""
    reversed_: list[int] = []
    while prefix:
        prefix, token = divmod(prefix - 1, VOCABULARY)
        reversed_.append(token)
    return reversed_[::-1]
