"""Content of ``zoo table``: estimates, published values, verdicts, and what was left out, as sheets or plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoo.runs import number
from zoo_bench.aggregate import FEW, Row, long_rows
from zoo_bench.claims import Effect, Verdict, formula_of, source_of
from zoo_bench.load import Dropped, Records
from zoo_bench.render import Sheet
from zoo_bench.schema import Claim, Metric, Reference, Suite

_MOST_SEEDS = 8
_SLACK = 1e-3  # relative; for the rounding of another machine


@dataclass(frozen=True, kw_only=True)
class ResultsTable:
    """Everything a table tells.

    Attributes:
        title: above the first sheet.
        rows: one for each set of runs.
        metrics: the columns.
        group_by: the columns that tell the rows apart.
        verdicts: of the suite's claims; empty without a suite.
        dropped: runs that are in no average.
        suite: the suite, if one was asked for.
        repeat: the command that runs what is missing.
        runs: the single runs behind the rows.
    """

    title: str
    rows: Sequence[Row]
    metrics: Sequence[Metric]
    group_by: Sequence[str]
    verdicts: Sequence[Verdict] = field(default_factory=tuple)
    dropped: Sequence[Dropped] = field(default_factory=tuple)
    suite: Suite | None = None
    repeat: str = ""
    runs: Records = field(default_factory=Records)

    @property
    def records(self) -> list[dict[str, Any]]:
        """One mapping for each row and metric: the content of a CSV file."""
        return long_rows(self.rows, self.metrics)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "suite": self.suite.name if self.suite else None,
            "rows": self.records,
            "claims": [verdict.to_json() for verdict in self.verdicts],
            "references": [vars(reference) for row in self.rows for reference in row.references.values()],
            "dropped": [dropped.to_json() for dropped in self.dropped],
        }

    def sorted(self, column: str, *, descending: bool) -> ResultsTable:
        """The rows in the order of a column to group by, or of a metric; rows without it come last."""

        def place(row: Row) -> tuple[bool, Any]:
            if column in row.group:
                return False, _natural(row.group[column])
            estimate = row.estimates.get(column)
            return estimate is None, estimate.value if estimate else 0.0

        have = [row for row in self.rows if not place(row)[0]]
        rest = [row for row in self.rows if place(row)[0]]
        rows = sorted(have, key=lambda row: place(row)[1], reverse=descending) + rest
        return ResultsTable(**{**vars(self), "rows": rows})

    def sheets(self) -> list[Sheet]:
        """The tables for people: estimates, claims of the paper, regression tests, then what was left out."""
        sheets = [self._estimates()]
        of_papers = [verdict for verdict in self.verdicts if verdict.claim.of_a_paper]
        tests = [verdict for verdict in self.verdicts if not verdict.claim.of_a_paper]
        if of_papers:
            sheets.append(_claims("Claims of the paper", of_papers))
        if tests:
            sheets.append(_claims("Regression tests", tests))
        if self.dropped:
            sheets.append(Sheet(title="Left out", head=(), rows=(), notes=_left_out(self.dropped, self.repeat)))
        return sheets

    def _estimates(self) -> Sheet:
        shown = [metric for metric in self.metrics if any(metric.name in row.estimates for row in self.rows)]
        head = [*self.group_by, "seeds"]
        head += [f"{metric.name} [{metric.unit}]" if metric.unit else metric.name for metric in shown]
        rows = [
            [*row.group.values(), f"{row.seeds}{'*' * (row.seeds < FEW)}", *(_cell(row, metric) for metric in shown)]
            for row in self.rows
        ]
        return Sheet(
            title=self.title, head=head, rows=rows, numeric=frozenset(head[len(self.group_by) :]),
            keep=len(self.group_by) + 1, notes=self._notes(),
        )  # fmt: skip

    def _notes(self) -> list[str]:
        if not self.rows:
            return ["No finished run is there yet."]
        notes = ["Interquartile mean over seeds, with its 95 % interval, widened for few seeds; none below three."]
        if any(row.seeds < FEW for row in self.rows):
            notes.append(f"* fewer than {FEW} seeds.")
        if any(math.isinf(estimate.value) for row in self.rows for estimate in row.estimates.values()):
            notes.append("never: not within the budget.")
        references = [reference for row in self.rows for reference in row.references.values()]
        by_kind: dict[str, dict[str, None]] = {}
        for reference in references:
            by_kind.setdefault(reference.kind, {})[reference.source] = None
        notes += [f"{kind}: {'; '.join(sources)}." for kind, sources in by_kind.items()]
        return notes + [_remark(reference) for reference in references if reference.note]


def _remark(reference: Reference) -> str:
    return f"{reference.label} on {reference.environment}, {reference.metric}: {reference.note.rstrip('.')}."


def _cell(row: Row, metric: Metric) -> str:
    """Estimate, interval, the number of seeds if it is smaller than the row's, and the published value."""
    estimate, reference = row.estimates.get(metric.name), row.references.get(metric.name)
    parts = []
    if estimate is not None:
        value, low, high = (_figure(x, metric.precision) for x in (estimate.value, estimate.low, estimate.high))
        parts.append(value if math.isnan(estimate.low) or value == low == high else f"{value} [{low}, {high}]")
        if estimate.seeds != row.seeds:
            parts.append(f"(n={estimate.seeds})")
    if reference is not None:
        parts.append(f"({reference.kind} {number(reference.value)})")
    return " ".join(parts)


def _figure(value: float, digits: int) -> str:
    if math.isinf(value) and value > 0:
        return "never"
    return number(float(f"{value:.{digits}g}"))


def _claims(title: str, verdicts: Sequence[Verdict]) -> Sheet:
    head = ["claim", "environment", "measured", "claimed", "seeds", "verdict"]
    rows = []
    for verdict in verdicts:
        claim = verdict.claim
        several = len(verdict.effects) > 1
        for effect in verdict.effects:
            name = claim.id if effect is verdict.effects[0] else ""
            rows.append([name, effect.environment, _effect(claim, effect), _limit(claim), str(effect.n),
                         effect.answer if several else verdict.words])  # fmt: skip
        if several:
            rows.append(["", "all of these", "", "", str(verdict.n), verdict.words])
    notes = [_claim_note(verdict.claim) for verdict in verdicts]
    notes.append("Measured is the left side minus the right one (over it, where a ratio is claimed), or the left side "
                 "alone beside a number.")  # fmt: skip
    return Sheet(
        title=title, head=head, rows=rows, numeric=frozenset(["measured", "claimed", "seeds"]), keep=2, notes=notes
    )


def _claim_note(claim: Claim) -> str:
    source = f" Source: {source_of(claim)}." if claim.source else ""
    return f"{claim.id}: {claim.text.rstrip('.')}; {formula_of(claim)}.{source}"


def _effect(claim: Claim, effect: Effect) -> str:
    """What was measured: the left side itself where the right one is a number and no ratio is claimed."""
    offset = claim.right if isinstance(claim.right, float) and claim.scale == "difference" else 0.0
    if math.isnan(effect.estimate):
        return ""
    shown = _figure(effect.estimate + offset, 3)
    low, high = _figure(effect.low + offset, 3), _figure(effect.high + offset, 3)
    return shown if math.isnan(effect.low) or low == high == shown else f"{shown} [{low}, {high}]"


def _limit(claim: Claim) -> str:
    """What ``_effect`` was claimed to be."""
    if isinstance(claim.right, float) and claim.scale == "difference":
        margin = f" ± {number(claim.margin)}" if claim.relation == "within" else ""
        return f"{claim.relation} {number(claim.right if margin else claim.right + claim.margin)}{margin}"
    return f"{claim.relation} {number(claim.margin)}"


def _left_out(dropped: Sequence[Dropped], repeat: str) -> list[str]:
    """One line for each cell and reason; runs that were never made are only counted."""
    missing = [run for run in dropped if run.state == "missing"]
    by_reason: dict[tuple[str, str, str, str], list[int | None]] = {}
    for run in dropped:
        if run.state != "missing":
            by_reason.setdefault((run.state, run.label, run.environment, run.reason), []).append(run.seed)
    lines = []
    for (state, label, environment, reason), seeds in by_reason.items():
        who = f"{label} on {environment}, {_seeds(seeds)}: " if label else ""
        lines.append(f"{state}: {who}{reason}.")
    if missing:
        cells = dict.fromkeys(f"{run.label} on {run.environment}" for run in missing)
        some = ", ".join(list(cells)[:3]) + (", ..." if len(cells) > 3 else "")
        lines.append(f"missing: {len(missing)} run{'s' * (len(missing) > 1)} ({some}). {repeat}".rstrip())
    elif any(run.state != "unreadable" for run in dropped) and repeat:
        lines.append(repeat)
    return lines


def _seeds(seeds: Sequence[int | None]) -> str:
    shown = [str(seed) for seed in seeds if seed is not None]
    more = f" and {len(shown) - _MOST_SEEDS} more" if len(shown) > _MOST_SEEDS else ""
    return f"seed{'s' * (len(shown) > 1)} {', '.join(shown[:_MOST_SEEDS])}{more}"


def _natural(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), ""
    except ValueError:
        return 1, 0.0, text


def drift(report: ResultsTable, committed: Sequence[Mapping[str, str]]) -> list[str]:
    """Where a table has left the intervals of a committed one; one sentence each, none if it has not.

    It has left where the two intervals do not meet: on another machine learners round differently and take other
    paths, so that an estimate alone, within its own interval, may well be outside of the committed one.

    Args:
        report: the new table.
        committed: lines of the committed CSV file, as text.

    Raises:
        KeyError, ValueError: a line of it has not the columns of this table.
    """
    identity = [*report.group_by, "metric"]
    there: Mapping[tuple[str, ...], Mapping[str, Any]] = {
        tuple(str(line[name]) for name in identity): line for line in report.records
    }
    found: list[str] = []
    for line in committed:
        key = tuple(line[name] for name in identity)
        what = f"{key[-1]} of {', '.join(key[:-1])}"
        new = there.get(key)
        if new is None:
            found.append(f"{what} is missing: committed was {line['iqm']}.")
            continue
        low, high = float(line["low"] or line["iqm"]), float(line["high"] or line["iqm"])
        slack = _SLACK * max(abs(low), abs(high)) if math.isfinite(low) and math.isfinite(high) else 0.0
        least, most = (new["iqm"] if new[end] is None else new[end] for end in ("low", "high"))
        if most < low - slack or least > high + slack:
            now = f"{number(new['iqm'])} [{number(least)}, {number(most)}]"
            found.append(f"{what} is {now}: committed was {line['iqm']} [{low}, {high}].")
    return found
