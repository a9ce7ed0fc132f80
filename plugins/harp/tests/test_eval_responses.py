"""The format of responses, line by line, and the two foreign ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from zoo_harp.evaluation.jsonl import DataError
from zoo_harp.evaluation.responses import FINISHED, is_finished, load_responses

ID = "2001/AMC_8/1"


def write(path: Path, *objects) -> Path:
    path.write_text("".join(json.dumps(o) + "\n" for o in objects), encoding="utf-8")
    return path


def line(**fields):
    return {"id": ID, "response": "4", "sample": 1, **fields}


SHUFFLED = {"layout": "dot", "shuffle": 2, "permutation": "BCDEA"}
BAD = [
    ({"response": "4"}, "id", "is missing"),
    ({"id": 4, "response": "4"}, "id", "expected a string"),
    ({"id": "2001/AMC_8/9", "response": "4"}, "id", "no such problem"),
    ({"id": ID}, "response", "is needed"),
    ({"id": ID, "response": "4", "samples": ["4"]}, "response", "not both"),
    ({"id": ID, "samples": []}, "samples", "not empty"),
    ({"id": ID, "samples": ["x", 4]}, "samples[1]", "expected a string"),
    ({"id": ID, "samples": [{"text": "x"}]}, "samples[0]", "expected a string"),
    ({"id": ID, "sample": 1, "samples": ["x", {"response": "x", "tokens": -1}]}, "samples[1].tokens", "at least 0"),
    (line(response=4), "response", "a string or null"),
    (line(finish_reason=0), "finish_reason", "a string or null"),
    (line(tokens=1.5), "tokens", "whole number"),
    (line(tokens=True), "tokens", "whole number"),
    (line(correct="yes"), "correct", "true, false or null"),
    (line(sample=-1), "sample", "at least 0"),
    (line(sample=0), "id", "as on line 1"),
    (line(layout="dots"), "layout", "dot"),
    (line(layout=["dot"]), "layout", "dot"),
    (line(shuffle=1, permutation="BCDEA"), "shuffle", "expected a layout"),
    (line(layout="dot", shuffle=1), "permutation", "is missing"),
    (line(layout="dot", shuffle=1, permutation="AABCD"), "permutation", "once"),
    ({"resps": [["4"]], "doc": {"year": "2001"}}, "doc", "'number'"),
    ({"resps": [], "doc": {"year": "2001", "contest": "AMC_8", "number": 1}}, "resps", "lists of texts"),
]


@pytest.mark.parametrize(("bad", "field", "words"), BAD)
def test_a_bad_line_is_named_with_its_field(tmp_path, bad, field, words):
    path = write(tmp_path / "r.jsonl", {"id": ID, "response": "4"}, bad)
    with pytest.raises(DataError) as caught:
        load_responses(path, known={ID}.__contains__)
    assert (caught.value.line, caught.value.field) == (2, field)
    assert words in caught.value.message
    kept = load_responses(path, known={ID}.__contains__, skip_bad=True)
    assert (len(kept.items), len(kept.skipped)) == (1, 1)


def test_fields_and_defaults(tmp_path):
    path = write(
        tmp_path / "r.jsonl",
        {"id": ID, "response": None},
        {"id": ID, "sample": 1, "samples": ["x", None, {"response": "y", "finish_reason": "length", "tokens": 3}]},
        {"id": ID, "response": "B", "correct": False, "other": [1], **SHUFFLED},
    )
    loaded = load_responses(path).items
    assert [(r.run.name, r.sample, r.text, r.finished, r.tokens, r.order, r.claimed, r.line) for r in loaded] == [
        ("short", 0, None, True, None, "ABCDE", None, 1),
        ("short", 1, "x", True, None, "ABCDE", None, 2),
        ("short", 2, None, True, None, "ABCDE", None, 2),
        ("short", 3, "y", False, 3, "ABCDE", None, 2),
        ("dot shuffle 2", 0, "B", True, None, "BCDEA", False, 3),
    ]


def test_only_known_reasons_are_a_normal_end():
    assert is_finished(None)
    assert all(map(is_finished, [*FINISHED, "STOP", " Stop "]))
    assert not any(map(is_finished, ["length", "max_tokens", "content_filter", "unknown", "", "tool_calls"]))


def test_samples_logged_by_lm_eval(tmp_path):
    doc = {"year": "2001", "contest": "AMC_8", "number": 1, "problem": "?"}
    path = write(tmp_path / "r.jsonl", {"doc_id": 0, "doc": doc, "target": "4", "resps": [["4", "5"]]})
    assert [(r.id, r.sample, r.text) for r in load_responses(path).items] == [(ID, 0, "4"), (ID, 1, "5")]
