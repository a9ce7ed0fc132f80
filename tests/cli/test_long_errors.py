"""What others wrote into their exceptions and warnings fits into a sentence: bounded, on one line, without colours."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command import zoo
from zoo.discovery.registration import describe
from zoo.terminal.streams import brief, strip_ansi

PLUGIN = r"""
import os, warnings
from dataclasses import dataclass
import gymnasium
from zoo import Algorithm, Evaluator, Report, hookimpl

PLACE = os.environ["PLACE"]
def fail(place):
    if place == PLACE:
        raise RuntimeError("\x1b[31mthe beginning\x1b[0m\n" + "and more " * 20000 + "the end")

fail("import")

class Env(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Discrete(2), gymnasium.spaces.Discrete(2)
    def __init__(self, render_mode=None): fail("environment"); self.t = 0
    def reset(self, *, seed=None, options=None): fail("reset"); super().reset(seed=seed); return 0, {}
    def step(self, action):
        fail("step")
        if PLACE == "warning": gymnasium.logger.warn("one of gymnasium's")
        self.t += 1
        return 0, 1.0, self.t % 3 == 0, False, {}

gymnasium.register("Env-v0", entry_point=Env)

@dataclass(frozen=True, kw_only=True)
class Config:
    size: int = 1
    def __post_init__(self): fail("config")

class Alg(Algorithm):
    def __init__(self, ctx, config): super().__init__(ctx, config); fail("algorithm"); ctx.env.reset()
    def update(self): fail("update"); self.ctx.env.step([0]); self.env_steps += 1; return {"x": 1.0}
    def act(self, obs, *, greedy=True): fail("act"); return [0] * len(obs)
    def state(self): fail("state"); return {}
    def load_state(self, state): pass

@hookimpl
def zoo_register(zoo):
    fail("register")
    zoo.algorithm("alg", "wordy:Alg", config="wordy:Config", summary="talks", steps=3)
@hookimpl
def zoo_run_started(run): fail("observer")
"""
PLACES = [
    "import", "register", "environment", "reset", "step", "config", "algorithm", "update", "act", "state", "observer",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_long_exception_is_bounded_wherever_it_is_raised(place: str, tmp_path: Path) -> None:
    (tmp_path / "wordy.py").write_text(PLUGIN)
    line = ["--plugin", "wordy.py", "train", "alg", "Env-v0", "--eval-episodes", "1"]
    done = zoo(*line, *(["--size", "2"] if place == "config" else []), cwd=tmp_path, PLACE=place)
    told = [text for text in done.stderr.splitlines() if "the beginning and more" in text]
    assert told, done.stderr
    for text in told:
        assert "the end" in text and "characters left out]" in text
        assert "x1b" not in text and len(text) < 600
    logs = "".join(path.read_text() for path in tmp_path.rglob("log.txt"))
    if place in ("update", "act", "state", "step"):
        assert "the end" in logs and len(logs) > 100_000  # all of it is kept with the run
        assert f'fail("{place}")' in logs  # and where it was


def test_warnings_are_shown_without_their_colours(tmp_path: Path) -> None:
    (tmp_path / "wordy.py").write_text(PLUGIN)
    done = zoo("--plugin", "wordy.py", "train", "alg", "Env-v0", cwd=tmp_path, PLACE="warning")
    assert done.returncode == 0
    assert "one of gymnasium's" in done.stderr and "[33m" not in done.stderr and "x1b" not in done.stderr


@given(st.text(), st.sampled_from(["\x1b[31m", "\x1b[0m", "\x1b[1;4;38;5;200m", "\x1b[m"]), st.text())
def test_colours_are_left_out_and_nothing_else(before: str, colour: str, after: str) -> None:
    if "\x1b" not in before + after:
        assert strip_ansi(before + colour + after) == before + after


@given(st.text() | st.text(min_size=200).map(lambda text: text * 20))
def test_brief_is_short_and_keeps_both_ends(text: str) -> None:
    shown, line = brief(text), " ".join(strip_ansi(text).split())
    assert len(shown) < 360 and "\n" not in shown
    assert shown == line if len(line) <= 300 else (line.startswith(shown[:140]) and line.endswith(shown[-140:]))
    assert describe(ValueError(text)).removeprefix("ValueError").removeprefix(": ") == brief(text)
