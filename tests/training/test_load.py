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
    assert loaded.env().single_action_space.n == 2
    env = loaded.env(3, seed=1)
    obs, _ = env.reset()
    assert np.isin(loaded.algorithm.act(obs), (0, 1)).all()
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_the_environment_of_a_run_can_be_drawn_copy_by_copy(tmp_path: Path) -> None:
    (result,) = zoo.train("reload", "hazard-grid", root=tmp_path, steps=10, eval_episodes=0)
    env = zoo.load(result.path).env(2, seed=1, render_mode="rgb_array")
    env.reset()
    pictures = env.unwrapped.render()
    assert [picture.dtype for picture in pictures] == [np.uint8, np.uint8] and pictures[0].ndim == 3
    with pytest.raises(zoo.UsageError, match="render_mode must be"):
        zoo.load(result.path).env(1, seed=1, render_mode="rgb")


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(zoo.ZooError, match="is not a run"):
        zoo.load(tmp_path)


def test_a_loaded_run_acts_and_has_its_policy_metrics_and_environment(tmp_path: Path) -> None:
    (result,) = zoo.train("reload", "hazard-grid", root=tmp_path, steps=12)
    loaded = zoo.load(result)
    env = loaded.env(3, seed=1)
    obs, _ = env.reset()
    assert obs.shape == (3,) and loaded.act(obs).shape == (3,)
    table = loaded.policy()
    assert table.shape == (env.single_observation_space.n, env.single_action_space.n)
    np.testing.assert_allclose(table.sum(axis=1), 1.0)
    assert (loaded.act(obs) == table[obs].argmax(axis=1)).all()
    (run,) = zoo.open_runs(tmp_path)
    assert zoo.load(run).step == loaded.step
    assert {len(column) for column in loaded.metrics.values()} == {len(run.rows)}
    series = run.series("err")
    logged = ~np.isnan(loaded.metrics["err"])
    np.testing.assert_array_equal(loaded.metrics["err"][logged], series.values)
    np.testing.assert_array_equal(loaded.metrics["step"][logged], series.steps)
    frame = pytest.importorskip("pandas").DataFrame(loaded.metrics)
    assert frame["err"].dropna().iloc[-1] == run.last["err"]


def test_a_policy_that_is_no_table_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("zoo_onpolicy")
    (result,) = zoo.train("ppo-native", "CartPole-v1", root=tmp_path, steps=64, num_envs=1, eval_episodes=0)
    with pytest.raises(zoo.UsageError, match="the policy of ppo-native is not a table"):
        zoo.load(result).policy()


def test_a_metric_that_is_no_number_counts_as_missing(tmp_path: Path) -> None:
    from zoo.training.storage.logs import metric_columns

    log = tmp_path / "metrics.jsonl"
    log.write_text('{"step":1,"wall":0.5,"a":2}\n{"step":2,"a":"x","b":true}\n{torn\n{"step":3,"b":7}\n')
    columns = metric_columns(log)
    np.testing.assert_array_equal(columns["a"], [2, np.nan, np.nan])
    np.testing.assert_array_equal(columns["b"], [np.nan, np.nan, 7])
    np.testing.assert_array_equal(columns["wall"], [0.5, np.nan, np.nan])
    assert list(metric_columns(tmp_path / "absent")) == ["step", "wall"]


@pytest.mark.parametrize(
    ("observations", "words"),
    [
        ([[0.0, 0.0, float("nan"), 0.0]], r"observations\[0, 2\] is nan: expected finite numbers"),
        ([0.0, 0.0, 0.0, 0.0], r"shape \[4\]: expected an array \[B, 4\]; observations\[None\] is a batch of one"),
        ([[0.0, 0.0, 0.0]], r"shape \[1, 3\]: expected an array \[B, 4\]\."),
        (None, "dtype object"),
        ([["a", "b", "c", "d"]], "of numbers"),
    ],
)
def test_observations_that_are_no_batch_are_refused(observations: object, words: str, tmp_path: Path) -> None:
    pytest.importorskip("zoo_onpolicy")
    (result,) = zoo.train("ppo-native", "cart-pole", steps=8, num_envs=1, eval_episodes=0, root=tmp_path)
    with pytest.raises(zoo.UsageError, match=words):
        zoo.load(result).act(observations)


def test_a_directory_above_one_run_will_do_and_above_several_not(tmp_path: Path) -> None:
    zoo.train("gda", "two-state", steps=2, eval_episodes=0, root=tmp_path)
    loaded = zoo.load(tmp_path)
    assert loaded.step == 2
    with pytest.raises(zoo.UsageError, match=r"shape \[1, 1\]: expected an array \[B\]"):
        loaded.act([[0]])
    with pytest.raises(zoo.UsageError, match="observations range from 0 to 7: expected 0 to 1"):
        loaded.act([0, 7])
    zoo.train("gda", "two-state", steps=2, eval_episodes=0, seeds=1, root=tmp_path)
    with pytest.raises(zoo.UsageError, match="has several runs beneath it: expected one, such as"):
        zoo.load(tmp_path)


@pytest.mark.parametrize("nothing", [None, 5, []])
def test_what_cannot_be_a_run_is_one_sentence(nothing: object) -> None:
    with pytest.raises(zoo.UsageError, match="expected the directory of a run"):
        zoo.load(nothing)  # type: ignore[arg-type]


def test_a_loaded_run_is_shown_on_one_line(tmp_path: Path) -> None:
    (result,) = zoo.train("gda", "two-state", steps=2.0, eval_episodes=0, root=tmp_path)  # type: ignore[arg-type]
    assert repr(zoo.load(result)) == f"LoadedRun(gda on two-state, seed 0, step 2, {result.path})"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"steps": -1}, "steps is -1: expected a whole number of 1 or more"),
        ({"steps": "30"}, "steps is '30': expected a whole number"),
        ({"steps": 2.5}, "steps is 2.5"), ({"steps": float("inf")}, "steps is inf"), ({"jobs": 0}, "jobs is 0"),
        ({"num_envs": True}, "num_envs is True"), ({"eval_episodes": -2}, "eval_episodes is -2"),
    ],
)  # fmt: skip
def test_numbers_that_are_no_counts_are_refused_before_anything_is_written(
    arguments: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(zoo.UsageError, match=words):
        zoo.train("gda", "two-state", root=tmp_path, **arguments)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


SINK = """
import zoo
class Writer:
    def __init__(self, run): self.file = (run.path / "mine.txt").open("w")
    def write(self, step, metrics): self.file.write(f"{step}\\n")
    def saved(self): self.file.flush()
    def close(self, status): self.file.write(status); self.file.close()
sink = zoo.Sink(Writer)
"""


def test_a_sink_of_a_plugin_file_writes(tmp_path: Path) -> None:
    (tmp_path / "mine_sink.py").write_text(SINK)
    file, runs = str(tmp_path / "mine_sink.py"), tmp_path / "runs"
    line = ["--plugin", file, "train", "gda", "two-state", "--steps", "3", "--eval-episodes", "0", "--dir", str(runs)]
    assert main([*line, "--quiet"]) in (0, 3)
    (written,) = runs.rglob("mine.txt")
    assert written.read_text().split() == ["3", "finished"]
