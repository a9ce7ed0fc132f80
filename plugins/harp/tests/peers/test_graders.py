"""The graders of lighteval and inspect_ai, as installed, beside ours: on our pairs and on math-verify's.

lighteval needs a Python of its own (``ZOO_LIGHTEVAL_PYTHON``), since it wants another version of a parser than
math-verify does; ``make test-full`` makes one. With ``ZOO_REQUIRE_EXTRAS=1`` what is missing is a failure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from zoo_harp import check

EVERY = 16
"""of our pairs: the peers take a minute for a thousand"""
LIGHTEVAL = "ZOO_LIGHTEVAL_PYTHON"
GRADE = Path(__file__).with_name("grade.py")
TABLE = Path(__file__).parents[2] / "src" / "zoo_harp" / "suites" / "harp" / "table.jsonl"


def python_with(grader: str) -> str:
    python = os.environ.get(LIGHTEVAL, "") if grader == "lighteval" else sys.executable
    if Path(python).is_file() and (grader == "lighteval" or find_spec(grader)):
        return python
    why = f"{LIGHTEVAL} names no Python with lighteval" if grader == "lighteval" else "inspect_ai is not installed"
    if os.environ.get("ZOO_REQUIRE_EXTRAS"):
        pytest.fail(why)
    pytest.skip(why)


def opinions(grader: str, pairs: list[tuple[str, str]]) -> list[bool | None]:
    run = subprocess.run(
        [python_with(grader), str(GRADE), grader],
        input=json.dumps(pairs), capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


def our_pairs() -> list[tuple[str, str, bool]]:
    rows = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    pairs = [(row["gold"], response, key == "right") for row in rows for key in ("right", "wrong")
             for response in row[key]]  # fmt: skip
    return pairs[::EVERY]


@pytest.mark.slow
@pytest.mark.parametrize("grader", ["lighteval", "inspect_ai"])
@pytest.mark.parametrize("source", ["ours", "math-verify's"])
def test_right_more_often_than_a_peer(grader, source, request):
    pairs = our_pairs() if source == "ours" else [
        (row.gold, row.response, row.expected) for row in request.getfixturevalue("true_rows")
    ]  # fmt: skip
    theirs = opinions(grader, [pair[:2] for pair in pairs])
    hits = sum(bool(verdict) is expected for verdict, (_, _, expected) in zip(theirs, pairs, strict=True))
    accepted = sum(bool(verdict) and not expected for verdict, (_, _, expected) in zip(theirs, pairs, strict=True))
    mine = [check(gold, response, timeout_s=10).correct for gold, response, _ in pairs]
    ours = sum(verdict is expected for verdict, (_, _, expected) in zip(mine, pairs, strict=True))
    falsely = sum(verdict and not expected for verdict, (_, _, expected) in zip(mine, pairs, strict=True))
    print(f"{source} pairs, {len(pairs)}: ours {ours} right, {falsely} false accepts; {grader} {hits}, {accepted}")
    assert ours >= hits and falsely <= accepted
