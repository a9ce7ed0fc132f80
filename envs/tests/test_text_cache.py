"""The cache's folder, and that nothing in it is ever half written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from zoo_envs.text.cache import VARIABLE, cached, folder


def test_folder_is_the_argument_then_the_variable_then_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/from/variable")
    assert folder("/given") == Path("/given")
    assert folder() == Path("/from/variable")
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(Path, "home", lambda: Path("/home"))
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for platform, expected in (
        ("linux", "/home/.cache/zoo-envs"),
        ("darwin", "/home/Library/Caches/zoo-envs"),
        ("win32", "/home/AppData/Local/zoo-envs"),
    ):
        monkeypatch.setattr(sys, "platform", platform)
        assert folder() == Path(expected)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert folder() == Path("/caches/zoo-envs")


def test_made_once_for_each_recipe(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(where: Path) -> None:
        made.append(where)
        (where / "content").write_text(str(len(made)), encoding="utf-8")

    root = tmp_path / "not" / "there"
    first, again, other = (cached(root, "thing", {"a": a}, make) for a in (1, 1, 2))
    assert first == again != other and len(made) == 2
    assert [(path / "content").read_text(encoding="utf-8") for path in (first, other)] == ["1", "2"]
    assert json.loads((first / "recipe.json").read_text(encoding="utf-8")) == {"a": 1}
    assert sorted(root.iterdir()) == sorted([first, other])  # nothing partial is left


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(where: Path) -> None:
        (where / "half").write_text("x", encoding="utf-8")
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        cached(tmp_path, "thing", {}, fail)
    assert list(tmp_path.iterdir()) == []


def test_of_two_that_make_the_same_one_stays(tmp_path: Path) -> None:
    def make(where: Path) -> None:
        if not list(tmp_path.glob("thing-*")):
            cached(tmp_path, "thing", {}, lambda it: (it / "winner").touch())
        (where / "loser").touch()

    found = cached(tmp_path, "thing", {}, make)
    assert (found / "winner").exists() and not (found / "loser").exists()
    assert list(tmp_path.iterdir()) == [found]
