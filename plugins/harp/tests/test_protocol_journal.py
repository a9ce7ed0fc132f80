"""The file of responses: whole lines only, one writer, and no mixing of settings."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from zoo_harp.evaluation.responses import Run
from zoo_harp.protocol.journal import open_journal

from zoo import UsageError

RECORD = {"id": "2001/AMC_8/1", "response": "x \ud800 \u2028 \x00 é", "sample": 0}
KEY = ("2001/AMC_8/1", Run(), 0)


def test_what_was_added_is_there_again(tmp_path):
    path = tmp_path / "new" / "r.jsonl"
    with open_journal(path, {"model": "m"}) as (journal, done):
        assert done == set()
        journal.add(RECORD)
        assert path.read_bytes().endswith(b"\n")  # before it is closed
        assert journal.added == 1
    with open_journal(path, {"model": "m"}) as (journal, done):
        assert done == {KEY}
        journal.add({**RECORD, "sample": 1})
    assert [json.loads(line) for line in path.read_text().splitlines()] == [RECORD, {**RECORD, "sample": 1}]


@pytest.mark.parametrize("cut", [1, 10, 200_000])
def test_a_line_that_was_cut_off_is_dropped(tmp_path, cut):
    path = tmp_path / "r.jsonl"
    with open_journal(path, {}) as (journal, _):
        journal.add(RECORD)
    whole = path.read_bytes()
    torn = json.dumps({**RECORD, "sample": 1, "response": "y" * 300_000}).encode()
    for kept in (b"", whole):
        path.write_bytes(kept + torn[:cut])
        with open_journal(path, {}) as (_, done):
            assert done == ({KEY} if kept else set())
        assert path.read_bytes() == kept


def test_other_settings_are_refused(tmp_path):
    path = tmp_path / "r.jsonl"
    with open_journal(path, {"model": "m", "seed": 0}) as (journal, _):
        journal.add(RECORD)
    with (
        pytest.raises(UsageError, match="begun with model = 'm', and now it is 'n'"),
        open_journal(path, {"model": "n", "seed": 0}),
    ):
        pass
    assert path.read_text().count("\n") == 1


def test_a_file_of_something_else_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("a line\nanother without an end")
    with pytest.raises(UsageError, match="was not written by zoo harp run"), open_journal(path, {}):
        pass
    assert path.read_text() == "a line\nanother without an end"


def test_lines_that_were_spoilt_are_named(tmp_path):
    path = tmp_path / "r.jsonl"
    with open_journal(path, {}) as (journal, _):
        journal.add(RECORD)
    path.write_text('{"a": 1}\n')
    with pytest.raises(UsageError, match=r"r\.jsonl:1: "), open_journal(path, {}):
        pass
    assert path.read_text() == '{"a": 1}\n'


def test_only_one_process_writes(tmp_path):
    path = tmp_path / "r.jsonl"
    code = (
        "import sys; from pathlib import Path; from zoo import UsageError\n"
        "from zoo_harp.protocol.journal import open_journal\n"
        "try:\n    with open_journal(Path(sys.argv[1]), {}): print('open')\n"
        "except UsageError as error: print(error.message)"
    )
    ask = [sys.executable, "-c", code, str(path)]
    with open_journal(path, {}):
        inside = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    assert "is being written by another process" in inside
    assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout == "open\n"
