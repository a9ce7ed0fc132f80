"""Worked examples, and a large table of pairs for every rule."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from zoo_harp import check, check_bool

EXAMPLES = [
    ("17", "17.0", True),
    ("17", "17.3", False),
    (r"\frac{9}{4}", r"2\frac14", True),
    (r"-\frac94", "-2 1/4", True),
    (r"\frac94", r"\frac49", False),
    ("2,400", "2400", True),
    (r"0.\overline{6}", "2/3", True),
    (r"\frac23", "0.67", False),
    (r"\frac23", "0.6666667", True),
    (r"65\%", "65", True),
    ("0.65", r"65\%", True),
    ("0.65", "65", False),
    (r"120^\circ", "120", True),
    (r"22\text{ cm}", "22", True),
    (r"22\text{ cm}", r"22\text{ km}", False),
    ("312_4", "312_{4}", True),
    ("312_4", "312_5", False),
    (r"\binom{7}{2}", "21", True),
    ("2^{400}", "4^{200}", True),
    ("2^{400}", "2^{400}+1", False),
    (r"\sqrt{45}", r"3\sqrt5", True),
    (r"\sqrt{45}", r"5\sqrt3", False),
    (r"\frac{3}{\sqrt3}", r"\sqrt{3}", True),
    (r"\pm 8", "8, -8", True),
    (r"\pm 8", "-8", False),
    ("5,6", "6,5", True),
    ("(5,6)", "(6,5)", False),
    ("(5,6]", "[5,6]", False),
    (r"x\ge 6", r"[6,\infty)", True),
    ("x>6", r"x\ge 6", False),
    (r"(0,3)\cup(3,4)", r"(3,4)\cup(0,3)", True),
    ("7-2i", "-2i+7", True),
    ("7-2i", "7+2i", False),
    (r"\cos^2t-\sin^2t", r"\cos 2t", True),
    (r"\log_3 81", "4", True),
    ("a^2-b^2", "(a+b)(a-b)", True),
    ("a^2-b^2", "(a-b)^2", False),
    ("y=3x-1", "3x-y=1", True),
    (r"\text{Saturday}", "saturday.", True),
    ("4:9", "8:18", True),
    ("9", "8^{8^{8^8}}", False),
    ("6", "__import__('os')", False),
    (r"\begin{pmatrix}2\\7\end{pmatrix}", r"\begin{bmatrix}2\\7\end{bmatrix}", True),
    ("C", "(C) 40", True),
]
PAIRS = resources.files("zoo_harp") / "suites" / "harp" / "table.jsonl"
TABLE = [json.loads(line) for line in PAIRS.read_text(encoding="ascii").splitlines()]


@pytest.mark.parametrize(("gold", "response", "correct"), EXAMPLES)
def test_worked_example(gold, response, correct):
    assert check_bool(gold, response) is correct


@pytest.mark.parametrize("rule", sorted({row["rule"] for row in TABLE}))
def test_table(rule):
    wrong = [
        (row["gold"], response, correct, verdict.extracted, verdict.rule)
        for row in TABLE
        if row["rule"] == rule
        for correct, key in ((True, "right"), (False, "wrong"))
        for response in row[key]
        for verdict in [check(row["gold"], response)]
        if verdict.correct is not correct
    ]
    assert not wrong


def test_the_same_verdicts_again():
    pairs = [(row["gold"], response) for row in TABLE[::9] for response in row["right"] + row["wrong"]]
    outcome = [[(v.correct, v.extracted, v.rule, v.reason) for v in (check(*p) for p in pairs)] for _ in range(2)]
    assert outcome[0] == outcome[1]


def test_a_box_around_the_answer_changes_nothing():
    for gold, response, correct in EXAMPLES[:43]:
        assert check_bool(gold, rf"So the answer follows: $\boxed{{{response}}}$.") is correct, response


def test_equal_in_both_directions_where_the_rule_is_symmetric():
    rules = ("fractions", "mixed numbers", "radicals", "pi and e", "complex", "matrices", "polynomials and expressions")
    for row in TABLE:
        if row["rule"] in rules:
            for response in row["right"]:
                assert check_bool(response, row["gold"]), (response, row["gold"])


FRESH = [json.loads(line) for line in Path(__file__).with_name("fresh.jsonl").read_text(encoding="ascii").splitlines()]
"""pairs of every kind, written with their verdicts, in lots, before the checker saw them"""


@pytest.mark.parametrize("kind", sorted({pair["kind"] for pair in FRESH}))
def test_fresh_pairs(kind):
    pairs = [pair for pair in FRESH if pair["kind"] == kind]
    missed = [pair for pair in pairs if check(pair["gold"], pair["response"]).correct is not pair["correct"]]
    assert not missed


KINDS = [json.loads(line) for line in Path(__file__).with_name("kinds.jsonl").read_text(encoding="ascii").splitlines()]
"""pairs beside each rule: what it has to accept, and what looks alike and is another answer"""


@pytest.mark.parametrize("kind", sorted({pair["kind"] for pair in KINDS}))
def test_pairs_of_a_kind(kind):
    pairs = [pair for pair in KINDS if pair["kind"] == kind]
    assert {pair["correct"] for pair in pairs} == {True, False}
    missed = [pair for pair in pairs if check(pair["gold"], pair["response"]).correct is not pair["correct"]]
    assert not missed
