"""Wrong answers made from right ones by one edit: none is accepted where an independent oracle says that it differs.

Many edits leave the value as it is (``17`` and ``17.``), so that an accepted mutant counts only where the oracle reads
both sides and finds different values, or where the construction makes them different.
"""

from __future__ import annotations

import json
import os
import random
from fractions import Fraction
from pathlib import Path

import pytest
from zoo_harp import check

from .oracle import Unread, same, value

MUTANTS = int(os.environ.get("ZOO_MUTANTS", "400"))
TABLE = Path(__file__).parents[2] / "src" / "zoo_harp" / "suites" / "harp" / "table.jsonl"
SEEDS = (1, 2, 3)
_SIGNS = "+-*/^()[]{},."
_LETTERS = "abxynk"
_DIGITS = "0123456789"


def values(text):
    try:
        return [value(text, seed) for seed in SEEDS]
    except Unread:
        return None


def equal(one, other):
    return all(map(same, one, other))


@pytest.fixture(scope="module")
def rows():
    return [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def right_pairs(rows):
    """Pairs that the table calls right and that the oracle reads as equal, without units, which may be missing."""
    pairs = []
    for row in rows:
        gold = values(row["gold"]) if " " not in row["gold"] else None
        for response in row["right"] if gold is not None else ():
            read = values(response)
            if read is not None and equal(gold, read):
                pairs.append((row["gold"], gold, response))
    return pairs


def mutated(draw: random.Random, text: str) -> str:
    """``text`` with one character removed, inserted, replaced or exchanged with its neighbour."""
    place = draw.randrange(len(text))
    before, here, after = text[:place], text[place], text[place + 1 :]
    kind = draw.choice(("remove", "insert", "replace", "exchange", "digit"))
    if kind == "remove":
        return before + after
    if kind == "insert":
        return before + draw.choice(_DIGITS + _SIGNS + _LETTERS) + here + after
    if kind == "replace":
        return before + draw.choice(_DIGITS + _SIGNS + _LETTERS) + after
    if kind == "exchange" and after:
        return before + after[0] + here + after[1:]
    digits = [at for at, sign in enumerate(text) if sign.isdigit()]
    at = draw.choice(digits) if digits else place
    return text[:at] + draw.choice(_DIGITS) + text[at + 1 :]


def test_the_oracle_agrees_with_the_table(rows, right_pairs):
    assert len(right_pairs) > 700
    for row in rows:
        gold = values(row["gold"])
        for response in row["wrong"] if gold is not None else ():
            read = values(response)
            if read is not None and max(len(row["gold"]), len(response)) < 8 and "!" not in row["gold"]:
                assert not equal(gold, read) or response == "ACB" or response == "CBA", (row["gold"], response)


@pytest.mark.parametrize("count", [MUTANTS, pytest.param(5 * MUTANTS, marks=pytest.mark.slow)])
def test_no_edit_that_changes_the_value_is_accepted(right_pairs, count):
    draw = random.Random(count)
    differing, same_value, unread, accepted = 0, 0, 0, []
    while differing < count:
        gold, read, response = draw.choice(right_pairs)
        mutant = mutated(draw, response)
        found = values(mutant)
        if found is None:
            unread += 1
        elif equal(read, found) or mutant.upper() == gold:  # b is the choice B
            same_value += 1
        else:
            differing += 1
            if check(gold, mutant).correct:
                accepted.append((gold, mutant))
    print(
        f"{differing} mutants of another value, {len(accepted)} accepted; {same_value} of the same, {unread} not read"
    )
    assert not accepted


def lowest(*parts):
    return tuple(Fraction(part, parts[0]) for part in parts)


MATRIX = r"\begin{{pmatrix}}{0}&{1}\\{2}&{3}\end{{pmatrix}}"
CASES = r"\begin{{cases}}{0}x&x<{1}\\{2}x+{3}&x\ge {1}\end{{cases}}"
FAMILY = r"x=\frac{{{0}\pi}}{{24}}+\frac{{{1}\pi k}}{{5}}"
FORMS = [
    (r"{0} \text{{ cm}}^{1}", lambda a, b, *_: (a, b)),
    (r"{0} \text{{ hours }} {1} \text{{ minutes}}", lambda a, b, *_: 60 * a + b),
    (r"{0}:{1}:{2}", lambda a, b, c, *_: lowest(a, b, c)),
    (r"{0}\frac{{{1}}}{{23}}", lambda a, b, *_: (a, b)),
    (r"{0}.\overline{{{1}{2}}}", lambda a, b, c, *_: Fraction(a) + Fraction(10 * b + c, 99)),
    (MATRIX, lambda *parts: parts),
    (r"\langle {0},{1},{2}\rangle", lambda a, b, c, _: (a, b, c)),
    (r"{0}\mathbf{{i}}-{1}\mathbf{{j}}", lambda a, b, *_: (a, b)),
    (r"\{{{0},-{1},{2}.5\}}", lambda a, b, c, _: (a, b, c)),
    (r"[-{0},{1})\cup({1}{2},\infty)", lambda a, b, c, _: (a, b, c)),
    (r"x<-{0} \text{{ or }} x\ge {1}", lambda a, b, *_: (a, b)),
    (CASES, lambda *parts: parts),
    (FAMILY, lambda a, b, *_: (Fraction(a, 24) % Fraction(b, 5), b)),
    (r"n\equiv {0}\pmod{{1{1}}}", lambda a, b, *_: (a % (10 + b), b)),
    (r"\{{{0}k+{1} : k\in\mathbb{{Z}}_{{\ge 0}}\}}", lambda a, b, *_: (a, b)),
    (r"a_n={0}n^2-{1}n+{2}", lambda a, b, c, _: (a, b, c)),
    (r"\sum_{{k=0}}^{{n}} {0}k+{1}", lambda a, b, *_: (a, b)),
    (r"f(x)={0}x^2+{1}x", lambda a, b, *_: (a, b)),
    (r"p={0}, q={1}", lambda a, b, *_: (a, b)),
    (r"{0}x+{1}y={2}", lambda a, b, c, _: lowest(a, b, c)),
    (r"{0}x^3-{1}x+C", lambda a, b, *_: (a, b)),
    (r"{0}{1}{2}_{{11}}", lambda a, b, c, _: (a, b, c)),
    (r"\${0}.{1}{2}", lambda a, b, c, _: (a, b, c)),
    (r"{0}^\circ {1}'", lambda a, b, *_: (a, b)),
    (r"\forall x\in\mathbb{{R}},\ x^2+{0}x\ge -{1}", lambda a, b, *_: (a, b)),
    (r"\log_{{1{0}}} 1{1}", lambda a, b, *_: (a, b) if a != b else ("one",)),
]


@pytest.mark.parametrize(("form", "meaning"), FORMS)
def test_another_number_in_the_same_form_is_another_answer(form, meaning):
    """By construction: ``meaning`` maps the numbers of a form to what it says."""
    draw = random.Random(form)
    for _ in range(max(4, MUTANTS // 50)):
        numbers = [draw.randint(1, 9) for _ in range(4)]
        changed = list(numbers)
        changed[draw.randrange(4)] = draw.randint(1, 9)
        gold, response = form.format(*numbers), form.format(*changed)
        correct = meaning(*numbers) == meaning(*changed)
        assert check(gold, response, timeout_s=10.0).correct is correct, (gold, response)
