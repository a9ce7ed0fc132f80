"""Our verdicts beside another checker's, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo_harp.backends.math_verify import opinions
from zoo_harp.backends.pairs import Pair
from zoo_harp.checker import Verdict, check_many
from zoo_harp.checker.check import Kind


@dataclass(frozen=True, slots=True)
class Compared:
    """One pair with both verdicts; math-verify's is None where it ended without a word or was late."""

    pair: Pair
    ours: Verdict
    theirs: bool | None
    their_seconds: float

    @property
    def agree(self) -> bool:
        """Whether both say the same; no answer counts as wrong, as a user of the checker would count it."""
        return self.ours.correct is bool(self.theirs)


def compare_backends(pairs: Sequence[Pair], *, kind: Kind = "auto", timeout_s: float = 2.0) -> list[Compared]:
    """Both verdicts on every pair, in order.

    Raises:
        ValueError: a gold is bad.
        UsageError: math-verify is not installed.
    """
    texts = [(pair.gold, pair.response) for pair in pairs]
    ours = check_many(texts, kind=kind, timeout_s=timeout_s)
    theirs = opinions(texts, timeout_s)
    return [
        Compared(pair, verdict, opinion.correct, opinion.seconds)
        for pair, verdict, opinion in zip(pairs, ours, theirs, strict=True)
    ]


def report(compared: Sequence[Compared]) -> list[str]:
    """Lines for a person: the counts, the times, then the pairs on which the two differ."""
    both = {(x, y): sum(c.ours.correct is x and bool(c.theirs) is y for c in compared) for x in _BOTH for y in _BOTH}
    silent = sum(c.theirs is None for c in compared)
    lines = [
        f"{'':>22}math-verify right  math-verify wrong",
        *(f"{'harp right' if x else 'harp wrong':>22}{both[x, True]:>17}  {both[x, False]:>17}" for x in _BOTH),
        f"They agree on {both[True, True] + both[False, False]} of {len(compared)}; "
        f"math-verify was late or ended on {silent}, which counts as wrong.",
        f"Seconds in all: harp {sum(c.ours.seconds for c in compared):.3f}, "
        f"math-verify {sum(c.their_seconds for c in compared):.3f}.",
    ]
    judged = [c for c in compared if c.pair.wanted is not None]
    if judged:
        hits = sum(c.ours.correct is c.pair.wanted for c in judged)
        their_hits = sum(bool(c.theirs) is c.pair.wanted for c in judged)
        lines.append(f"As wanted: harp {_share(hits, judged)}, math-verify {_share(their_hits, judged)}.")
    lines.extend(_line(c) for c in compared if not c.agree)
    return lines


_BOTH = (True, False)


def _share(hits: int, judged: Sequence[Compared]) -> str:
    return f"{hits} of {len(judged)} ({100 * hits / len(judged):.1f} %)"


def _line(found: Compared) -> str:
    wanted = {None: "", True: ", wanted right", False: ", wanted wrong"}[found.pair.wanted]
    ours = f"{'right' if found.ours.correct else 'wrong'} ({found.ours.rule})"
    theirs = {None: "no word", True: "right", False: "wrong"}[found.theirs]
    return f"{found.pair.gold[:60]!r} and {found.pair.response[-90:]!r}: harp {ours}, math-verify {theirs}{wanted}"
