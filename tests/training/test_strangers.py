"""Run directories that someone else made: nothing outside them is read or written, and nothing hangs or fails."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.conftest import Trainer
from zoo.errors import RunError
from zoo.runs.store import open_run, open_runs
from zoo.runs.verify import verify
from zoo.training.storage.files import DEPTH, parse, read_json, shallow
from zoo.training.storage.lock import Lock
from zoo.training.storage.logs import LINE_BYTES, LogReader
from zoo.training.storage.run_dir import RunDir, read_starts, read_status

OLD = Path(__file__).with_name("made_by_0_1_0")
DOCUMENTS = ("spec.json", "status.json", "env.json", "metrics.jsonl", "eval.jsonl", "lock")
DAMAGE: dict[str, Any] = {
    "empty": b"",
    "zeros": bytes(64),
    "torn": b'{"format": 1, "step',
    "null": b"null",
    "list": b"[[]]",
    "number": b"1e999",
    "text": b'"\\u001b[2J"',
    "nan": b'{"step": NaN, "state": "finished"}',
    "deep": b"[" * 100_000,
    "closed deep": b"[" * 900 + b"]" * 900,
    "long number": b'{"step": ' + b"9" * 5000 + b"}",
    "wrong kinds": b'{"state": [], "step": "3", "wall": {}, "metrics": [1], "format": 1, "seed": -1}',
    "not UTF-8": b"\xff\xfe\x00",
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The directory of a run that zoo 0.1.0 made, and that was interrupted at step 24 of 40."""
    shutil.copytree(OLD / "CartPole-v1", tmp_path / "runs" / "CartPole-v1")
    return next((tmp_path / "runs").rglob("seed-0"))


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_document_is_a_sentence_or_is_passed_over(old: Path, name: str, damage: str) -> None:
    (old / name).write_bytes(DAMAGE[damage])
    os.utime(old / name, (0, 0))  # of long ago: nobody is filling it now
    if name == "spec.json":
        with pytest.raises(RunError, match=r"spec\.json"):
            RunDir.open(old)
        assert str(old) in _refused(old.parents[3])
        return
    run = open_run(old)
    assert run.state in ("new", "interrupted")
    assert isinstance(run.last, dict) and isinstance(run.starts, list) and isinstance(run.episodes, list)
    assert all(isinstance(part.detail, str) for part in verify(run))
    if name == "lock":
        with Lock(old):  # it locks nobody out
            pass


def _refused(root: Path) -> str:
    with pytest.raises(RunError) as raised:
        open_runs([root])
    return raised.value.message


@pytest.mark.parametrize("name", ["spec.json", "status.json", "env.json", "metrics.jsonl", "lock"])
@pytest.mark.parametrize("kind", ["link", "link to nothing", "pipe", "device", "folder"])
def test_what_is_no_plain_file_is_neither_read_nor_written(old: Path, tmp_path: Path, name: str, kind: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"state": "finished", "step": 7}')
    there = old / name
    there.unlink(missing_ok=True)
    makers: dict[str, Callable[[], object]] = {
        "link": lambda: there.symlink_to(secret), "link to nothing": lambda: there.symlink_to(tmp_path / "nothing"),
        "pipe": lambda: os.mkfifo(there), "device": lambda: there.symlink_to("/dev/zero"), "folder": there.mkdir,
    }  # fmt: skip
    makers[kind]()
    if name == "spec.json":
        assert "spec.json is a" in _refused(old.parents[3])
    else:
        run = open_run(old)
        assert run.state in ("new", "interrupted") and run.step != 7
        assert any(part.state == "damaged" for part in verify(run)) or kind == "folder" or name == "lock"
    assert secret.read_text() == '{"state": "finished", "step": 7}'
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("name", ["metrics.jsonl", "eval.jsonl", "status.json", "log.txt", "lock", "checkpoints", "tb"])
def test_resuming_a_strangers_run_writes_nothing_outside_it(run: Trainer, old: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    if name in ("checkpoints", "tb"):
        shutil.copytree(old / "checkpoints", outside)
    else:
        outside.write_text("precious\n" * 1000)
    before = _content(outside)
    if name == "checkpoints":
        shutil.rmtree(old / name)
    (old / name).unlink(missing_ok=True)
    (old / name).symlink_to(outside)
    with pytest.raises(RunError, match=r"is a link: a run directory holds only files and directories"):
        run(root=old.parents[3], eval_every=15)
    assert _content(outside) == before


def _content(path: Path) -> dict[str, bytes]:
    files = path.rglob("*") if path.is_dir() else [path]
    return {str(file): file.read_bytes() for file in files if file.is_file()}


def test_a_log_with_a_second_name_is_left_as_it_is_under_that_name(run: Trainer, old: Path, tmp_path: Path) -> None:
    os.link(old / "metrics.jsonl", tmp_path / "copy")
    before = (tmp_path / "copy").read_bytes()
    (result,) = run(root=old.parents[3], eval_every=15)
    assert result.status == "finished"
    assert (tmp_path / "copy").read_bytes() == before


def test_a_run_made_by_an_older_zoo_goes_on_bit_for_bit(run: Trainer, old: Path) -> None:
    assert open_run(old).state == "interrupted" and not open_run(old).problem
    (result,) = run(root=old.parents[3], eval_every=15)
    assert (result.path, result.status, result.steps) == (old, "finished", 40)
    for name in ("metrics", "eval"):
        expected = _rows(OLD / f"uninterrupted-{name}.jsonl")
        assert _rows(old / f"{name}.jsonl") == expected
    assert {part.state for part in verify(open_run(old))} == {"sound"}
    assert run(root=old.parents[3], eval_every=15)[0].status == "finished"


def _rows(path: Path) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "wall"} for row in rows]


@pytest.mark.parametrize("target", [".", "..", "../..", "CartPole-v1"])
def test_links_to_directories_are_named_and_not_followed(old: Path, target: str) -> None:
    root = old.parents[3]
    for name in ("one", "two"):
        (root / name).symlink_to(target)
    found = open_runs([root])
    assert [run.path for run in found.runs] == [old]
    assert [refused.path.name for refused in found.refused] == ["one", "two"]
    assert "is a link" in found.refused[0].reason
    if target == ".":
        assert len(open_runs([root / "two"]).runs) == 1  # named, it is looked into


def test_a_directory_nested_without_end_is_given_up(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(DEPTH + 3):
        folder = folder / "d"
    folder.mkdir(parents=True)
    with pytest.raises(RunError, match="nested more than"):
        open_runs([tmp_path])


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 41}, {"seed": 1}, {"algorithm": "toys/other"}, {"environment": "gym:Acrobot-v1"}, {"num_envs": 2},
        {"key": "0123456789"}, {"config": {}}, {"eval_every": 14}, {"kind": "module"}, {"num_envs": 10**15},
        {"origins": []}, {"steps": 1.5}, {"steps": True}, {"seed": -1}, {"format": "1"}, {"env_config": None},
    ],
)  # fmt: skip
def test_a_spec_that_is_not_of_its_folder_is_refused(old: Path, change: dict[str, Any]) -> None:
    spec = json.loads((old / "spec.json").read_text())
    (old / "spec.json").write_text(json.dumps({**spec, **change}))
    with pytest.raises(RunError, match=r"spec\.json"):
        RunDir.open(old)


@pytest.mark.parametrize("what", ["origins", "device", "plugin_version"])
def test_what_the_key_does_not_cover_is_covered_by_a_digest(run: Trainer, what: str) -> None:
    (result,) = run()
    spec = json.loads((result.path / "spec.json").read_text())
    changed = {"origins": {"x": "cli"}, "device": "cuda", "plugin_version": "file.0.1"}[what]
    (result.path / "spec.json").write_text(json.dumps({**spec, what: changed}))
    with pytest.raises(RunError, match="damaged"):
        RunDir.open(result.path)


def test_a_moved_run_and_a_linked_one_are_still_opened(old: Path, tmp_path: Path) -> None:
    shutil.copytree(old, tmp_path / "mine")
    (tmp_path / "best").symlink_to(old)
    assert RunDir.open(tmp_path / "mine").spec == RunDir.open(tmp_path / "best").spec == RunDir.open(old).spec
    shutil.copytree(old, tmp_path / "0123456789" / "seed-0")
    with pytest.raises(RunError, match="does not belong"):
        RunDir.open(tmp_path / "0123456789" / "seed-0")


NESTED = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=2), inner),
)


@settings(max_examples=30)
@given(NESTED)
def test_what_is_shallow_is_let_through(value: Any) -> None:
    assert shallow(value)
    nested = value
    for _ in range(DEPTH + 1):
        nested = [nested]
    assert not shallow(nested)


@given(st.binary(max_size=200))
def test_any_bytes_are_data_or_a_sentence(data: bytes) -> None:
    try:
        parse(data, Path("x.json"))
    except RunError as error:
        assert error.message.startswith("x.json cannot be read: ")


def test_a_line_without_end_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with path.open("wb") as file:
        file.write(b'{"step":1,"a":1.0}\n{"step":')
        file.truncate(64 << 20)
        file.seek(0, 2)
        file.write(b'\n{"step":3,"a":2.0}\n')
    log = LogReader(path)
    assert [row["step"] for row in log] == [1, 3] and log.torn == 1
    assert LINE_BYTES < 64 << 20


def test_a_document_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "status.json").open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(RunError, match="more than"):
        read_json(tmp_path / "status.json")
    assert read_status(tmp_path)[0] == {"state": "new", "step": 0}
    assert read_starts(tmp_path) == []


LARGE = """
import sys
from pathlib import Path
from zoo.runs.describe import lines
from zoo.runs.store import open_run
run = open_run(Path(sys.argv[1]))
assert run.last["loss/a"] == 1.0 and run.torn_lines == 0
text = "\\n".join(lines(run))
# Not getrusage: its maximum begins with that of the process which started this one.
print(*(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its peak memory from /proc")
def test_showing_a_large_log_takes_little_memory(old: Path) -> None:
    line = (json.dumps({"step": 10**6, "wall": 1.0, **{f"loss/{name}": 1.0 for name in "abcdefgh"}}) + "\n").encode()
    with (old / "metrics.jsonl").open("ab") as file:
        for _ in range(40):  # MB; as Python objects ten times as much
            file.write(line * (2**20 // len(line)))
    done = subprocess.run([sys.executable, "-c", LARGE, str(old)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 120


def test_a_fresh_run_directory_has_ordinary_permissions(run: Trainer) -> None:
    (result,) = run()
    for path in result.path.rglob("*"):
        assert not path.stat().st_mode & (stat.S_IXUSR if path.is_file() else 0), path
