"""The best evaluation: constraints first, then the return."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from tests.cli.command import zoo as command
from zoo.api import ConstraintSpec
from zoo.training.best_evaluation import Best
from zoo.training.evaluate_policy import PlayedEpisodes
from zoo.training.storage import checkpoint

PLUGIN = '''
import gymnasium, numpy as np
from dataclasses import dataclass
from zoo import Algorithm, ConstraintSpec, hookimpl

@hookimpl
def zoo_register(zoo):
    zoo.algorithm("fading", "fading:Fading", config="fading:Config", summary="risks less and less", steps=100)
    zoo.environment("risky", "fading:Risky", config="fading:EnvConfig", summary="pays for risk")

@dataclass(frozen=True, kw_only=True)
class Config:
    floor: float = 0.0
    """share of risk at the end"""

@dataclass(frozen=True, kw_only=True)
class EnvConfig:
    sense: str = "<="
    """of the constraint"""
    unit: str = "step"
    """of the threshold"""
    scale: float = 1.0
    """of the signal and its threshold"""

class Risky(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (1,))
    action_space = gymnasium.spaces.Box(0, 1, (1,))
    def __init__(self, sense="<=", unit="step", scale=1.0):
        limit = 0.1 if sense == "<=" else 0.9
        steps = 1 if unit == "step" else 20
        self.sense, self.scale, self.t = sense, scale, 0
        self.constraint_spec = ConstraintSpec(("risk",), np.array([limit * steps * scale]), (sense,), unit, False)
    def get_state(self): return {"t": self.t}
    def set_state(self, state): self.t = state["t"]
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed); self.t = 0
        return np.zeros(1, np.float32), {}
    def step(self, action):
        self.t += 1
        risk = float(action[0])
        signal = (risk if self.sense == "<=" else 1 - risk) * self.scale
        return np.zeros(1, np.float32), 10 * risk, False, self.t >= 20, {"constraints": np.array([signal], np.float32)}

class Fading(Algorithm):
    def __init__(self, ctx, config):
        super().__init__(ctx, config); self.ctx.env.reset()
    def update(self): self.env_steps += 10; return {"risk": self.risk}
    @property
    def risk(self): return max(self.config.floor, 1 - self.env_steps / 100)
    def act(self, obs, *, greedy=True): return np.full((len(obs), 1), self.risk, np.float32)
    def state(self): return {}
    def load_state(self, state): pass
'''


def train(folder: Path, *options: str) -> Path:
    (folder / "fading.py").write_text(PLUGIN)
    line = [
        "train",
        "fading",
        "risky",
        "--eval-every",
        "20",
        "--eval-episodes",
        "2",
        "--checkpoint-every",
        "1000",
        "--quiet",
    ]
    done = command("--plugin", "fading.py", *line, *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    return next((folder / "runs").rglob("seed-0"))


@pytest.mark.parametrize(
    ("options", "best"),
    [
        ((), 100),  # risk 0 at the end: the only feasible one, with no return at all
        (("--steps", "120"), 100),  # the first of three that are alike
        (("--floor", "0.05", "--steps", "140"), 100),
        (("--floor", "0.3", "--steps", "120"), 80),  # none is feasible: the least violation, the first of those
        (("--env.sense", ">="), 100),
        (("--env.unit", "episode"), 100),
        (("--env.scale", "1e-9"), 100),
        (("--env.scale", "1e9", "--env.unit", "episode"), 100),
    ],
)  # fmt: skip
def test_a_run_keeps_the_checkpoint_that_keeps_its_constraints(
    tmp_path: Path, options: tuple[str, ...], best: int
) -> None:
    run = train(tmp_path, *options)
    manifest = checkpoint.manifest_of(run / "checkpoints", checkpoint.steps(run / "checkpoints")[-1])
    assert manifest.best == best and best in checkpoint.steps(run / "checkpoints")


def test_eval_and_load_take_a_checkpoint_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = train(tmp_path, "--floor", "0.05", "--steps", "140")
    prefix = ("--plugin", "fading.py", "eval", str(run), "return", "--json", "--episodes", "2")
    steps = checkpoint.steps(run / "checkpoints")
    assert {20, 100, 140} <= set(steps)
    for which, step in (("newest", 140), ("best", 100), ("20", 20)):
        done = command(*prefix, "--checkpoint", which, cwd=tmp_path)
        assert done.returncode == 0 and f'"step": {step}' in done.stdout, done.stderr
    kept = sorted(path.name for path in (run / "evaluations").iterdir())
    assert kept == ["return.json", "return@100.json", "return@20.json"]
    assert "100 (best)" in command("show", str(run), cwd=tmp_path).stdout
    for which in ("50", "worst", "-1", ""):
        done = command(*prefix, f"--checkpoint={which}", cwd=tmp_path)
        assert done.returncode == 2 and str(steps[0]) in done.stderr and "Traceback" not in done.stderr
    registry = zoo.discover([tmp_path / "fading.py"], only=["zoo-core"])
    for name, step in (("newest", 140), ("best", 100), (20, 20), ("20", 20)):
        assert zoo.load(run, name, registry=registry).algorithm.env_steps == step
    with pytest.raises(zoo.UsageError, match="no checkpoint at step 50: there are"):
        zoo.load(run, 50, registry=registry)


def played(signals: Any, returns: Any = (0.0,), length: int = 10) -> PlayedEpisodes:
    signals = np.asarray(signals, dtype=float)
    count = len(signals)
    zeros, total = np.zeros(count), np.resize(np.asarray(returns, dtype=float), count)
    return PlayedEpisodes(total, zeros, signals, signals / 2, np.full(count, length), zeros == 0, zeros != 0)


def spec(*thresholds: float, senses: Any = "<=", unit: str = "step", discounted: bool = False) -> ConstraintSpec:
    names = tuple(f"c{number}" for number in range(len(thresholds)))
    return ConstraintSpec(names, np.array(thresholds), (senses,) * len(names), unit, discounted)


@given(st.sampled_from(["<=", ">="]), st.floats(0.1, 10), st.floats(-3, 3), st.integers(-9, 9))
def test_a_unit_changes_nothing(sense: str, threshold: float, value: float, power: int) -> None:
    unit = 10.0**power
    plain = Best.judge(1, played([[10 * value]]), spec(threshold, senses=sense), None)
    scaled = Best.judge(1, played([[10 * value * unit]]), spec(threshold * unit, senses=sense), None)
    assert plain.feasible == scaled.feasible
    assert scaled.violations == pytest.approx([v * unit for v in plain.violations or ()], rel=1e-6)


def test_violations_in_each_unit() -> None:
    assert Best.judge(1, played([[2.0], [4.0]]), spec(0.2), None).violations == pytest.approx([0.1])
    assert Best.judge(1, played([[2.0], [4.0]]), spec(2.0, unit="episode"), None).violations == pytest.approx([1.0])
    discounted = spec(0.1, discounted=True)
    assert Best.judge(1, played([[4.0]]), discounted, 0.9).violations == pytest.approx([0.1])  # (1 - 0.9) * 2 - 0.1
    assert Best.judge(1, played([[4.0]]), discounted, None).violations == pytest.approx([0.3])
    equality = spec(0.3, senses="==")
    assert Best.judge(1, played([[2.0], [4.0], [3.5]]), equality, None).feasible
    assert not Best.judge(1, played([[4.0], [4.0], [4.0]]), equality, None).feasible
    assert Best.judge(1, played([[np.float32(0.1) * 10]]), spec(0.1), None).feasible  # rounding is no violation


def test_the_order() -> None:
    def best(mean: float, *violations: float) -> Best:
        return Best(1, mean, violations, (1.0,) * len(violations))

    assert best(1, 0, 0).better_than(best(9, 0.1, 0))
    assert not best(9, 0.1, 0).better_than(best(1, 0, 0))
    assert best(2, 0).better_than(best(1, 0)) and not best(1, 0).better_than(best(1, 0))
    assert best(0, 0.1).better_than(best(9, 0.2)) and best(2, 0.1).better_than(best(1, 0.1))
    assert best(2).better_than(best(1)) and not best(1).better_than(best(2))
    assert best(0, 0.1).better_than(Best(1, 9.0, None)) and best(2).better_than(Best(1, 1.0, None))
    assert Best(1, 0, (1e-9, 2.0), (1e-9, 0.0)).better_than(Best(1, 0, (3e-9, 2.0), (1e-9, 0.0)))


def test_what_is_stored_comes_back() -> None:
    for one in (Best(3, 1.5), Best(3, 1.5, (0.0, 2.0), (1.0, 2.0)), Best(3, 1.5, None)):
        assert Best.of(one.to_json()) == one
    assert Best.of((2.5, 7)) == Best(7, 2.5, None)
    for nonsense in (None, [], {}, "x", {"step": 1}, [1], {"step": [], "mean": 1, "violations": 3, "thresholds": 1}):
        assert Best.of(nonsense) is None
