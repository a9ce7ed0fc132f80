"""Endless sets of integers and families of solutions: by name, by rule, by their first elements, one or several."""

from __future__ import annotations

import os
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from zoo_harp import check

EXAMPLES = int(os.environ.get("ZOO_FUZZ_EXAMPLES", "15"))
few = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
number = st.integers(2, 12)
SAME_SETS = [
    (r"\mathbb Z_{\ge0}", r"\{0,1,2,\dots\}"),
    (r"\mathbb Z^+", r"\{1,2,3,\ldots\}"),
    (r"\mathbb N", r"\{0,1,2,\dots\}"),
    (r"\mathbb N", r"\{1,2,3,\dots\}"),
    (r"\mathbb Z^-", r"\{-1,-2,-3,\ldots\}"),
    (r"\text{positive even integers}", r"\{2k: k\in\mathbb Z^+\}"),
    (r"\text{positive even integers}", r"\{2,4,6,\dots\}"),
    (r"\text{even positive integers}", r"\{2,4,6,\dots\}"),
    (r"\text{nonnegative even integers}", r"\{0,2,4,\dots\}"),
    (r"\text{odd primes}", r"\{3,5,7,11,13,\dots\}"),
    (r"\text{primes}", r"\{2,3,5,7,11,\dots\}"),
    (r"\text{primes}", r"\text{all prime numbers}"),
    (r"\{2k \mid k=1,2,3,\dots\}", r"\{2,4,6,\dots\}"),
    (r"\text{all positive integers}", r"\mathbb{N}"),
    (r"\{n\in\mathbb Z: n\ge 1\}", r"\mathbb Z^+"),
    (r"\{n\in\mathbb Z: n> 3\}", r"\{4,5,6,\ldots\}"),
    (r"\text{positive multiples of }3", r"\{3,6,9,\ldots\}"),
    ("2, 4, 6, ...", "all positive even numbers"),
    (r"\{1,3,5,\ldots\}", r"\text{the set of positive odd integers}"),
    (r"\mathbb{N}_0", r"\{0,1,2,\ldots\}"),
    (r"\mathbb{N}^*", r"\{1,2,3,\ldots\}"),
    (r"\text{perfect squares}", r"\{1,4,9,16,\ldots\}"),
    (r"\text{perfect squares}", r"\{0,1,4,9,\ldots\}"),
    (r"\text{perfect squares}", r"\{k^2: k\in\mathbb N\}"),
    (r"\{2^k: k\in\mathbb{N}\}", r"\text{powers of 2}"),
    (r"\text{powers of 2}", r"\{1,2,4,8,\ldots\}"),
    (r"\{2k-1: k\in\mathbb Z^+\}", r"\{2m+1: m\in\mathbb Z_{\ge0}\}"),
    (r"\mathbb Z^+", r"\mathbb{Z}_{>0}"),
    (r"\mathbb Z^+", r"\text{positive integers}"),
    (r"\mathbb Q", r"\text{rational numbers}"),
    (r"\mathbb R", r"\text{all real numbers}"),
    (r"(0,\infty)", r"\text{all positive real numbers}"),
    (r"\text{non-negative integers}", r"\{0,1,2,3,\ldots\}"),
    (r"\text{even integers}", r"\text{even numbers}"),
    (r"\text{even integers}", r"\{2k: k\in\mathbb Z\}"),
    (r"\text{odd integers}", r"\{2k-1: k\in\mathbb Z\}"),
    (r"\{2k+1: k\in\mathbb Z\}", r"\{2k-1: k\in\mathbb Z\}"),
    (r"\{\dots,-2,0,2,\dots\}", r"\text{even integers}"),
    (r"\{\dots,-1,1,3,\dots\}", r"\{2k+1: k\in\mathbb Z\}"),
    (r"\mathbb Z", r"\{\ldots,-2,-1,0,1,2,\ldots\}"),
    (r"\text{multiples of }3", r"\{3k: k\in\mathbb Z\}"),
]
OTHER_SETS = [
    (r"\mathbb Z_{\ge0}", r"\{1,2,3,\dots\}"),
    (r"\mathbb Z^+", r"\{0,1,2,\ldots\}"),
    (r"\mathbb N", r"\{2,3,4,\dots\}"),
    (r"\text{positive even integers}", r"\{2k: k\in\mathbb Z\}"),
    (r"\text{positive even integers}", r"\{2,4,8,\dots\}"),
    (r"\text{positive even integers}", r"\{0,2,4,\dots\}"),
    (r"\text{odd primes}", r"\{3,5,7,\dots\}"),
    (r"\text{odd primes}", r"\{2,3,5,7,11,\dots\}"),
    (r"\text{primes}", r"\text{odd primes}"),
    (r"\text{odd primes}", r"\text{odd numbers}"),
    (r"\{2k \mid k=0,1,2,\dots\}", r"\{2,4,6,\dots\}"),
    (r"\{n\in\mathbb Z: n> 1\}", r"\mathbb Z^+"),
    (r"\{n\in\mathbb Z: n> 3\}", r"(3,\infty)"),
    (r"[1,\infty)", r"\{n\in\mathbb Z: n\ge1\}"),
    (r"\text{positive multiples of }3", r"\{0,3,6,\ldots\}"),
    (r"\text{multiples of }3", r"\{3,6,9,\ldots\}"),
    (r"\{1,3,5,\ldots\}", r"\text{positive even integers}"),
    (r"\mathbb{N}_0", r"\{1,2,3,\ldots\}"),
    (r"\text{perfect squares}", r"\{1,4,9,\ldots\}"),
    (r"\text{perfect squares}", r"\{k^3: k\in\mathbb N\}"),
    (r"\text{powers of 3}", r"\{1,2,4,8,\ldots\}"),
    (r"\text{integers greater than } 3", r"\{4,5,6,\ldots\}"),
    (r"\{2k-1: k\in\mathbb Z^+\}", r"\{2m+1: m\in\mathbb Z^+\}"),
    (r"\mathbb N", r"\mathbb Z"),
    (r"\mathbb Z^+", r"\mathbb Z_{\ge 0}"),
    (r"\mathbb R", r"\text{all positive real numbers}"),
    (r"\text{even integers}", r"\text{odd integers}"),
    (r"\text{no positive integers}", r"\{1,2,3,\ldots\}"),
    (r"\text{even integers}", r"\{2k+1: k\in\mathbb Z\}"),
    (r"\{\dots,-2,0,2,\dots\}", r"\text{odd integers}"),
    (r"\text{multiples of }3", r"\{3k: k\in\mathbb N\}"),
]
SAME_FAMILIES = [
    (r"x=(-1)^k\frac{\pi}{6}+k\pi", r"x=\frac{\pi}{6}+2n\pi\text{ or }x=\frac{5\pi}{6}+2n\pi"),
    (r"(-1)^k\frac{\pi}{6}+k\pi, k\in\mathbb Z", r"\{\pi/6+2k\pi\}\cup\{5\pi/6+2k\pi\}"),
    (r"\frac\pi4+\frac{k\pi}2", r"\frac\pi4+n\pi \text{ or } \frac{3\pi}4+n\pi"),
    (r"x=\frac\pi4+\frac{k\pi}2, k\in\mathbb{Z}", r"x=\frac\pi4+k\pi, x=\frac{3\pi}4+k\pi, k\in\mathbb Z"),
    (r"x=\pm\frac{\pi}{3}+2k\pi", r"x=\frac\pi3+2k\pi \text{ or } x=\frac{5\pi}3+2k\pi"),
    (r"30^\circ+360^\circ k \text{ or } 150^\circ+360^\circ k", r"150^\circ+360^\circ n, 30^\circ+360^\circ n"),
    ("n=2k+1", r"n=4m+1 \text{ or } n=4m+3"),
    (r"n\equiv 1\pmod 2", r"n=4k+1 \text{ or } n=4k+3"),
    (r"n\equiv 1,3\pmod 4", r"n\equiv1\pmod2"),
    (r"n\equiv 1 \text{ or } 4\pmod 5", r"n=5k\pm1"),
    (r"n\equiv 2\pmod 5", r"n\equiv 7\pmod 5"),
    (r"\text{all odd numbers}", "n=4k+1,4k+3"),
    (r"x=k\pi", r"x=2k\pi \text{ or } x=(2k+1)\pi"),
    (r"\{k\pi \mid k\in\mathbb Z\}", r"\{n\pi : n\in\mathbb Z\}"),
    (r"\{\frac{\pi}{6}+2k\pi \mid k\in\mathbb Z\}", r"\{\frac{13\pi}{6}+2n\pi : n\in\mathbb Z\}"),
    (
        r"\{\frac{\pi}{6}+2k\pi \mid k\in\mathbb Z\}\cup\{\frac{5\pi}{6}+2k\pi \mid k\in\mathbb Z\}",
        r"\{(-1)^n\frac{\pi}{6}+n\pi : n\in\mathbb Z\}",
    ),
    (r"x=n\pi+(-1)^n\arcsin\frac13", r"x=\arcsin\frac13+2k\pi \text{ or } x=\pi-\arcsin\frac13+2k\pi"),
    (r"x=n\pi+(-1)^{n+1}\frac\pi6", r"x=n\pi-(-1)^n\frac\pi6"),
    (r"x=\frac{(2k+1)\pi}{2}", r"x=\frac\pi2+k\pi"),
    (r"x=\frac{2k\pi}{3}", r"x=\frac{2k\pi}{3}, x=2k\pi"),
    ("k,2k", "2k,k"),
]
OTHER_FAMILIES = [
    (r"(-1)^k\frac{\pi}{6}+k\pi, k\in\mathbb Z", r"\{\pi/6+2k\pi\}\cup\{7\pi/6+2k\pi\}"),
    (r"\frac\pi4+\frac{k\pi}2", r"\frac\pi4+n\pi"),
    (r"\frac\pi4+\frac{k\pi}2", r"\frac\pi4+n\pi \text{ or } \frac{5\pi}4+n\pi"),
    (r"x=\pm\frac{\pi}{3}+2k\pi", r"x=\frac\pi3+2k\pi \text{ or } x=\frac{4\pi}3+2k\pi"),
    (r"30^\circ+360^\circ k \text{ or } 150^\circ+360^\circ k", r"150^\circ+360^\circ n, 60^\circ+360^\circ n"),
    ("n=2k+1", r"n=4m+1 \text{ or } n=4m+2"),
    (r"n\equiv 1,3\pmod 4", r"n\equiv0\pmod2"),
    (r"n\equiv 1 \text{ or } 4\pmod 5", r"n=5k\pm2"),
    (r"x=k\pi", r"x=2k\pi"),
    (r"x=n\pi+(-1)^n\arcsin\frac13", r"x=\arcsin\frac13+2k\pi \text{ or } x=-\arcsin\frac13+2k\pi"),
    (r"x=n\pi+(-1)^{n+1}\frac\pi6", r"x=n\pi+(-1)^n\frac\pi6"),
    (r"x=\frac{\pi}{4}+k\pi", r"x=\frac{\pi}{4}"),
    (r"x=\frac{\pi}{4}+k\pi", r"x=\frac{\pi}{4}\text{ or }x=\frac{5\pi}{4}"),
    (r"x=2k\pi, x=\frac{\pi}{2}+2k\pi", r"x=2k\pi"),
    ("x=2k, y=3k", "x=2m, y=3m"),
    ("k,2k", "n"),
    ("S=2n+1", "S=2n-1"),
]


PARAMETERS_OR_VARIABLES = [
    (r"x=t \text{ or } x=-t", "x=t", False),
    (r"x=\pm k", "x=k", False),
    ("x=m, x=2m", "x=m", False),
    ("x=2k, x=3k", "x=2k, x=3k, x=6k", False),
    (r"x=2k+1, k\in\mathbb{Z}", r"x=4k+1 \text{ or } x=4k+3, k\in\mathbb{Z}", True),
    (r"x=2k+1 \text{ for any integer } k", "x=2k-1", True),
    ("x=2k+1", "x=2k-1", False),
    ("x=t", r"x=-t, t\in\mathbb{Z}", False),
    ("n=2k+1", r"n=4m+1 \text{ or } n=4m+3", True),
    (r"x=\pm t", "x=m", False),
    (r"x=t \text{ or } x=2t", "x=m", False),
    ("x=t^2,y=t", "x(t)=t^2, y(t)=t", True),
    ("T=2n", "T(n)=2n", True),
    ("T=2n", "S(n)=2n", False),
    ("V(t)=3t", "V=3t", True),
    ("f(x)=x^2", "g=x^2", False),
    (r"\{t,-t\}", r"\{t\}", False),
    (r"\{2k,3k\}", r"\{k\}", False),
    (r"\{k\pi,2k\pi\}", r"\{k\pi\}", False),
    ("k,-k", "k", False),
    (r"\{2k\}", r"\{2k: k\in\mathbb Z\}", False),
    ("2k", r"\{2k: k\in\mathbb Z\}", False),
    ("n", r"\mathbb Z", False),
    ("t", r"\text{all even integers}", False),
    (r"\mathbb Z", "k", False),
    ("x=k", r"\mathbb Z", False),
    (r"S=\pm n\pi", r"S=n\pi", False),
    (r"A=2n\pi", r"A=2n\pi, A=4n\pi", False),
    (r"x=n\pi r", r"x=-n\pi r", False),
    (r"V=2k\pi", r"V=-2k\pi", False),
    (r"\pi k", r"-\pi k", False),
    (r"2\pi n", r"2\pi n+2\pi", False),
]


@pytest.mark.parametrize(("gold", "response", "correct"), PARAMETERS_OR_VARIABLES)
def test_a_variable_of_the_problem_is_no_parameter(gold, response, correct):
    assert check(gold, response).correct is correct


@pytest.mark.parametrize(("gold", "response"), SAME_SETS + SAME_FAMILIES)
def test_one_set_in_two_forms(gold, response):
    assert check(gold, response).correct


@pytest.mark.parametrize(("gold", "response"), OTHER_SETS + OTHER_FAMILIES)
def test_two_sets(gold, response):
    assert not check(gold, response).correct


def test_a_set_in_words_that_is_not_read_is_undecided():
    assert check(r"\{4,5,6,\ldots\}", r"\text{integers greater than 3}").outcome == "undecided"
    assert check(r"\{4,5,6,\ldots\}", r"\text{cats}").outcome == "wrong"


def elements(values: list[int]) -> str:
    return rf"\{{{','.join(map(str, values))},\ldots\}}"


@few
@given(number, st.integers(-20, 20), st.integers(0, 3), st.integers(1, 3))
def test_a_rule_and_its_first_values(step, start, first, shift):
    """The oracle: the first ten values of both rules, as sets of integers."""
    rule = rf"\{{{step}k+({start}) : k\in\mathbb{{Z}}, k\ge {first}\}}"
    values = [step * k + start for k in range(first, first + 10)]
    assert check(elements(values[:4]), rule).correct
    assert check(rule, rf"\{{{step}(n+{shift})+({start}) : n\in\mathbb{{Z}}, n\ge {first - shift}\}}").correct
    assert not check(elements(values[shift : shift + 4]), rule).correct
    assert not check(rule, rf"\{{{step}n+({start}) : n\in\mathbb{{Z}}\}}").correct


def within(families: list[tuple[Fraction, Fraction]], low: int, high: int) -> set[Fraction]:
    """The oracle: all numbers of families of (start, step) between two bounds."""
    found = set()
    for start, step in families:
        place = start + step * ((low - start) // step)
        while place <= high:
            found.add(place)
            place += step
    return {place for place in found if low <= place <= high}


parts = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(2), Fraction(2, 3)])),
    min_size=1, max_size=3,
)  # fmt: skip


def written(families: list[tuple[Fraction, Fraction]], letter: str) -> str:
    return r" \text{ or } ".join(
        rf"x=\frac{{{start.numerator}\pi}}{{{start.denominator}}}+\frac{{{step.numerator}{letter}\pi}}{{{step.denominator}}}"
        for start, step in families
    )


@few
@given(parts, parts)
def test_families_are_the_numbers_that_they_contain(one, other):
    gold, response = ([(Fraction(twelfths, 6), step) for twelfths, step in side] for side in (one, other))
    same = within(gold, -12, 12) == within(response, -12, 12)
    assert check(written(gold, "k"), written(response, "n")).correct is same


@few
@given(parts, st.integers(2, 3), st.integers(-3, 3))
def test_a_family_may_be_split(side, count, shift):
    gold = [(Fraction(twelfths, 6), step) for twelfths, step in side]
    response = [(start + (k + count * shift) * step, count * step) for start, step in gold for k in range(count)]
    assert check(written(gold, "k"), written(response, "m")).correct
    assert check(written(response, "k"), written(gold, "m")).correct
    if len(gold) == 1:
        assert not check(written(gold, "k"), written(response[1:], "m")).correct


@few
@given(st.integers(1, 11), st.integers(1, 11))
def test_an_alternating_sign_is_two_families(twelfths, others):
    assume(twelfths != others and twelfths + others != 12)
    gold = rf"x=(-1)^k\frac{{{twelfths}\pi}}{{12}}+k\pi"
    for start, correct in ((twelfths, True), (others, False)):
        response = rf"x=\frac{{{start}\pi}}{{12}}+2n\pi \text{{ or }} x=\frac{{{12 - start}\pi}}{{12}}+2n\pi"
        assert check(gold, response).correct is correct
