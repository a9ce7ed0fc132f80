"""The benchmark page says what its raw results say, recomputed by other code; and which results are stale."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.recomputed import load_suite, read_raw, recompute, words

ROOT = Path(__file__).parents[2]
PAGE, RESULTS = ROOT / "benchmarks/README.md", ROOT / "benchmarks/results"
FILES = {file.stem: file for file in sorted(ROOT.glob("plugins/*/src/*/suites/*.toml"))}
SUITES = [file.name.removesuffix(".raw.csv") for file in sorted(RESULTS.glob("*.raw.csv"))]


def block(command: str) -> str:
    found = re.search(f"<!-- {re.escape(command)} -->\n(.*?)<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, f"the page has no place for {command}"
    return found[1]


def rows(table: str) -> list[list[str]]:
    """Cells of each line of the tables of a block."""
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines() if line[:1] == "|"
    ]


def numbers(shown: str) -> list[float]:
    """Estimate and ends of "1.5 [1, 2]"; of a number alone three times the same."""
    found = [
        math.inf if word == "never" else float(word) for word in re.findall(r"never|-?[\d.]+(?:e[-+]?\d+)?", shown)
    ]
    return found if len(found) == 3 else found * 3


def agree(shown: float, computed: float, width: float) -> bool:
    """Equal up to three printed digits, and to what one bootstrap may differ from another."""
    if math.isinf(shown) or math.isinf(computed):
        return shown == computed
    return abs(shown - computed) <= 0.006 * abs(computed) + 0.2 * width + 1e-12


@pytest.mark.parametrize("suite", SUITES)
def test_each_verdict_of_the_page_follows_from_the_raw_results(suite: str) -> None:
    document = load_suite(FILES[suite])
    raw = read_raw(RESULTS / f"{suite}.raw.csv", document)
    lines: dict[str, list[list[str]]] = {}
    name = ""
    for line in rows(block(f"zoo table {suite}")):
        if len(line) == 6 and line[0] not in ("claim", "---"):
            name = line[0] or name
            lines.setdefault(name.replace("\\", ""), []).append(line)
    wrong, open_ends = [], 0
    for claim in document.get("claims", []):
        found = recompute(claim, document, raw)
        *effects, last = lines[claim["id"]] if len(lines[claim["id"]]) > 1 else lines[claim["id"]] * 2
        expected = words(claim, found.answer)
        if not last[5].startswith(expected) or (expected == "reproduced" and last[5] != expected):
            if found.near:
                open_ends += 1
            else:
                wrong.append(f"{claim['id']}: the page says {last[5]!r}, recomputed is {expected!r}: {found.effects}")
        for line in effects:
            estimate, low, high = found.effects[line[1]]
            width = high - low if math.isfinite(low) and math.isfinite(high) else 0.0
            if not line[2]:
                continue
            shown = numbers(line[2])
            if not agree(shown[0], estimate, 0.0):
                wrong.append(f"{claim['id']} on {line[1]}: the page shows {line[2]}, recomputed is {estimate}")
            elif "[" in line[2] and not (agree(shown[1], low, width) and agree(shown[2], high, width)):
                wrong.append(f"{claim['id']} on {line[1]}: the page shows {line[2]}, recomputed is [{low}, {high}]")
    assert not wrong, "\n".join(wrong)
    assert lines or not document.get("claims")
    assert open_ends <= 2  # where an end lies on the margin two bootstraps may differ; hardly ever


ORDER = ("not reproduced", "incomplete", "inconclusive")


def test_no_row_of_the_papers_is_better_than_its_worst_experiment() -> None:
    verdicts: dict[tuple[str, str], str] = {}
    for suite in SUITES:
        name = ""
        for line in rows(block(f"zoo table {suite}")):
            if len(line) == 6:
                name = line[0] or name
                verdicts[suite, name.replace("\\", "")] = line[5]  # the last line of a claim is its verdict
    judged = 0
    for line in rows(block("zoo papers")):
        if len(line) != 8 or not line[0][:1].isdigit():
            continue
        suite, _, ids = line[4].partition(": ")
        answers = [verdicts[suite, one] for one in ids.replace("\\", "").split(", ")] if ids else []
        worst = next((word for word in ORDER if any(answer.startswith(word) for answer in answers)), "reproduced")
        assert line[6].startswith(worst if answers else "not judged"), line
        judged += bool(answers)
    assert judged >= 30


def test_the_page_says_which_results_are_stale() -> None:
    command = [sys.executable, "-m", "zoo.cli.main", "table", "--check", "--format", "markdown"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    hint = "python benchmarks/tables.py writes it anew; its help says how a change that changes no number is proven"
    assert block("zoo table --check").strip() == done.stdout.strip(), hint
