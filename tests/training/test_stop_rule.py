"""``--stop``: a run ends as soon as its metrics fulfil a rule, also when it is killed and goes on."""

from __future__ import annotations

import json
import operator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command import zoo as command
from tests.rows import logged
from zoo.errors import UsageError
from zoo.training import SPEC, RunSpec
from zoo.training.stop import StopRule

PLUGIN = '''
from dataclasses import dataclass
import numpy as np
from zoo import Algorithm, hookimpl

@hookimpl
def zoo_register(zoo):
    zoo.algorithm("rising", "rising:Rising", config="rising:Config", summary="gets better", steps=100)

@dataclass(frozen=True, kw_only=True)
class Config:
    die: int = 0
    """step at which the process is killed; 0: never"""

class Rising(Algorithm):
    def __init__(self, ctx, config):
        super().__init__(ctx, config); ctx.env.reset()
    def update(self):
        self.env_steps += 10
        if self.env_steps == self.config.die:
            import os, pathlib
            mark = pathlib.Path("died")
            if not mark.exists():
                mark.touch(); os._exit(9)
        return {"height": self.env_steps / 10, "noise": float(self.ctx.rng.random())}
    def act(self, obs, *, greedy=True): return np.zeros(len(obs), dtype=np.int64)
    def state(self): return {}
    def load_state(self, state): pass
'''
SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def train(folder: Path, *options: str, status: int = 0) -> tuple[Path, str]:
    (folder / "rising.py").write_text(PLUGIN)
    line = ["train", "rising", "cart-pole", "--eval-episodes", "2", "--checkpoint-every", "30", *options]
    done = command("--plugin", "rising.py", *line, cwd=folder)
    assert done.returncode == status, done.stderr
    runs = sorted((folder / "runs").rglob("seed-0")) if (folder / "runs").exists() else [folder]
    return runs[-1], done.stdout + done.stderr


def test_it_ends_at_the_first_update_that_fulfils_the_rule_and_says_so(tmp_path: Path) -> None:
    run, told = train(tmp_path, "--stop", "height >= 4.5")
    assert [row["step"] for row in logged(run) if "height" in row] == [10, 20, 30, 40, 50]
    assert "--stop 'height >= 4.5' was reached: height is 5." in told
    status = json.loads((run / "status.json").read_text())
    assert (status["state"], status["step"]) == ("finished", 50) and "was reached" in status["message"]
    assert "eval/return" in logged(run)[-1], "the last evaluation is made where it ends"
    again, told = train(tmp_path, "--stop", "height >= 4.5")
    assert again == run and "Nothing was run" in told


def test_an_evaluation_is_judged_when_it_is_made(tmp_path: Path) -> None:
    run, told = train(tmp_path, "--stop", "eval/length > 3 and height >= 3", "--eval-every", "20")
    assert logged(run)[-1]["step"] == 30 and "eval/length is" in told


def test_a_rule_that_is_never_met_or_judged_is_told(tmp_path: Path) -> None:
    run, told = train(tmp_path, "--stop", "height > 99")
    assert logged(run)[-1]["step"] == 100 and "was not reached: height is 10." in told
    _, told = train(tmp_path, "--stop", "hieght > 3")
    assert "was never judged: no metric called 'hieght': did you mean height?" in told


def test_killed_and_resumed_it_ends_where_it_would_have(tmp_path: Path) -> None:
    for name in ("whole", "torn"):
        (tmp_path / name).mkdir()
    (tmp_path / "whole" / "died").touch()
    options = ("--stop", "height >= 7 and noise >= 0", "--die", "50")
    whole, _ = train(tmp_path / "whole", *options)
    train(tmp_path / "torn", *options, status=9)
    torn, told = train(tmp_path / "torn", *options)
    assert logged(torn) == logged(whole) and logged(torn)[-1]["step"] == 70 and "was reached" in told


def test_it_goes_on_no_further(tmp_path: Path) -> None:
    run, _ = train(tmp_path, "--stop", "height >= 3")
    done = command("--plugin", "rising.py", "train", "--resume", str(run), "--steps", "500", cwd=tmp_path)
    assert done.returncode == 2 and "ended at step 30 by its rule 'height >= 3'" in done.stderr


def test_it_is_part_of_what_a_run_is_and_its_absence_is_not(tmp_path: Path) -> None:
    run, _ = train(tmp_path, "--stop", "height >= 3")
    spec = json.loads((run / SPEC).read_text())
    assert spec["stop"] == "height >= 3" and spec["origins"]["stop"] == "cli"
    with_rule = RunSpec.from_json(spec, run / SPEC)
    assert with_rule.key == run.parts[-2]
    old = {name: value for name, value in spec.items() if name not in ("stop", "key", "sha256", "digest")}
    assert RunSpec.from_json(old, run / SPEC).key != with_rule.key
    assert "height >= 3" in command("show", str(run), cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("height", "--stop is 'height': expected a metric and a number, as in 'eval/return >= 475'"),
        ("height >= tall", "expected a metric and a number"),
        ("height = 3", "expected a metric and a number"),
        ("height >= 3 and", "expected a metric and a number"),
        ("eval/retrun >= 3", "no metric called 'eval/retrun': did you mean eval/return"),
        ("eval/return >= 3", "needs evaluations while it trains: expected --eval-every N as well"),
    ],
)
def test_what_is_no_rule_is_one_sentence_and_nothing_is_written(tmp_path: Path, rule: str, message: str) -> None:
    _, told = train(tmp_path, "--stop", rule, status=2)
    assert message in told and "Traceback" not in told and not (tmp_path / "runs").exists()


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(sorted(SIGNS)), st.integers(-3, 3)), min_size=1, max_size=3
    ),
    st.dictionaries(st.sampled_from("ab"), st.integers(-3, 3).map(float)),
)
def test_a_rule_is_met_where_every_condition_is(conditions: list[tuple[str, str, int]], last: dict[str, float]) -> None:
    rule = StopRule(" and ".join(f"{name} {sign} {bound}" for name, sign, bound in conditions))
    assert rule.met(last) == all(name in last and SIGNS[sign](last[name], bound) for name, sign, bound in conditions)


def test_no_rule_is_never_met() -> None:
    assert not StopRule("").met({"height": 3.0}) and StopRule("").sentence({}) == ""
    with pytest.raises(UsageError):
        _ = StopRule("nothing").conditions


def test_an_evaluation_under_constraints_is_judged_by_its_violation(tmp_path: Path) -> None:
    kept = ["--eval-every", "20", "--env.constraint", "abs(observation[0]) <= 5"]
    run, told = train(tmp_path, *kept, "--stop", "eval/violation <= 0")
    assert "was reached: eval/violation is 0." in told
    assert "violation" in told.splitlines()[1]
    assert [row["eval/violation/abs-observation-0"] for row in logged(run) if "eval/violation" in row] == [0.0]
    never = ["--eval-every", "20", "--env.constraint", "abs(observation[0]) >= 5"]
    run, told = train(tmp_path, *never, "--stop", "eval/violation <= 0", "--seeds", "1")
    assert "was not reached: eval/violation is" in told


@pytest.mark.parametrize(
    ("rule", "constraint", "words"),
    [
        ("eval/violation/abs-observation-1 <= 0", True, "did you mean eval/violation/abs-observation-0?"),
        ("eval/violatoin <= 0", True, "did you mean eval/violation?"),
        ("eval/violation <= 0", False, "cart-pole has no constraints"),
    ],
)
def test_a_violation_that_no_evaluation_has_is_refused(tmp_path: Path, rule: str, constraint: bool, words: str) -> None:
    limited = ["--env.constraint", "abs(observation[0]) <= 5"] if constraint else []
    _, told = train(tmp_path, "--eval-every", "20", *limited, "--stop", rule, status=2)
    assert words in told
    assert not list(tmp_path.rglob("spec.json"))
