"""``--eta 0.1,1``: a run for each value, and what keeps its commas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from tests.cli.command import zoo_here
from zoo.discovery.config import combinations

SWEEP = ("train", "reload", "two-state", "--eta", "0.1,1", "--env.theta=0.4,0.6", "--steps", "4")


@dataclass(frozen=True, kw_only=True)
class Options:
    rate: float = 0.1
    count: int | None = None
    kind: Literal["a", "b", "a,b"] = "a"
    text: str = ""
    text_or_number: float | str = 1.0
    sizes: tuple[int, ...] = (1,)
    fast: bool = False


PARTS = {"": Options(), "env": Options()}


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True),
    st.booleans(),
)
def test_all_combinations_in_order(rates: list[int], counts: list[int], equals: bool) -> None:
    first, second = ",".join(map(str, rates)), ",".join(map(str, counts))
    words = [f"--rate={first}"] if equals else ["--rate", first]
    lines = combinations(PARTS, [*words, "--fast", "--env.count", second])
    values = [(line[words.index(words[-1])].removeprefix("--rate="), line[-1]) for _, line in lines]
    assert values == [(str(rate), str(count)) for rate in rates for count in counts]
    named = [values for values, _ in lines]
    for of in named:
        assert set(of) == ({"rate"} if len(rates) > 1 else set()) | ({"env.count"} if len(counts) > 1 else set())


@pytest.mark.parametrize(
    "words",
    [
        ["--text", "a,b"],
        ["--text=a,b"],
        ["--text-or-number", "1,2"],
        ["--sizes", "1,2"],
        ["--kind", "a,b"],  # a choice that has one itself
        ["--unknown", "1,2"],
        ["--sizes", "1", "2"],
    ],
)
def test_what_may_contain_commas_keeps_them(words: list[str]) -> None:
    assert combinations(PARTS, words) == [({}, words)]


def test_values_that_are_typed_twice_count_once_and_gaps_are_refused() -> None:
    assert len(combinations(PARTS, ["--rate", "1,2, 1"])) == 2
    with pytest.raises(zoo.UsageError, match="--rate is '1,,2': expected values with a comma between each two"):
        combinations(PARTS, ["--rate", "1,,2"])


def test_each_combination_has_a_directory_and_the_same_command_resumes(tmp_path: Path) -> None:
    planned = zoo_here(*SWEEP, "--dry-run", cwd=tmp_path).stdout.splitlines()[-4:]
    names = ["eta=0.1, env.theta=0.4", "eta=0.1, env.theta=0.6", "eta=1, env.theta=0.4", "eta=1, env.theta=0.6"]
    assert [line.split("  ")[-1] for line in planned] == names
    assert not (tmp_path / "runs").exists()
    first = zoo_here(*SWEEP, cwd=tmp_path)
    assert first.returncode == 3
    assert [line.strip() for line in first.stdout.splitlines() if line.startswith("reload on")] == [
        f"reload on two-state, {name}" for name in names
    ]
    runs = {str(run.path.relative_to(tmp_path)): run.spec for run in zoo.open_runs(tmp_path / "runs")}
    assert set(runs) == {line.split()[0] for line in planned}
    for line, name in zip(planned, names, strict=True):
        spec = runs[line.split()[0]]
        assert f"eta={spec.config['eta']:g}, env.theta={spec.env_config['theta']:g}" == name
    again = zoo_here(*SWEEP, cwd=tmp_path)
    assert again.stdout.count("Nothing was run: finished on") == 4


def test_one_document_has_all_runs_and_a_wrong_value_runs_none(tmp_path: Path) -> None:
    ran = zoo_here(
        "train", "gda", "two-state", "--eta", "0.1,1", "--seeds", "0:2", "--steps", "2", "--json", cwd=tmp_path
    )
    assert [row["seed"] for row in json.loads(ran.stdout)["runs"]] == [0, 1, 0, 1]
    wrong = zoo_here("train", "gda", "two-state", "--eta", "0.1,x", "--dir", "none", cwd=tmp_path)
    assert wrong.returncode == 2 and "--eta is 'x': expected" in wrong.stderr
    assert not (tmp_path / "none").exists()
