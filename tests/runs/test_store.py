from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.errors import RunError, UsageError
from zoo.runs.store import Run, open_run, open_runs
from zoo.training.storage.run_dir import RunDir

from .conftest import run_of


def test_runs_are_grouped_by_key_and_ordered_by_seed(runs: Path) -> None:
    groups = open_runs([runs, runs]).groups()
    found = [(group[0].environment, group[0].algorithm, [run.seed for run in group]) for group in groups]
    assert sorted(found) == [
        ("lab", "fixed", [0]),
        ("lab", "fixed", [0, 1, 2]),
        ("lab", "sampled", [0]),
        ("plain", "fixed", [0, 1]),
    ]


def test_series_are_columns_with_steps_and_wall(runs: Path) -> None:
    run = open_run(run_of(runs))
    series = run.series("value/reward")
    assert series.steps == [10.0 * k for k in range(1, 41)]
    assert len(series.wall) == len(series.values) == 40
    assert run.last["value/reward"] == series.values[-1]
    assert run.series("no such metric").values == []
    assert run.state == "finished" and run.step == 400 and run.checkpoints[-1] == 400


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(min_value=0, max_value=10**9))
def test_any_torn_end_loses_only_the_last_line(laboratory: Path, tmp_path: Path, where: int) -> None:
    whole = run_of(laboratory)
    raw = (whole / "metrics.jsonl").read_bytes()
    cut = raw[: where % (len(raw) + 1)]
    (tmp_path / "metrics.jsonl").write_bytes(cut)
    run = Run(tmp_path, RunDir.open(whole).spec)
    complete = [json.loads(line) for line in cut.split(b"\n")[:-1]]
    assert run.rows[: len(complete)] == complete
    assert len(run.rows) - len(complete) <= 1  # the last line may be whole but for its newline
    assert run.torn_lines <= 1


def test_damage_in_the_middle_is_counted_and_passed_over(runs: Path) -> None:
    path = run_of(runs) / "metrics.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[3], lines[7] = b'{"step": 1', b"[1, 2]"
    path.write_bytes(b"\n".join(lines))
    run = open_run(path.parent)
    assert run.torn_lines == 2 and len(run.rows) == 38


@pytest.mark.parametrize("content", [b"", b'{"format": 1, "algo', b"[]", b'{"format": 1}', b'{"format": "two"}'])
def test_a_torn_spec_is_refused_alone(runs: Path, content: bytes) -> None:
    path = run_of(runs, seed=1)
    (path / "spec.json").write_bytes(content)
    catalogue = open_runs([runs])
    assert len(catalogue.runs) == 6
    assert [refused.path for refused in catalogue.refused] == [path]
    assert str(path) in catalogue.refused[0].reason


def test_a_newer_format_is_refused_with_the_version_that_reads_it(runs: Path) -> None:
    path = run_of(runs, seed=1)
    spec = json.loads((path / "spec.json").read_text()) | {"format": 99, "zoo": "7.1"}
    (path / "spec.json").write_text(json.dumps(spec))
    assert "99" in open_runs([runs]).refused[0].reason and "7.1" in open_runs([runs]).refused[0].reason
    with pytest.raises(RunError, match="format 99"):
        open_run(path)


def test_a_run_with_nothing_but_its_spec_counts_as_new(runs: Path) -> None:
    path = run_of(runs)
    for child in path.iterdir():
        if child.name != "spec.json":
            shutil.rmtree(child) if child.is_dir() else child.unlink()
    run = open_run(path)
    assert (run.state, run.step) == ("new", 0)
    assert (run.rows, run.last, run.starts, run.checkpoints, run.evaluations) == ([], {}, [], [], {})


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe"])
def test_a_torn_status_counts_as_new(runs: Path, content: bytes) -> None:
    path = run_of(runs)
    (path / "status.json").write_bytes(content)
    assert open_run(path).state == "new"


def test_runs_set_aside_are_left_out(runs: Path) -> None:
    path = run_of(runs)
    path.rename(path.with_name("seed-0~1"))
    assert len(open_runs([runs]).runs) == 6


def test_wrong_paths_are_named(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist") as raised:
        open_runs([runs / "labb"])
    assert str(runs / "lab") in raised.value.hint
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="none beneath"):
        open_runs([tmp_path / "empty"])
    with pytest.raises(UsageError, match="7 runs"):
        open_run(runs)
