"""What a page says of the papers: every claim with its verdict, and for each paper its counts and figures."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo import ZooError
from zoo.discovery import Registry
from zoo.runs import Catalogue
from zoo_bench.claims import Verdict
from zoo_bench.page.forest import Panel, panels_of
from zoo_bench.page.text import shown
from zoo_bench.papers import ANSWERS, Row, sheets, totals

_MOST_BYTES = 400_000
"""A larger drawing becomes an image of points."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure as the address of an image that holds it; where it could not be drawn, ``source`` is empty."""

    title: str
    source: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One paper."""

    title: str
    suite: str
    counts: Mapping[str, int]
    panels: Sequence[Panel]
    pictures: Sequence[Picture]


@dataclass(frozen=True, kw_only=True)
class Claims:
    """The table of all claims, its heading, and the papers.

    Attributes:
        head: names of the columns.
        rows: the cells of each claim, the texts that ``zoo papers`` prints.
        answers: the verdict of each row, one of ``zoo_bench.papers.ANSWERS``.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    answers: Sequence[str]
    notes: Sequence[str]
    papers: Sequence[Paper]

    @property
    def judged(self) -> int:
        """Claims with a verdict."""
        return sum(answer != "not judged" for answer in self.answers)

    @property
    def counts(self) -> dict[str, int]:
        """Claims with each answer."""
        return {answer: self.answers.count(answer) for answer in ANSWERS}


def claims_of(rows: Sequence[Row], registry: Registry, runs: Catalogue) -> Claims:
    """The content of the page's first part.

    Args:
        rows: of all papers, as ``zoo papers`` has them.
        registry: plugins, for their figures.
        runs: what figures of plugins are drawn of.
    """
    rows = sorted(rows, key=lambda row: (row.claim.number, row.claim.part))
    table = sheets(rows)[1]
    by_paper: dict[str, list[Row]] = {}
    for row in rows:
        by_paper.setdefault(row.suite.paper, []).append(row)
    counts = totals(rows)
    papers = [
        Paper(
            title=shown(title), suite=of[0].suite.name, counts={name: counts[title][name] for name in ANSWERS},
            panels=panels_of(_verdicts(of)), pictures=_plugin_figures(of, registry, runs),
        )
        for title, of in by_paper.items()
    ]  # fmt: skip
    return Claims(
        head=table.head, rows=[[shown(cell) for cell in line] for line in table.rows],
        answers=[row.answer for row in rows], notes=table.notes, papers=papers,
    )  # fmt: skip


def _verdicts(rows: Sequence[Row]) -> list[Verdict]:
    """Each verdict once: several claims of a paper may name the same experiment."""
    return list({verdict.claim.id: verdict for row in rows for verdict in row.verdicts}.values())


def _plugin_figures(rows: Sequence[Row], registry: Registry, runs: Catalogue) -> list[Picture]:
    """Figures of the plugin that has the paper's algorithms, of its runs; those that need other runs say so."""
    plugin = _plugin(rows[0], registry)
    own = [run for run in runs.runs if run.spec.algorithm.partition("/")[0] == plugin and run.state == "finished"]
    if not own:
        return []
    from zoo_bench.plots.plugin_figures import FigureOptions, find_figures

    pictures = []
    for figure in find_figures(registry).values():
        if figure.plugin != plugin:
            continue
        try:
            pictures.append(
                Picture(title=shown(figure.name), source=_image(figure.draw(own, FigureOptions())),
                        caption=shown(figure.summary))
            )  # fmt: skip
        except ZooError as error:
            pictures.append(Picture(title=shown(figure.name), source="", caption=shown(f"Not drawn: {error.message}")))
    return pictures


def _plugin(row: Row, registry: Registry) -> str:
    """The distribution whose suite this is."""
    from zoo_bench.suite import find_suites

    source = find_suites(registry).get(row.suite.name)
    return source.plugin if source is not None else ""


def _image(figure: Any) -> str:
    """The figure as the address of an image with its data; the same figure gives the same one."""
    from zoo_bench.plots.learning_curves import styled

    buffer = io.BytesIO()
    with styled():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
        kind = "svg+xml"
        if buffer.tell() > _MOST_BYTES:
            buffer, kind = io.BytesIO(), "png"
            figure.savefig(buffer, format="png", dpi=110)
    content = buffer.getvalue()
    if kind == "svg+xml":
        content = re.sub(rb">\s+<", b"><", content)
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
