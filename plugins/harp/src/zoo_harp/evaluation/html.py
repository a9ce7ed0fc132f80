"""A page to audit verdicts: tables, and verdicts with what the model wrote.

Model output is hostile. The page is built as a tree whose texts the serialiser escapes, so that no markup can come
from data; it has no script, loads nothing, and forbids both to the browser.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from zoo import UsageError
from zoo_harp.evaluation import paper
from zoo_harp.evaluation.audit import HEADINGS, Case

MAX_CASES = 1000
"""most cases shown under one heading"""
MAX_TEXT = 8000
"""characters shown of one response, from its end, where the answer is"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #1b1b1b; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f5f5f5; padding: .7rem; }
details { border-bottom: 1px solid #ddd; padding: .3rem 0; }
summary { cursor: pointer; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem 1rem; }
.right { color: #00603a; } .wrong { color: #a11; }
@media (prefers-color-scheme: dark) {
  body { background: #161616; color: #e6e6e6; } pre { background: #222; } th, td, details { border-color: #444; }
  .right { color: #5fd39b; } .wrong { color: #ff8a8a; }
}
"""
_UNSAFE = re.compile(r"[^\t\n\x20-\x7e\u00a0-\U0010ffff]|[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    """``text`` with control, zero-width and bidirectional control characters made visible."""
    return _UNSAFE.sub(_name, text)


def _name(match: re.Match[str]) -> str:
    character = match[0]
    return f"⟨{unicodedata.name(character, f'U+{ord(character):04X}')}⟩"


def write_page(
    path: Path, *, title: str, rows: Sequence[Mapping[str, Any]], cases: Sequence[Case], notes: Sequence[str]
) -> None:
    """Write the page.

    Args:
        path: of the file, which is replaced.
        title: heading of the page.
        rows: of the tables, as ``tables.rows`` makes them.
        cases: verdicts to review, by heading.
        notes: sentences below the tables.

    Raises:
        UsageError: the file cannot be written.
    """
    page = _page(title, rows, cases, notes)
    text = "<!DOCTYPE html>\n" + ElementTree.tostring(page, encoding="unicode", method="html")
    try:
        path.write_text(text, encoding="utf-8", errors="xmlcharrefreplace")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _page(
    title: str, rows: Sequence[Mapping[str, Any]], cases: Sequence[Case], notes: Sequence[str]
) -> ElementTree.Element:
    style = ElementTree.Element("style")
    style.text = _STYLE  # the only text that is not escaped, and a constant
    policy = ElementTree.Element("meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    charset = ElementTree.Element("meta", {"charset": "utf-8"})
    head = _element("head", charset, policy, _element("title", title), style)
    body = _element("body", _element("h1", title))
    for run, run_rows in groupby(rows, key=lambda row: str(row["run"])):
        body.extend([_element("h2", run), _table(list(run_rows))])
    body.append(_element("ul", *(_element("li", note) for note in notes)))
    published = "; ".join(f"{number}: {what}" for number, what in paper.titles().items())
    body.append(_element("p", f"Columns named after a model are the paper's. Its tables, {published}."))
    for kind, heading in HEADINGS.items():
        body.extend(_section(heading, [case for case in cases if case.kind == kind]))
    return _element("html", head, body, lang="en")


def _section(heading: str, cases: Sequence[Case]) -> list[ElementTree.Element]:
    section = [_element("h2", f"{heading} ({len(cases)})")]
    if len(cases) > MAX_CASES:
        section.append(_element("p", f"Only the first {MAX_CASES} are shown."))
    return section + [_case(case) for case in cases[:MAX_CASES]]


def _case(case: Case) -> ElementTree.Element:
    scored = case.scored
    mark = _element("b", "right" if scored.correct else "wrong", {"class": "right" if scored.correct else "wrong"})
    times = f", {case.times} times" if case.times > 1 else ""
    answer = "no answer" if scored.extracted is None else scored.extracted
    place = f" {scored.problem.id}, {scored.response.run.name}{times}: "
    facts = {
        "reference": scored.gold,
        "answer": answer,
        "rule": scored.rule,
        "reason": scored.reason,
        "problem": scored.problem.problem,
        "place": f"line {scored.response.line}, sample {scored.response.sample}",
    }
    description = _element("dl")
    for name, text in facts.items():
        description.extend([_element("dt", name), _element("dd", text)])
    return _element(
        "details",
        _element("summary", mark, place, _element("code", answer), " against ", _element("code", scored.gold)),
        description,
        _element("pre", _end_of(scored.response.text or "")),
    )


def _end_of(text: str) -> str:
    omitted = len(text) - MAX_TEXT
    return text if omitted <= 0 else f"[{omitted} characters left out]\n{text[-MAX_TEXT:]}"


def _table(rows: Sequence[Mapping[str, Any]]) -> ElementTree.Element:
    names = list(dict.fromkeys(name for row in rows for name in row if name != "run"))
    head = _element("tr", *(_element("th", name) for name in names))
    body = [_element("tr", *(_element("td", _cell(row.get(name))) for name in names)) for row in rows]
    return _element("table", _element("thead", head), _element("tbody", *body))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _element(
    tag: str, *children: str | ElementTree.Element | Mapping[str, str], **attributes: str
) -> ElementTree.Element:
    """An element with texts, elements and mappings of attributes inside; texts are made visible here, and only here."""
    element = ElementTree.Element(tag, dict(attributes))
    for child in children:
        if isinstance(child, str):
            text = visible(child)
            if len(element):
                element[-1].tail = (element[-1].tail or "") + text
            else:
                element.text = (element.text or "") + text
        elif isinstance(child, ElementTree.Element):
            element.append(child)
        else:
            element.attrib.update(child)
    return element
