"""What tables and figures call runs: two experiments never have one name."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_bench.aggregate import summarise
from zoo_bench.load import from_catalogue, measure
from zoo_bench.metrics import FUNCTIONS
from zoo_bench.plots.curves import make_groups
from zoo_bench.plots.profiles import make_profiles
from zoo_bench.schema import Metric

from plugins.bench.tests.made_up import spec, store
from zoo.runs.labelling import labels
from zoo.runs.store import Run, open_runs
from zoo.training.storage.spec import RunSpec

SCORE = Metric(name="score", of="score")
PAIRS: dict[str, tuple[RunSpec, RunSpec]] = {
    "number and text": (spec(config={"x": 1}), spec(config={"x": "1"})),
    "number and truth": (spec(config={"x": 1}), spec(config={"x": True})),
    "whole and real": (spec(config={"x": 1}), spec(config={"x": 1.0})),
    "nothing and none": (spec(config={}), spec(config={"x": None})),
    "list and text": (spec(config={"x": [1]}), spec(config={"x": "[1]"})),
    "the fourth of four": (
        spec(config={"a": 1, "b": 1, "c": 1, "d": 1}), spec(config={"a": 1, "b": 1, "c": 1, "d": 2}),
    ),
    "another plugin": (spec(), replace(spec(), algorithm="other/learner")),
    "another environment of that name": (spec(), replace(spec(), environment="gym:task")),
    "another version": (spec(), replace(spec(), plugin_version="2.0.0")),
    "a longer budget": (spec(), replace(spec(), steps=200)),
    "extended": (
        replace(spec(), steps=200), replace(spec(), steps=200, extended_from={"key": "0" * 10, "step": 1, "steps": 9}),
    ),
    "option of the environment": (spec(env_config={"x": "a"}), spec(env_config={"x": "b"})),
}  # fmt: skip


@pytest.mark.parametrize("what", PAIRS)
def test_two_experiments_are_two_rows_and_two_curves(tmp_path: Path, what: str) -> None:
    for number, of in enumerate(PAIRS[what]):
        for seed in (0, 1):
            store(tmp_path, of, seed, [{"score": 10.0 * number + seed}] * 3)
    catalogue = open_runs([tmp_path])
    if what != "another version":  # of which only the newest counts
        rows = summarise(from_catalogue(catalogue, [SCORE], measure(FUNCTIONS)), [], ["environment", "label"], None)
        assert [row.seeds for row in rows] == [2, 2]
        assert len({row.group["label"] for row in rows}) == 2
    groups = make_groups(catalogue.groups())
    assert len({group.label for group in groups}) == 2
    assert len({(group.colour, str(group.dash)) for group in groups}) == 2
    assert [profile.runs for profile in make_profiles(groups, "score").profiles] == [2, 2]


def test_of_twelve_groups_that_differ_in_the_fifth_option_none_is_called_like_another(tmp_path: Path) -> None:
    for a in (1, 2):
        for e in range(6):
            store(tmp_path, spec(config={"a": a, "b": a, "c": a, "d": a, "e": e}), 0, [{"score": 1.0}])
    names = labels(open_runs([tmp_path]).groups())
    assert len(set(names)) == 12 and all("e=" in name and "a=" in name for name in names)


VALUES = st.one_of(st.integers(0, 2), st.booleans(), st.sampled_from(["1", "True", "None", "a, y=b"]), st.none())
CONFIGS = st.dictionaries(st.sampled_from(["x", "y", "z", "w", "v"]), VALUES, max_size=5)


@settings(max_examples=60)
@given(st.lists(CONFIGS, min_size=1, max_size=8))
def test_labels_are_as_many_as_keys(configs: list[dict[str, Any]]) -> None:
    runs = {made.key: Run(Path(made.key), made) for config in configs for made in [spec(config=config)]}
    assert len(set(labels([[run] for run in runs.values()]))) == len(runs)


def test_a_copy_of_a_run_is_not_another_seed(tmp_path: Path) -> None:
    for seed in (0, 1):
        store(tmp_path / "a", spec(), seed, [{"score": 1.0}])
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    partial = next((tmp_path / "a").rglob("seed-1")) / "status.json"
    partial.write_text('{"state": "interrupted", "step": 5}')
    records = from_catalogue(open_runs([tmp_path]), [SCORE], measure(FUNCTIONS))
    (row,) = summarise(records, [], ["environment", "label"], None)
    assert row.seeds == 2
    assert sorted(dropped.path.parts[-5] for dropped in records.dropped) == ["a", "b"]
    assert all("another copy of the run" in dropped.reason for dropped in records.dropped)
