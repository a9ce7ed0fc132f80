"""Cells that judge a file: once for each content, options and version, and exactly."""

from __future__ import annotations

import csv
import json
import shlex
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from zoo_bench.claims import judge
from zoo_bench.cli.progress import SilentProgress
from zoo_bench.files import locate, sha256_of
from zoo_bench.resolve import resolve_suite
from zoo_bench.suite import SuiteError, load_suite
from zoo_bench.sweep import file_task, survey, tasks

from plugins.bench.tests.conftest import Write, bench, bench_environment
from zoo.discovery.registry import Registry
from zoo.errors import RunError
from zoo.training.settings import Settings
from zoo.training.stop import Stop

CELL = """
[[cells]]
file = "answers/{name}.txt"
evaluators = [{{ name = "lines", options = {{ key = {{ file = "key.txt" }}, note = "{note}"{more} }} }}]
quick = true
"""
CLAIM = """
[[claims]]
id = "longer"
source = "paper"
where = "abstract"
setting = "paper"
text = "b has two lines more than a"
left = {{ label = "b", metric = "lines.lines" }}
relation = "{0}"
right = {{ label = "a", metric = "lines.lines" }}
margin = {1}
"""


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Files of one and three lines, and their key of two; what judges them leaves its marks there, too."""
    folder = tmp_path / "answers"
    folder.mkdir()
    (folder / "a.txt").write_text("x\n")
    (folder / "b.txt").write_text("x\ny\nz\n")
    (tmp_path / "key.txt").write_text("1\n2\n")
    return folder


def cells(*names: str, note: Path, more: str = "") -> str:
    return "".join(CELL.format(name=name, note=note.as_posix(), more=more) for name in names)


def times(answers: Path, name: str) -> int:
    """How often a file was judged."""
    mark = answers / f"judged-{name}"
    return len(mark.read_text().splitlines()) if mark.exists() else 0


def reports(root: Path) -> list[Path]:
    return sorted(root.rglob("evaluations/lines.json"))


def test_a_file_is_judged_once_for_each_content_and_options(tmp_path: Path, answers: Path, write: Write) -> None:
    file = write(
        cells("a", "b", note=answers) + CLAIM.format("within", 2) + CLAIM.format(">", 1).replace("longer", "x")
    )
    arguments = (file, "--dir", tmp_path / "runs")
    first = bench(*arguments, "--json", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert [claim["verdict"] for claim in document["claims"]] == ["reproduced", "reproduced"]
    assert [run["state"] for cell in document["cells"] for run in cell["runs"]] == ["finished", "finished"]
    scores = [json.loads(report.read_text())["scores"] for report in reports(tmp_path / "runs" / "lines")]
    assert scores == [{"lines": 1.0, "known": 2.0}, {"lines": 3.0, "known": 2.0}]

    again = bench(*arguments, "--seeds", "3:5", cwd=tmp_path)  # a file has no seeds
    assert "0 of 2 runs to do" in again.stderr
    assert [times(answers, name) for name in "ab"] == [1, 1]

    (answers / "a.txt").write_text("x\ny\n")
    changed = bench(*arguments, cwd=tmp_path)
    assert "1 of 2 runs to do" in changed.stderr
    assert "not reproduced: b has two lines more than a" in changed.stdout
    assert [times(answers, name) for name in "ab"] == [2, 1]

    (tmp_path / "key.txt").write_text("1\n")  # what an option names counts by its content, too
    bench(*arguments, cwd=tmp_path)
    assert [times(answers, name) for name in "ab"] == [3, 2]

    write(cells("a", "b", note=answers, more=", weight = 2.0"))
    bench(*arguments, cwd=tmp_path)
    assert [times(answers, name) for name in "ab"] == [4, 3]

    for report in reports(tmp_path / "runs"):
        report.write_text(json.dumps(json.loads(report.read_text()) | {"plugin_version": "0.0.0"}))
    assert "2 of 2 runs to do" in bench(*arguments, cwd=tmp_path).stderr
    assert [times(answers, name) for name in "ab"] == [5, 4]


def test_a_file_that_cannot_be_judged_stops_no_other_and_is_listed_with_what_repeats_it(
    tmp_path: Path, answers: Path, write: Write
) -> None:
    (answers / "a.txt").write_text("bad\n")
    file = write(cells("a", "b", note=answers))
    arguments = (file, "--dir", tmp_path / "runs")
    done = bench(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert "1 of 2 runs are done." in done.stdout
    assert "a on lines, seed 0 failed: evaluator lines:" in done.stderr
    assert "a bad line" in done.stderr
    (command,) = [line.strip() for line in done.stderr.splitlines() if line.startswith("     zoo ")]
    again = subprocess.run(
        [sys.executable, "-m", "zoo.cli.main", *shlex.split(command)[1:]], capture_output=True, text=True, check=False,
        timeout=60, cwd=tmp_path, env=bench_environment(),
    )  # fmt: skip
    assert (again.returncode, times(answers, "a"), times(answers, "b")) == (1, 2, 1)
    assert "a bad line" in again.stderr
    (answers / "a.txt").write_text("good\n")
    assert "1 of 2 runs to do" in bench(*arguments, cwd=tmp_path).stderr
    assert [times(answers, name) for name in "ab"] == [3, 1]


def test_a_report_that_cannot_be_kept_is_one_sentence_and_the_command_shows_it(
    tmp_path: Path, answers: Path, write: Write
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "lines").write_text("in the way")
    done = bench(write(cells("a", note=answers)), "--dir", tmp_path / "runs", cwd=tmp_path)
    said, command = done.stderr.splitlines()[-2:]
    assert done.returncode == 1
    assert "cannot be written" in said
    assert f" eval {answers / 'a.txt'} lines --key {tmp_path / 'key.txt'}" in command


def test_what_was_killed_in_between_is_finished(
    tmp_path: Path, answers: Path, write: Write, registry: Registry
) -> None:
    file = write(cells("a", note=answers))
    assert bench(file, "--dir", tmp_path / "runs", cwd=tmp_path).returncode == 0
    (report,) = reports(tmp_path / "runs")
    (status,) = (tmp_path / "runs").rglob("status.json")
    suite = resolve_suite(load_suite(file), registry)

    def state() -> str:
        return survey([suite], registry, tmp_path / "runs")[0].states[0]

    assert state() == "finished"
    report.unlink()
    assert state() == "unjudged"
    status.unlink()
    assert state() == "partial"
    assert bench(file, "--dir", tmp_path / "runs", cwd=tmp_path).returncode == 0
    assert (state(), times(answers, "a")) == ("finished", 2)


def test_a_file_that_changes_before_its_turn_is_not_judged_as_what_it_was(
    tmp_path: Path, answers: Path, write: Write, registry: Registry
) -> None:
    suite = resolve_suite(load_suite(write(cells("a", note=answers))), registry)
    (task,) = tasks(survey([suite], registry, tmp_path / "runs"))
    settings, watch = Settings(root=tmp_path / "runs"), SilentProgress()
    (answers / "a.txt").write_text("other\n")
    with pytest.raises(RunError, match=r"a.txt has changed since the suite was read"):
        file_task(task.spec, task.seeds, registry, settings, watch, Stop(), task.extra)
    assert (times(answers, "a"), reports(tmp_path)) == (0, [])
    (answers / "a.txt").write_text("x\n")
    file_task(task.spec, task.seeds, registry, settings, watch, Stop(), task.extra)
    assert (times(answers, "a"), len(reports(tmp_path))) == (1, 1)


def test_files_are_listed_and_in_tables_beside_runs(tmp_path: Path, answers: Path, write: Write) -> None:
    trained = (
        '[[cells]]\nalgorithm = "walker"\nenvironment = "two-state"\nseeds = "0:2"\nsteps = 50\neval_episodes = 0\n'
    )
    file = write(trained + cells("b", note=answers))
    listed = bench(file, "--list", "--dir", tmp_path / "runs", cwd=tmp_path)
    assert listed.stdout.splitlines()[2].split() == ["trial", "b", "lines", "b", "1", "0/1", "?"]
    assert bench(file, "--dir", tmp_path / "runs", cwd=tmp_path).returncode == 0

    command = [sys.executable, "-m", "zoo.cli.main", "table", str(tmp_path / "runs"), "--metric", "lines.lines"]
    done = subprocess.run(
        [*command, "--format", "csv"], capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path,
        env=bench_environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = list(csv.DictReader(done.stdout.splitlines()))
    (row,) = [row for row in found if row["label"] == "b"]
    assert (row["environment"], row["seeds"], float(row["iqm"])) == ("lines", "1", 3.0)


def test_what_a_file_says_is_exact_and_a_single_run_is_not(answers: Path, write: Write, registry: Registry) -> None:
    suite = load_suite(write(cells("a", "b", note=answers) + CLAIM.format(">=", 2)))
    values = {("a", "lines", 0): {"lines.lines": 1.0}, ("b", "lines", 0): {"lines.lines": 3.0}}
    (verdict,) = judge(suite, values)
    assert (verdict.answer, verdict.low, verdict.high, verdict.n) == ("reproduced", 2.0, 2.0, 1)
    assert verdict.effects[0].exact
    (opposite,) = judge(suite, {**values, ("a", "lines", 0): {"lines.lines": 2.0}})
    assert opposite.answer == "not reproduced"
    trained = write(
        "".join(f'[[cells]]\nalgorithm = "walker"\nenvironment = "lines"\nlabel = "{name}"\n' for name in "ab")
        + CLAIM.format(">=", 2)
    )
    (alone,) = judge(load_suite(trained), values)
    assert alone.words == "inconclusive at 1 seed"


SOUND = """\
[suite]
title = "Files"

[[cells]]
file = "answers/a.txt"
evaluators = [{ name = "lines", options = { key = { file = "key.txt" } } }]

[[cells]]
label = "again"
file = "answers/a.txt"
environment = "elsewhere"
evaluators = ["lines"]
"""


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ('"answers/a.txt"', '"answers/aa.txt"', "", ["no file 'answers/aa.txt'", "package:folder/file"]),
        ('"key.txt"', '"kee.txt"', "evaluators", ["no file 'kee.txt'"]),
        ("key = {", "kee = {", "evaluators", ["'kee'", "key"]),
        ('"lines"]', '"final"]', "", ["'final' judges kind 'algorithm'", "of kind 'file'"]),
        ('evaluators = ["lines"]', "", "[[cells]]\nlabel", ["nothing judges answers/a.txt", "evaluators"]),
        ('evaluators = ["lines"]', "evaluators = []", "", ["nothing judges answers/a.txt", "evaluators"]),
        ('label = "again"', 'algorithm = "walker"', "", ["with a file has no key 'algorithm'", "evaluators"]),
        ('label = "again"', 'seeds = "0:3"', "", ["with a file has no key 'seeds'"]),
        ('environment = "elsewhere"', 'environment = "lines"\nlabl = "x"', "labl", ["'labl'", "label"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(
    old: str, new: str, where: str, words: list[str], write: Write, registry: Registry, answers: Path
) -> None:
    assert len(resolve_suite(load_suite(write(SOUND)), registry).cells) == 2
    text = SOUND.replace(old, new, 1)
    file = write(text)
    with pytest.raises(SuiteError) as caught:
        resolve_suite(load_suite(file), registry)
    line = text[: text.index(where or new)].count("\n") + 1
    assert f"{file}, line {line}: " in caught.value.message
    for word in words:
        assert word in caught.value.message


def test_two_judgements_of_one_file_exclude_each_other(write: Write, registry: Registry, answers: Path) -> None:
    same = SOUND.replace(' key = { file = "key.txt" } ', " weight = 2.0 ").replace('"elsewhere"', '"lines"')
    with pytest.raises(SuiteError, match="'again' and 'a' are the same runs"):
        resolve_suite(load_suite(write(same)), registry)


def test_the_key_has_the_content_and_not_the_place(tmp_path: Path, answers: Path, registry: Registry) -> None:
    def key(folder: Path) -> str:
        (folder / "trial.toml").write_text(SOUND)
        spec = resolve_suite(load_suite(folder / "trial.toml"), registry).cells[0].spec
        assert spec is not None
        return spec.key

    other = tmp_path / "copy"
    (other / "answers").mkdir(parents=True)
    (other / "answers" / "a.txt").write_bytes((answers / "a.txt").read_bytes())
    (other / "key.txt").write_bytes((tmp_path / "key.txt").read_bytes())
    assert key(other) == key(tmp_path)
    (other / "key.txt").write_text("3\n")
    assert key(other) != key(tmp_path)


def test_files_are_found_beside_the_suite_and_in_packages(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"abc")
    assert locate("x.txt", tmp_path) == (tmp_path / "x.txt").resolve()
    found = locate("zoo_bench:suites/smoke.toml", tmp_path)
    assert found is not None
    assert found.read_text() == resources.files("zoo_bench").joinpath("suites/smoke.toml").read_text()
    assert (
        sha256_of(tmp_path / "x.txt") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )  # FIPS 180-2
    for nothing in ("", ".", "y.txt", "no_such_package:x", "antigravity:x", "a.b:c", ":x", "x.txt:", "\0", "a" * 5000):
        assert locate(nothing, tmp_path) is None
    assert "antigravity" not in sys.modules  # looked up, and not imported
