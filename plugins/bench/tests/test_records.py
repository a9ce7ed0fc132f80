from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zoo_bench.aggregate import estimate_all, long_rows, summarise
from zoo_bench.load import Records, check_columns, check_metrics, from_catalogue, from_suite, measure
from zoo_bench.metrics import FUNCTIONS
from zoo_bench.schema import Cell, Metric, Reference, Suite

from plugins.bench.tests.made_up import spec, store
from zoo.errors import UnknownNameError, UsageError
from zoo.runs.store import open_runs
from zoo.training.request import RunRequest
from zoo.training.storage.spec import RunSpec

SCORE = Metric(name="score", of="score")
REACH = Metric(name="reach", of="score", function="steps_to_above", options={"level": 5.0})
KNOWN = measure(FUNCTIONS)


def _trimmed_mean(values: Sequence[float]) -> float:
    from scipy.stats import trim_mean  # here: it takes a second to import

    return float(trim_mean(values, 0.25))


def cell(of: RunSpec, label: str = "", seeds: tuple[int, ...] = (0, 1, 2)) -> Cell:
    algorithm, environment = of.short
    request = RunRequest(algorithm=algorithm, environment=environment)
    return Cell(label=label or algorithm, environment=environment, request=request, seeds=seeds, spec=of)


def suite(*cells: Cell, references: tuple[Reference, ...] = ()) -> Suite:
    return Suite(name="trial", title="Trial", path=Path("trial.toml"), cells=cells, metrics=(SCORE,),
                 references=references)  # fmt: skip


def test_only_finished_runs_count_and_the_others_are_listed_with_the_reason(tmp_path: Path) -> None:
    learner = spec()
    store(tmp_path, learner, 0, [{"score": 1.0}])
    store(tmp_path, learner, 1, [{"score": 100.0}], state="running")
    store(tmp_path, learner, 2, [{"score": 100.0}], state="failed", message="loss became nan.")
    store(tmp_path, learner, 3, [{"score": 100.0}], state="interrupted")
    torn = store(tmp_path, learner, 4, [{"score": 100.0}])
    (torn / "status.json").write_bytes(b'{"state": "fini')
    spoiled = store(tmp_path, learner, 5, [{"score": 100.0}])
    (spoiled / "spec.json").write_bytes(b"{")
    newer = store(tmp_path, learner, 6, [{"score": 100.0}])
    (newer / "spec.json").write_text(json.dumps(json.loads((newer / "spec.json").read_text()) | {"format": 99}))
    found = from_suite(suite(cell(learner, seeds=tuple(range(8)))), tmp_path, [SCORE], KNOWN)
    assert found.by_run == {("learner", "task", 0): {"score": 1.0}}
    states = {run.seed: run.state for run in found.dropped}
    assert states == {1: "partial", 2: "failed", 3: "partial", 4: "partial", 5: "unreadable", 6: "unreadable",
                      7: "missing"}  # fmt: skip
    reasons = {run.seed: run.reason for run in found.dropped}
    assert "loss became nan" in reasons[2]
    assert reasons[3] == "interrupted at step 10 of 100"
    assert "format 99" in reasons[6]
    by_path = from_catalogue(open_runs([tmp_path]), [SCORE], KNOWN)
    assert by_path.by_run == found.by_run
    assert sorted(run.state for run in by_path.dropped) == sorted(s for s in states.values() if s != "missing")


def test_runs_of_another_version_of_the_plugin_are_named_and_never_mixed_in(tmp_path: Path) -> None:
    new, old, other = spec(), spec(plugin_version="1.1.9"), spec(config={"x": 1})
    store(tmp_path, old, 0, [{"score": 100.0}])
    store(tmp_path, other, 1, [{"score": 100.0}])
    dropped = from_suite(suite(cell(new, seeds=(0, 1))), tmp_path, [SCORE], KNOWN).dropped
    assert [(run.state, run.reason) for run in dropped] == [
        ("version", "made by made-up 1.1.9; 1.2.3 is installed"), ("missing", "not run yet"),
    ]  # fmt: skip
    store(tmp_path, new, 0, [{"score": 1.0}])
    found = from_catalogue(open_runs([tmp_path]), [SCORE], KNOWN)
    assert sorted(record.values["score"] for record in found.finished) == [1.0, 100.0]
    assert [(run.seed, run.state) for run in found.dropped] == [(0, "version")]


def test_a_patch_of_the_plugin_is_the_same_version(tmp_path: Path) -> None:
    store(tmp_path, spec(plugin_version="1.2.0"), 0, [{"score": 1.0}])
    assert from_suite(suite(cell(spec(), seeds=(0,))), tmp_path, [SCORE], KNOWN).dropped == []


def test_a_level_that_was_never_reached_is_infinitely_far_and_not_left_out(tmp_path: Path) -> None:
    learner = spec()
    store(tmp_path, learner, 0, [{"score": 1.0}, {"score": 6.0}])
    store(tmp_path, learner, 1, [{"score": 1.0}, {"score": 2.0}])
    store(tmp_path, learner, 2, [{"other": 1.0}])
    store(tmp_path, learner, 3, [{"score": 2.0}])
    records = from_suite(suite(cell(learner, seeds=(0, 1, 2, 3))), tmp_path, [REACH], KNOWN)
    assert [record.values for record in records.finished] == [
        {"reach": 20.0},
        {"reach": math.inf},
        {},
        {"reach": math.inf},
    ]
    estimate = summarise(records, [REACH], ["label"], None)[0].estimates["reach"]
    assert (estimate.value, estimate.low, estimate.high, estimate.seeds) == (math.inf, 20.0, math.inf, 3)


def test_a_finished_run_whose_log_has_holes_is_partial_for_what_needs_the_log(tmp_path: Path) -> None:
    learner = spec()
    folder = store(tmp_path, learner, 0, [{"score": 6.0}, {"score": 6.0}])
    whole = (folder / "metrics.jsonl").read_bytes()
    (folder / "metrics.jsonl").write_bytes(whole[5:])
    one = suite(cell(learner, seeds=(0,)))
    assert from_suite(one, tmp_path, [SCORE], KNOWN).by_run == {("learner", "task", 0): {"score": 6.0}}
    dropped = from_suite(one, tmp_path, [SCORE, REACH], KNOWN).dropped
    assert [(run.state, run.reason) for run in dropped] == [("partial", "metrics.jsonl has 1 line that cannot be read")]


def test_the_last_value_needs_no_log(tmp_path: Path) -> None:
    folder = store(tmp_path, spec(), 0, [{"score": 1.0}, {"score": 2.0}])
    (folder / "metrics.jsonl").unlink()
    assert from_catalogue(open_runs([tmp_path]), [SCORE], KNOWN).finished[0].values == {"score": 2.0}


def test_an_unresolved_cell_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="learner on task is not resolved"):
        from_suite(suite(replace(cell(spec()), spec=None)), tmp_path, [SCORE], KNOWN)


def test_unknown_columns_and_metrics_are_refused_with_the_nearest_name(tmp_path: Path) -> None:
    store(tmp_path, spec(config={"eta": 1.0}), 0, [{"score": 1.0}])
    records = from_catalogue(open_runs([tmp_path]), [SCORE], KNOWN)
    check_columns(records, ["eta", "algorithm", "steps"])
    with pytest.raises(UnknownNameError, match="'labl': did you mean label"):
        check_columns(records, ["labl"])
    with pytest.raises(UnknownNameError, match="'scor': did you mean score"):
        check_metrics(records, ["scor"])


def test_groups_pool_environments_and_published_values_stand_beside_single_cells(tmp_path: Path) -> None:
    cells = []
    for algorithm, environment, shift in (("a", "x", 0.0), ("a", "y", 10.0), ("b", "x", 5.0)):
        of = spec(algorithm, environment)
        cells.append(cell(of))
        for seed in range(3):
            store(tmp_path, of, seed, [{"score": shift + seed}])
    reference = Reference(label="a", environment="y", metric="score", value=12.0, kind="published", source="a book")
    whole = suite(*cells, references=(reference,))
    records = from_suite(whole, tmp_path, [SCORE], KNOWN)
    each = summarise(records, [SCORE], ["environment", "label"], whole)
    assert [tuple(row.group.values()) for row in each] == [("x", "a"), ("x", "b"), ("y", "a")]
    assert [row.estimates["score"].value for row in each] == [1.0, 6.0, 11.0]
    assert [row.references for row in each] == [{}, {}, {"score": reference}]
    assert [line["reference"] for line in long_rows(each, [SCORE])] == [None, None, 12.0]
    pooled = summarise(records, [SCORE], ["label"], whole)
    assert pooled[0].estimates["score"].value == pytest.approx(_trimmed_mean([0, 1, 2, 10, 11, 12]))
    assert pooled[0].references == {}
    assert (pooled[0].seeds, pooled[0].estimates["score"].few) == (3, True)


def test_the_interval_redraws_within_each_stratum() -> None:
    """Two constant strata: redrawn each by itself nothing varies; redrawn together the mean would."""
    exact, mixed = estimate_all([[[1.0] * 5, [9.0] * 5], [[1.0, 9.0] * 5]])
    assert (exact.value, exact.low, exact.high, exact.seeds) == (5.0, 5.0, 5.0, 5)
    assert mixed.low < 2.0 < 8.0 < mixed.high


def test_the_interval_has_the_width_that_the_normal_approximation_gives() -> None:
    x = np.random.default_rng(0).normal(size=400)
    found = estimate_all([[x.tolist()]])[0]
    middle = x[(x > np.quantile(x, 0.25)) & (x < np.quantile(x, 0.75))]
    # Asymptotic variance of the trimmed mean: the winsorised variance over (1 - 2 trim)^2 n.
    wins = np.clip(x, middle.min(), middle.max())
    width = 2 * 1.96 * wins.std() / (0.5 * np.sqrt(400))
    assert found.high - found.low == pytest.approx(width, rel=0.12)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12), st.integers(0, 3))
def test_an_estimate_does_not_depend_on_what_else_is_in_the_table(values: list[float], others: int) -> None:
    alone = estimate_all([[values]])[0]
    beside = estimate_all([[[float(n)] * len(values)] for n in range(others)] + [[values]])[-1]
    assert repr(alone) == repr(beside)  # NaN and NaN, too
    assert alone.value == pytest.approx(_trimmed_mean(values), rel=1e-9, abs=1e-6)
    assert math.isnan(alone.low) if len(values) < 3 else alone.low <= alone.value + 1e-6 <= alone.high + 2e-6


def test_no_record_gives_no_row() -> None:
    assert summarise(Records(), [SCORE], ["label"], None) == []


def test_a_run_whose_status_is_lost_is_not_told_to_be_unbegun(tmp_path: Path) -> None:
    learner = spec()
    torn = store(tmp_path, learner, 0, [{"score": 100.0}])
    (torn / "status.json").write_bytes(b"")
    (torn / "checkpoints" / "step-000000010").mkdir(parents=True)
    (dropped,) = from_suite(suite(cell(learner, seeds=(0,))), tmp_path, [SCORE], KNOWN).dropped
    assert "status.json cannot be read: it is empty" in dropped.reason
    assert "not begun" not in dropped.reason
