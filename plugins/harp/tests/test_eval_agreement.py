"""The checker held against labels, and its interval against scipy's."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest
from scipy.stats import binomtest
from zoo_harp.backends import agreement
from zoo_harp.backends.agreement import Agreement
from zoo_harp.backends.pairs import Pair, load_pairs
from zoo_harp.config import AgreementConfig

from zoo.api import EvalContext
from zoo.cli.main import main
from zoo.testing import check_evaluator

BLIND = resources.files("zoo_harp") / "suites" / "harp" / "blind.jsonl"
LINES = [
    {"gold": "7", "response": "The answer is 7.", "correct": True},
    {"gold": "7", "response": "The answer is 8.", "correct": False},
    {"gold": "7", "response": "The answer is 9.", "correct": True},  # labelled against arithmetic: refused
    {"gold": "7", "response": "The answer is 7."},
    {"gold": "C", "right": ["(C) 40", "C", "(C)"], "wrong": ["(D)", "(C)"]},  # the last: accepted
]


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def evaluate(path, **options):
    config = AgreementConfig(**{"beside": "none", **options})
    return Agreement(config).evaluate(path, EvalContext(seed=0, rng=np.random.default_rng(0), path=path))


def test_shares_and_intervals_are_those_of_the_labels(pairs):
    report = evaluate(pairs)
    assert report.scores["n"] == 8
    for name, low, high, hits, n in (
        ("agreement", "low", "high", 6, 8),
        ("refused", "refused low", "refused high", 1, 5),
        ("accepted", "accepted low", "accepted high", 1, 3),
    ):
        interval = binomtest(hits, n).proportion_ci(method="wilson")
        assert report.scores[name] == pytest.approx(100 * hits / n)
        assert report.scores[low] == pytest.approx(100 * interval.low)
        assert report.scores[high] == pytest.approx(100 * interval.high)
    assert [(row["pair"], row["label"], row["harp"]) for row in report.rows] == [
        (3, "right", "wrong"),
        (8, "wrong", "right"),
    ]


def test_one_label_alone_has_no_share_of_the_other(tmp_path):
    path = tmp_path / "right.jsonl"
    path.write_text('{"gold": "7", "response": "7", "correct": true}\n')
    scores = evaluate(path).scores
    assert (scores["agreement"], scores["refused"]) == (100.0, 0.0)
    assert "accepted" not in scores


def test_both_forms_of_a_line(pairs):
    assert load_pairs(pairs)[:2] == [Pair("7", "The answer is 7.", True), Pair("7", "The answer is 8.", False)]
    assert [(pair.response, pair.label) for pair in load_pairs(pairs)[4:]] == [
        ("(C) 40", True), ("C", True), ("(C)", True), ("(D)", False), ("(C)", False),
    ]  # fmt: skip


def test_math_verify_stands_beside(pairs, need):
    need("math_verify")
    report = evaluate(pairs, beside="math-verify", timeout_s=10)
    assert report.scores["math-verify/n"] == 8
    assert {row["math-verify"] for row in report.rows} <= {"right", "wrong"}
    assert report.rows[0] | {"response": ""} == {
        "pair": 3, "gold": "7", "response": "", "label": "right", "harp": "wrong", "math-verify": "wrong",
    }  # fmt: skip


def test_without_math_verify_a_note_says_so(pairs, monkeypatch):
    monkeypatch.setattr(agreement, "find_spec", lambda name: None)
    report = evaluate(pairs, beside="installed")
    assert any("math-verify is not installed" in note for note in report.notes)
    assert not any(name.startswith("math-verify") for name in report.scores)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"gold": "7"}', ":1: field 'response' is missing"),
        ('{"gold": "7", "right": "7"}', ":1: field 'right' is \"7\": expected a list of strings"),
        ('{"gold": "7", "wrong": [8]}', ":1: field 'wrong'"),
        ('{"right": ["7"]}', ":1: field 'gold' is missing"),
        ('{"gold": "7", "response": "7"}', 'has no pair with the field "correct"'),
    ],
)
def test_bad_pairs(tmp_path, capsys, line, words):
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n")
    assert main(["eval", str(path), "harp-agreement"]) == 2
    assert words in capsys.readouterr().err


def test_bad_options(pairs, capsys):
    assert main(["eval", str(pairs), "harp-agreement", "--workers", "0"]) == 2
    assert "expected at least 1" in capsys.readouterr().err
    assert main(["eval", str(pairs), "harp-agreement", "--timeout-s", "11"]) == 2
    assert "at most 10" in capsys.readouterr().err


def test_what_an_evaluator_promises(pairs):
    check_evaluator("harp-agreement", pairs, config={"beside": "none"})


def test_the_blind_pairs_are_labelled_and_differ():
    pairs = load_pairs(BLIND)
    assert len(pairs) == 159 == len({(pair.gold, pair.response) for pair in pairs})
    assert sum(pair.label is True for pair in pairs) == 89
    assert all(pair.label is not None for pair in pairs)
