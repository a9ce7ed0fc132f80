"""Verdicts, bad input, kinds, extraction as such, explanations."""

from __future__ import annotations

import subprocess
import sys

import pytest
from zoo_harp import Verdict, check, check_bool, explain
from zoo_harp.checker.extraction.boxes import last_box
from zoo_harp.checker.extraction.letters import extract_choice
from zoo_harp.checker.extraction.reader import extract


@pytest.mark.parametrize("gold", ["", "   ", "$$", None, 3.5, ["5"], True])
def test_a_bad_gold_names_the_problem(gold):
    with pytest.raises(ValueError, match=r"problem 2005/AMC_10A/3: the gold answer"):
        check(gold, "5", problem="2005/AMC_10A/3")


def test_an_integer_gold_is_its_digits():
    assert check(25, "25").correct


def test_a_response_that_is_no_text():
    with pytest.raises(TypeError, match="the response is int: expected text or None"):
        check("5", 5)


@pytest.mark.parametrize("response", [None, "", "  \n", "\\boxed{}", "$$", "The final answer is"])
def test_no_answer(response):
    verdict = check("5", response)
    assert (verdict.correct, verdict.extracted, verdict.reason) == (False, None, "no-answer") or (
        response == "The final answer is" and not verdict.correct
    )


def test_unknown_kind_and_bad_timeout():
    with pytest.raises(ValueError, match="expected 'auto', 'short' or 'choice'"):
        check("5", "5", kind="mcq")
    with pytest.raises(ValueError, match="above 0"):
        check("5", "5", timeout_s=0)
    with pytest.raises(ValueError, match="one letter from A to E"):
        check("5", "5", kind="choice")


def test_kinds():
    assert check("C", "(C) 40", kind="choice").rule == "choice"
    assert check("C", "c", kind="choice").correct
    assert not check("C", "40", kind="choice").correct
    assert not check("C", "c", kind="short").correct
    assert check("C", "C", kind="short").correct
    assert check_bool("(C)", r"\textbf{(C)}")


def test_verdict_has_the_rule_and_a_reason():
    verdict = check(r"22\text{ cm}", r"22\text{ km}")
    assert isinstance(verdict, Verdict)
    assert (verdict.rule, verdict.reason) == ("unit", "different units: cm and km")
    assert verdict.seconds > 0


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"We get \boxed{1}, no, \boxed{2}", "2"),
        (r"The answer is 1. In fact \boxed{2}", "2"),
        (r"\boxed{1}. The final answer is $2$. I hope it is correct.", "2"),
        (r"\boxed{x = \boxed{5}}", "x = 5"),
        (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed{3} and \boxed{}", "3"),
        ("Answer:\n$(1,2)$\n\nThis holds.", "(1,2)"),
        ("f(3) is the price, so it costs 12 dollars", "12 dollars"),
        ("So x is at most f(3), and so x >= -3.", "x >= -3"),
        ("In the 5th step we meet at (1, 2).", "(1, 2)"),
        ("the roots are 1, 2 and 3", "1, 2 and 3"),
        ("In 1990 there were 3.", "3"),
        (r"\boxed{1}, \boxed{2} and $\boxed{3}$", "1, 2, 3"),
        ("\\boxed{1}\n\\boxed{1}", "1"),
        ("x12y and nothing else, " * 20, None),
        ("**Answer:** $5$", "5"),
        ("The answer is 3.5. It is near 4.", "3.5"),
    ],
)
def test_extraction(response, answer):
    assert extract(response) == answer


def test_only_the_end_of_a_long_response_is_read():
    assert extract(r"\boxed{1}" + " " * 200_000 + "so it is 7 then") == "7"


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("(B)", "B"),
        ("B or C", None),
        ("B, because A fails", "B"),
        ("A circle is round", None),
        (r"\boxed{\text{(D)}}", "D"),
        ("First A. Then the answer is (E).", "E"),
        ("it must be (c)", None),
        ("Answer: (c)", "C"),
        ("", None),
    ],
)
def test_letters(response, letter):
    assert extract_choice(response) == letter


def test_unbalanced_boxes_are_no_boxes():
    assert last_box(r"\boxed{1} \boxed{2").text == "1"
    assert last_box(r"\boxed{\boxed{") is None


def test_explanation_shows_both_trees():
    shown = str(explain(r"\frac{9}{4}", "the answer is 2.26"))
    assert "div(9, 4)" in shown
    assert "113/50" in shown
    assert "wrong, rule decimal" in shown
    assert "\x00" not in str(explain("5", "\x00\ud800 6"))
    assert "(none)" in str(explain("5", None))


def test_importing_the_checker_loads_neither_sympy_nor_numpy():
    code = (
        "import sys, zoo_harp; zoo_harp.check('17', '17.0'); zoo_harp.check('a^2', 'a*a'); "
        "print([m for m in ('sympy', 'numpy', 'mpmath', 'torch', 'antlr4') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("gold", "response", "correct"),
    [
        (r"\pm1\pm\sqrt2", r"1+\sqrt2, 1-\sqrt2, -1+\sqrt2, -1-\sqrt2", True),
        (r"\pm1\pm\sqrt2", r"1+\sqrt2, -1-\sqrt2", False),
        (r"\pm1\mp\sqrt2", r"1-\sqrt2, -1+\sqrt2", True),
        (r"\pm1\mp\sqrt2", r"1+\sqrt2, -1-\sqrt2", False),
    ],
)
def test_signs_vary_alone_unless_tied(gold, response, correct):
    assert check_bool(gold, response) is correct
