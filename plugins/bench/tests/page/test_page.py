"""The page of ``zoo report`` without a browser: what it holds, that it is sound HTML, and that none of it can act."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import html5lib
import pytest

from plugins.bench.tests.conftest import bench_environment
from plugins.bench.tests.made_up import spec, store
from plugins.bench.tests.page.conftest import PLUGINS, report

EMBEDDED = re.compile(r"^data:image/(svg\+xml|png);base64,[A-Za-z0-9+/=]+$")


@pytest.fixture(scope="module")
def tree(hostile_page: Path) -> ElementTree.Element:
    """The page as the parser of the standard reads it, which stops at the first error."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    found: ElementTree.Element = parser.parse(hostile_page.read_text(encoding="utf-8"))
    return found


def all_text(element: ElementTree.Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def test_nothing_runs_or_is_fetched_but_what_the_policy_names(tree: ElementTree.Element) -> None:
    policies = [
        meta.get("content", "") for meta in tree.iter("meta") if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    rules = dict(rule.strip().split(" ", 1) for rule in policies[0].split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policies[0]
    scripts = [script for script in tree.iter("script") if script.get("type") != "application/json"]
    assert len(scripts) == 1
    for rule, elements in (("script-src", scripts), ("style-src", list(tree.iter("style")))):
        (element,) = elements
        text = element.text or ""
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


def test_no_element_acts_by_itself_and_no_address_leads_elsewhere(tree: ElementTree.Element) -> None:
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag not in ("iframe", "object", "embed", "link", "base", "applet")
        for name, value in element.attrib.items():
            name = str(name).lower()
            assert not name.startswith("on"), (element.tag, name)
            assert name != "style"
            if name in ("src", "href", "action", "data", "srcset", "poster"):
                assert EMBEDDED.match(value) or value.startswith("#"), (element.tag, name, value[:80])


def test_hostile_words_are_text_and_are_seen(tree: ElementTree.Element, hostile_page: Path) -> None:
    text = all_text(tree)
    assert "</script><script>window.evil=1</script><img src=x onerror=window.evil=1>" in text
    assert "{{7*7}}" in text
    page = hostile_page.read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    assert "\\x1b[31m" in text
    assert "\\u202e" in text
    assert "characters left out" in text


def curves(tree: ElementTree.Element) -> list[dict[str, Any]]:
    (script,) = [script for script in tree.iter("script") if script.get("type") == "application/json"]

    def refused(name: str) -> float:
        raise AssertionError(f"{name} is no JSON")

    found: list[dict[str, Any]] = json.loads(script.text or "", parse_constant=refused)
    return found


def test_the_embedded_curves_are_those_of_the_runs(tree: ElementTree.Element) -> None:
    by_label = {group["label"]: group for group in curves(tree)}
    learner = by_label["learner"]
    grid, mean, *ends = learner["lines"]["eval/return"]
    assert learner["seeds"] == 3
    assert not ends  # all seeds alike
    assert learner["x"][grid] == [10 * (step + 1) for step in range(40)]
    assert mean == [step % 7 for step in range(40)]
    assert learner["log"] == ["err"]
    evil = by_label["evil"]
    assert {"__proto__", "constructor", "toString"} <= set(evil["lines"])
    _, mean, *rest = evil["lines"]["eval/return"]
    assert rest[-1][:2] == [2, 1]  # both seeds logged the first step, one the second
    assert mean[0] == 0.5


def test_what_is_left_out_is_told_with_its_reason(tree: ElementTree.Element) -> None:
    (section,) = [one for one in tree.iter("section") if one.get("id") == "left-out"]
    text = all_text(section)
    assert "interrupted at step 200 of 100; no claim counts it as a result." in text
    assert "values of its log are no numbers: 2." in text
    assert "lines of its log cannot be read: 2." in text
    assert "failed at step 10 of 100: ValueError:" in text
    assert "values of its log are not finite: " in text
    assert "spec.json" in text


def test_the_claims_are_those_of_zoo_papers(tree: ElementTree.Element, hostile_page: Path) -> None:
    raw = Path(__file__).parents[4] / "benchmarks" / "results"
    done = subprocess.run(
        [sys.executable, "-m", "zoo.cli.main", "papers", "--from", str(raw), "--json"], capture_output=True, text=True,
        check=True, env={**bench_environment(), "ZOO_PLUGINS": PLUGINS},
    )  # fmt: skip
    told = json.loads(done.stdout)["claims"]
    (table,) = [one for one in tree.iter("table") if one.get("id") == "claims-table"]
    rows = [row for body in table.iter("tbody") for row in body.iter("tr")]
    shown = [[all_text(cell) for cell in row.iter("td")] for row in rows]
    assert [row[0] for row in shown] == [f"{claim['number']}{claim['part']}" for claim in told]
    assert [row[2] for row in shown] == [" ".join(claim["text"].split()) for claim in told]
    assert [row[6] for row in shown] == [claim["words"] for claim in told]
    assert [row.get("data-answer") for row in rows] == [claim["verdict"] for claim in told]


def test_each_run_is_told_with_command_versions_and_seeds(tree: ElementTree.Element) -> None:
    groups = [one for one in tree.iter("details") if one.get("class") == "group"]
    assert len(groups) == 3
    evil = next(one for one in groups if "evil" in all_text(next(one.iter("summary"))))
    text = all_text(evil)
    assert "zoo train" in text
    assert "1 finished, 1 failed" in text
    assert "made-up 1.2.3" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "there is nothing to report"),
        (["nowhere"], "nowhere does not exist"),
        (["--serve", "-o", "x.html"], "--serve writes no file"),
        (["--serve", "nowhere"], "nowhere does not exist"),
        (["--serve", "--json"], "--serve writes no file"),
        (["-o", "."], ". is a folder"),
        (["--port", "80"], "--port is of --serve"),
        (["--from", "nowhere"], "nowhere is not a folder"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_nothing_is_written(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = report(*arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def fetch(address: str, **headers: str) -> str:
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: str = answer.read().decode()
        return found


def refusal(address: str, **headers: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(address, **headers)
    with refused.value:
        return refused.value.code


def test_a_served_page_is_made_anew_when_its_runs_move_on(tmp_path: Path) -> None:
    rows = [{"err": 1.0 / (step + 1)} for step in range(10)]
    folder = store(tmp_path / "runs", spec(), 0, rows)
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo.cli.main", "report", "--serve", "--port", "0", "--dir", str(tmp_path / "runs")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**bench_environment(), "ZOO_PLUGINS": "zoo-core,zoo-bench"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[0]
        assert address.startswith("http://127.0.0.1:")
        first, page = fetch(f"{address}version"), fetch(address)
        assert f'data-live="{first}"' in page
        assert "connect-src 'self'" in html.unescape(page)
        assert refusal(address, Host="evil.example") == 403
        assert refusal(f"{address}../spec.json") == 404
        with (folder / "metrics.jsonl").open("a") as log:
            log.write('{"step": 110, "wall": 11.0, "err": 0.5}\n')
        deadline = time.monotonic() + 60
        while fetch(f"{address}version") == first:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert "110" in fetch(address)
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert err == ""


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, and no folder")
    file = tmp_path / "taken" / "x.html"
    store(tmp_path / "runs", spec(), 0, [{"err": 1.0}])
    done = report(tmp_path / "runs", "-o", file)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert not list(tmp_path.rglob(".*.unfinished"))
