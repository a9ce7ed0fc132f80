"""Reading problems: every complaint has a place, splits follow the rules, zip files are bounded."""

from __future__ import annotations

import json
import zipfile
from importlib import resources
from pathlib import Path

import pytest
from zoo_harp.evaluation import jsonl
from zoo_harp.evaluation.data import SUBJECTS, counts, load_dataset, write_problems
from zoo_harp.evaluation.jsonl import DataError

from zoo import UsageError

CHOICES = {"A": "1", "B": "2", "C": "3", "D": "4", "E": "5"}


def problem(**fields):
    base = {
        "year": "2001", "contest": "AMC_10A", "number": 1, "level": 2, "subject": "algebra",
        "multiple_choice_only": False, "problem": "One plus one?", "answer": "2", "choices": CHOICES,
        "answer_choice": "B", "solution_1": r"\boxed{2}", "num_solutions": 1,
    }  # fmt: skip
    return {**base, **fields}


def write(path: Path, *objects) -> Path:
    path.write_text("".join((o if isinstance(o, str) else json.dumps(o)) + "\n" for o in objects), encoding="utf-8")
    return path


def without(field):
    return {name: value for name, value in problem(number=2).items() if name != field}


BAD = [
    ("{", "", "malformed JSON"),
    ("[1]", "", "expected a JSON object"),
    ("[" * 100_000, "", "malformed JSON"),
    ('{"number": ' + "9" * 5000 + "}", "", "malformed JSON"),
    *[(without(name), name, "is missing") for name in ("year", "contest", "number", "level", "subject", "problem")],
    (without("multiple_choice_only"), "multiple_choice_only", "is missing"),
    (without("num_solutions"), "num_solutions", "is missing"),
    (without("solution_1"), "num_solutions", "0 solutions are there"),
    (problem(number=2, num_solutions=2), "num_solutions", "1 solutions are there"),
    (problem(number=2, num_solutions=1, solution_1=3), "solution_1", "expected a string"),
    (problem(number=2, level=0), "level", "from 1 to 9"),
    (problem(number=2, level=10), "level", "from 1 to 9"),
    (problem(number=2, level="3"), "level", "from 1 to 9"),
    (problem(number=2, level=True), "level", "from 1 to 9"),
    (problem(number=2, subject="algbra"), "subject", "expected algebra"),
    (problem(number=2, subject=4), "subject", "expected a string"),
    (problem(number="2"), "number", "whole number"),
    (problem(number=2, year=2001), "year", "expected a string"),
    (problem(number=2, contest="AMC/10A"), "contest", "without '/'"),
    (problem(number=2, multiple_choice_only="no"), "multiple_choice_only", "true or false"),
    (problem(number=2, answer=""), "answer", "not empty"),
    (problem(number=2, answer=1.5), "answer", "not empty"),
    (problem(number=2, choices={"A": "1"}), "choices", "letters A to E"),
    (problem(number=2, choices={**CHOICES, "C": 3}), "choices", "for C"),
    (problem(number=2, answer_choice="F"), "answer_choice", "letter from A to E"),
    (problem(number=2, answer_choice=None), "answer_choice", "is missing"),
    (problem(number=2, choices=None), "answer_choice", "no choices"),
    (problem(number=2, choices=None, answer_choice=None, answer=None), "answer", "no choices"),
    (problem(), "number", "identifier 2001/AMC_10A/1 of line 1"),
]


@pytest.mark.parametrize(("bad", "field", "words"), BAD)
def test_a_bad_line_is_named_with_its_field(tmp_path, bad, field, words):
    path = write(tmp_path / "f.jsonl", problem(), "", bad)
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    error = caught.value
    assert (error.line, error.field, error.exit_code) == (3, field, 2)
    assert error.message.startswith(f"{path}:3: ")
    assert words in error.message
    assert len(error.message) < 400
    kept = load_dataset(path, skip_bad=True)
    assert list(kept.problems) == ["2001/AMC_10A/1"]
    assert [skipped.line for skipped in kept.skipped] == [3]


def test_the_number_of_other_bad_lines_is_told(tmp_path):
    path = write(tmp_path / "f.jsonl", "{", problem(), "{", "nonsense")
    with pytest.raises(DataError, match=r":1: malformed.*\(2 more bad lines\.\)"):
        load_dataset(path)


def test_a_file_without_a_good_line_is_refused_even_when_skipping(tmp_path):
    with pytest.raises(DataError, match="malformed"):
        load_dataset(write(tmp_path / "f.jsonl", "{"), skip_bad=True)
    with pytest.raises(DataError, match="has no line"):
        load_dataset(write(tmp_path / "g.jsonl", ""))
    with pytest.raises(DataError, match="cannot be read"):
        load_dataset(tmp_path / "missing.jsonl")
    with pytest.raises(DataError, match="cannot be read"):
        load_dataset(tmp_path)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(problem()).encode() + b"\n\xff\n")
    with pytest.raises(DataError, match=r":2: byte 1 is not UTF-8"):
        load_dataset(path)
    assert len(load_dataset(path, skip_bad=True).problems) == 1


def test_an_integer_answer_becomes_text(tmp_path):
    path = write(tmp_path / "f.jsonl", problem(contest="AIME_I", answer=204, choices=None, answer_choice=None))
    (loaded,) = load_dataset(path).problems.values()
    assert loaded.answer == "204"


def test_splits_follow_the_rules_of_the_paper(tmp_path):
    none = {"choices": None, "answer_choice": None}
    path = write(
        tmp_path / "f.jsonl",
        problem(number=1),
        problem(number=2, multiple_choice_only=True),
        problem(number=3, subject="calculus"),
        problem(number=4, contest="AIME_II", answer=7, **none),
        problem(number=5, contest="AIME"),
        problem(number=6, contest="USAMO", level=9, answer=None, **none),
        problem(number=7, contest="USAJMO", level=6, answer=None, **none),
        problem(number=8, **none),
        problem(number=9, answer=None),
    )
    dataset = load_dataset(path)
    splits = {
        name: [p.number for p in dataset.split(name)] for name in ("short", "choice", "proof", "required", "both")
    }
    assert splits == {"short": [1, 4, 5, 8], "choice": [1, 2, 9], "proof": [6, 7], "required": [2], "both": [1]}
    assert len(dataset.split("raw")) == 9
    with pytest.raises(UsageError, match="expected short"):
        dataset.split("shrt")


def test_problems_that_are_written_are_read_back(tmp_path):
    dataset = load_dataset(write(tmp_path / "f.jsonl", problem(), problem(number=2, solution_2="x", num_solutions=2)))
    write_problems(tmp_path / "g.jsonl", dataset.split("raw"))
    assert load_dataset(tmp_path / "g.jsonl").problems == dataset.problems


def test_the_sample(tmp_path):
    sample = resources.files("zoo_harp").joinpath("data/harp_sample.jsonl")
    path = tmp_path / "s.jsonl"
    path.write_bytes(sample.read_bytes())
    problems = load_dataset(path).split("short")
    assert len(problems) == 40
    rows = counts(problems)
    assert [row["n"] for row in rows] == [7, 8, 8, 7, 6, 4]
    assert all(row["n"] == sum(row[subject] for subject in SUBJECTS) for row in rows)


# zip files


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_zip_file_holds_exactly_one_jsonl(tmp_path):
    text = json.dumps(problem())
    good = zipped(tmp_path / "a.zip", **{"folder/f.jsonl": text, "README.md": "hello"})
    assert len(load_dataset(good).problems) == 1
    for name, members in (("none", {"README.md": "x"}), ("two", {"a.jsonl": text, "b.jsonl": text})):
        with pytest.raises(DataError, match="expected exactly one"):
            load_dataset(zipped(tmp_path / f"{name}.zip", **members))
    bad = zipped(tmp_path / "bad.zip", **{"f.jsonl": f"{text}\n{{"})
    with pytest.raises(DataError, match=r"bad\.zip:2: malformed"):
        load_dataset(bad)


def test_what_is_no_sound_zip_file(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK nonsense")
    with pytest.raises(DataError, match="is not a zip file"):
        load_dataset(path)
    zipped(path, **{"f.jsonl": json.dumps(problem()) * 50})
    raw = bytearray(path.read_bytes())
    raw[60:80] = bytes(20)  # within the compressed data
    path.write_bytes(raw)
    with pytest.raises(DataError):
        load_dataset(path)


def test_a_member_that_unpacks_to_too_much_is_refused_unread(tmp_path, monkeypatch):
    path = zipped(tmp_path / "bomb.zip", **{"f.jsonl": " " * 5_000_000})
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(jsonl, "MAX_MEMBER", 1_000_000)
    with pytest.raises(DataError, match="5000000 bytes: expected at most 1000000"):
        load_dataset(path)
