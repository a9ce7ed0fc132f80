"""Comparison of our verdicts with another checker's, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo_harp.backends.math_verify import other_verdicts
from zoo_harp.backends.pairs import Pair
from zoo_harp.checker import Verdict, check_many
from zoo_harp.checker.check import Kind


@dataclass(frozen=True, slots=True)
class Comparison:
    """One pair with both verdicts; math-verify's is None where it failed or timed out."""

    pair: Pair
    ours: Verdict
    theirs: bool | None
    their_seconds: float

    @property
    def agree(self) -> bool:
        """Whether both verdicts are the same; no verdict counts as wrong, as for a user of that checker."""
        return self.ours.correct is bool(self.theirs)


def compare_backends(pairs: Sequence[Pair], *, kind: Kind = "auto", timeout_s: float = 2.0) -> list[Comparison]:
    """Both verdicts on every pair, in order.

    Raises:
        ValueError: a gold answer is empty or not a string.
        UsageError: math-verify is not installed.
    """
    texts = [(pair.gold, pair.response) for pair in pairs]
    ours = check_many(texts, kind=kind, timeout_s=timeout_s)
    theirs = other_verdicts(texts, timeout_s)
    return [
        Comparison(pair, verdict, other.correct, other.seconds)
        for pair, verdict, other in zip(pairs, ours, theirs, strict=True)
    ]


def report(comparisons: Sequence[Comparison]) -> list[str]:
    """Lines to print: the counts, the times, then the pairs on which the two differ."""
    table = {
        (x, y): sum(c.ours.correct is x and bool(c.theirs) is y for c in comparisons) for x in _BOTH for y in _BOTH
    }
    missing = sum(c.theirs is None for c in comparisons)
    lines = [
        f"{'':>22}math-verify right  math-verify wrong",
        *(f"{'harp right' if x else 'harp wrong':>22}{table[x, True]:>17}  {table[x, False]:>17}" for x in _BOTH),
        f"They agree on {table[True, True] + table[False, False]} of {len(comparisons)}; "
        f"math-verify failed or timed out on {missing}, which counts as wrong.",
        f"Total seconds: harp {sum(c.ours.seconds for c in comparisons):.3f}, "
        f"math-verify {sum(c.their_seconds for c in comparisons):.3f}.",
    ]
    labelled = [c for c in comparisons if c.pair.label is not None]
    if labelled:
        hits = sum(c.ours.correct is c.pair.label for c in labelled)
        their_hits = sum(bool(c.theirs) is c.pair.label for c in labelled)
        lines.append(f"As labelled: harp {_share(hits, labelled)}, math-verify {_share(their_hits, labelled)}.")
    lines.extend(_line(c) for c in comparisons if not c.agree)
    return lines


_BOTH = (True, False)


def _share(hits: int, labelled: Sequence[Comparison]) -> str:
    return f"{hits} of {len(labelled)} ({100 * hits / len(labelled):.1f} %)"


def _line(comparison: Comparison) -> str:
    label = {None: "", True: ", labelled right", False: ", labelled wrong"}[comparison.pair.label]
    ours = f"{'right' if comparison.ours.correct else 'wrong'} ({comparison.ours.rule})"
    theirs = {None: "no verdict", True: "right", False: "wrong"}[comparison.theirs]
    return (
        f"{comparison.pair.gold[:60]!r} and {comparison.pair.response[-90:]!r}: harp {ours}, math-verify "
        f"{theirs}{label}"
    )
