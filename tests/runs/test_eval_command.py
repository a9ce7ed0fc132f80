from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.training.storage.run_dir import RunDir

from .conftest import Answer, run_of, zoo_process

Zoo = Callable[..., Answer]


def contents(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_one_command_in_a_fresh_process(runs: Path) -> None:
    done = zoo_process("eval", runs / "lab", "constraints")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    table = done.stdout.splitlines()
    assert table[0] == "lab" and all(len(line) <= 80 for line in table if not line.startswith("note: "))
    assert sorted(" ".join(line.split()[:5]) for line in table[2:6]) == [
        "fixed (stay=0.5) 0 0.090909 0.5",
        "fixed (stay=0.5) 1 0.090909 0.5",
        "fixed (stay=0.5) 2 0.090909 0.5",
        "fixed (stay=1.0) 0 1 0.5",
    ]
    assert table[6].split()[:2] == ["sampled", "0"]


def test_the_report_is_kept_and_nothing_else_changes(zoo: Zoo, runs: Path) -> None:
    path = run_of(runs)
    before = contents(runs)
    document = zoo("eval", path, "return", "--episodes", 3, "--json", "--seed", 5).json["evaluations"][0]
    after = contents(runs)
    (new,) = set(after) - set(before)
    assert runs / new == path / "evaluations" / "return.json"
    assert {name: digest for name, digest in after.items() if name != new} == before
    kept = json.loads((runs / new).read_text())
    assert "path" not in kept  # a run may be moved
    assert kept["scores"] == document["scores"] and kept["rows"] == document["rows"]
    assert (kept["config"], kept["evaluation_seed"], kept["step"], kept["evaluator"]) == (
        {"episodes": 3, "greedy": True}, 5, 400, "zoo-core/return",
    )  # fmt: skip


def test_json_is_one_document_with_the_documented_keys(zoo: Zoo, runs: Path) -> None:
    answer = zoo("eval", runs / "lab", "constraints", "--json")
    assert answer.status == 0 and len(answer.json["evaluations"]) == 5
    for document in answer.json["evaluations"]:
        assert {"path", "subject", "evaluator", "scores", "rows", "notes"} <= set(document)
        assert Path(document["path"]).is_dir() and document["subject"] == "algorithm"


def test_rows_and_csv(zoo: Zoo, runs: Path, tmp_path: Path) -> None:
    answer = zoo("eval", run_of(runs), "constraints", "--rows", "--csv", tmp_path / "rows.csv")
    assert "fixed on lab" in answer.out and "utility" in answer.out and ">=" in answer.out
    with (tmp_path / "rows.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["constraint"], row["sense"], float(row["optimum/multiplier"])) == ("utility", ">=", 1.0)
    refused = zoo("eval", run_of(runs), "constraints", "--csv", tmp_path / "no" / "where.csv")
    assert refused.status == 2 and "cannot be written" in refused.err


def test_what_a_row_is_of_is_repeated_where_a_table_continues(
    zoo: Zoo, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = zoo("eval", run_of(runs), "constraints", "--rows").out.splitlines()
    assert len([line for line in lines if line.split()[:2] == ["0", "utility"]]) > 2


def test_a_damaged_checkpoint_falls_back_and_says_so(zoo: Zoo, runs: Path) -> None:
    path = run_of(runs)
    newest = sorted((path / "checkpoints").iterdir())[-1] / "state.json"
    newest.write_bytes(newest.read_bytes()[:-20])
    document = zoo("eval", path, "return", "--json").json["evaluations"][0]
    assert document["step"] == 300
    assert "is damaged" in document["notes"][0] and "Falling back" in document["notes"][0]
    for other in (path / "checkpoints").iterdir():
        (other / "manifest.json").unlink()
    answer = zoo("eval", path, "return")
    assert answer.status == 1 and "There is none." in answer.err and "Traceback" not in answer.err


def test_what_cannot_be_judged_is_named_and_the_rest_goes_on(zoo: Zoo, runs: Path) -> None:
    shutil.rmtree(run_of(runs, seed=1) / "checkpoints")
    answer = zoo("eval", runs / "lab", "return", "--episodes", 2, "--json")
    assert answer.status == 1 and len(answer.json["evaluations"]) == 4
    (failed,) = answer.json["failed"]
    assert failed["path"] == str(run_of(runs, seed=1)) and "no checkpoint" in failed["error"]
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "status", "sentence"),
    [
        (("{run}", "retrun"), 2, "did you mean return?"),
        (("{run}",), 2, "needs an evaluator after"),
        (("return",), 2, "needs a run before the evaluator"),
        (("--episodes", "3", "{run}", "return"), 2, "before --episodes"),
        (("{run}", "return", "--episods", "3"), 2, "did you mean --episodes?"),
        (("{run}", "return", "--episodes", "0"), 2, "episodes is 0: expected 1 or more"),
        (("{run}", "constraints", "--gamma", "1.5"), 2, "gamma is 1.5"),
        (("{run}", "features"), 2, "judges a representation"),
        (("{run}", "size"), 2, "judges files"),
        (("{run}", "return", "--seed", "-1"), 2, "is negative"),
        (("{run}x", "return"), 2, "does not exist"),
        (("{plain}", "constraints"), 2, "has no constraints"),
        (("{run}", "broken"), 1, "evaluator 'broken' of plugin file results_lab failed: ZeroDivisionError"),
        (("{run}", "endless"), 1, "the score 'far' = inf: expected a finite number"),
    ],
)
def test_bad_requests_get_one_sentence(
    zoo: Zoo, laboratory: Path, args: tuple[str, ...], status: int, sentence: str
) -> None:
    names = {"run": run_of(laboratory), "plain": run_of(laboratory, environment="plain")}
    answer = zoo("eval", *(arg.format(**names) for arg in args))
    assert (answer.status, answer.out) == (status, "")
    assert sentence in answer.err and answer.err.count("\n") <= 2 and answer.err.startswith("zoo: ")


def test_a_run_of_a_missing_plugin_says_what_is_missing(zoo: Zoo, runs: Path) -> None:
    path = run_of(runs)
    spec = replace(RunDir.open(path).spec, algorithm="elsewhere/best")
    elsewhere = RunDir.create(runs, spec).path
    shutil.copytree(path / "checkpoints", elsewhere / "checkpoints")
    for manifest in elsewhere.rglob("manifest.json"):  # as an older zoo wrote it: of no run in particular
        files = json.loads(manifest.read_text())["files"]
        manifest.write_text(json.dumps({"format": 1, "files": files}))
    path = elsewhere
    answer = zoo("eval", path, "return")
    assert answer.status == 1 and "'elsewhere/best'" in answer.err and str(path) in answer.err


def test_a_state_of_another_version_of_the_plugin_is_refused_in_words(zoo: Zoo, runs: Path) -> None:
    """The laboratory's algorithm asks for a key that an older version did not write."""
    from zoo.training.storage import checkpoint

    path = run_of(runs)
    state = checkpoint.load(path / "checkpoints", 400)
    del state["member"]["algorithm"]["start"]
    checkpoint.save(path / "checkpoints", 400, *checkpoint.pack(state))
    answer = zoo("eval", path, "return")
    assert answer.status == 1 and "KeyError: 'start'" in answer.err and "of plugin file results_lab" in answer.err
    assert answer.err.count("\n") == 2


def test_a_representation_is_judged_itself_and_not_its_trainer(zoo: Zoo, tmp_path: Path) -> None:
    trained = zoo("train", "ones", "lab", "--steps", 50, "--eval-episodes", 0, "--quiet", "--json", "--dir", tmp_path)
    assert trained.status == 0, trained.err
    (document,) = zoo("eval", tmp_path, "features", "--json").json["evaluations"]
    assert document["scores"] == {"sum": 3.0, "dim": 1.0} and document["subject"] == "representation"
    refused = zoo("eval", tmp_path, "return")
    assert refused.status == 2 and "is a run of the representation ones" in refused.err


def test_files_are_judged_without_runs(zoo: Zoo, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name * 3)
    answer = zoo("eval", tmp_path / "a.txt", tmp_path / "b.txt", "size")
    assert answer.status == 0, answer.err
    assert [line.split()[-1] for line in answer.out.splitlines() if ".txt" in line] == ["15", "15"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_help_of_one_evaluator_shows_its_options_with_their_words(zoo: Zoo) -> None:
    answer = zoo("eval", "return", "--help")
    assert answer.status == 0 and "--episodes" in answer.out and "fresh episodes to play" in answer.out
    plain = zoo("eval", "--help")
    assert "examples:" in plain.out and "--episodes 200" in plain.out and "fresh episodes to play" not in plain.out
