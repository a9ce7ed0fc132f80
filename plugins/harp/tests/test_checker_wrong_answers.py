"""What a model could write to be accepted without the answer: denials, bounds, hedges, several answers, small changes.

Each answer here is wrong by construction: a right one of a bare value, changed by a form that denies it, binds it, or
sets another value beside it.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zoo_harp import check

EXAMPLES = int(os.environ.get("ZOO_FUZZ_EXAMPLES", "25"))
few = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
VALUES = [
    ("7", "7"),
    (r"\frac{3}{4}", "0.75"),
    (r"\sqrt{45}", r"3\sqrt5"),
    (r"\frac{5}{11}", r"0.\overline{45}"),
    ("16\\pi", "16π"),
    ("(2,7)", "(2, 7)"),
    (r"22\text{ cm}", "22"),
    ("2^{15}", "8^5"),
    ("x^2+2x+1", "(x+1)^2"),
    ("1,2,3", "3,1,2"),
]
BOUND = [" such that x>2", r" \text{ if } x>2", " if $x>2$", " such as 17", " apart from 17", "\n17", "\n\n17\n\n18"]
BEHIND = [
    " unless x=0",
    " (not this)",
    " (no)",
    " (wrong)",
    " (false)",
    " is wrong",
    " does not work",
    ", no",
    ". No.",
    " except 17",
    " versus 17",
    " - maybe 17",
    ", 17",
    "; 17",
    " or 17",
    ", alternatively 17",
    " else 17",
    ", possibly 17",
    " and/or 17",
    ". Or 17.",
    ". Or maybe 17.",
    " (17 if n is odd)",
    " if n is even and 17 if n is odd",
    " if and only if pigs fly",
    "?",
    " < x",
    " > 100x",
    r" \neq x",
    " minus 1",
    " squared",
    " falls outside the range.",
    " is the number of the page",
]
BEFORE = [
    "< ",
    "> ",
    r"\le ",
    r"\ge ",
    "≥ ",
    r"\neq ",
    r"\lnot ",
    r"\nexists x: ",
    r"\text{not }",
    "not ",
    "anything but ",
    "twice ",
    "half of ",
    "at most ",
    "more than ",
    "unlike ",
    "17, ",
    "17 or ",
    "either 17 or ",
    "Options: 17, 18, ",
    "between 1 and ",
    "if x then 17 else ",
    "The wrong answer is ",
    r"\lnot Thus ",
]
BOXED = [
    r"$x<\boxed{{{}}}$",
    r"$x>\boxed{{{}}}$",
    r"$\boxed{{{}}} < x$",
    r"$x\ne\boxed{{{}}}$",
    r"$3\cdot\boxed{{{}}}$",
    r"$\boxed{{{}}}\cdot 3$",
    r"$17+\boxed{{{}}}$",
    r"twice $\boxed{{{}}}$",
    r"\boxed{{17}} \boxed{{{}}}",
    r"\boxed{{17}}, or possibly \boxed{{{}}}",
    r"\boxed{{17}} if even, \boxed{{{}}} if odd",
    r"Wrong answer: \boxed{{{}}}",
    r"\boxed{{{}}} (false)",
    r"\boxed{{{}}}. Or 17.",
    r"答案不是$\boxed{{{}}}$。",
    r"答案是$\boxed{{{}}}$吗？",
]


@few
@given(st.sampled_from(VALUES), st.sampled_from(BEHIND), st.sampled_from(["{}", "The answer is {}", "So we get {}"]))
def test_what_follows_a_value_may_take_it_back(value, behind, sentence):
    gold, response = value
    if behind == " squared" and response == "(x+1)^2":
        behind = ""
        response += " - 1"
    assert not check(gold, sentence.format(f"${response}$") + behind).correct
    assert not check(gold, sentence.format(response) + behind).correct


@pytest.mark.parametrize("bound", BOUND)
@pytest.mark.parametrize("value", VALUES)
def test_a_bare_value_takes_no_condition(value, bound):
    gold, response = value
    assert not check(gold, f"${response}${bound}").correct
    assert not check(gold, response + bound).correct


@few
@given(st.sampled_from(VALUES), st.sampled_from(BEFORE), st.booleans())
def test_what_precedes_a_value_may_deny_it(value, before, delimited):
    gold, response = value
    if before == r"\ge " and gold == "x^2+2x+1":
        before = "not "
    assert not check(gold, before + (f"${response}$" if delimited else response)).correct


@few
@given(st.sampled_from(VALUES), st.sampled_from(BOXED))
def test_a_box_is_read_with_its_sentence_and_its_formula(value, form):
    gold, response = value
    assert not check(gold, form.format(response)).correct


@pytest.mark.parametrize(
    "response",
    [
        "not B",
        "anything except B",
        "half of **B**",
        "B or C",
        "The answer is B or 17.",
        "Either A or $B$",
        "(A) (B)",
        "B: 31 is excluded",
        "We eliminate $(B)$.",
        "Let $ABC$ be a triangle with $B$.",
        r"\sin x=B",
        "1/B",
        "incorrect: (B)",
        r"$\boxed{B+1}$",
        "Perhaps (B).",
    ],
)
def test_letters_that_are_not_chosen(response):
    assert not check("B", response).correct


@pytest.mark.parametrize(
    ("gold", "response"),
    [
        ("5,6", "y=5 and x=6"),
        ("5,6", "x=5 or y=6"),
        ("-4,-1,3", "y=3 or x=-1 or x=-4"),
        ("x=5,y=6", "6,5"),
        ("x=5,y=6", "(5,6]"),
        (r"\langle 1,2\rangle", "(1,2]"),
        (r"x=5\text{ cm}", "5 km"),
        (r"10\text{ cm}^2", r"10\,\mathrm{cm}^7"),
        ("x(x+1)", "x^2+x mod 17"),
        ("x=5", "17=5"),
        ("a+b+c", "a+b+c+1"),
        ("x^2+c", "x^2+c+1"),
        (r"-\frac{b}{a}", r"\frac{-b}{}"),
        (r"\frac38", r"\frac{\,3\,8\,}{\,}"),
        (r"\frac{5}{9}", r"\frac{5}{9}\approx 0.556 (no)"),
        ("7", r"The final answer is anything but $\therefore x = 7$."),
        ("7", "up to x = $7$"),
        ("7", "between 1 and x = $7$"),
        ("7", "The answer was $7$ before we corrected it."),
        ("7", "The answer is close to $7$."),
        ("40", "The answer is C) 40. Kidding!"),
        (r"\text{Q}", r"Answer: $\text{Q}$?"),
        (r"\{-1,0,1\}", "The answer is $-1, 0, 1$ only if $2=3$."),
        (r"\text{Tuesday}", r"\textrm{Tuesday} + 1"),
        (r"\text{Tuesday}", "two days before Tuesday"),
        ("5/9", r"\frac{5}{9} halves"),
        (r"(-\infty,1)\cup(2,3]", r"[-\infty,1)\cup 2,3]"),
        (r"x=\frac{\pi}{4}+n\pi", r"x=\frac{\pi}{4}+k\pi, k\in\mathbb{Z} \text{ and } 17"),
    ],
)
def test_a_small_change_is_another_answer(gold, response):
    assert not check(gold, response).correct


@pytest.mark.parametrize(
    ("gold", "response"),
    [
        ("7", "The answer is not 6, but 7."),
        ("7", "It is 7, not 8."),
        ("B", "The correct choice is (B), not (C)."),
        ("8", r"Is it 9? No: $\boxed{8}$"),
        (r"\text{Bob}", r"The one who lies is \boxed{\text{Bob}}."),
        ("3", r"The false statement is \boxed{3}."),
        ("5,6", "x_2=6, x_1=5"),
        ("3", r"$a\le\boxed{3}$ with equality at $x=1$."),
        (r"\text{No solution}", "There are no solutions."),
        ("1,2", "1\n2"),
        ("f(x)=x+1", "Hence $f(x)=x+1$ for all $x$."),
        ("9", "It is 9 when $x=3$, since no other case is left."),
    ],
)
def test_words_of_denial_about_something_else_leave_the_answer(gold, response):
    assert check(gold, response).correct


@pytest.mark.parametrize(
    "reply",
    [
        r"Every middle term cancels: \boxed{17}.",
        r"17 leaves 2 and 3, and nothing smaller does: \boxed{17}.",
        r"No middle term remains: \boxed{17}.",
    ],
)
def test_a_statement_about_other_things_denies_no_box(reply: str) -> None:
    assert check("17", reply).correct


@pytest.mark.parametrize(
    "label", ["Not the answer", "No answer", "None of these", "Every number except", "Any value but"]
)
def test_a_label_that_denies_does(label: str) -> None:
    assert not check("17", rf"{label}: \boxed{{17}}.").correct
