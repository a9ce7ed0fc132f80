"""math-verify's own test tables, pair by pair, and math-verify itself on them."""

from __future__ import annotations

import pytest
from zoo_harp import check

PAIRS = 274


def test_the_table_is_the_one_that_was_read(table):
    assert len(table) == PAIRS


def test_right_on_what_is_mathematically_true(true_rows):
    missed = {row.place: row for row in true_rows if _ours(row) != row.expected}
    assert len(missed) <= 0.04 * len(true_rows), missed
    assert all(row.expected for row in missed.values()), missed  # no false accept


@pytest.mark.slow
def test_not_worse_than_its_author(true_rows):
    """On the pairs whose expectation is true, by its own functions with their defaults."""
    library = pytest.importorskip("math_verify")
    ours = sum(_ours(row) == row.expected for row in true_rows)
    theirs = sum(_theirs(library, row) == row.expected for row in true_rows)
    assert ours >= theirs, (ours, theirs, len(true_rows))


def _ours(row) -> bool:
    return check(row.gold, row.response, timeout_s=10).correct


def _theirs(library, row) -> bool:
    targets = [library.LatexExtractionConfig(boxed_match_priority=0), library.ExprExtractionConfig()]
    try:
        return bool(library.verify(library.parse(row.gold, targets), library.parse(row.response, targets)))
    except Exception:  # whatever it raises counts as no verdict
        return False
