"""The whole product: bad input, the kit, kills in the middle of a task, figures, metrics and the suite."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zoo_rpo import derived
from zoo_rpo.source import saved_default

from zoo import open_runs
from zoo.cli.main import main
from zoo.testing import check_algorithm, check_evaluator

ZOO = [sys.executable, "-m", "zoo.cli.main"]
SMALL = ["--updates", "6", "--episodes", "3", "--log-every", "2"]
DEEP = ["--n-steps", "16", "--batch-size", "16", "--n-epochs", "2", "--updates", "3", "--env.observation", "one-hot"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (["rpo", "tree", "--regulariser", "kl-foward"], "no regulariser called 'kl-foward': did you mean kl-forward?"),
        (["rpo", "tree", "--default", "uniforms"], "no default called 'uniforms': did you mean uniform?"),
        (["rpo", "tree", "--lambda", "-0.1"], "lambda = -0.1: expected a number of at least 0."),
        (["rpo", "tree", "--lambda", "nan"], "lambda = nan: expected a number of at least 0."),
        (["tvpo", "tree", "--episodes", "0"], "episodes = 0: expected a number of at least 1."),
        (["rpo", "tree", "--updates", "0"], "updates = 0: expected a number of at least 1."),
        (["rpo", "tree", "--gamma", "1.1"], "gamma = 1.1: expected a number between 0 and 1."),
        (["rpo", "tree", "--lamda", "1"], "no option called '--lamda': did you mean --lambda"),
        (["rpo", "tree", "--default-options", "tua=1"], "no option of default distilled called 'tua'"),
        (["tvpo", "tree", "--default-options", "tau=x"], "default majority-vote: tau is 'x': expected float."),
        (["rpo", "tree", "--default", "frozen"], "the default frozen needs a run"),
        (["rpo", "tree", "--default", "frozen", "--default-options", "run=nowhere"], "nowhere has no default policy"),
        (["rpo", "tree", "--default", "masked-input", "--default-options", "keep=30"], "numbers from 0 to 23"),
        (["rpo", "tree", "--default", "masked-input", "--default-options", "of=masked-input"], "of = masked-input"),
        (["rpo", "tree", "--env.kind", "type3"], "--env.kind is 'type3': did you mean"),
        (["rpo", "two-state"], "rpo needs an environment with a task distribution; two-state does not offer that."),
        (["rpo", "four-rooms-goals"], "four-rooms-goals does not offer that with these options."),
        (["rpo", "tree", "--env.observation", "one-hot"], "rpo needs an environment with discrete observations"),
        (["rpo-ppo", "tree", *DEEP, "--regulariser", "tv"], "majority-vote is a table"),
        (["rpo-ppo", "tree", *DEEP, "--reference-kl", "0.5"], "set the weight of the penalty with --lambda"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_writes_nothing(
    line: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *line, "--quiet", "--dir", str(tmp_path / "runs")]) == 2
    said = capsys.readouterr()
    assert reason in said.err, said.err
    assert "Traceback" not in said.err and len(said.err.strip().splitlines()) <= 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["rpo", "tvpo"])
def test_the_kit(name: str) -> None:
    check_algorithm(name, "tree", steps=54, config={"updates": 6, "episodes": 3, "log_every": 2})


@pytest.mark.parametrize("regulariser", ["distral"])
def test_the_kit_with_function_approximation(regulariser: str) -> None:
    config = {"updates": 3, "n_steps": 16, "batch_size": 16, "n_epochs": 2, "regulariser": regulariser}
    check_algorithm("rpo-ppo", "tree", steps=16 * 7, config=config, env_config={"observation": "one-hot"})


def test_the_evaluator_passes_the_kit() -> None:
    check_evaluator("default-policy", ("tvpo", "tree"), subject_config={"updates": 5, "episodes": 2}, steps=40)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rpo", "tvpo", "rpo-ppo"])
def test_killed_in_the_middle_of_a_task_and_resumed_bit_for_bit(name: str, tmp_path: Path) -> None:
    line = ["train", name, "tree", "--eval-episodes", "0", "--seed", "1"]
    if name == "rpo-ppo":
        line += [*DEEP, "--updates", "7", "--steps", "1600", "--checkpoint-every", "80"]
    else:
        line += [
            "--updates",
            "70",
            "--episodes",
            "3",
            "--log-every",
            "2",
            "--steps",
            "1500",
            "--checkpoint-every",
            "60",
        ]
    assert main([*line, "--quiet", "--dir", str(tmp_path / "whole")]) == 0
    torn = subprocess.Popen([*ZOO, *line, "--dir", str(tmp_path / "torn")], stdout=-3, stderr=-3)
    checkpoints: list[Path] = []
    while torn.poll() is None and len(checkpoints) < 2:
        with contextlib.suppress(FileNotFoundError):  # a folder that was renamed while it was looked into
            checkpoints = list(tmp_path.glob("torn/**/checkpoints/step-*"))
        time.sleep(0.002)
    torn.send_signal(signal.SIGKILL)
    torn.wait()
    assert main([*line, "--quiet", "--dir", str(tmp_path / "torn")]) == 0
    (whole,), (again,) = (open_runs([tmp_path / name]).runs for name in ("whole", "torn"))
    assert len(again.starts) == 2
    assert [{**row, "wall": 0} for row in whole.rows] == [{**row, "wall": 0} for row in again.rows]
    last = f"step-{whole.checkpoints[-1]:012d}/tensors.safetensors"
    one, other = ((run.path / "checkpoints" / last).read_bytes() for run in (whole, again))
    assert one == other


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of two algorithms, four short tasks each."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("rpo", "tvpo"):
        line = ["train", name, "tree", *SMALL, "--steps", "72", "--seeds", "0:2", "--eval-episodes", "0", "--quiet"]
        assert main([*line, "--dir", str(folder)]) == 0
    return folder


@pytest.mark.parametrize(
    ("figure", "metric"),
    [("by-task", "divergence/kl"), ("task-curves", "value"), ("regret", ""), ("default-policy", "")],
)
def test_figures(figure: str, metric: str, runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "figure.png"
    chosen = ["--metric", metric] if metric else []
    assert main(["plot", figure, str(runs), *chosen, "-o", str(file)]) == 0
    assert file.stat().st_size > 5000


def test_the_figure_knows_the_goals_of_all_tasks() -> None:
    from zoo_envs.trees.two_rooms import Tree, TreeTask
    from zoo_rpo.figures.tree import goals
    from zoo_rpo.task_model import TaskModel

    assert [s + 1 for s in goals([TaskModel.of(task) for task in Tree().tasks.tasks()])] == [21, 22, 23, 24]
    assert [s + 1 for s in goals([TaskModel.of(TreeTask(goals=(12, 24), doors=(17,)))])] == [12, 24]


def test_metrics_by_task(runs: Path) -> None:
    run = next(run for run in open_runs([runs]).runs if run.algorithm == "tvpo")
    by_hand: dict[int, list[dict[str, Any]]] = {}
    for row in run.rows:
        by_hand.setdefault(int(row["task"]), []).append(row)
    assert list(by_hand) == [1, 2, 3, 4] and all(len(rows) == 3 for rows in by_hand.values())
    values = {task: [row["value"] for row in rows] for task, rows in by_hand.items()}
    assert derived.task_mean(run, "value", first=3) == pytest.approx(np.mean(values[3] + values[4]))
    assert derived.task_final(run, "value", first=2, last=3) == pytest.approx((values[2][-1] + values[3][-1]) / 2)
    assert derived.jump_start(run, "value", first=2) == pytest.approx(
        np.mean([values[task][0] for task in (2, 3, 4)]) - values[1][0]
    )
    level = float(np.median([value for each in values.values() for value in each]))
    first = [next((2 * (i + 1) for i, value in enumerate(each) if value >= level), None) for each in values.values()]
    reached = [count for count in first if count is not None]
    assert derived.updates_to(run, "value", share=level) == pytest.approx(np.mean(reached))
    assert derived.share_to(run, "value", share=level) == len(reached) / 4
    assert derived.updates_to(run, "value", share=2.0) is None
    assert derived.task_mean(run, "nothing") is None


def test_a_default_is_kept_frozen_from_an_earlier_run(runs: Path, tmp_path: Path) -> None:
    source = next(run for run in open_runs([runs]).runs if run.algorithm == "tvpo")
    line = ["train", "rpo", "tree", *SMALL, "--steps", "36", "--eval-episodes", "0", "--quiet", "--default", "frozen"]
    assert main([*line, "--default-options", f"run={source.path}", "--dir", str(tmp_path)]) == 0
    (run,) = open_runs([tmp_path]).runs
    np.testing.assert_allclose(saved_default(run.path), saved_default(source.path), atol=3e-6)


def test_a_run_with_a_frozen_default_outlives_its_source(runs: Path, tmp_path: Path) -> None:
    first = next(run for run in open_runs([runs]).runs if run.algorithm == "tvpo")
    source = shutil.copytree(first.path, tmp_path / "source")
    options = ["--default", "frozen", "--default-options", f"run={source}"]
    line = ["train", "rpo", "tree", *SMALL, "--eval-episodes", "0", "--quiet", *options]
    assert main([*line, "--steps", "36", "--dir", str(tmp_path / "runs")]) == 0
    (run,) = open_runs([tmp_path / "runs"]).runs
    before = saved_default(run.path)
    source.rename(tmp_path / "moved")
    assert main(["eval", str(run.path), "default-policy"]) == 0
    assert main(["train", "--resume", str(run.path), "--steps", "72", "--quiet"]) == 0
    longer = max(open_runs([tmp_path / "runs"]).runs, key=lambda run: run.spec.steps)
    assert longer.spec.steps == 72 and np.array_equal(saved_default(longer.path), before)

    assert main([*line, "--steps", "54", "--dir", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "none").exists()
    shutil.copytree(next(run for run in open_runs([runs]).runs if run.algorithm == "rpo").path, source)  # it went on
    assert main(["train", "--resume", str(longer.path), "--steps", "90", "--quiet"]) == 0
    longest = max(open_runs([tmp_path / "runs"]).runs, key=lambda run: run.spec.steps)
    assert longest.spec.steps == 90 and np.array_equal(saved_default(longest.path), before)


def test_an_environment_that_is_refused_for_its_options_is_not_among_those_that_fit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["train", "rpo", "four-rooms-goals"]) == 2
    said = capsys.readouterr().err
    assert "--help lists its options. These fit: " in said and "four-rooms-goals, " not in said


def test_a_folder_of_seeds_is_no_source(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = next(run for run in open_runs([runs]).runs if run.algorithm == "tvpo").path.parent
    options = ["--default", "frozen", "--default-options", f"run={folder}", "--dir", str(tmp_path)]
    assert main(["train", "rpo", "tree", *options, "--quiet"]) == 2
    assert f"is a folder of seeds: expected one of them, such as {folder}/seed-0." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_vote_behind_a_mask_votes(tmp_path: Path) -> None:
    line = ["train", "tvpo", "tree", *SMALL, "--steps", "54", "--eval-episodes", "0", "--quiet", "--dir", str(tmp_path)]
    assert main([*line, "--default", "masked-input", "--default-options", "of=majority-vote", "keep=0:3"]) == 0
    (run,) = open_runs([tmp_path]).runs
    pi_0 = saved_default(run.path)
    assert (pi_0[0] != 0.5).all()  # three tasks: no ties
    assert (pi_0[3:] == pi_0[3]).all()


def test_exact_statement_in_an_evaluation(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", str(runs / "tree" / "tvpo"), "default-policy", "--json"]) == 0
    assert capsys.readouterr().out
    for run in open_runs([runs / "tree" / "tvpo"]).runs:
        scores = run.evaluations["default-policy"]["scores"]
        assert scores["gap"] == 0 and scores["majority"] == scores["least"] <= scores["uniform"]
        assert scores["gap_with_ties"] > 0


def test_the_suite_is_found_and_fits_the_plugins() -> None:
    from zoo_bench.suite import find_suites

    from zoo.discovery.registry import discover

    suite = find_suites(discover(only=["zoo-rpo", "zoo-envs"]), Path("nowhere"))["rpo"].load()
    assert len(suite.claims) > 30 and {claim.source for claim in suite.claims} == {"paper", "exact", "ours"}
    seeds = {seed for cell in suite.cells for seed in cell.seeds}
    assert min(seeds) >= 100 and len(seeds) == 20


def test_defaults_round_trip_through_json_options() -> None:
    from zoo_rpo.config import RPOConfig

    from zoo.discovery.config import decode_fields, encode_fields

    config = RPOConfig(default="majority-vote", default_options=("tau=5", "count=global"))
    assert decode_fields(RPOConfig, json.loads(json.dumps(encode_fields(config)))) == config
