"""Raw results: the same table and verdicts from the file as from the runs."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zoo_bench.load import Record, Records, from_suite, measure
from zoo_bench.metrics import FUNCTIONS
from zoo_bench.raw import COLUMNS, from_raw, raw_text
from zoo_bench.schema import Cell, Metric, Suite

from plugins.bench.tests.made_up import spec, store
from zoo.errors import UsageError
from zoo.training.request import RunRequest

SCORE = Metric(name="score", of="score")
LEARNER = spec()


def suite(label: str = "learner", seeds: tuple[int, ...] = (0, 1, 2)) -> Suite:
    request = RunRequest(algorithm="learner", environment="task")
    cell = Cell(label=label, environment="task", request=request, seeds=seeds, spec=LEARNER)
    return Suite(name="trial", title="Trial", path=Path("trial.toml"), cells=(cell,), metrics=(SCORE,))


def test_runs_come_back_and_those_left_out_with_their_reasons(tmp_path: Path) -> None:
    store(tmp_path, LEARNER, 0, [{"score": 1.0 / 3.0}])
    store(tmp_path, LEARNER, 1, [{"score": 100.0}], state="failed", message="loss became nan, at once.")
    stored = from_suite(suite(), tmp_path, [SCORE], measure(FUNCTIONS))
    file = tmp_path / "trial.raw.csv"
    file.write_text(raw_text(stored))
    found = from_raw(suite(), file)
    assert found.by_run == stored.by_run == {("learner", "task", 0): {"score": 1.0 / 3.0}}
    assert [(run.seed, run.state, run.reason) for run in found.dropped] == [
        (run.seed, run.state, run.reason) for run in stored.dropped
    ]
    assert raw_text(found) == file.read_text()
    assert found.finished[0].column("steps") == "100"


@given(
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=6),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_every_number_and_name_survives(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], name: str
) -> None:
    if not name.isprintable():
        return  # a suite's names are one line of text
    seeds = tuple(range(len(values)))
    records = Records([
        Record(label=name, environment="task", seed=seed, spec=LEARNER, values={name: value})
        for seed, value in zip(seeds, values, strict=True)
    ])  # fmt: skip
    file = tmp_path_factory.mktemp("raw") / "trial.raw.csv"
    file.write_text(raw_text(records), encoding="utf-8", newline="")
    again = from_raw(suite(name, seeds), file).by_run
    assert {key: row[name] for key, row in again.items()} == {
        (name, "task", seed): value for seed, value in zip(seeds, values, strict=True)
    }
    assert all(math.copysign(1, a[name]) == math.copysign(1, b) for a, b in zip(again.values(), values, strict=True))


HEAD = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("environment,label,metric,iqm\n", "columns environment, label, metric, iqm: expected cell, environment"),
        (f"{HEAD}\nlearner,task,one,score,1,,,finished,\n", "line 2: seed is 'one': expected a whole number"),
        (f"{HEAD}\nlearner,task,0,score,high,,,finished,\n", "line 2: value is 'high': expected a number"),
        (f"{HEAD}\nlearner,task,0,score\n", "expected 9 columns"),
        (f"{HEAD}\nother,task,0,score,1,,,finished,\n", "suite trial has no cell 'other' on 'task'"),
        (f'{HEAD}\n"learner,task', "is not a table of raw results"),
    ],
)
def test_another_file_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "file.csv"
    file.write_text(text)
    with pytest.raises(UsageError, match="csv") as error:
        from_raw(suite(), file)
    assert sentence in error.value.message
