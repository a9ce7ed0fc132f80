"""One process for a study, on Windows too."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
from zoo_tune.study import held

import zoo


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(zoo.UsageError, match="another process works on the study"), held(tmp_path):
        pass
    with held(tmp_path):
        pass


def test_windows_locks_a_byte_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held_by: list[int] = []

    def locking(descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (2, 1)
        if held_by:
            raise OSError(36, "Resource deadlock avoided")
        held_by.append(descriptor)

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    with held(tmp_path), pytest.raises(zoo.UsageError, match="another process works on the study"), held(tmp_path):
        pass
    assert len(held_by) == 1
