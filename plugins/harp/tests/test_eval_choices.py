"""Layouts and derangements."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest
from zoo_harp.evaluation.choices import derangements, is_permutation, layout_text, permutation, shown_letter
from zoo_harp.evaluation.data import Problem

from zoo import UsageError


def make(number=1, last="10", **fields):
    base = {
        "year": "2001", "contest": "AMC_8", "number": number, "level": 1, "subject": "algebra",
        "multiple_choice_only": False, "problem": "?", "answer": "3", "answer_choice": "B",
        "choices": {"A": "$1$", "B": " $3$ ", "C": "$5$", "D": "$7$", "E": last}, "solutions": ("x",),
    }  # fmt: skip
    return Problem(**{**base, **fields})


@pytest.mark.parametrize(("letters", "count"), [("AB", 1), ("ABC", 2), ("ABCD", 9), ("ABCDE", 44)])
def test_there_are_as_many_derangements_as_subfactorials(letters, count):
    orders = derangements(letters)
    assert len(set(orders)) == len(orders) == count
    assert round(math.factorial(len(letters)) / math.e) == count
    assert all(a != b for order in orders for a, b in zip(order, letters, strict=True))


def test_shuffles_derange_every_letter_and_each_order_is_as_likely():
    drawn = Counter(permutation(make(number), 3, 1) for number in range(4400))
    assert set(drawn) == set(derangements("ABCDE"))
    assert max(abs(times - 100) for times in drawn.values()) < 5 * math.sqrt(100)


@pytest.mark.parametrize("last", ["None of these", "none of the above", "ALL OF them", "$10$, all of which fit"])
def test_a_last_choice_about_the_others_stays(last):
    drawn = {permutation(make(number, last), 3, 1) for number in range(300)}
    assert drawn == {f"{order}E" for order in derangements("ABCD")}


def test_shuffles_depend_on_seed_problem_and_number_alone():
    orders = {(s, n, j): permutation(make(n), s, j) for s, n, j in itertools.product((0, 1), (1, 2), (1, 2, 3))}
    again = {key: permutation(make(key[1]), key[0], key[2]) for key in reversed(orders)}
    assert orders == again
    assert len(set(orders.values())) > 6
    assert permutation(make(), 0, 0) == "ABCDE"


def test_the_letter_moves_with_its_choice():
    order = "BCDEA"
    text = layout_text(make(), "dot", order)
    for published, content in make().choices.items():
        assert f"{shown_letter(published, order)}. {content.strip()}" in text.splitlines()


def test_layouts():
    assert layout_text(make(), "dot") == "A. $1$\nB. $3$\nC. $5$\nD. $7$\nE. 10"
    assert layout_text(make(), "paren").splitlines()[1] == "(B) $3$"
    assert layout_text(make(), "none") == ""
    assert layout_text(make(), "original").count(r"\qquad") == 4
    assert r"$\textbf{(B)}$ $3$" in layout_text(make(), "original")
    with pytest.raises(UsageError, match="no layout called 'dots'"):
        layout_text(make(), "dots")
    with pytest.raises(UsageError, match="has no choices"):
        layout_text(make(choices=None), "dot")


def test_permutations_are_recognised():
    assert is_permutation("EDCBA")
    assert not any(map(is_permutation, ["", "ABCD", "ABCDD", "abcde", "ABCDEF"]))
