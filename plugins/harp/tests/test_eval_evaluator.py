"""From files to tables, through the command line and by hand."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import zoo_harp
from zoo_harp import Verdict
from zoo_harp.config import HarpConfig
from zoo_harp.evaluation import paper
from zoo_harp.evaluation.data import Dataset
from zoo_harp.evaluation.evaluator import Harp
from zoo_harp.evaluation.html import visible

from zoo.api import EvalContext
from zoo.cli.main import main
from zoo.errors import UnknownNameError, UsageError
from zoo.testing import check_evaluator

SAMPLE = str(resources.files("zoo_harp").joinpath("data/harp_sample.jsonl"))
PROBLEMS = [json.loads(line) for line in Path(SAMPLE).read_text(encoding="utf-8").splitlines()]


def name(problem):
    return f"{problem['year']}/{problem['contest']}/{problem['number']}"


def write(path: Path, lines) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def evaluate(path: Path, seed: int = 0, **options):
    config = HarpConfig(**{"dataset": SAMPLE, **options})
    return Harp(config).evaluate(path, EvalContext(seed=seed, rng=np.random.default_rng(seed), path=path))


def row(report, run, group):
    (only,) = [row for row in report.rows if (row["run"], row["group"]) == (run, group)]
    return only


@pytest.fixture
def solutions(tmp_path):
    """Every solution of the sample as its response."""
    return write(tmp_path / "r.jsonl", [{"id": name(p), "response": p["solution_1"], "tokens": 9} for p in PROBLEMS])


def test_the_sample_end_to_end(solutions, tmp_path, capsys):
    table = tmp_path / "rows.csv"
    assert main(["eval", str(solutions), "harp", "--dataset", SAMPLE, "--rows", "--csv", str(table)]) == 0
    out = capsys.readouterr().out
    assert "note: percent" in out
    with table.open(encoding="utf-8") as file:
        rows = {line["group"]: line for line in csv.DictReader(file)}
    whole = rows["all"]
    assert (whole["n"], whole["accuracy"], whole["high"]) == ("40", "100.0", "100.0")
    assert float(whole["low"]) == pytest.approx(100 * 40 / (40 + 1.959963985**2))
    assert whole["Gemini 1.5 Pro/accuracy"] == "58.1"
    assert rows["L6"]["Gemini 1.5 Pro/unfinished"] == "2.5"
    assert sum(int(rows[f"L{level}"]["n"]) for level in range(1, 7)) == 40
    assert sum(int(line["n"]) for group, line in rows.items() if " " in group) == 40


def test_json_on_the_command_line(solutions, capsys):
    assert main(["eval", str(solutions), "harp", "--dataset", SAMPLE, "--json"]) == 0
    (evaluation,) = json.loads(capsys.readouterr().out)["evaluations"]
    assert evaluation["scores"]["accuracy"] == 100.0
    assert evaluation["rows"][0]["tokens/median"] == 9.0


def test_what_an_evaluator_promises(solutions):
    check_evaluator("harp", solutions, config={"dataset": SAMPLE})


BAD = [
    ([], "expected --dataset"),
    (["--dataset", "nothing.jsonl"], "nothing.jsonl: cannot be read"),
    (["--dataset", SAMPLE, "--k", "2"], "expected from 1 to 1"),
    (["--dataset", SAMPLE, "--k", "0"], "expected at least 1"),
    (["--dataset", SAMPLE, "--orders", "0"], "expected at least 1"),
    (["--dataset", SAMPLE, "--timeout-s", "11"], "at most 10"),
    (["--dataset", SAMPLE, "--paper", "Gemini 1.5 Por"], "did you mean Gemini 1.5 Pro"),
    (["--dataset", SAMPLE, "--items", "x.txt"], "ends in .csv or .jsonl"),
    (["--dataset", SAMPLE, "--html", "no/such/folder.html"], "cannot be written"),
]


@pytest.mark.parametrize(("flags", "words"), BAD)
def test_bad_requests(solutions, capsys, flags, words):
    assert main(["eval", str(solutions), "harp", *flags]) == 2
    assert words in capsys.readouterr().err


def test_splits_are_made_as_often_for_few_responses_as_for_many(solutions, tmp_path, monkeypatch):
    made = []
    split = Dataset.split
    monkeypatch.setattr(Dataset, "split", lambda self, name: made.append(name) or split(self, name))
    evaluate(solutions)
    many = len(made)
    few = write(tmp_path / "few.jsonl", [json.loads(solutions.read_text(encoding="utf-8").splitlines()[0])])
    evaluate(few)
    assert len(made) == 2 * many


def test_nothing_is_scored_before_everything_is_read(tmp_path, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("scored")

    monkeypatch.setattr("zoo_harp.evaluation.evaluator.score", never)
    path = write(tmp_path / "r.jsonl", [{"id": name(PROBLEMS[0]), "response": "1"}, {"id": "x/y/1", "response": "1"}])
    with pytest.raises(UsageError, match=r"r\.jsonl:2: field 'id'"):
        evaluate(path)


def test_bad_lines_are_skipped_and_counted(tmp_path):
    path = write(tmp_path / "r.jsonl", [{"id": name(PROBLEMS[0]), "response": r"\boxed{12}"}, {"id": "x/y/1"}])
    report = evaluate(path, skip_bad=True)
    assert report.scores["n"] == 1
    assert any(note.startswith("1 bad lines of the responses were skipped") for note in report.notes)
    assert any("39 of 40 problems have no response" in note for note in report.notes)


def test_unfinished_and_empty_responses_are_wrong(tmp_path):
    right = [r"\boxed{" + p["answer"] + "}" for p in PROBLEMS[:4]]
    extra = [{}, {"finish_reason": "length"}, {"finish_reason": "stop"}, {}]
    lines = [{"id": name(p), "response": r, **e} for p, r, e in zip(PROBLEMS, right, extra, strict=False)]
    lines[3]["response"] = "  "
    report = evaluate(write(tmp_path / "r.jsonl", lines), items=str(tmp_path / "items.jsonl"))
    assert (report.scores["accuracy"], report.scores["unfinished"]) == (50.0, 25.0)
    items = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [item["correct"] for item in items] == [True, False, True, False]
    assert [items[1]["reason"], items[3]["reason"]] == ["unfinished", "no-answer"]


def test_an_empty_reference_answer_names_its_problem(tmp_path):
    data = write(tmp_path / "d.jsonl", [PROBLEMS[0], {**PROBLEMS[1], "answer": "$ $"}])
    path = write(tmp_path / "r.jsonl", [{"id": name(p), "response": "1"} for p in PROBLEMS[:2]])
    with pytest.raises(UsageError, match="problem 2026/SAMPLE_L1/2: the gold answer"):
        evaluate(path, dataset=str(data))


def test_pass_and_majority(tmp_path):
    box = r"\boxed{{{}}}".format
    gold = PROBLEMS[5]["answer"]
    assert gold == r"\frac{3}{8}"
    samples = [box("0.375"), box(r"\frac38"), box("5"), box("5.0"), box("10/2")]
    lines = [
        {"id": name(PROBLEMS[5]), "samples": samples},
        {"id": name(PROBLEMS[0]), "samples": [*[box("12")] * 4, None]},
    ]
    report = evaluate(write(tmp_path / "r.jsonl", lines), k=(1, 5), orders=3)
    figures = row(report, "short", "all")
    assert figures["accuracy"] == pytest.approx(100 * (2 / 5 + 4 / 5) / 2)
    assert figures["pass@1"] == pytest.approx(figures["accuracy"])
    assert figures["pass@5"] == 100.0
    # 3/8 has two votes, 5 in three spellings has three; 12 wins on the other problem.
    assert figures["maj@5"] == 50.0
    assert "maj@5 low" not in figures
    assert figures["maj@1 low"] <= figures["maj@1"] <= figures["maj@1 high"]
    assert row(evaluate(tmp_path / "r.jsonl"), "short", "all").keys() >= {"pass@1", "pass@2", "pass@4", "pass@5"}
    with pytest.raises(UsageError, match="k = 6"):
        evaluate(tmp_path / "r.jsonl", k=(6,))


def test_the_order_of_lines_does_not_matter(tmp_path):
    rng = np.random.default_rng(0)
    lines = [
        {"id": name(p), "sample": sample, "response": rf"\boxed{{{rng.integers(3)}}}"}
        for p in PROBLEMS[:6]
        for sample in range(5)
    ]
    one = evaluate(write(tmp_path / "a.jsonl", lines), k=(3,))
    other = evaluate(write(tmp_path / "b.jsonl", [lines[place] for place in rng.permutation(len(lines))]), k=(3,))
    assert one.rows == other.rows


def test_votes_that_cannot_be_compared_in_time_cost_little(tmp_path, monkeypatch):
    asked = []

    def late(gold, response, **options):
        asked.append(gold)
        return Verdict(False, None, "timeout", "timeout", 2.0)

    monkeypatch.setattr(zoo_harp, "check", late, raising=False)
    samples = [rf"\boxed{{{number}}}" for number in range(100, 140)] * 2
    report = evaluate(write(tmp_path / "r.jsonl", [{"id": name(PROBLEMS[0]), "samples": samples}]), k=(80,))
    assert len(asked) == 5
    assert row(report, "short", "all")["maj@80"] == 0.0


CHOICES = {"A": "10", "B": "11", "C": "12", "D": "13", "E": "14"}


@pytest.fixture
def with_choices(tmp_path):
    lines = [{**PROBLEMS[0], "choices": CHOICES, "answer_choice": "C", "number": number} for number in (1, 2, 3, 4)]
    lines[3]["multiple_choice_only"] = True
    return write(tmp_path / "mcq.jsonl", lines)


def test_shuffled_choices(tmp_path, with_choices):
    order = "EABCD"  # C is shown fourth, as D
    said = {(1, 1): "D", (2, 1): "D", (3, 1): "C", (1, 2): "D", (2, 2): "A", (3, 2): "D"}
    lines = [
        {
            "id": f"2026/SAMPLE_L1/{number}", "response": f"The answer is ({letter}).", "layout": "paren",
            "shuffle": shuffle, "permutation": order,
        }
        for (number, shuffle), letter in said.items()
    ]  # fmt: skip
    lines += [{"id": f"2026/SAMPLE_L1/{number}", "response": r"\boxed{12}"} for number in (1, 2, 4)]
    report = evaluate(write(tmp_path / "r.jsonl", lines), dataset=str(with_choices))
    assert row(report, "paren shuffle 1", "all")["accuracy"] == pytest.approx(200 / 3)
    assert row(report, "paren shuffle 2", "all")["accuracy"] == pytest.approx(200 / 3)
    assert row(report, "paren shuffles", "mean over runs")["accuracy"] == pytest.approx(200 / 3)
    assert row(report, "paren shuffles", "at least 1 of 2 right")["accuracy"] == 100.0
    both = row(report, "paren shuffles", "all 2 right")
    assert (both["accuracy"], both["guessing"]) == (pytest.approx(100 / 3), pytest.approx(4.0))
    assert report.scores["paren shuffles/all 2 right"] == both["accuracy"]
    assert row(report, "short", "all")["n"] == 2
    assert any(note.startswith("1 responses are left out") for note in report.notes)
    assert row(report, "short (both splits)", "all")["n"] == 2
    published = "Gemini 1.5 Pro/accuracy"
    assert row(report, "short", "all")[published] == 58.1
    assert row(report, "short (both splits)", "all")[published] == 64.2
    assert published not in row(report, "paren shuffle 1", "all")
    assert row(report, "paren shuffle 1 (both splits)", "all")["n"] == 3


def test_votes_for_choices_count_by_what_was_chosen(tmp_path, with_choices):
    """Three times the published E under three letters, and twice the right C under one: E wins."""
    said = [("EABCD", "A"), ("BCDEA", "D"), ("DEABC", "B"), ("EABCD", "D"), ("EABCD", "D")]
    lines = [
        {
            "id": "2026/SAMPLE_L1/1", "layout": "dot", "shuffle": 1, "sample": place, "permutation": order,
            "response": rf"\boxed{{{letter}}}",
        }
        for place, (order, letter) in enumerate(said)
    ]  # fmt: skip
    report = evaluate(write(tmp_path / "r.jsonl", lines), dataset=str(with_choices), k=(5,))
    assert row(report, "dot shuffle 1", "all")["accuracy"] == pytest.approx(40.0)
    assert row(report, "dot shuffle 1", "all")["maj@5"] == 0.0


# the paper


def test_the_papers_figures():
    figures = paper.figures()
    assert {figure.table for figure in figures} == set(range(3, 11)) == set(paper.titles())
    assert all(0 <= figure.value <= 100 for figure in figures)
    cells = {}
    for figure in figures:
        key = (figure.table, figure.model, figure.run, figure.group, figure.metric, figure.both)
        assert key not in cells
        cells[key] = figure.value
    assert cells[3, "o1 mini", "short", "L6", "accuracy", False] == 41.1
    assert cells[8, "Gemini 1.5 Pro", "short", "L3", "pass@16", False] == 81.6
    assert cells[6, "Gemini 1.5 Pro", "paren", "all", "accuracy", True] == 80.7


def test_the_papers_overall_accuracy_is_the_mean_of_its_levels():
    sizes = {"L1": 799, "L2": 1505, "L3": 1363, "L4": 719, "L5": 197, "L6": 197}
    for table, metrics in ((3, {"accuracy"}), (4, {"unfinished"})):
        for model in paper.models(["all"]):
            published = {f.group: f.value for f in paper.figures() if (f.table, f.model) == (table, model)}
            if published and "L6" in published:
                mean = sum(published[level] * size for level, size in sizes.items()) / 4780
                assert abs(mean - published["all"]) < 0.15, (table, model, metrics)


def test_votes_and_passes_grow_with_k():
    for metric in ("pass", "maj"):
        by_k = {
            int(f.metric.split("@")[1]): f.value
            for f in paper.figures()
            if f.metric.startswith(metric) and f.group == "all"
        }
        assert list(by_k) == [1, 2, 4, 8, 16, 32, 64]
        assert sorted(by_k.values()) == list(by_k.values())


def test_models_are_found_by_name():
    assert paper.models(["gpt-4o", "O1 MINI"]) == ["GPT-4o", "o1 mini"]
    assert len(paper.models(["all"])) == 14
    with pytest.raises(UnknownNameError, match="GPT-4o"):
        paper.models(["gpt-4"])


# hostile output


HOSTILE = [
    "<script>alert(1)</script> \\boxed{<img src=x onerror=alert(1)>}",
    "</pre></details><iframe src='http://evil.example/'></iframe> The answer is '\"><b>7",
    "{{ 7*7 }} {% include 'x' %} \\boxed{{{ config }}}",
    "\\boxed{\u202e21\u202c} \x00\x1b[2J \ud800 ]]> <!-- -->",
    '=HYPERLINK("http://evil.example") \\boxed{=1+2}',
]


class Seen(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = set(), [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def test_a_page_of_hostile_responses_is_inert(tmp_path):
    lines = [{"id": name(p), "response": text, "correct": True} for p, text in zip(PROBLEMS, HOSTILE, strict=False)]
    page, items = tmp_path / "audit.html", tmp_path / "items.csv"
    evaluate(write(tmp_path / "<i>r.jsonl", lines), html=str(page), items=str(items), paper=("all",))
    seen = Seen()
    text = page.read_text(encoding="utf-8")
    seen.feed(text)
    allowed = (
        "html head meta title style body h1 h2 table thead tbody tr th td ul li p details summary b code dl dt dd pre"
    )
    assert seen.tags <= set(allowed.split())
    assert {attribute for attribute, _ in seen.attributes} <= {"charset", "http-equiv", "content", "lang", "class"}
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert "<script>alert(1)</script>" in seen.text
    assert "⟨RIGHT-TO-LEFT OVERRIDE⟩21" in seen.text
    assert "⟨U+D800⟩" in seen.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", text)
    with items.open(encoding="utf-8", newline="") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert not any(cell.startswith(("=", "+", "@")) for cell in cells)


def test_the_page_shows_each_answer_once_under_the_first_heading_that_fits(tmp_path):
    p = PROBLEMS[0]
    samples = [
        r"\boxed{13}", r"\boxed{13}", {"response": r"\boxed{12}", "correct": False}, r"\boxed{12.0}", r"\boxed{12}",
        "I cannot say.\n\nIt is too hard.", {"response": r"\boxed{14}", "finish_reason": "length"},
    ]  # fmt: skip
    page = tmp_path / "audit.html"
    evaluate(write(tmp_path / "r.jsonl", [{"id": name(p), "samples": samples}]), html=str(page))
    text = page.read_text(encoding="utf-8")
    heads = dict(re.findall(r"<h2>([^<(]*?) \((\d+)\)</h2>", text))
    assert list(heads.values()) == ["1", "0", "1", "1", "1"]
    assert "2026/SAMPLE_L1/1, short, 2 times: " in text


def test_long_responses_are_shown_from_their_end(tmp_path):
    page = tmp_path / "audit.html"
    text = "a" * 100_000 + r" \boxed{13} END"
    evaluate(write(tmp_path / "r.jsonl", [{"id": name(PROBLEMS[0]), "response": text}]), html=str(page))
    shown = page.read_text(encoding="utf-8")
    assert "END</pre>" in shown
    assert len(shown) < 30_000


def test_visible_keeps_ordinary_text():
    text = "été ∞ 数学 𝔸 ½\n\tx"
    assert visible(text) == text
    assert visible("a\u200bb\x7f") == "a⟨ZERO WIDTH SPACE⟩b⟨U+007F⟩"
