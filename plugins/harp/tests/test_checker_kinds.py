"""Properties of each kind of answer: rewritings that mean the same are right, near misses and denials are wrong."""

from __future__ import annotations

import os
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from zoo_harp import check
from zoo_harp.checker.extraction.reader import extract

EXAMPLES = int(os.environ.get("ZOO_FUZZ_EXAMPLES", "15"))
few = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
number = st.integers(2, 40)
name = st.sampled_from("fghFGHPQ")
letter = st.sampled_from("xyztab")


def right(gold: str, response: str) -> bool:
    return check(gold, response, timeout_s=10.0).correct


# Functions


@few
@given(name, letter, letter, number)
def test_an_unknown_function_is_not_linear(f, a, b, n):
    assume(a != b)
    assert not right(f"{f}({n}{a})", f"{n}{f}({a})")
    assert not right(f"{f}({a}+{b})", f"{f}({a})+{f}({b})")
    assert not right(f"{f}({n})", f"{f}({n + 1})")
    assert not right(f"{f}(0)", "0")
    assert right(f"{n}{f}({a})-{f}({a})", f"{n - 1}{f}({a})")


@few
@given(name, number, number)
def test_an_argument_may_be_written_in_another_way(f, a, b):
    assert right(f"{f}((x+{a})(x-{b}))", f"{f}(x^2+{a - b}x-{a * b})")
    assert not right(f"{f}((x+{a})(x-{b}))", f"{f}(x^2+{a - b}x-{a * b}+1)")


@few
@given(letter, letter, number, number)
def test_the_bound_variable_of_a_definition_does_not_matter(x, t, a, b):
    assume(t != x)
    assert right(f"f({x})={a}{x}^2+{b}", f"f({t})={a}{t}^2+{b}")
    assert not right(f"f({x})={a}{x}^2+{b}", f"f({t})={a}{t}^2+{b + 1}")
    assert not right(f"f({x})={a}{x}+{t}", f"f({t})={a}{t}+{t}")


def test_a_name_that_stands_alone_is_an_amount():
    assert right("P(1+r)", "P+Pr")
    assert not right("h(3x)", "3hx")


# Statements

DENIALS = [
    r"\text{not } x = %d",
    r"\nexists x: x=%d",
    r"%dx=%d \text{ such that } x>0",
    r"\text{no } x=%d",
    r"\text{not } %d",
    r"\lnot (x=%d)",
    r"x\ne %d",
    r"it is false that x = %d",
    r"\forall y, x=%d",
    r"x = %d is wrong",
    r"\boxed{%d} is incorrect",
    r"\text{at least } %d",
    r"%d \text{ or more}",
]


@few
@given(number, st.sampled_from(DENIALS))
def test_a_denial_is_not_the_value(n, form):
    assert not right(str(n), form % ((n,) * form.count("%d")))


@few
@given(st.permutations(["A", "B", "C", "D"]), st.sampled_from([r"\cup", r"\cap"]))
def test_unions_and_intersections_commute(order, sign):
    gold, response = (f" {sign} ".join(sets) for sets in ("ABCD", order))
    assert right(gold, response)
    assert not right(gold, response.replace(sign, r"\cap" if sign == r"\cup" else r"\cup", 1))


def test_and_is_not_or():
    assert right(r"p\land q", r"q\land p")
    assert not right(r"p\land q", r"p\lor q")
    assert not right("x=1 and y=2", "x=1 or y=2")
    assert right("x=1 and x=2", "x=1 or x=2")


# Times and ratios


@few
@given(st.integers(0, 23), st.integers(0, 59), st.integers(1, 1439))
def test_times_are_not_proportions(hour, minute, later):
    other = (60 * hour + minute + later) % 1440
    half = "a.m." if hour < 12 else "p.m."
    twelve = f"{(hour - 1) % 12 + 1}:{minute:02d} {half}"
    assert right(twelve, f"{hour}:{minute:02d}")
    assert not right(twelve, f"{other // 60}:{other % 60:02d} {'a.m.' if other < 720 else 'p.m.'}")
    assert not right(f"{hour}:00", f"{(hour + 5) % 24}:00")


@few
@given(number, number, st.integers(2, 5))
def test_ratios_are(a, b, k):
    assume(a != b)
    assert right(f"AB:CD={a}:{b}", f"{k * a}:{k * b}")
    assert not right(f"AB:CD={a}:{b}", f"{b}:{a}")
    assert not right(f"{a}:{b}", "0:0")


# The reply


@few
@given(number, number, st.sampled_from(["think", "thinking", "reasoning", "scratchpad"]))
def test_thinking_decides_nothing(n, m, tag):
    assume(n != m)
    thought = f"<{tag}>The answer is {m}. \\boxed{{{m}}}</{tag}>"
    assert extract(f"{thought}\nThe answer is {n}.") == str(n)
    assert extract(f"{thought}<answer>{n}</answer>") == str(n)
    assert extract(f"The answer is {m}.</{tag}> It is ${n}$.") == str(n)
    assert extract(f"<{tag}>The answer is {m}. \\boxed{{{m}}}") is None
    assert extract(f"The answer is {n}.<|im_end|>\n<|im_start|>user\nThe answer is {m}.") == str(n)
    assert extract(f"The answer is {n}.\n\nProblem:\nWhat is {m}?\nAnswer: {m}") == str(n)


@few
@given(number, number, number)
def test_the_answer_is_found_by_its_place(n, m, k):
    for text in (
        f"The least value of $x^2-{m}x+{k}$ is {n}.",
        f"The maximum is ${n}$, attained at $x={m}$.",
        f"There are **{n}** pairs.",
        f"一共有{n}种方法。",
        f"答えは{n}です。",
        f"The probability of {m} in {k} is ${n}$ because $x={k}$.",
    ):
        assert right(str(n), text), text


@few
@given(number, number, st.sampled_from([" and ", ", ", r" \quad \text{and} \quad ", r"\qquad", "$ or $x="]))
def test_boxes_that_are_joined_are_one_list(n, m, joint):
    assume(n != m)
    assert right(f"{n},{m}", rf"$\boxed{{{n}}}{joint}\boxed{{{m}}}$")
    assert extract(rf"First \boxed{{{n}}}. But the sign was wrong, so \boxed{{{m}}}.") == str(m)


@pytest.mark.parametrize(
    "gold",
    ["At most 3 zeros", "12 (12 ways in all)", "no such n", "5 (all of them)", "Bob wins if n is even", "$x=3$ only"],
)
def test_a_gold_answers_itself(gold):
    assert right(gold, gold)
    assert not right(gold, "At least 3 zeros")


# Forms


@few
@given(st.integers(1000, 10**9), st.sampled_from([r",\!", r"\,", r"\ ", "~", ", ", r",\ ", "{,}"]))
def test_digit_groups(n, gap):
    assert right(str(n), f"{n:,}".replace(",", gap))
    assert not right(str(n), f"{n + 1:,}".replace(",", gap))


entries = st.lists(st.integers(-9, 9), min_size=4, max_size=4)


def matrix(a, b, c, d) -> str:
    return rf"\begin{{pmatrix}}{a}&{b}\\{c}&{d}\end{{pmatrix}}"


@few
@given(entries, entries)
def test_matrices(one, other):
    a, b, c, d = one
    p, q, r, s = other
    product = (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s)
    assert right(matrix(*product), matrix(*one) + matrix(*other))
    assert right(matrix(*(x + y for x, y in zip(one, other, strict=True))), f"{matrix(*one)}+{matrix(*other)}")
    assert right(str(a * d - b * c), rf"\det{matrix(*one)}")
    assert right(matrix(a, c, b, d), matrix(*one) + "^T")
    assert not right(matrix(*product), matrix(*(x + 1 for x in product)))
    assert right(f"({a},{b})", rf"{a}\mathbf{{i}}+({b})\mathbf{{j}}")
    assert right(f"({a},{b})", rf"\begin{{pmatrix}}{a}\\{b}\end{{pmatrix}}")


@few
@given(st.integers(1, 9), st.integers(1, 9), st.integers(2, 30))
def test_dots_in_the_middle(first, step, count):
    terms = [first + step * k for k in range(count + 2)]
    written = rf"{terms[0]}+{terms[1]}+{terms[2]}+\cdots+{terms[-1]}" if count > 1 else ""
    assert right(str(sum(terms)), written)
    assert not right(str(sum(terms) + 1), written)
    assert right(
        rf"\{{{terms[0]},{terms[1]},\ldots,{terms[-1]}\}}", "{" + ",".join(map(str, terms)) + "}".replace("{", r"\{")
    )


@few
@given(st.fractions(min_value=0, max_value=1, max_denominator=60), st.integers(-20, 20), st.integers(1, 9))
def test_families_of_solutions(turn, shift, step):
    start = rf"\frac{{{turn.numerator}\pi}}{{{turn.denominator}}}"
    assert right(rf"x={start}+{step}k\pi", rf"x={start}+{shift * step}\pi-{step}n\pi")
    assert not right(rf"x={start}+{step}k\pi", rf"x={start}+{2 * step}n\pi")
    assert right(f"n={step}k", f"n={step}m") is (step > 1)  # n = k says nothing of k
    assert not right(f"S={step}k", f"S={step}m")


@few
@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_repeating_decimals_with_dots(a, b, c):
    assume((a, b, c) != (9, 9, 9))
    value = Fraction(100 * a + 10 * b + c, 999)
    assert right(f"{value.numerator}/{value.denominator}" if value else "0", rf"0.\dot{a}{b}\dot{c}")


@few
@given(st.integers(1, 9), st.integers(1, 8))
def test_counts_in_all_notations(n, k):
    assume(k <= n)
    from math import comb, perm

    for form in (f"C_{n}^{k}", rf"{{}}_{n}C_{k}", rf"\binom{{{n}}}{{{k}}}"):
        assert right(str(comb(n, k)), form)
    for form in (f"A_{n}^{k}", f"{{}}_{n}P_{k}", f"P({n},{k})"):
        assert right(str(perm(n, k)), form) or (n == k and form[0] == "A")


@few
@given(st.integers(-9, 9), st.integers(-9, 9))
def test_parts_and_conjugates(a, b):
    assert right(f"{a}+({b})i", rf"\overline{{{a}-({b})i}}")
    assert right(str(a), rf"\operatorname{{Re}}({a}+({b})i)")
    assert right(str(b), rf"\Im({a}+({b})i)")


def test_piecewise_values():
    gold = r"f(x)=\begin{cases}x&x\ge0\\-x&x<0\end{cases}"
    assert right(gold, r"\begin{cases}-x&\text{if }x\le0\\x&\text{otherwise}\end{cases}")
    assert not right(gold, r"\begin{cases}-x&\text{if }x<1\\x&\text{otherwise}\end{cases}")
    assert not right(gold, r"\begin{cases}x&x>0\\-x&x<0\end{cases}")


@few
@given(st.integers(-9, 9), st.integers(1, 9))
def test_absolute_values_are_values_by_cases(a, width):
    b = a + width
    gold = f"|x-({a})|+|x-({b})|"
    pieces = rf"2x-({a + b})&x\ge {b}\\{width}&{a}\le x<{b}\\{a + b}-2x&x<{a}"
    assert right(gold, rf"\begin{{cases}}{pieces}\end{{cases}}")
    assert not right(gold, rf"\begin{{cases}}{pieces.replace('-2x', '+2x')}\end{{cases}}")
    assert not right(gold, rf"\begin{{cases}}{pieces.replace(rf'x<{a}', rf'x<{a - 1}')}\end{{cases}}")
    outer = rf"x-{width}&x\ge {width}\\{width}-x&0\le x<{width}\\{width}+x&-{width}\le x<0\\-x-{width}&x<-{width}"
    assert right(f"||x|-{width}|", rf"\begin{{cases}}{outer}\end{{cases}}")


@pytest.mark.parametrize(
    ("gold", "response", "correct"),
    [
        ("x^3+C", r"\int 3x^2\,dx", True),
        (r"\sin^2 x+C", r"-\cos^2 x+C", True),
        (r"\sin x+C", r"\cos x+C", False),
        ("x^2+C", "x^2+5", False),
        (r"\ln|x|+C", r"\int\frac{dx}{x}", True),
        ("1", r"\lim_{x\to0}\frac{\sin x}{x}", True),
        (r"\infty", r"\lim_{x\to0^+}\frac1x", True),
        (r"\frac{3\sqrt\pi}{4}", r"\Gamma(5/2)", True),
        (r"\{2,4,6,\ldots\}", r"\{2,4,6,8,\ldots\}", True),
        (r"\{2,4,6,\ldots\}", r"\{2,4,8,\ldots\}", False),
        (r"60^\circ 30'", r"60.5^\circ", True),
        ("€9", r"\$9", False),
    ],
)
def test_notations(gold, response, correct):
    assert right(gold, response) is correct


# Notations that do not match


@pytest.mark.parametrize(
    ("gold", "response", "correct"),
    [
        (r"\max(a,b)", r"\max(b,a]", False),
        (r"\log_3 81", r"\log_{3}(81]", False),
        (r"\begin{pmatrix}2\\7\end{pmatrix}", r"\begin{pmatrix}2\\7\end{bmatrixx}", False),
        (r"\mathbb{R}", r"(-\infty,\infty]", False),
        (r"\mathbb{R}", r"(-\infty,\infty)", True),
        ("-4,-1,3", "x=3 or x=-1 and x=-4", False),
        ("7", r"\therefande x = 7", False),
        ("7", "unequal to x = 7", False),
        ("3:15 p.m.", "03:15", False),
        ("3:15", "03:15", True),
        ("2:1", "The ratio is 4 to 2.", True),
        ("4", "The ratio is 4 to 2.", False),
        ("1048576", "1.048.576", True),
        ("1.048", "1.048.000", False),
        ("(1,2)", "A(1,2)", True),
        ("A(1,2)", "B(1,2)", False),
        ("a_{\\max}=5", "a_{\\min}=5", False),
        ("minimum: 5", "the minimum is 5", True),
        ("maximum: 5", "5", True),
        ("A(1,2), B(3,4)", "A(3,4), B(1,2)", False),
    ],
)
def test_signs_have_to_match(gold, response, correct):
    assert check(gold, response).correct is correct


@few
@given(number, number)
def test_an_endless_set_by_its_rule(a, b):
    dotted = ",".join(str(a * k + b) for k in range(1, 4))
    for rule, correct in ((f"{a}k+{b}", True), (f"{a}k+{b + 1}", False), (f"{a + 1}k+{b}", False)):
        assert right(rf"\{{{dotted},\ldots\}}", rf"\{{{rule} : k\in\mathbb{{Z}}^+\}}") is correct


@few
@given(number, letter)
def test_multiples_in_words(a, x):
    assume(x != "t")
    assert right(rf"\text{{multiples of }} {a}", f"{x}={a}k")
    assert not right(rf"\text{{multiples of }} {a}", f"{x}={a + 1}k")
    assert right(r"\text{all odd numbers}", f"{x}=2k-1")
    assert not right(r"\text{all odd numbers}", f"{x}=2k")
