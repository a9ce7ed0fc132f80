"""Bound variables and functions without a known name: both sides of each rule."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from zoo_harp import check

EXAMPLES = int(os.environ.get("ZOO_FUZZ_EXAMPLES", "15"))
few = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
variable = st.sampled_from("xtuvnkmr")
number = st.integers(2, 40)
SAME_BUT_FOR_BOUND = [
    ("a_n=2n+1", "a_k=2k+1"),
    ("a_n=kn", "a_m=km"),
    ("a_{n+1}=2a_n+1", "a_{k+1}=2a_k+1"),
    ("a_1=2, a_{n+1}=2a_n", "a_1=2, a_{m+1}=2a_m"),
    ("f(x)=x^2", "f(t)=t^2"),
    ("f(x)=ax", "f(t)=at"),
    ("f(x)=2", "f(t)=2"),
    ("f(x+y)=f(x)+f(y)", "f(a+b)=f(a)+f(b)"),
    ("f(x,y)=x-y", "f(a,b)=a-b"),
    ("f(x,y)=x-y", "f(y,x)=y-x"),
    (r"\sum_{i=1}^n i", r"\sum_{k=1}^n k"),
    (r"\sum_{i=1}^n a_i", r"\sum_{k=1}^n a_k"),
    (r"\prod_{i=1}^n i", r"\prod_{k=1}^n k"),
    (r"\int_0^1 f(x)\,dx", r"\int_0^1 f(t)\,dt"),
    (r"\int_0^1 x^2\,dx", r"\int_0^1 t^2\,dt"),
    (r"\int_0^a x^2\,dx", r"\int_0^a t^2\,dt"),
    (r"\{2k+1: k\in\mathbb Z\}", r"\{2n+1 \mid n\in\mathbb Z\}"),
    (r"\{ak: k\in\mathbb Z\}", r"\{an: n\in\mathbb Z\}"),
    (r"\{x: x^2<2\}", r"\{t: t^2<2\}"),
    (r"\{x\in\mathbb R: x^2<2\}", r"\{t\in\mathbb{R}\mid t^2<2\}"),
    (r"\{(x,y): x+2y=1\}", r"\{(a,b): a+2b=1\}"),
    (r"\forall x\in\mathbb{R},\ x^2\ge 0", r"\forall y\in\mathbb{R},\ y^2\ge 0"),
    (r"\exists x: x>5", r"\exists n: n>5"),
    (r"\forall x\exists y: y>x", r"\forall a\exists b: b>a"),
    ("a_n=5", "a_k=5"),
    ("a_{ij}=i+j", "a_{kl}=k+l"),
    (r"a_n=\sum_{k=1}^n k", r"a_m=\sum_{k=1}^m k"),
    ("T(n)=2T(n/2)+n", "T(m)=2T(m/2)+m"),
    ("f(x)=x^2, g(x)=2x", "f(t)=t^2, g(t)=2t"),
    ("F_{n+2}=F_{n+1}+F_n", "F_{k+2}=F_{k+1}+F_k"),
    (r"\sum_{i=1}^3 a_i", "a_1+a_2+a_3"),
    (r"\sum_{i=1}^n (a_i-a_{i+1})", "a_1-a_{n+1}"),
    (r"\sum_{i=1}^\infty a_i", r"\sum_{j=1}^\infty a_j"),
    (r"\sum_{i=1}^n\sum_{j=1}^n ij", r"\sum_{a=1}^n\sum_{b=1}^n ab"),
    (r"\sum_{i=1}^n\sum_{j=1}^m i", r"\sum_{j=1}^n\sum_{i=1}^m j"),
    (r"2\int_0^1 f(x)\,dx+1", r"1+2\int_0^1 f(u)\,du"),
    (r"\int_0^x f(t)\,dt", r"\int_0^x f(u)\,du"),
    (r"\sum_{k=0}^{n}\binom nk x^k", "(1+x)^n"),
    (r"\sum_{k=1}^{10} k^2", "385"),
    (r"\sum_{i=1}^n\sum_{j=1}^m a_{ij}", r"\sum_{k=1}^n\sum_{l=1}^m a_{kl}"),
]
ANOTHER_MEANING = [
    ("a_n=2n+1", "a_k=2n+1"),
    ("a_n=kn", "a_k=nk"),
    ("a_n=kn", "a_k=k^2"),
    ("a_n=2n+1", "b_k=2k+1"),
    ("a_{n+1}=2a_n+1", "a_{k+1}=2a_k+2"),
    ("a_1=2, a_{n+1}=2a_n", "a_1=3, a_{m+1}=2a_m"),
    ("f(x)=ax", "f(a)=xa"),
    ("f(a)=0", "f(b)=0"),
    ("f(2)=5", "f(3)=5"),
    ("f(x+y)=f(x)+f(y)", "f(a+b)=f(a)f(b)"),
    ("f(x,y)=x-y", "f(a,b)=b-a"),
    ("f(x,y)=x-y", "f(y,x)=x-y"),
    (r"\sum_{i=1}^n ik", r"\sum_{k=1}^n ki"),
    (r"\sum_{i=1}^n a_i", r"\sum_{k=1}^n a_i"),
    (r"\int_0^1 f(x)\,dx", r"\int_0^1 f(t)\,dx"),
    (r"\{2k+1: k\in\mathbb Z\}", r"\{2n \mid n\in\mathbb Z\}"),
    (r"\{ak: k\in\mathbb Z\}", r"\{bk: k\in\mathbb Z\}"),
    (r"\{ak: k\in\mathbb Z\}", r"\{ka: a\in\mathbb Z\}"),
    (r"\{(x,y): x+2y=1\}", r"\{(a,b): b+2a=1\}"),
    (r"\{x: x^2<a\}", r"\{a: a^2<x\}"),
    (r"\forall x\in\mathbb{R},\ x^2\ge 0", r"\exists y\in\mathbb{R},\ y^2\ge 0"),
    (r"\forall x\in\mathbb{R},\ x^2\ge 0", r"\forall y\in\mathbb{R},\ y^2> 0"),
    (r"\forall x\in\mathbb{R},\ x^2\ge a", r"\forall a\in\mathbb{R},\ a^2\ge x"),
    (r"\exists x: x>5", r"\exists n: n>6"),
    ("5", r"\exists x: x=5"),
    ("5", r"\forall y, x=5"),
    (r"\forall x>0", r"\forall x<0"),
    (r"\forall x\exists y: y>x", r"\exists y\forall x: y>x"),
    ("x_1=5", "x_2=5"),
    ("a_{ij}=i-j", "a_{kl}=l-k"),
    ("f(n)=n+k", "f(k)=k+n"),
    ("f(x)=x^2, g(x)=2x", "f(t)=t^2, g(t)=3t"),
    (r"\sum_{i=1}^3 a_i", "a_1+a_2+a_4"),
    (r"\sum_{i=1}^3 a_i", "3a_i"),
    (r"\sum_{i=1}^\infty a_i", r"\sum_{j=1}^\infty a_i"),
    (r"\sum_{i=1}^n\sum_{j=1}^m i", r"\sum_{j=1}^n\sum_{i=1}^m i"),
    (r"\int_0^x f(t)\,dt", r"\int_0^u f(x)\,dx"),
    (r"\sum_{i=1}^n\sum_{j=1}^m a_{ij}", r"\sum_{k=1}^n\sum_{l=1}^m a_{lk}"),
]
APPLIED_OR_MULTIPLIED = [
    ("R(3,3)=6", "6"),
    ("6", "R(3,3)=6"),
    ("R(3,3)=6", "R(3,3)=6"),
    ("d(A,B)=5", "5"),
    ("5", "d(A,B)=5"),
    ("C(4,2)", "6"),
    ("5", "AB=5"),
    ("f(1,2)=3", "3"),
    ("B(x,y)=x+y", "B(a,b)=a+b"),
    ("x(2)+y(3)", "2x+3y"),
    ("3x(4)", "12x"),
    ("p(1-p)", "p-p^2"),
    ("ab(c)", "abc"),
    ("S(n,k)=S(n-1,k-1)+kS(n-1,k)", "S(m,j)=S(m-1,j-1)+jS(m-1,j)"),
    ("T(n+1)", "T(1+n)"),
    ("T(n)=2T(n/2)+n", "T(k)=2T(k/2)+k"),
    ("x(x+1)", "x^2+x"),
    ("k(n+1)", "kn+k"),
    ("a(b)", "ab"),
    ("5x(2)", "10x"),
    ("r(1+r)", "r+r^2"),
    ("T(n)=n^2", "n^2"),
    ("T(5)=3", "3"),
    ("n(n-1)(n-2)", "n^3-3n^2+2n"),
    ("a(1-r^n)/(1-r)", r"\frac{a(1-r^n)}{1-r}"),
    (r"2\pi(3)", r"6\pi"),
    ("y(0)=1", "1"),
    ("k(2n+2)", "2k(n+1)"),
    ("W(a)+W(b)", "W(b)+W(a)"),
    ("x^n(y)", "y x^n"),
    ("s(n)", "sn"),
]
ANOTHER_ARGUMENT = [
    ("R(3,3)=6", "R(3,4)=6"),
    ("R(3,3)=6", "7"),
    ("S(4,2)", "7"),
    ("A(1,2)=3", "(1,2)"),
    ("T(2,3)", "T(3,2)"),
    ("B(x,y)=x+y", "B(a,b)=a-b"),
    ("T(2n)", "2T(n)"),
    ("T(2n)", "T(n)+T(n)"),
    ("T(0)", "0"),
    ("T(n)=2T(n/2)+n", "T(n)=Tn+n"),
    ("a(2n)", "2a(n)"),
    ("N(x+1)", "N(x)+N(1)"),
    ("S(3)", "S(2)+S(1)"),
    ("p(2)", "2p(1)"),
    ("V(2t)", "2V(t)"),
    ("y(0)=1", "y(1)=1"),
    (r"\omega(2n)", r"2\omega(n)"),
    ("W(a+b)", "W(a)+W(b)"),
    ("d(12)", "6d(2)"),
]
FORMS = [
    "a_{{{x}}}={n}{x}^2+{c}",
    "a_{{{x}+1}}={n}a_{x}+{c}",
    "f({x})={n}{x}+{c}",
    r"\sum_{{{x}=1}}^{{5}} {n}{x}{c}",
    r"\{{{n}{x}+{c} : {x}\in\mathbb{{Z}}\}}",
    r"\{{{x}\in\mathbb{{R}} : {n}{x}^2<{c}\}}",
    r"\forall {x}\in\mathbb{{R}},\ {n}{x}^2\ge {c}",
]


@pytest.mark.parametrize(("gold", "response"), SAME_BUT_FOR_BOUND)
def test_the_name_of_a_bound_variable_does_not_matter(gold, response):
    assert check(gold, response, timeout_s=10.0).correct
    assert check(response, gold, timeout_s=10.0).correct


@pytest.mark.parametrize(("gold", "response"), ANOTHER_MEANING)
def test_the_name_of_a_free_variable_does(gold, response):
    assert not check(gold, response, timeout_s=10.0).correct
    assert not check(response, gold, timeout_s=10.0).correct


@pytest.mark.parametrize(("gold", "response"), APPLIED_OR_MULTIPLIED)
def test_a_bracket_after_a_letter_is_an_argument_or_a_factor(gold, response):
    assert check(gold, response).correct


@pytest.mark.parametrize(("gold", "response"), ANOTHER_ARGUMENT)
def test_a_letter_that_is_applied_to_a_letter_is_a_function(gold, response):
    assert not check(gold, response).correct


@few
@given(st.sampled_from(FORMS), variable, variable, number)
def test_a_free_letter_is_never_taken_for_the_bound_one(form, x, y, n):
    """Beside the free letter b the names x and y are alike; either of them in its place means something else."""
    assume(x != y)
    assert check(form.format(x=x, n=n, c="b"), form.format(x=y, n=n, c="b"), timeout_s=10.0).correct
    assert not check(form.format(x=x, n=n, c=y), form.format(x=y, n=n, c=x), timeout_s=10.0).correct
    assert not check(form.format(x=x, n=n, c="b"), form.format(x=y, n=n + 1, c="b"), timeout_s=10.0).correct


@few
@given(st.sampled_from("TVWLAdpvy"), number, st.sampled_from("nxmk"))
def test_any_letter_may_be_a_function(name, n, x):
    assert not check(f"{name}({n}{x})", f"{n}{name}({x})").correct
    assert check(f"{name}({x})+{name}({n})", f"{name}({n})+{name}({x})").correct
    assert check(f"{name}({n}+{x})", f"{n}{name}+{name}*{x}").correct
