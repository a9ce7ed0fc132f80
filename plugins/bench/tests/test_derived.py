from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_bench.metrics import FUNCTIONS, area_ratio, auc, derive, functions, steps_to_below, steps_to_stay_below
from zoo_bench.schema import Metric

from zoo.discovery.registry import Registry
from zoo.errors import PluginError, UnknownNameError, UsageError
from zoo.runs.store import Run
from zoo.training.storage.spec import RunSpec

STEPS = [10, 20, 40, 80]
VALUES = [8.0, 2.0, 4.0, 1.0]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    rows = [{"step": step, "wall": 0.1, "err": value} for step, value in zip(STEPS, VALUES, strict=True)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "evaluations").mkdir()
    (tmp_path / "evaluations" / "return.json").write_text(json.dumps({"scores": {"mean": 12.5}, "step": 80}))
    spec = RunSpec(algorithm="p/a", kind="algorithm", plugin_version="1", environment="e", steps=80)
    return Run(tmp_path, spec)


@pytest.mark.parametrize(
    ("function", "options", "expected"),
    [
        ("last", {}, 1.0),
        ("min", {}, 1.0),
        ("max", {}, 8.0),
        ("mean", {}, 3.75),
        ("auc", {}, (10 * 5 + 20 * 3 + 40 * 2.5) / 70),  # trapezia by hand
        ("area_ratio", {"best": 4.0, "floor": 2.0}, (3.0 - 2.0) / 2.0),
        ("last_half_max", {}, 4.0),  # steps 40 and 80
        ("last_half_mean", {}, 2.5),
        ("last_half_range", {}, 3.0),
        ("last_half_std", {}, 1.5),
        ("final_mean", {"points": 3}, 7.0 / 3.0),
        ("at_step", {"step": 40}, 4.0),
        ("at_step", {"step": 39}, 2.0),
        ("at_step", {"step": 9}, None),
        ("max_until", {"step": 19}, 8.0),
        ("max_until", {"step": 80}, 8.0),
        ("max_until", {"step": 9}, None),
        ("steps_to_below", {"level": 2.0}, 20.0),
        ("steps_to_below", {"level": 0.5}, None),
        ("steps_to_above", {"level": 8.0}, 10.0),
        ("steps_to_stay_below", {"level": 2.0}, 80.0),
        ("steps_to_stay_below", {"level": 9.0}, 10.0),
        ("steps_to_stay_above", {"level": 2.0}, None),
    ],
)
def test_functions_on_numbers_worked_out_by_hand(
    function: str, options: dict[str, float], expected: float | None, run: Run
) -> None:
    value = derive(run, Metric(name="x", of="err", function=function, options=options))
    assert value == (None if expected is None else pytest.approx(expected))


def test_every_function_of_the_core_is_none_without_the_metric(run: Run) -> None:
    for name in FUNCTIONS:
        options = {"level": 1.0} if name.startswith("steps_to") else {"best": 2.0} if name == "area_ratio" else {}
        assert derive(run, Metric(name="x", of="nothing", function=name, options=options)) is None


def test_scores_of_evaluators_are_metrics(run: Run) -> None:
    assert derive(run, Metric(name="x", of="return.mean")) == 12.5
    assert derive(run, Metric(name="x", of="return.nothing")) is None
    assert derive(run, Metric(name="x", of="nothing.mean")) is None


def test_the_last_value_of_a_finished_run_needs_no_log(run: Run) -> None:
    (run.path / "status.json").write_text(json.dumps({"state": "finished", "step": 80, "metrics": {"err": 0.25}}))
    (run.path / "metrics.jsonl").unlink()
    assert derive(run, Metric(name="x", of="err")) == 0.25


def test_wrong_options_and_names_are_one_sentence(run: Run) -> None:
    with pytest.raises(UsageError, match="'x': steps_to_below refuses"):
        derive(run, Metric(name="x", of="err", function="steps_to_below"))
    with pytest.raises(UsageError, match="best and floor"):
        derive(run, Metric(name="x", of="err", function="area_ratio", options={"best": 0.0}))
    with pytest.raises(UnknownNameError, match="last_half_mean"):
        derive(run, Metric(name="x", of="err", function="last_half_mea"))


def test_plugins_add_functions_and_are_named_when_these_fail(run: Run, registry: Registry) -> None:
    known = functions(registry)
    assert set(FUNCTIONS) < set(known)
    assert derive(run, Metric(name="x", of="err", function="doubled", options={"times": 3.0}), known) == 3.0
    with pytest.raises(PluginError, match=r"'crooked' of plugin .*ZeroDivisionError"):
        derive(run, Metric(name="x", of="err", function="crooked"), known)


curves = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20).map(lambda values: np.array(values))


@settings(deadline=None)
@given(curves, st.floats(-10, 10), st.floats(0.1, 10))
def test_auc_is_a_mean_height(values: np.ndarray, shift: float, scale: float) -> None:
    steps = np.cumsum(np.linspace(1.0, 2.0, len(values)))
    height = auc(steps, values)
    assert values.min() - 1e-6 <= height <= values.max() + 1e-6
    assert auc(scale * steps, values + shift) == pytest.approx(height + shift, abs=1e-6)
    assert area_ratio(steps, values, best=values.max() + 1.0, floor=values.min() - 1.0) <= 1.0


@settings(deadline=None)
@given(curves, st.floats(-1e6, 1e6))
def test_reaching_comes_before_staying(values: np.ndarray, level: float) -> None:
    steps = np.arange(1.0, len(values) + 1.0)
    first, settled = steps_to_below(steps, values, level=level), steps_to_stay_below(steps, values, level=level)
    if settled is not None:
        assert first is not None
        assert first <= settled
        assert (values[steps >= settled] <= level).all()
