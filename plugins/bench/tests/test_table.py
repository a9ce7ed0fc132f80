from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plugins.bench.tests.made_up import spec, store
from zoo.cli.main import main

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
SUITE = """
[suite]
title = "A & B"

[[cells]]
label = "a"
algorithm = "gda"
environments = ["two-state", "three-state"]
options = { eta = 1.0, eta_mu = 1.0 }
seeds = "0:5"
steps = 100

[[cells]]
label = "b"
algorithm = "pid"
environments = ["two-state", "three-state"]
options = { eta = 1.0 }
seeds = "0:5"
steps = 100

[[metrics]]
name = "error"
of = "err"

[[metrics]]
name = "time"
of = "err"
function = "steps_to_below"
options = { level = 0.5 }

[[references]]
label = "a"
environment = "two-state"
metric = "error"
value = 0.25
kind = "published"
source = "A Book, table 3"

[[claims]]
id = "better"
source = "paper"
where = "abstract"
setting = "paper"
text = "a is better than b"
left = { label = "a", metric = "error" }
relation = "<"
right = { label = "b", metric = "error" }

[[claims]]
id = "small"
source = "paper"
where = "abstract"
setting = "paper"
text = "b is below 1"
left = { label = "b", metric = "error" }
relation = "<"
right = 1.0
"""


@dataclass
class Answer:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Zoo = Callable[..., Answer]


@pytest.fixture
def zoo(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Zoo:
    monkeypatch.setenv("ZOO_PLUGINS", "zoo-core,zoo-bench,zoo-envs,zoo-reload")
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.chdir(tmp_path)

    def call(*args: object) -> Answer:
        capsys.readouterr()
        status = main(["table", *map(str, args)])
        heard = capsys.readouterr()
        return Answer(status, heard.out, heard.err)

    return call


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of the suite: a at .1 to .14, b at 2 to 2.4; a on three-state has one failed and one half-written run."""
    monkeypatch.setenv("ZOO_PLUGINS", "zoo-core,zoo-bench,zoo-envs,zoo-reload")
    (tmp_path / "benchmarks").mkdir()
    file = tmp_path / "benchmarks" / "trial.toml"
    file.write_text(SUITE)
    from zoo_bench.resolve import resolve_suite
    from zoo_bench.suite import load_suite

    from zoo.discovery.registry import discover

    suite = resolve_suite(load_suite(file), discover())
    for cell in suite.cells:
        assert cell.spec is not None
        for seed in cell.seeds:
            err = 0.1 + seed / 100 if cell.label == "a" else 2.0 + seed / 10
            spoiled = cell.label == "a" and cell.environment == "three-state" and seed > 2
            state = "failed" if spoiled and seed == 3 else "running" if spoiled else "finished"
            store(tmp_path / "runs", cell.spec, seed, [{"err": 1.0}, {"err": err}], state=state)
    return file


def test_the_table_of_raw_results_is_that_of_the_runs(zoo: Zoo, trial: Path, tmp_path: Path) -> None:
    assert zoo("trial", "--format", "raw", "-o", "trial.raw.csv").status == 0
    lines = (tmp_path / "trial.raw.csv").read_text().splitlines()
    assert lines[0] == "cell,environment,seed,metric,value,low,high,status,reason"
    assert "a,three-state,3,,,,,failed,failed at step 20: no reason given" in lines
    stored, read = zoo("trial", "--json").json, zoo("trial", "--from", "trial.raw.csv", "--dir", "none", "--json").json
    assert stored["rows"]
    assert [read[part] for part in ("rows", "claims")] == [stored[part] for part in ("rows", "claims")]
    refused = zoo("--from", "trial.raw.csv", "--dir", "runs")
    assert (refused.status, refused.out) == (2, "")
    assert "--from is for suites: expected zoo table SUITE." in refused.err


def test_a_suite_as_a_table_with_references_verdicts_and_what_was_left_out(zoo: Zoo, trial: Path) -> None:
    shown = zoo("trial")
    assert (shown.status, shown.err) == (0, "")
    lines = {tuple(line.split()[:2]): line.split() for line in shown.out.splitlines() if line}
    assert lines["two-state", "a"][2:] == ["5", "0.12", "[0.0936,", "0.146]", "(published", "0.25)", "20"]
    assert lines["three-state", "a"][2] == "3*"
    assert lines["three-state", "b"][2:] == ["5", "2.2", "[1.94,", "2.46]", "never"]
    assert "published: A Book, table 3." in shown.out
    assert lines["better", "two-state"][-1] == "reproduced"
    assert lines["better", "two-state"][2] == "-2.08"
    assert lines["small", "two-state"][2] == "2.2"  # beside a number not the difference but the value
    assert lines["small", "two-state"][5:8] == ["<", "1", "5"]
    assert "failed: a on three-state, seed 3: failed at step 20: no reason given." in shown.out
    assert "partial: a on three-state, seed 4: interrupted at step 20 of 100." in shown.out
    assert "zoo bench trial" in shown.out
    verdicts = {line["claim"]: line["verdict"] for line in zoo("trial", "--json").json["claims"]}
    assert verdicts == {"better": "incomplete at 3 of 5 seeds", "small": "not reproduced"}
    strict = zoo("trial", "--strict")
    assert strict.status == 1 and "claim better is incomplete at 3 of 5 seeds: a on three-state has no" in strict.err


def test_every_format_has_the_same_numbers(zoo: Zoo, trial: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(zoo(trial, "--format", "csv").out)))
    document = zoo("trial", "--format", "json").json
    assert [float(row["iqm"]) for row in rows] == [float(row["iqm"]) for row in document["rows"]]
    assert [row["reference"] for row in rows if row["reference"]] == ["0.25"]
    assert rows[0]["environment"] == "two-state"
    assert float(rows[0]["iqm"]) == pytest.approx(0.12)
    for form in ("markdown", "latex"):
        shown = zoo("trial", "--format", form).out
        assert "0.12 [0.0936, 0.146] (published 0.25)" in shown
        assert "not reproduced" in shown
    assert [run["state"] for run in document["dropped"]] == ["failed", "partial"]


def test_the_ending_of_the_file_chooses_the_format(zoo: Zoo, trial: Path, tmp_path: Path) -> None:
    for name, start in (("t.tex", "% \\usepackage"), ("t.md", "### A & B"), ("deep/t.csv", "environment,label"),
                        ("t.json", "{"), ("t.txt", "A & B")):  # fmt: skip
        assert zoo("trial", "-o", name).out == ""
        assert (tmp_path / name).read_text().startswith(start)


def test_columns_groups_and_order(zoo: Zoo, trial: Path) -> None:
    rows = zoo("trial", "--group-by", "label", "--metric", "error", "--sort", "error", "--descending", "--json").json
    assert [(row["label"], row["metric"], row["seeds"]) for row in rows["rows"]] == [
        ("b", "error", 5),
        ("a", "error", 3),
    ]
    by_kp = zoo("trial", "--group-by", "kp", "--json").json["rows"]
    assert {row["kp"] for row in by_kp} == {"-", "5.0"}


def test_against_a_committed_table(zoo: Zoo, trial: Path, tmp_path: Path) -> None:
    zoo("trial", "-o", "kept.csv")
    assert zoo("trial", "--against", "kept.csv").status == 0
    rows = (tmp_path / "kept.csv").read_text().splitlines()
    moved = [row.replace("two-state,b,error,2.2", "two-state,b,error,1.2") for row in rows]
    low = next(row for row in moved if row.startswith("two-state,b,error")).split(",")
    moved = [
        ",".join([*low[:4], "1.1", "1.3", *low[6:]]) if row.startswith("two-state,b,error") else row for row in moved
    ]
    (tmp_path / "moved.csv").write_text("\n".join([*moved, "two-state,c,error,1,1,1,5,"]) + "\n")
    left = zoo("trial", "--against", "moved.csv")
    assert left.status == 1
    assert len(left.err.splitlines()) == 2
    assert "error of two-state, b is 2.2 [" in left.err
    assert "error of two-state, c is missing" in left.err
    for low, high, status in ((2.3, 2.5, 0), (2.5, 2.6, 1), (1.9, 2.1, 0)):
        line = f"two-state,b,error,{low},{low},{high},5,"
        (tmp_path / "one.csv").write_text(f"{rows[0]}\n{line}\n")
        assert zoo("trial", "--against", "one.csv").status == status
    (tmp_path / "no.csv").write_text("a,b\n1,2\n")
    assert zoo("trial", "--against", "no.csv").status == 2


def test_a_suite_without_runs_says_how_to_make_them(zoo: Zoo, trial: Path) -> None:
    shown = zoo("trial", "--dir", "nowhere")
    assert shown.status == 0
    assert "No finished run is there yet." in shown.out
    assert "missing: 20 runs (a on two-state, a on three-state, b on two-state, ...)" in shown.out


@pytest.fixture
def learners(tmp_path: Path) -> Path:
    for rate in (0.1, 0.2):
        of = spec(config={"rate": rate, "same": 1})
        for seed in range(2):
            folder = store(tmp_path / "runs", of, seed, [{"eval/return": 1.0}, {"eval/return": 10 * rate + seed}])
            episodes = [
                {"step": 20, "episode": n, "return": float(n), "length": 5, "cost": [0.5], "seed": 1} for n in (0, 1)
            ]
            (folder / "eval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in episodes) + '{"step": 2')
    return tmp_path / "runs"


def test_runs_without_a_suite(zoo: Zoo, learners: Path) -> None:
    rows = zoo("--json").json["rows"]
    assert [(row["label"], row["metric"], row["iqm"], row["seeds"]) for row in rows] == [
        ("learner (rate=0.1)", "eval/return", 1.5, 2), ("learner (rate=0.2)", "eval/return", 2.5, 2),
    ]  # fmt: skip
    only = zoo(learners / "task" / "learner", "--group-by", "rate", "--json").json["rows"]
    assert [row["rate"] for row in only] == ["0.1", "0.2"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("tril",), "no suite or directory of runs called 'tril': did you mean trial?"),
        (("trial", "runs"), "zoo table takes one suite, or runs: trial is a suite, so leave out runs."),
        (("trial", "--metric", "eror"), "no metric in these runs called 'eror': did you mean err"),
        (("trial", "--group-by", "labl"), "no column to group by called 'labl': did you mean label?"),
        (("trial", "--sort", "tim"), "no column to sort by called 'tim': did you mean time?"),
        (("trial", "--descending"), "--descending has nothing to order"),
        (("--quick",), "--quick is for suites"),
        (("trial", "--against", "absent.csv"), "absent.csv cannot be read"),
        (("absent.toml",), "absent.toml cannot be read"),
    ],
)
def test_bad_input_is_one_sentence(zoo: Zoo, trial: Path, args: tuple[str, ...], said: str) -> None:
    answer = zoo(*args)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("zoo: ")
    assert said in answer.err


def test_no_runs_at_all(zoo: Zoo) -> None:
    answer = zoo()
    assert answer.status == 1
    assert "runs does not exist" in answer.err


def test_a_claim_about_what_no_run_has_names_both(zoo: Zoo, trial: Path) -> None:
    trial.write_text(
        SUITE.replace('left = { label = "b", metric = "error" }', 'left = { label = "b", metric = "speed" }')
    )
    answer = zoo("trial")
    assert answer.status == 2
    assert "small" in answer.err
    assert "speed" in answer.err


def test_the_committed_tables_are_those_of_the_committed_page() -> None:
    """Each number of results/*.csv stands, rounded, in the README."""
    from zoo.runs.sheet import number

    page = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    files = [file for file in sorted((BENCHMARKS / "results").glob("*.csv")) if not file.name.endswith(".raw.csv")]
    assert files
    for file in files:
        part = page.split(f"<!-- zoo table {file.stem} -->")[1].split("<!-- end -->")[0]
        cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in part.splitlines() if "|" in line]
        head = [cell.partition(" [")[0] for cell in cells[0]]  # without the unit
        lines = {tuple(line[:2]): line for line in cells if len(line) >= 4}
        for row in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))):
            shown = lines[row["environment"], row["label"]][head.index(row["metric"])].split()[0]
            assert shown in ("never", *(number(float(f"{float(row['iqm']):.{digits}g}")) for digits in (3, 4, 6)))


SUITES = sorted([*BENCHMARKS.glob("*.toml"), *BENCHMARKS.parent.glob("plugins/*/src/*/suites/*.toml")])


@pytest.mark.parametrize("file", SUITES, ids=[file.stem for file in SUITES])
def test_the_suites_of_this_repository_fit_the_plugins(file: Path) -> None:
    from zoo_bench.resolve import resolve_suite
    from zoo_bench.suite import load_suite

    from zoo.discovery.registry import discover

    suite = resolve_suite(load_suite(file), discover())
    keys = [cell.spec.key for cell in suite.cells if cell.spec]
    assert len(keys) == len(suite.cells)
    assert suite.quick().cells
    known = {metric.name for metric in suite.metrics}
    assert {metric.name for metric in suite.used_metrics} == known  # a misspelt name would be a logged metric
    assert suite.claims


def test_nothing_heavy_is_imported_for_a_table() -> None:
    code = (
        "import sys, zoo_bench.cli.table, zoo_bench.results_table; print([m for m in ('torch', 'matplotlib', 'pandas') "
    )
    code += "if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
