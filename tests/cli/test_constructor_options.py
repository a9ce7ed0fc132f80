"""Environments of a plugin that has no dataclass of options, and failures of a plugin's parts, each with its owner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import zoo

PLUGIN = '''
from dataclasses import dataclass

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete

from zoo import Algorithm, hookimpl
from zoo.tabular import TabularCMDP


class Walk(gymnasium.Env):
    """A walk on a line."""

    def __init__(self, *, size: int = 4):
        if size < 2:
            TabularCMDP(P=np.full((2, 2, 2), -1.0), r=np.zeros((2, 2)), gamma=0.9, rho=np.array([1.0, 0.0]))
        self.size, self.observation_space, self.action_space = size, Discrete(size), Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.time = 0
        return 0, {}

    def step(self, action):
        self.state, self.time = int(np.clip(self.state + 2 * action - 1, 0, self.size - 1)), self.time + 1
        return self.state, float(self.state), False, self.time >= 20, {}


class Sized(Walk):
    def __init__(self, size: int):
        super().__init__(size=size)


@dataclass(frozen=True, kw_only=True)
class Options:
    """None."""


class Breaks(Algorithm):
    def update(self):
        raise KeyError("missing key")

    def act(self, obs, *, greedy=True):
        return [0] * len(obs)

    def state(self):
        return {}

    def load_state(self, state):
        pass


@hookimpl
def zoo_register(zoo):
    zoo.environment("walk", "own:Walk", summary="a walk")
    zoo.environment("sized", "own:Sized", summary="a walk of some length")
    zoo.algorithm("breaks", "own:Breaks", config="own:Options", summary="breaks", steps=10)
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "own.py").write_text(PLUGIN)
    return folder


def test_arguments_of_the_constructor_are_options(folder: Path) -> None:
    done = zoo(
        "--plugin", "own.py", "train", "sarsa", "walk", "--env.size", "3", "--steps", "500", "--quiet", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    (spec,) = folder.glob("runs/walk/sarsa/*/seed-0/spec.json")
    assert json.loads(spec.read_text())["env_config"] == {"size": 3}
    shown = zoo("--plugin", "own.py", "eval", str(spec.parent), "return", cwd=folder)
    assert shown.returncode == 0, shown.stderr
    gone = zoo("eval", str(spec.parent), "return", cwd=folder)
    assert gone.returncode == 1
    assert "the environment 'own/walk' is of plugin 'own', which is not loaded." in gone.stderr


@pytest.mark.parametrize(
    ("args", "status", "sentence"),
    [
        (("sarsa", "walk", "--env.siz", "3"), 2, "zoo: no option called '--env.siz': did you mean --env.size?"),
        (("sarsa", "walk", "--env.size", "x"), 2, "zoo: option of walk 'size' is 'x': expected a whole number."),
        (("sarsa", "walk", "--env.size", "1"), 2, "zoo: environment walk cannot be built: P[0, 0, 0] = -1.0: expected"),
        (("sarsa", "sized"), 2, "required positional argument: 'size'.\n     Expected --env.size."),
        (("breaks", "walk"), 1, "breaks of plugin file own failed in update(): KeyError: 'missing key'"),
    ],
)
def test_what_is_wrong_is_told_with_its_owner(folder: Path, args: tuple[str, ...], status: int, sentence: str) -> None:
    done = zoo("--plugin", "own.py", "train", *args, "--quiet", cwd=folder)
    assert done.returncode == status
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert done.stderr.count(sentence) == 1 and sentence not in done.stdout
