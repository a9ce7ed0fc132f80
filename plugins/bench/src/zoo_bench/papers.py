"""Every claim of the papers in one table: source, experiment, measured value, and a verdict no better than that."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo_bench.claims import Verdict
from zoo_bench.render import Sheet
from zoo_bench.schema import PublishedClaim, Suite

ANSWERS = ("reproduced", "reproduced (small model)", "inconclusive", "incomplete", "not reproduced", "not judged")
_SOURCES = {"paper": "paper", "paper-code": "authors' code"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One claim of a paper.

    Attributes:
        suite: whose experiments judge it.
        claim: what the paper says.
        verdicts: on the suite's claims that judge it; empty where there is none, or no result yet.
    """

    suite: Suite
    claim: PublishedClaim
    verdicts: Sequence[Verdict]

    @property
    def number(self) -> str:
        """The claim's number and part."""
        return f"{self.claim.number}{self.claim.part}"

    @property
    def answer(self) -> str:
        """One of ``ANSWERS``: all verdicts must hold for *reproduced*, and the worst decides otherwise."""
        answers = {verdict.answer for verdict in self.verdicts}
        for answer in ("not reproduced", "incomplete", "inconclusive"):
            if answer in answers:
                return answer
        if not answers:
            return "not judged"
        small = any(verdict.claim.setting == "small model" for verdict in self.verdicts)
        return "reproduced (small model)" if small else "reproduced"

    @property
    def words(self) -> str:
        """The answer, and how many of several verdicts bear the claim out."""
        if len(self.verdicts) < 2:
            return self.verdicts[0].words if self.verdicts else "not judged"
        held = sum(verdict.answer == "reproduced" for verdict in self.verdicts)
        return (
            f"{self.answer}: {held} of {len(self.verdicts)} bear it out" if held < len(self.verdicts) else self.answer
        )

    @property
    def measured(self) -> str:
        """The sentence of the verdict that decides."""
        deciding = [verdict for verdict in self.verdicts if verdict.answer == self.answer] or self.verdicts
        return deciding[0].sentence if deciding else ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "number": self.claim.number, "part": self.claim.part, "paper": self.suite.paper, "text": self.claim.text,
            "source": self.claim.source, "where": self.claim.where, "suite": self.suite.name, "verdict": self.answer,
            "words": self.words, "measured": self.measured, "missing": self.claim.missing,
            "claims": {verdict.claim.id: verdict.words for verdict in self.verdicts},
        }  # fmt: skip


def rows_of(suite: Suite, verdicts: Sequence[Verdict]) -> list[Row]:
    """A row for each claim of the suite's paper.

    Args:
        suite: with its published claims.
        verdicts: on its claims, as ``zoo_bench.claims.judge`` gives them; empty where nothing has been run.
    """
    by_id = {verdict.claim.id: verdict for verdict in verdicts}
    return [
        Row(suite=suite, claim=claim, verdicts=[by_id[name] for name in claim.claims if name in by_id])
        for claim in suite.published
    ]


def sheets(rows: Sequence[Row]) -> list[Sheet]:
    """The totals by paper, then every claim by number."""
    rows = sorted(rows, key=lambda row: (row.claim.number, row.claim.part))
    return [_totals(rows), _claims(rows)]


def totals(rows: Sequence[Row]) -> Mapping[str, Counter[str]]:
    """How many claims of each paper have each answer."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row.suite.paper, Counter())[row.answer] += 1
    return found


def _totals(rows: Sequence[Row]) -> Sheet:
    by_paper = totals(rows)
    lines = [
        [paper, str(counts.total()), *(str(counts[name] or "") for name in ANSWERS)]
        for paper, counts in by_paper.items()
    ]
    whole = Counter(row.answer for row in rows)
    lines.append(["all papers", str(whole.total()), *(str(whole[name] or "") for name in ANSWERS)])
    head = ["paper", "claims", *ANSWERS]
    return Sheet(title="Claims of the papers, counted", head=head, rows=lines, numeric=frozenset(head[1:]))


def _claims(rows: Sequence[Row]) -> Sheet:
    head = ["#", "paper", "claim", "source", "experiment", "measured", "verdict", "missing"]
    lines = []
    for row in rows:
        source = _SOURCES[row.claim.source]
        where = source if row.claim.where == source else f"{source}, {row.claim.where}"
        experiment = f"{row.suite.name}: {', '.join(row.claim.claims)}" if row.claim.claims else ""
        author, arxiv = row.suite.paper.partition(",")[0], re.search(r"arXiv:[\d.]*\d", row.suite.paper)
        paper = f"{author}, {arxiv[0]}" if arxiv else author
        lines.append([row.number, paper, row.claim.text, where, experiment, row.measured, row.words, row.claim.missing])
    notes = [
        "A claim is reproduced where every experiment that judges it bears it out at 95 %; (small model): in a small "
        "model of the paper's setting.",
        "zoo table SUITE shows each experiment, and the regression tests, which are no claims of a paper.",
    ]
    return Sheet(title="Claims of the papers", head=head, rows=lines, numeric=frozenset(["#"]), keep=2, notes=notes)
