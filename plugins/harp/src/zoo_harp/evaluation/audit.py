"""Which verdicts a person should review, and under which heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo_harp.evaluation.scoring import Scored

HEADINGS = {
    "claimed": "Another scorer says otherwise",
    "undecided": "Undecided: out of time, too large, or beyond proof",
    "unread": "Finished, but no answer was found",
    "wrong": "Answers judged different from the reference",
    "rewritten": "Answers judged equal, though written differently",
}
"""kind to heading, in the order of the page"""


@dataclass(frozen=True)
class Case:
    """One verdict to review.

    Attributes:
        kind: a key of ``HEADINGS``.
        scored: the first response of its sort.
        times: how many samples of the problem gave this answer with this verdict.
    """

    kind: str
    scored: Scored
    times: int


def kind_of(scored: Scored) -> str | None:
    """The heading of a verdict, the first that fits; None where there is nothing to review."""
    claimed = scored.response.claimed
    if claimed is not None and claimed != scored.correct:
        return "claimed"
    if scored.undecided:
        return "undecided"
    if not scored.response.finished or not (scored.response.text or "").strip():
        return None
    if scored.extracted is None:
        return "unread"
    if not scored.correct:
        return "wrong"
    return "rewritten" if _plain(scored.extracted) != _plain(scored.gold) else None


def cases(scored: Sequence[Scored]) -> list[Case]:
    """All verdicts to review, each answer to a problem once, by heading."""
    grouped: dict[tuple[str, ...], list[Scored]] = {}
    for item in scored:
        kind = kind_of(item)
        if kind is not None:
            key = (kind, item.problem.id, item.response.run.name, item.gold, item.extracted or "", str(item.correct))
            grouped.setdefault(key, []).append(item)
    order = list(HEADINGS)
    return sorted(
        (Case(key[0], items[0], len(items)) for key, items in grouped.items()), key=lambda case: order.index(case.kind)
    )


def _plain(text: str) -> str:
    return "".join(text.replace("$", "").split())
