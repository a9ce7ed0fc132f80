"""Generated answers: equivalent rewritings must be right, perturbations wrong, and any text must get a verdict."""

from __future__ import annotations

import math
import os
from fractions import Fraction

import mpmath
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from zoo_harp import check
from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.limits import Budget
from zoo_harp.checker.tree import Apply, Constant, Number, Symbol, from_data, to_data

EXAMPLES = int(os.environ.get("ZOO_FUZZ_EXAMPLES", "30"))
fuzz = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


def check_bool(gold: str, response: str) -> bool:
    """With the longest deadline: the machine may be busy while these run for minutes."""
    return check(gold, response, timeout_s=10.0).correct


small = st.integers(-30, 30)
positive = st.integers(1, 60)
rationals = st.builds(Fraction, small, st.integers(1, 12))


def latex(q: Fraction) -> list[str]:
    """Ways to write a rational number."""
    top, bottom, sign = abs(q.numerator), q.denominator, "-" if q < 0 else ""
    ways = [
        rf"{sign}\frac{{{top}}}{{{bottom}}}",
        f"{sign}{top}/{bottom}",
        rf"{sign}\dfrac{{{3 * top}}}{{{3 * bottom}}}",
        rf"\frac{{{sign}{top}}}{{{bottom}}}",
        rf"{sign}\left({top}\div {bottom}\right)",
        rf"x = {sign}\frac{{{top}}}{{{bottom}}}",
    ]
    if bottom == 1:
        ways += [f"{sign}{top}", f"{sign}{top}.00", f"${sign}{top}$", rf"\text{{{sign}{top}}}"]
    elif top > bottom:
        ways.append(rf"{sign}{top // bottom}\frac{{{top % bottom}}}{{{bottom}}}")
        ways.append(f"{sign}{top // bottom} {top % bottom}/{bottom}")
    if 1000 % bottom == 0:
        decimals = f"{float(q):.3f}"
        ways.append(decimals)
    return ways


@fuzz
@given(rationals, st.data())
def test_rationals_in_every_spelling(q, data):
    one, other = (data.draw(st.sampled_from(latex(q))) for _ in range(2))
    assert check_bool(one, other)


@fuzz
@given(rationals, rationals, st.data())
def test_different_rationals_in_every_spelling(q, r, data):
    assume(q != r)
    assert not check_bool(data.draw(st.sampled_from(latex(q))), data.draw(st.sampled_from(latex(r)[:6])))


@fuzz
@given(st.integers(2, 400), st.integers(1, 9), positive)
def test_square_roots(n, k, d):
    gold = rf"\frac{{{k}\sqrt{{{n}}}}}{{{d}}}"
    for factor in (f for f in range(2, 21) if n % (f * f) == 0):
        assert check_bool(gold, rf"\frac{{{k * factor}}}{{{d}}}\sqrt{{{n // factor**2}}}")
    assert check_bool(gold, rf"\sqrt{{\frac{{{k * k * n}}}{{{d * d}}}}}")
    assert check_bool(gold, f"{k}*{n}^(1/2)/{d}")
    assert not check_bool(gold, rf"\frac{{{k}\sqrt{{{n + 1}}}}}{{{d}}}")
    assert not check_bool(gold, rf"\frac{{{k + 1}\sqrt{{{n}}}}}{{{d}}}")
    assert not check_bool(gold, rf"\frac{{{n}\sqrt{{{k}}}}}{{{d}}}") or k == n or n * n * k == k * k * n


@fuzz
@given(st.integers(1, 30), st.integers(1, 30))
def test_denesting(a, b):
    assume(a != b)
    whole = rf"\sqrt{{{a + b}+2\sqrt{{{a * b}}}}}"
    assert check_bool(whole, rf"\sqrt{{{a}}}+\sqrt{{{b}}}")
    assert not check_bool(whole, rf"\sqrt{{{a}}}-\sqrt{{{b}}}")
    assert not check_bool(whole, rf"\sqrt{{{a}}}+\sqrt{{{b + 1}}}")


@st.composite
def trees(draw, variables=("x", "y"), depth=3):
    """Expressions in variables with whole numbers; no division by what may be zero."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from((*variables, None, None)))
        return Symbol(name) if name else Number(Fraction(draw(st.integers(1, 9))))
    op = draw(st.sampled_from(("add", "sub", "mul", "mul", "neg", "pow", "root", "cos", "sin")))
    inner = draw(trees(variables, depth - 1))
    if op == "neg":
        return Apply("neg", (inner,))
    if op == "pow":
        return Apply("pow", (inner, Number(Fraction(draw(st.integers(2, 3))))))
    if op == "root":
        return Apply("root", (Apply("add", (Apply("mul", (inner, inner)), Number(Fraction(1)))), Number(Fraction(2))))
    if op in ("cos", "sin"):
        return Apply(op, (draw(st.sampled_from([Symbol(v) for v in variables] or [Number(Fraction(1))])),))
    return Apply(op, (inner, draw(trees(variables, depth - 1))))


def write(node) -> str:
    """LaTeX of a tree, every operand in brackets."""
    if isinstance(node, Number):
        return str(node.value)
    if isinstance(node, Symbol | Constant):
        return node.name
    parts = [write(arg) for arg in node.args]
    return {
        "add": "({0})+({1})",
        "sub": "({0})-({1})",
        "mul": "({0})({1})",
        "neg": "-({0})",
        "pow": "({0})^{{{1}}}",
        "root": r"\sqrt{{{0}}}",
        "cos": r"\cos({0})",
        "sin": r"\sin({0})",
        "div": r"\frac{{{0}}}{{{1}}}",
    }[node.op].format(*parts)


def rewrite(node, draw):
    """An equal expression, by laws of arithmetic."""
    if not isinstance(node, Apply):
        return node
    args = tuple(rewrite(arg, draw) for arg in node.args)
    way = draw(st.integers(0, 3))
    if node.op in ("add", "mul") and way == 0:
        return Apply(node.op, args[::-1])
    if node.op == "sub" and way <= 1:
        return Apply("neg", (Apply("sub", args[::-1]),))
    if node.op == "mul" and way == 1 and isinstance(args[1], Apply) and args[1].op in ("add", "sub"):
        return Apply(args[1].op, tuple(Apply("mul", (args[0], part)) for part in args[1].args))
    if node.op == "pow" and way == 0:
        return Apply("mul", (args[0], args[0] if args[1].value == 2 else Apply("mul", (args[0], args[0]))))
    if node.op == "cos" and way == 0:
        half = Apply("div", (args[0], Number(Fraction(2))))
        square = Apply("pow", (Apply("sin", (half,)), Number(Fraction(2))))
        return Apply("sub", (Number(Fraction(1)), Apply("mul", (Number(Fraction(2)), square))))
    return Apply(node.op, args)


def number(node, values):
    """The value by mpmath, written apart from the checker."""
    if isinstance(node, Number):
        return mpmath.mpf(node.value.numerator) / node.value.denominator
    if isinstance(node, Symbol):
        return values[node.name]
    a, *rest = (number(arg, values) for arg in node.args)
    b = rest[0] if rest else None
    return {
        "add": lambda: a + b,
        "sub": lambda: a - b,
        "mul": lambda: a * b,
        "neg": lambda: -a,
        "div": lambda: a / b,
        "pow": lambda: a**b,
        "root": lambda: mpmath.sqrt(a),
        "cos": lambda: mpmath.cos(a),
        "sin": lambda: mpmath.sin(a),
    }[node.op]()


@fuzz
@given(trees(), st.data())
def test_rewritten_expressions_are_right(tree, data):
    other = rewrite(tree, data.draw)
    verdict = check(write(tree), write(other), timeout_s=10)
    assert verdict.correct or verdict.reason in ("limit", "timeout"), (write(tree), write(other), verdict)


@fuzz
@given(trees(), trees())
def test_verdicts_on_expressions_agree_with_numbers(one, other):
    verdict = check(write(one), write(other), timeout_s=10)
    assume(verdict.reason not in ("limit", "timeout"))
    with mpmath.workdps(60):
        points = [{"x": mpmath.mpf(7) / 3 + k, "y": -mpmath.sqrt(2) * k + 5} for k in range(5)]
        same = all(
            abs(number(one, p) - number(other, p)) < mpmath.mpf(10) ** -40 * (1 + abs(number(one, p))) for p in points
        )
    assert verdict.correct is same, (write(one), write(other), verdict)


@fuzz
@given(trees())
def test_a_small_change_of_an_expression_is_wrong(tree):
    changed = Apply("add", (tree, Apply("pow", (Number(Fraction(10)), Apply("neg", (Number(Fraction(40)),))))))
    verdict = check(write(tree), rf"{write(tree)}+10^{{-40}}", timeout_s=10)
    assert not verdict.correct, (write(changed), verdict)


@fuzz
@given(trees(variables=(), depth=3))
def test_constants_agree_with_numbers(tree):
    field = Evaluator(Budget(10.0))
    value = field.value(tree)
    with mpmath.workdps(50):
        exact = number(tree, {})
        approximate = field.number(value, 300)
        assert abs(approximate - exact) <= mpmath.mpf(10) ** -40 * (1 + abs(exact))
        assert field.is_zero(value) == (abs(exact) < mpmath.mpf(10) ** -30)


@fuzz
@given(st.lists(small, min_size=2, max_size=5), st.randoms())
def test_lists_and_tuples(items, random):
    mixed = items[:]
    random.shuffle(mixed)
    assert check_bool(", ".join(map(str, items)), " , ".join(map(str, mixed)))
    assert check_bool(rf"\{{{','.join(map(str, items))}\}}", rf"\{{{', '.join(map(str, mixed))}\}}")
    point, other = (f"({', '.join(map(str, side))})" for side in (items, mixed))
    assert check_bool(point, other) is (items == mixed)
    assert not check_bool(point, f"({', '.join(map(str, items))}, 99)")


@fuzz
@given(rationals, rationals, st.sampled_from("(["), st.sampled_from(")]"), st.integers(1, 5), st.booleans())
def test_intervals_and_inequalities(a, b, left, right, scale, turned):
    assume(a < b)
    signs = ["<" if left == "(" else r"\le", "<" if right == ")" else r"\le"]
    low, high = (rf"\frac{{{q.numerator * scale}}}{{{q.denominator}}}" for q in (a, b))
    chain = f"{low} {signs[0]} {scale}x {signs[1]} {high}"
    if turned:
        flip = {"<": ">", r"\le": r"\ge"}
        chain = f"{high} {flip[signs[1]]} {scale}x {flip[signs[0]]} {low}"
    gold = f"{left}{a}, {b}{right}"
    assert check_bool(chain, gold)
    assert check_bool(chain, f"{left}{a},{(a + b) / 2}{right}\\cup [{(a + b) / 2}, {b}{right}")
    assert not check_bool(chain, f"{'[' if left == '(' else '('}{a}, {b}{right}")
    assert not check_bool(chain, f"{left}{a}, {b + 1}{right}")


@fuzz
@given(rationals, st.integers(6, 14))
@example(Fraction(1, 3), 6)
def test_decimals_of_exact_numbers(q, digits):
    assume(q.denominator not in (1, 2, 4, 5, 8, 10))
    exact = f"{q.numerator}/{q.denominator}"
    with mpmath.workdps(60):
        value = abs(mpmath.mpf(q.numerator) / q.denominator)
        decimals = digits - 1 - int(mpmath.floor(mpmath.log10(value)))
        cut = int(mpmath.floor(value * 10**decimals))
    for whole, right in (
        (cut, True),
        (cut + (value * 10**decimals - cut >= 0.5), True),
        (cut + 3, False),
        (cut - 2, False),
    ):
        text = f"{'-' if q < 0 else ''}{whole // 10**decimals}.{int(whole) % 10**decimals:0{decimals}d}"
        assert check_bool(exact, text) is right, text


@fuzz
@given(st.integers(0, 10**9), st.integers(2, 9))
def test_bases(n, base):
    digits = ""
    while n:
        n, last = divmod(n, base)
        digits = str(last) + digits
    digits = digits or "0"
    assert check_bool(f"{digits}_{base}", f"{digits}_{{{base}}}")
    assert not check_bool(f"{digits}_{base}", f"{digits}_{{{base + 1}}}")
    assert not check_bool(f"{digits}_{base}", f"{digits}")


@fuzz
@given(st.integers(0, 999_999_999))
def test_thousands(n):
    assert check_bool(str(n), f"{n:,}")
    assert check_bool(str(n), f"{n:,}".replace(",", "{,}"))
    assert check_bool(f"{n:,}", f"{n:,}".replace(",", r"\,"))
    assert not check_bool(str(n), f"{n + 1:,}")


@fuzz
@given(st.integers(1, 40), st.integers(1, 59), st.integers(0, 1))
def test_sums_of_units(hours, minutes, extra):
    written = f"{hours} hours {minutes + extra} minutes"
    assert check_bool(rf"{60 * hours + minutes}\text{{ minutes}}", written) is (extra == 0)
    assert check_bool(written, rf"{hours}\frac{{{minutes}}}{{60}} hours") is (extra == 0)
    assert check_bool(f"{hours} hours and {minutes} minutes", written) is (extra == 0)
    assert not check_bool(written, f"{60 * hours + minutes + extra} seconds")


SENTENCES = ["so the result is {}.", "After that we are left with {}", "This gives {} (as it should).", "Hence y = {}."]


@fuzz
@given(rationals, rationals, st.booleans(), st.sampled_from(SENTENCES), st.data())
def test_formulas_in_plain_prose(q, r, equal, sentence, data):
    r = q if equal else r
    spelling = data.draw(st.sampled_from([way for way in latex(r) if "=" not in way]))
    said = f"There are 3 steps. {sentence.format(spelling)}"
    assert check_bool(latex(q)[0], said) is (q == r), said


@fuzz
@given(st.integers(2, 10**6), st.integers(2, 60), st.integers(0, 1))
def test_powers_and_factorials(base, exponent, extra):
    assert check_bool(f"{base}^{{{2 * exponent}}}", f"{base**2}^{{{exponent}}}+{extra}") is (extra == 0)
    n = exponent + 2
    assert check_bool(rf"\frac{{{n}!}}{{{n - 2}!}}", str(n * (n - 1)))
    assert check_bool(rf"\binom{{{n}}}{{2}}", str(math.comb(n, 2) + extra)) is (extra == 0)


ALPHABET = st.one_of(
    st.characters(codec=None),
    st.sampled_from(
        [
            *r"\{}()[]|$^_&%#~!<>=+-*/.,;:'\"0123456789xyzeiπ√²½ ",
            r"\frac",
            r"\sqrt",
            r"\boxed{",
            r"\text{",
            r"\left",
            r"\right",
            r"\begin{pmatrix}",
            r"\end{pmatrix}",
            r"\\",
            r"\pm",
            r"\cup",
            r"\le",
            "answer is ",
            "Answer:",
            r"\sum_{k=1}^",
            r"\binom",
            "!!",
            "^{",
            "_{",
            r"\infty",
            " and ",
            " cm",
            r"\overline{",
            r"\log_",
            r"\sin",
            r"\pmod",
            "10^",
            "__import__('os')",
            r"\mathbb{R}",
            "^\\circ",
            r"\%",
            "\ud800",
        ]
    ),
)
hostile = st.lists(ALPHABET, max_size=40).map("".join)


@settings(fuzz, max_examples=5 * EXAMPLES)
@given(hostile, hostile)
def test_any_two_texts_get_a_verdict(gold, response):
    try:
        verdict = check(gold, response)
    except ValueError as error:
        assert "is empty" in str(error)
        return
    assert verdict.seconds < 30
    again = check(gold, response)
    assert verdict.reason == "timeout" or (again.correct, again.rule) == (verdict.correct, verdict.rule)


@settings(fuzz, max_examples=3 * EXAMPLES)
@given(hostile)
def test_any_text_equals_itself_when_boxed_or_is_no_answer(text):
    verdict = check("5", rf"\boxed{{{text}}}")
    assert verdict.extracted is None or isinstance(verdict.extracted, str)


@fuzz
@given(trees())
def test_trees_travel_as_data(tree):
    assert from_data(to_data(tree)) == tree


def test_the_data_of_a_tree_names_no_other_class():
    with pytest.raises(Exception, match="no kind of node"):
        from_data({"k": "Popen", "a": []})
