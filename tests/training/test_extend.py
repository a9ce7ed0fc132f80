"""Going on from a run beyond its budget."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.command import zoo
from tests.rows import logged
from tests.training.conftest import Trainer
from tests.training.test_strangers import OLD as MADE_BY_0_1_0
from zoo.cli.commands.resume import left_over, open_resumed
from zoo.cli.commands.train import _parser
from zoo.discovery.registry import Registry
from zoo.errors import RunError, UsageError
from zoo.runs.labelling import labels
from zoo.runs.store import open_runs
from zoo.runs.verify import verify
from zoo.training.callbacks import Silent
from zoo.training.extend import begin, extension, find_shorter
from zoo.training.loop import train_seeds
from zoo.training.settings import Cadence, RunResult, Settings
from zoo.training.stop import Stop
from zoo.training.storage.lock import Lock
from zoo.training.storage.run_dir import RunDir


def content(path: Path) -> dict[str, str]:
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in path.rglob("*") if file.is_file()
    }  # fmt: skip


def go_on(path: Path, steps: int, toys: Registry, stop: Stop | None = None, every: int = 10) -> RunResult:
    """As ``zoo train --resume PATH --steps STEPS``."""
    run = RunDir.open(path)
    root = path.parents[3]
    spec, found = extension(run, steps)
    begin(run, spec, found, root)
    settings = Settings(root=root, checkpoint=Cadence(steps=every))
    (result,) = train_seeds(spec, [run.seed], toys, settings, Silent(), stop or Stop())
    return result


@pytest.mark.parametrize("seed", [0, 3])
def test_an_extended_run_equals_one_of_that_length_where_nothing_follows_the_budget(
    run: Trainer, toys: Registry, tmp_path: Path, seed: int
) -> None:
    (short,) = run(eval_every=20, seeds=(seed,))
    before = content(short.path)
    (whole,) = run(eval_every=20, steps=80, seeds=(seed,), root=tmp_path / "whole")
    result = go_on(short.path, 80, toys)
    assert (result.status, result.steps, result.seed) == ("finished", 80, seed)
    assert logged(result.path) == logged(whole.path)
    assert (result.path / "eval.jsonl").read_bytes() == (whole.path / "eval.jsonl").read_bytes()
    assert content(short.path) == before
    assert {part.state for part in verify(open_runs([result.path]).runs[0])} == {"sound"}


def test_it_has_a_key_of_its_own_and_is_never_pooled(run: Trainer, toys: Registry) -> None:
    (short,) = run()
    (planned,) = run(steps=80)
    extended = go_on(short.path, 80, toys)
    again = go_on(short.path, 80, toys)  # the same command again
    assert again.path == extended.path and again.steps == 80
    twice = go_on(extended.path, 100, toys)
    keys = {path.parent.name for path in (short.path, planned.path, extended.path, twice.path)}
    assert len(keys) == 4
    spec = RunDir.open(extended.path).spec
    assert spec.extended_from == {"key": short.path.parent.name, "step": 40, "steps": 40} and spec.steps == 80
    groups = open_runs([short.path.parents[3]]).groups()
    assert len(groups) == len(set(labels(groups))) == 4


def test_an_extension_is_interrupted_and_continued_like_any_run(run: Trainer, toys: Registry, tmp_path: Path) -> None:
    (short,) = run()
    (whole,) = run(steps=80, root=tmp_path / "whole")
    stop = Stop()
    stop.reason = "SIGTERM"
    half = go_on(short.path, 80, toys, stop)
    assert half.status == "interrupted" and half.steps == 41
    done = go_on(short.path, 80, toys)
    assert done.status == "finished" and "continued from step 41" in done.resumed
    rows = [row for row in logged(done.path) if row.get("step") != 40]
    assert rows == [row for row in logged(whole.path) if row.get("step") != 40]


def test_one_that_is_not_finished_or_was_made_by_an_older_zoo_goes_on_too(toys: Registry, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(MADE_BY_0_1_0 / "CartPole-v1", tmp_path / "runs" / "CartPole-v1")
    old = next((tmp_path / "runs").rglob("seed-0"))
    before = content(old)
    result = go_on(old, 60, toys)
    assert (result.status, result.steps) == ("finished", 60) and content(old) == before
    assert len(logged(result.path)) == 64  # at 15, 30, 45 and 60 an evaluation, too


def test_what_cannot_go_on_is_a_sentence(run: Trainer, toys: Registry, tmp_path: Path) -> None:
    (short,) = run()
    for steps in (0, 39, 40):
        with pytest.raises(UsageError, match="has a budget of 40 and stands at step 40: expected more"):
            go_on(short.path, steps, toys)
    (final,) = run("final")
    with pytest.raises(UsageError, match="ended by itself at step 7: seven is enough"):
        go_on(final.path, 80, toys)
    fresh = RunDir.create(tmp_path / "fresh", RunDir.open(short.path).spec)
    with pytest.raises(RunError, match="has no checkpoint"):
        go_on(fresh.path, 80, toys)
    with Lock(short.path), pytest.raises(RunError, match="being written by process"):
        go_on(short.path, 80, toys)


def test_a_shorter_run_of_the_same_is_found(run: Trainer, toys: Registry) -> None:
    (short,) = run()
    run(steps=20)
    run(steps=30, num_envs=2)
    spec, root = RunDir.open(short.path).spec, short.path.parents[3]
    from dataclasses import replace

    longer = replace(spec, steps=80)
    found = find_shorter(longer, root)
    assert found is not None and found.path == short.path
    assert find_shorter(replace(spec, steps=20), root) is None  # it is there
    assert find_shorter(replace(spec, steps=10), root) is None
    assert find_shorter(replace(longer, num_envs=3), root) is None


def test_the_command_line(tmp_path: Path) -> None:
    command = ["train", "gda", "two-state", "--eval-episodes", "1", "--quiet", "--steps"]
    assert zoo(*command, "30", cwd=tmp_path).returncode == 3
    (path,) = (tmp_path / "runs").rglob("seed-0")
    name = str(path.relative_to(tmp_path))
    before = content(path)
    refused = {
        "--num-envs": "8", "--device": "cuda", "--seed": "1", "--seeds": "0:2", "--eval-every": "5", "--dir": "x",
        "--eval-episodes": "2", "--preset": "paper", "--policy": "uniform", "--exact": "", "--jobs": "2", "--eta": "1",
        "--representation": "sr", "--env.theta": "0.6",
    }  # fmt: skip
    for flag, value in refused.items():
        line = ["--resume", name, flag, *filter(None, [value]), "--quiet", "--steps", "60"]
        with pytest.raises(UsageError, match=f"leave out {flag}"):
            open_resumed(path, left_over(_parser(), line))
    done = zoo("train", "--resume", name, "--num-envs", "8", "--device=cuda", cwd=tmp_path)
    assert done.returncode == 2 and "leave out --num-envs 8 --device=cuda" in done.stderr
    done = zoo("train", "--resume", name, "gda", "two-state", cwd=tmp_path)
    assert done.returncode == 2 and "leave out gda two-state" in done.stderr
    done = zoo("train", "--resume", name, "--steps", "60", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0 and "Nothing was run" in done.stdout and len(list(tmp_path.rglob("seed-0"))) == 1
    done = zoo("train", "--resume", name, "--steps", "30", cwd=tmp_path)
    assert "Nothing was run: finished on 20" in done.stdout
    done = zoo("train", "--resume", name, "--steps", "60", "--quiet", "--json", cwd=tmp_path)
    assert done.returncode == 3 and "Schedules that follow the budget jump at step 30" in done.stderr
    (extended,) = json.loads(done.stdout)["runs"]
    assert extended["steps"] == 60
    assert content(path) == before
    done = zoo(*command, "90", cwd=tmp_path)
    assert f"zoo train --resume {name} --steps 90 goes on from there" in done.stderr
    done = zoo(*command, "90", cwd=tmp_path)
    assert "goes on from there" not in done.stderr and "Nothing was run: finished on 20" in done.stdout
    assert f"goes on from {path.parent.name} at step 30" in zoo("show", extended["path"], cwd=tmp_path).stdout
