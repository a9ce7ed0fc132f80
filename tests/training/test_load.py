"""``zoo.load``: a stored run opened by its directory, and left as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.cli.main import main

pytest.importorskip("zoo_reload")


def test_a_run_is_opened_and_left_as_it_is(tmp_path: Path) -> None:
    assert main(["train", "reload", "two-state", "--steps", "50", "--dir", str(tmp_path), "--quiet"]) in (0, 3)
    (run,) = zoo.open_runs([tmp_path]).runs
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    loaded = zoo.load(run.path)
    assert isinstance(loaded, zoo.LoadedRun)
    assert loaded.algorithm.env_steps == 50
    assert loaded.env.single_action_space.n == 2
    env = loaded.make_env(3, seed=1)
    obs, _ = env.reset()
    assert np.isin(loaded.algorithm.act(obs), (0, 1)).all()
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_the_environment_of_a_run_can_be_drawn_copy_by_copy(tmp_path: Path) -> None:
    (result,) = zoo.train("reload", "hazard-grid", root=tmp_path, steps=10, eval_episodes=0)
    env = zoo.load(result.path).make_env(2, seed=1, render_mode="rgb_array")
    env.reset()
    pictures = env.unwrapped.render()
    assert [picture.dtype for picture in pictures] == [np.uint8, np.uint8] and pictures[0].ndim == 3
    with pytest.raises(zoo.UsageError, match="render_mode must be"):
        zoo.load(result.path).make_env(1, seed=1, render_mode="rgb")


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(zoo.ZooError, match="is not a run"):
        zoo.load(tmp_path)
