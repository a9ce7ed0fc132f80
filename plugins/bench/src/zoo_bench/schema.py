"""The experiments of a suite: what to run, what to derive from it, and what is claimed about it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from zoo.training import RunRequest, RunSpec

Relation = Literal["<", ">", "<=", ">=", "within"]
Scale = Literal["difference", "ratio"]
Better = Literal["lower", "higher", ""]
STATISTICS = ("iqm", "mean", "median")
Source = Literal["paper", "paper-code", "exact", "ours"]
Setting = Literal["paper", "small model", ""]
ReferenceKind = Literal["published", "their code", "exact", "ours"]
Failed = Literal["incomplete", "worst"]


def level_of(statistic: str) -> float | None:
    """The number of "share-above(NUMBER)"; None of any other text."""
    found = re.fullmatch(r"share-above\(([^()]+)\)", statistic)
    try:
        level = float(found[1]) if found else math.nan
    except ValueError:
        return None
    return level if math.isfinite(level) else None


@dataclass(frozen=True, kw_only=True)
class EvaluatorRequest:
    """An evaluator that judges each run of a cell, and its options as plain data."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One experiment: an algorithm with its options on one environment, with several seeds; or a file to judge.

    Attributes:
        label: what tables and claims call it; unique in a suite together with ``environment``.
        environment: as on the command line; of a file, what its tables call the task.
        request: names and options as written; of a file, only its name and the environment.
        file: what is judged instead of runs; empty where runs are made. Absolute after ``resolve_suite``.
        seeds: root seeds; a file has the one seed 0.
        evaluators: what judges its runs when they are finished.
        quick: whether it is part of the run of seconds.
        spec: what it resolves to, with seed 0; None before ``Suite.resolve``.
        lines: line of each key in the suite's file, dotted; "" is the table's own.
    """

    label: str
    environment: str
    request: RunRequest
    file: str = ""
    seeds: tuple[int, ...] = (0,)
    evaluators: tuple[EvaluatorRequest, ...] = ()
    quick: bool = False
    spec: RunSpec | None = None
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number for each run.

    Attributes:
        name: what claims, references and tables call it.
        of: a logged metric ("err", "eval/return"), or a score of an evaluator ("return.mean").
        function: how the number comes from the series of ``of``; see ``zoo_bench.metrics``.
        options: arguments of the function.
        unit: shown in tables.
        precision: significant digits in tables.
        better: which direction is good; empty if neither.
        lines: line of each key in the suite's file.
    """

    name: str
    of: str
    function: str = "last"
    options: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""
    precision: int = 3
    better: Better = ""
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A value that is shown beside the measured one.

    Attributes:
        label, environment: the cell.
        metric: which of its metrics.
        value: the number.
        kind: "published": it stands in the paper; "their code": an output of the authors' code, or of a named peer's;
            "exact": a closed form or an enumeration; "ours": another implementation of ours.
        source: where it is from.
        note: a remark below the table.
    """

    label: str
    environment: str
    metric: str
    value: float
    kind: ReferenceKind
    source: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class PublishedClaim:
    """A claim as the paper makes it, in plain words; a row of ``zoo papers`` whether or not it is judged.

    Attributes:
        number: of the claim, through all papers; ``part`` tells apart those that share one.
        text: the claim in words.
        source: "paper" or "paper-code".
        where: "abstract", "table 6", "figure 3".
        claims: ids of the suite's claims that judge it; empty where none does.
        missing: what is missing for a judgement, or a full one.
    """

    number: int
    text: str
    source: Source
    where: str
    part: str = ""
    claims: tuple[str, ...] = ()
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Term:
    """One side of a claim: a metric of a cell."""

    label: str
    metric: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A comparison that the experiments confirm or refute.

    With ``scale`` "difference" it says ``left - right RELATION margin``, with "ratio" ``left / right RELATION
    margin``; "within" says ``|left - right| <= margin``, or ``1 / margin <= left / right <= margin``.

    Attributes:
        id: short name, unique in the suite.
        text: the claim in words.
        left: first term.
        relation: one of < > <= >= within.
        right: second term, or a number.
        margin: see above; 0 for a difference and 1 for a ratio unless given.
        scale: "difference" or "ratio".
        environments: where it is claimed; never empty.
        paired: whether runs with the same seed are compared with one another.
        source: whose claim it is: the paper's, its published code's, an exact result (a theorem, a closed form), or
            ours, against which a later version is held.
        where: where in the source: "abstract", "table 2", "figure 3".
        setting: whether the experiment is the paper's or a small model of it; empty where no paper claims it.
        statistic: what of the runs is compared, as the source does where that is known: one of ``STATISTICS``, or
            "share-above(NUMBER)", the share of runs with a value above it.
        failed: what a run that failed does to the verdict: it is "incomplete", or the run counts as the "worst".
        lines: line of each key in the suite's file.
    """

    id: str
    text: str
    left: Term
    relation: Relation
    right: Term | float
    margin: float = 0.0
    scale: Scale = "difference"
    environments: tuple[str, ...]
    paired: bool = True
    source: Source
    where: str = ""
    setting: Setting = ""
    statistic: str = "iqm"
    failed: Failed = "incomplete"
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def of_a_paper(self) -> bool:
        """Whether it is a paper's own claim; what is exact or ours is a regression test."""
        return self.source not in ("exact", "ours")

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms that are metrics of cells."""
        return (self.left, self.right) if isinstance(self.right, Term) else (self.left,)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Everything one file says.

    Attributes:
        name: the file's name without its ending.
        title: one line.
        summary: a paragraph.
        paper: where the claims are from.
        path: the file.
        packages: distributions that must be installed.
        lines: line of each key of ``[suite]``.
        cells: in the order of the file.
        metrics: declared ones, in the order of the file; ``metric`` finds also the undeclared.
        references: published values.
        claims: in the order of the file.
        published: the paper's claims, judged or not.
    """

    name: str
    title: str
    path: Path
    summary: str = ""
    paper: str = ""
    packages: tuple[str, ...] = ()
    cells: tuple[Cell, ...]
    metrics: tuple[Metric, ...] = ()
    references: tuple[Reference, ...] = ()
    claims: tuple[Claim, ...] = ()
    published: tuple[PublishedClaim, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def environments(self) -> tuple[str, ...]:
        """Every environment, in the order of first use."""
        return tuple(dict.fromkeys(cell.environment for cell in self.cells))

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label, in the order of first use."""
        return tuple(dict.fromkeys(cell.label for cell in self.cells))

    @property
    def files(self) -> frozenset[tuple[str, str]]:
        """Label and environment of each cell that judges a file."""
        return frozenset((cell.label, cell.environment) for cell in self.cells if cell.file)

    def cell(self, label: str, environment: str) -> Cell | None:
        """The cell with this label on this environment, if there is one."""
        return next((cell for cell in self.cells if (cell.label, cell.environment) == (label, environment)), None)

    def metric(self, name: str) -> Metric:
        """The declared metric ``name``, or the last value of what is logged under that name."""
        return next((metric for metric in self.metrics if metric.name == name), Metric(name=name, of=name))

    @property
    def used_metrics(self) -> tuple[Metric, ...]:
        """The declared metrics, then those that only claims and references name."""
        names = [metric.name for metric in self.metrics]
        names += [term.metric for claim in self.claims for term in claim.terms]
        names += [reference.metric for reference in self.references]
        return tuple(self.metric(name) for name in dict.fromkeys(names))

    def quick(self) -> Suite:
        """Only the cells marked ``quick``, and the claims and references that these can settle."""
        return self.restricted(tuple(cell for cell in self.cells if cell.quick))

    def restricted(self, cells: tuple[Cell, ...]) -> Suite:
        """The suite with only ``cells``; claims keep the environments where all their terms are left."""
        there = {(cell.label, cell.environment) for cell in cells}
        claims = []
        for claim in self.claims:
            left = tuple(env for env in claim.environments if all((term.label, env) in there for term in claim.terms))
            if left:
                claims.append(replace(claim, environments=left))
        references = tuple(ref for ref in self.references if (ref.label, ref.environment) in there)
        return replace(self, cells=cells, claims=tuple(claims), references=references)
