"""``zoo.train``: the runs of the command line, from Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import zoo
from tests.cli.command import zoo as command
from zoo.training import Silent


def test_it_makes_the_runs_of_the_command_line(tmp_path: Path) -> None:
    words = ("train", "reload", "two-state", "--seeds", "0:2", "--eta", "0.5", "--env.theta", "0.4", "--steps", "40")
    assert command(*words, "--quiet", cwd=tmp_path).returncode in (0, 3)
    made = {run.path.relative_to(tmp_path / "runs") for run in zoo.open_runs(tmp_path / "runs")}
    results = zoo.train(
        "reload", "two-state", seeds=(0, 1), options={"eta": 0.5}, env_options={"theta": 0.4}, steps=40,
        root=tmp_path / "python",
    )  # fmt: skip
    assert {result.path.relative_to(tmp_path / "python") for result in results} == made
    again = zoo.train(
        "reload", "two-state", seeds=[0, 1], options={"eta": 0.5}, env_options={"theta": 0.4}, steps=40,
        root=tmp_path / "runs",
    )  # fmt: skip
    assert [result.metrics for result in again] == [result.metrics for result in results]


def test_seeds_may_share_worker_processes_and_a_callback_sees_all(tmp_path: Path) -> None:
    ended: list[int] = []

    class Ends(Silent):
        def finished(self, run: Any, result: zoo.RunResult) -> None:
            ended.append(result.seed)

    callback = Ends()
    results = zoo.train("gda", "two-state", seeds=range(3), steps=20, jobs=2, root=tmp_path, callback=callback)
    assert [result.seed for result in results] == [0, 1, 2] and sorted(ended) == [0, 1, 2]
    loaded = zoo.load(results[1].path)
    assert loaded.step == 20 and loaded.algorithm.env_steps == 20


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"algorithm": "relaod"}, "did you mean reload"),
        ({"environment": "two-stat"}, "two-state"),
        ({"options": {"etta": 1.0}}, "did you mean eta"),
        ({"options": {"eta": "much"}}, "eta"),
        ({"env_options": {"thta": 1.0}}, "theta"),
        ({"seeds": -1}, "seeds is -1"),
        ({"seeds": []}, "seeds is []"),
        ({"resume": "always"}, "resume is 'always'"),
        ({"preset": "nothing"}, "preset"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(zoo.UsageError) as error:
        zoo.train(**{"algorithm": "reload", "environment": "two-state", "root": tmp_path / "runs"} | arguments)
    assert sentence in str(error.value)
    assert not (tmp_path / "runs").exists()


def test_evaluate_is_zoo_eval(tmp_path: Path) -> None:
    results = zoo.train("reload", "two-state", seeds=range(2), steps=40, root=tmp_path / "runs")
    evaluations = zoo.evaluate(results, "constraints", save=True)
    assert [evaluation.source.seed for evaluation in evaluations if evaluation.source] == [0, 1]
    shown = json.loads(command("eval", "runs", "constraints", "--json", cwd=tmp_path).stdout)["evaluations"]
    assert [dict(evaluation.scores) for evaluation in evaluations] == [row["scores"] for row in shown]
    assert [dict(e.scores) for e in zoo.evaluate(tmp_path / "runs", "constraints")] == [r["scores"] for r in shown]
    (kept,) = zoo.open_runs(results[0].path)
    assert kept.evaluations["constraints"]["scores"] == dict(evaluations[0].scores)
    (other,) = zoo.evaluate(results[0], options={"episodes": 3}, seed=1)
    assert len(other.report.rows) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"evaluator": "constrains"}, "did you mean constraints"),
        ({"options": {"episode": 3}}, "did you mean episodes"),
        ({"options": {"episodes": "many"}}, "expected int"),
        ({"checkpoint": "latest"}, "expected newest, best"),
        ({"runs": "nowhere"}, "nowhere does not exist"),
    ],
)
def test_a_wrong_evaluation_is_one_sentence(tmp_path: Path, arguments: dict[str, Any], sentence: str) -> None:
    zoo.train("gda", "two-state", steps=2, root=tmp_path, eval_episodes=0)
    with pytest.raises(zoo.ZooError) as caught:
        zoo.evaluate(**{"runs": tmp_path, **arguments})
    assert sentence in str(caught.value)
