"""``zoo papers``: every claim of a paper is a row, and none has a better verdict than its worst experiment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from zoo_bench.claims import Verdict
from zoo_bench.papers import rows_of, sheets, totals
from zoo_bench.schema import Claim, PublishedClaim, Suite, Term
from zoo_bench.suite import SuiteError, load_suite

TRIAL = """
[suite]
paper = "A Paper 2020"
[[cells]]
label = "a"
algorithm = "reload"
environment = "two-state"
seeds = "0:3"
steps = 30
eval_episodes = 0
[[claims]]
id = "ends"
text = "it ends"
left = { label = "a", metric = "kkt" }
relation = ">"
right = 1e9
source = "paper"
where = "abstract"
setting = "small model"
[[published]]
number = 2
text = "a thing nobody tried"
source = "paper"
where = "abstract"
missing = "an experiment"
[[published]]
number = 1
text = "it ends"
source = "paper-code"
where = "a notebook"
claims = ["ends"]
"""


def verdict(name: str, answer: Any, setting: Any = "paper") -> Verdict:
    left = Term(label="a", metric="m")
    claim = Claim(
        id=name, text=name, left=left, relation="<", right=1.0, environments=("e",), source="paper", setting=setting
    )
    return Verdict(
        claim=claim, answer=answer, estimate=0.0, low=0.0, high=0.0, n=5, asked=5, effects=(), sentence=f"{name}!"
    )


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((), "not judged"),
        (("reproduced",), "reproduced"),
        (("reproduced", "reproduced"), "reproduced"),
        (("reproduced", "inconclusive"), "inconclusive"),
        (("reproduced", "incomplete", "inconclusive"), "incomplete"),
        (("incomplete", "not reproduced", "reproduced"), "not reproduced"),
    ],
)
def test_the_worst_experiment_decides(answers: Sequence[str], expected: str) -> None:
    verdicts = [verdict(f"c{index}", answer) for index, answer in enumerate(answers)]
    row = PublishedClaim(number=1, text="t", source="paper", where="w", claims=tuple(v.claim.id for v in verdicts))
    suite = Suite(name="s", title="s", path=Path("s.toml"), cells=(), paper="P", published=(row,))
    (made,) = rows_of(suite, verdicts)
    assert made.answer == expected
    assert totals([made]) == {"P": {expected: 1}}
    if answers:
        assert made.measured == next(f"{v.claim.id}!" for v in verdicts if v.answer == made.answer)


def test_a_small_model_is_said_to_be_one() -> None:
    row = PublishedClaim(number=1, text="t", source="paper", where="w", claims=("a", "b"))
    suite = Suite(name="s", title="s", path=Path("s.toml"), cells=(), paper="P", published=(row,))
    (made,) = rows_of(suite, [verdict("a", "reproduced"), verdict("b", "reproduced", "small model")])
    assert made.answer == "reproduced (small model)"
    assert sheets([made])[1].rows[0][-2] == "reproduced (small model)"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('missing = "an experiment"', "", "judged by nothing"),
        ('claims = ["ends"]', 'claims = ["end"]', "did you mean ends"),
        (
            'source = "paper"\nwhere = "abstract"\nsetting',
            'source = "ours"\nwhere = "abstract"\nsetting',
            "is of source 'ours'",
        ),
        ("number = 2", "number = 0", "number"),
        ('where = "a notebook"', "", "where"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert TRIAL.count(old) == 1
    (tmp_path / "t.toml").write_text(TRIAL.replace(old, new))
    with pytest.raises(SuiteError) as error:
        load_suite(tmp_path / "t.toml")
    assert sentence in f"{error.value} {error.value.hint}" and "line" in str(error.value)


def test_the_command_from_runs_and_without_any(tmp_path: Path) -> None:
    def zoo(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "zoo.cli.main", *args], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    (tmp_path / "t.toml").write_text(TRIAL)
    before = zoo("papers", "t.toml", "--json")
    assert before.returncode == 0, before.stderr
    assert [row["verdict"] for row in json.loads(before.stdout)["claims"]] == ["not judged"] * 2
    assert "nothing is judged: zoo bench SUITE makes runs" in before.stderr
    assert zoo("bench", "t.toml").returncode == 0
    after = json.loads(zoo("papers", "t.toml", "--json").stdout)
    assert {row["number"]: row["verdict"] for row in after["claims"]} == {1: "not reproduced", 2: "not judged"}
    assert after["totals"]["A Paper 2020"]["not judged"] == 1
    assert "nothing is judged" not in zoo("papers", "t.toml").stderr
    text = zoo("papers", "t.toml", "--format", "markdown").stdout.partition("### Claims of the papers\n")[2]
    assert text.index("| 1 |") < text.index("| 2 |") and "an experiment" in text
    assert zoo("papers", "nothing").returncode == 2
