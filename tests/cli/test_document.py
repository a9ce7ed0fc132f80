"""With --json standard output is one JSON document, whatever environments, plugins and solvers print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import zoo

LOUD = '''
import atexit, ctypes, os, subprocess, sys
from dataclasses import dataclass
import gymnasium
from zoo import Algorithm, Evaluator, Report, hookimpl

def shout(where):
    print("python", where)
    sys.__stdout__.write("original\\n")
    os.write(1, b"descriptor\\n")
    ctypes.CDLL(None).printf(b"C without a flush\\n")
    subprocess.run(["echo", "a child"])

shout("import")
atexit.register(shout, "exit")

class Loud(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Discrete(2), gymnasium.spaces.Discrete(2)
    def __init__(self, render_mode=None): shout("building"); self.t = 0
    def reset(self, *, seed=None, options=None): shout("reset"); super().reset(seed=seed); return 0, {}
    def step(self, action): shout("step"); self.t += 1; return 0, 1.0, self.t % 3 == 0, False, {}
    def close(self): shout("close")

gymnasium.register("Loud-v0", entry_point=Loud)

@dataclass(frozen=True, kw_only=True)
class Config:
    fail: bool = False
    """fail"""

class Talker(Algorithm):
    def __init__(self, ctx, config): super().__init__(ctx, config); shout("init"); ctx.env.reset()
    def update(self):
        shout("update"); self.ctx.env.step([0])
        if self.config.fail: raise RuntimeError("loud")
        self.env_steps += 1
        return {"x": 1.0}
    def act(self, obs, *, greedy=True): shout("act"); return [0] * len(obs)
    def state(self): shout("state"); return {}
    def load_state(self, state): shout("load")

class Judge(Evaluator):
    def evaluate(self, subject, ctx): shout("judge"); return Report(scores={"x": 1.0})

def derived(run, of): shout("derived"); return 1.0

@hookimpl
def zoo_register(zoo):
    shout("register")
    zoo.algorithm("talker", "loud:Talker", config="loud:Config", summary="talks", steps=3)
    zoo.command("tell", "loud:tell", summary="talks")
    zoo.evaluator("loud", "loud:Judge", config="loud:Config", summary="talks", subject="algorithm")
@hookimpl
def zoo_run_started(run): shout("started")
@hookimpl
def zoo_run_finished(run, status): shout("finished")
@hookimpl
def zoo_derived(): shout("hook"); return {"loud": "loud:derived"}
def tell(args, options):
    os.write(1, b"descriptor\\n")
    ctypes.CDLL(None).printf(b"C without a flush\\n")
    print("{}")
'''
SUITE = """
[suite]
title = "loud"
[[cells]]
label = "talker"
algorithm = "talker"
environment = "loud:Loud-v0"
steps = 3
seeds = [0, 1]
evaluators = [{ name = "loud" }]
[[metrics]]
name = "x"
of = "x"
function = "loud"
"""
RUN = ["train", "talker", "loud:Loud-v0", "--eval-episodes", "1"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "loud.py").write_text(LOUD)
    (tmp_path / "loud.toml").write_text(SUITE)
    return tmp_path


def loud(folder: Path, *args: str) -> Any:
    return zoo("--plugin", "loud.py", *args, cwd=folder, ZOO_PLUGINS="zoo-core,zoo-bench", PYTHONPATH=str(folder))


@pytest.mark.parametrize(
    ("args", "status", "key"),
    [
        ([*RUN, "--json"], 0, "runs"), ([*RUN, "--json", "--seeds", "0:2", "--jobs", "2"], 0, "runs"),
        ([*RUN, "--json", "--fail"], 1, "runs"), ([*RUN, "--json", "--dry-run"], 0, "key"),
        ([*RUN, "--json", "--nonsense"], 2, "error"), (["list", "--json"], 0, "entries"),
        (["plugins", "--check", "--json"], 0, "plugins"), (["list", "--for", "loud:Loud-v0", "--json"], 0, "entries"),
        (["bench", "loud.toml", "--json"], 0, "cells"), (["bench", "loud.toml", "--json", "--jobs", "2"], 0, "cells"),
        (["table", "loud.toml", "--json"], 0, "rows"), (["table", "loud.toml", "--format", "json"], 0, "rows"),
    ],
)  # fmt: skip
def test_standard_output_is_a_document(args: list[str], status: int, key: str, folder: Path) -> None:
    done = loud(folder, *args)
    assert done.returncode == status, done.stderr
    assert key in json.loads(done.stdout)
    for where in ("python import", "python exit", "original", "descriptor", "C without a flush", "a child"):
        assert where in done.stderr


def test_commands_on_stored_runs_too(folder: Path) -> None:
    loud(folder, *RUN, "--quiet")
    for args, key in (
        (["eval", "runs", "loud", "--trust", "--json"], "evaluations"), (["show", "runs", "--json"], "runs"),
        (["plot", "runs", "--list", "--json"], "metrics"), (["eval", "runs", "nothing", "--json"], "error"),
    ):  # fmt: skip
        done = loud(folder, *args)
        assert key in json.loads(done.stdout), args


def test_a_plugins_command_prints_its_own_document(folder: Path) -> None:
    done = loud(folder, "tell", "--json")
    assert json.loads(done.stdout) == {}
    assert "C without a flush" in done.stderr
    assert "python import" in done.stderr
    assert "{}" in loud(folder, "tell").stdout


def test_without_json_nothing_is_diverted(folder: Path) -> None:
    done = loud(folder, "list")
    assert "python import" in done.stdout
    assert "talker" in done.stdout
    assert zoo("list", "--help", "--json").stdout.startswith("usage: zoo list")
