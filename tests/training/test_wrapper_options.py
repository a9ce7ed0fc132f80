"""``--env.WRAPPER VALUE`` on any environment: found, recorded, exact, and refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import zoo as package
from tests.cli.command import zoo as command
from zoo.errors import UsageError
from zoo.testing import check_algorithm
from zoo.training import SPEC, RunRequest, resolve

SHORT = {"n_steps": 16, "batch_size": 32, "n_epochs": 1}
FLAGS = ["--n-steps", "16", "--batch-size", "32", "--n-epochs", "1", "--eval-episodes", "2", "--quiet"]


def train(folder: Path, *words: str) -> Path:
    done = command("train", *words, *FLAGS, cwd=folder)
    assert done.returncode in (0, 3), done.stderr
    (run,) = (folder / "runs").rglob("seed-0")
    return run


def test_constraints_on_an_environment_that_has_none(tmp_path: Path) -> None:
    rule = "abs(action[0]) <= 0.5"
    line = [
        "reload-ppo",
        "gymnasium:Pendulum-v1",
        "--env.constraint",
        rule,
        "--env.constraint",
        "fast: abs(obs[2]) <= 4",
    ]
    run = train(tmp_path, *line, "--steps", "448", "--num-envs", "2", "--env.g", "9.5")
    spec = json.loads((run / SPEC).read_text())
    assert spec["env_config"] == {"g": 9.5, "constraint": [rule, "fast: abs(obs[2]) <= 4"]}
    assert spec["origins"]["env.constraint"] == "cli"
    rows = [json.loads(row) for row in (run / "metrics.jsonl").read_text().splitlines()]
    assert {"weight/abs-action-0", "weight/fast"} <= {name for row in rows for name in row}
    done = command("eval", str(run), "constraints", "--json", "--episodes", "2", cwd=tmp_path)
    assert done.returncode == 0 and "abs-action-0" in done.stdout, done.stderr
    assert command("show", str(run), cwd=tmp_path).stdout.count("env.constraint") == 1


def test_from_python_and_in_a_file_it_is_the_same_run(tmp_path: Path) -> None:
    registry = package.discover()
    rule = "tilt: abs(obs[2]) <= 0.1"
    texts = [{"constraint": rule}, {"constraint": rule, "time_limit": 50}]
    specs = [
        resolve(RunRequest(algorithm="reload-ppo", environment="cart-pole", env_options=t), registry) for t in texts
    ]
    assert specs[0].env_config == {"max_episode_steps": 500, "constraint": rule}
    assert specs[1].env_config["time_limit"] == 50
    (tmp_path / "mine.toml").write_text(
        'algorithm = "reload-ppo"\nenvironment = "cart-pole"\n[env]\n'
        'constraint = "tilt: abs(obs[2]) <= 0.1"\ntime-limit = 50\n'
    )
    done = command("train", "--config", "mine.toml", "--dry-run", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["key"] == specs[1].key, done.stderr
    done = command("train", "--config", "mine.toml", "--dry-run", cwd=tmp_path)
    assert "env.time_limit" in done.stdout and rule in done.stdout


@pytest.mark.parametrize(
    ("algorithm", "environment", "options", "copies"),
    [
        ("reload-ppo", "cart-pole", {"constraint": ["tilt: abs(obs[2]) <= 0.1", "action <= 0.5"]}, 3),
        ("ppo-lagrangian", "CartPole-v1", {"constraint": "abs(obs[2]) <= 0.1; (abs(obs[0]) > 1) <= 0.1"}, 2),
        ("cpo", "hazard-grid", {"n": 3, "constraint": "late: (obs >= 4) <= 0.5"}, 2),
        ("ppo-native", "cart-pole", {"frame_stack": 3, "time_limit": 40}, 2),
        ("ppo-native", "Pendulum-v1", {"rescale_action": 1, "frame_stack": 2}, 2),
    ],
)
def test_runs_through_wrappers_resume_exactly(algorithm, environment, options, copies) -> None:
    check_algorithm(algorithm, environment, env_config=options, steps=64 * copies, config=SHORT, num_envs=copies)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["reload-ppo", "Pendulum-v1", "--env.constraint", "speeed <= 2"],
         "there is no part called 'speeed'; there are observation, action, reward"),
        (["reload-ppo", "Pendulum-v1", "--env.constraint", "info.torque <= 2"],
         "there is no part of info called 'torque'"),
        (["reload-ppo", "Pendulum-v1", "--env.constraint", "action[1] <= 2"], "action has numbers 0 to 0"),
        (["reload-ppo", "cart-pole", "--env.constraint", "abs(obs[2] <= 2"], 'expected ")" or ","'),
        (["reload-ppo", "cart-pole", "--env.constraint"], "--env.constraint has no value"),
        (["reload-ppo", "cart-pole", "--env.constrain", "obs[0] <= 1"], "did you mean --env.constraint"),
        (["ppo-native", "Pendulum-v1", "--env.time-limt", "3"], "'--env.time-limt': did you mean --env.time-limit"),
        (["ppo-native", "cart-pole", "--env.time-limit", "soon"],
         "--env.time-limit is 'soon': expected a whole number"),
        (["ppo-native", "cart-pole", "--env.time-limit", "3", "--env.time-limit", "4"], "expected a whole number"),
        (["ppo-native", "cart-pole", "--env.time-limit", "0"], "steps must be an integer of at least 1"),
        (["ppo-native", "cart-pole", "--env.rescale-action", "1"], "can be rescaled"),
        (["reload", "two-state", "--env.constraint", "obs <= 0.5"], "needs an environment with an exact tabular model"),
        (["reload-ppo", "CartPole-v1"], "--env.constraint puts them on any environment"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, words: list[str], message: str
) -> None:
    done = command("train", *words, "--steps", "100", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in " ".join(done.stderr.split()) and "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_the_help_lists_them() -> None:
    for environment in ("CartPole-v1", "cart-pole"):
        shown = command("train", "ppo-native", environment, "--help").stdout
        assert "options of every environment" in shown and "--env.frame-stack" in shown


def test_an_option_of_the_environments_own_goes_first(tmp_path: Path) -> None:
    (tmp_path / "own_limit.py").write_text(
        "import gymnasium\n"
        "from gymnasium.envs.classic_control import CartPoleEnv\n"
        "class Own(CartPoleEnv):\n"
        "    def __init__(self, time_limit: float = 1.5):\n"
        "        super().__init__()\n"
        "        assert isinstance(time_limit, float)\n"
        "gymnasium.register('Own-v0', entry_point=Own, max_episode_steps=9)\n"
    )
    line = ["train", "ppo-native", "own_limit:Own-v0", "--trust", "--env.time-limit", "2.5", "--steps", "32", *FLAGS]
    done = command(*line, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_two_plugins_with_one_wrapper_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(
        "from zoo import hookimpl\n"
        "@hookimpl\n"
        "def zoo_register(zoo):\n"
        "    zoo.wrapper('time-limit', 'other:limit', summary='another')\n"
        "def limit(env, steps: int):\n"
        "    return env\n"
    )
    registry = package.discover([tmp_path / "other.py"])
    request = RunRequest(algorithm="ppo-native", environment="cart-pole", env_options={"time_limit": 3})
    with pytest.raises(UsageError, match="2 plugins offer the wrapper 'time-limit'"):
        resolve(request, registry)


SIX = """
import gymnasium, numpy as np
from gymnasium import spaces

class Six(gymnasium.Env):
    observation_space = spaces.Dict({"speed": spaces.Box(-9, 9, ()), "lights": spaces.MultiBinary(2)})
    action_space = spaces.Box(-1, 1, (1,))
    def _obs(self):
        return {"speed": np.float32(self.v), "lights": np.array([self.v > 0, self.v > 1], np.int8)}
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.v = 0.0
        return self._obs(), {}
    def step(self, action):
        self.v = float(np.clip(self.v + action[0], -2, 2))
        return self._obs(), self.v, float(self.v > 1), False, False, {}

gymnasium.register("Six-v0", entry_point=Six, max_episode_steps=9)
"""


def test_a_mapping_and_a_cost_that_is_third_of_six(tmp_path: Path) -> None:
    (tmp_path / "six_values.py").write_text(SIX)
    line = ["ppo-lagrangian", "six_values:Six-v0", "--trust", "--env.flatten-observation", "true", "--steps", "96"]
    refused = command("train", *line, *FLAGS, cwd=tmp_path)
    assert refused.returncode == 2 and "--env.constraint puts them on any environment" in refused.stderr
    run = train(tmp_path, *line, "--env.constraint", "cost <= 2 per episode; abs(speed) <= 9 per episode")
    rows = [json.loads(row) for row in (run / "metrics.jsonl").read_text().splitlines()]
    assert {"episode/cost", "episode/abs-speed"} <= {name for row in rows for name in row}
    assert all(row["episode/cost"] <= row["episode/abs-speed"] for row in rows if "episode/cost" in row)
    assert json.loads((run / "status.json").read_text())["resume"] == "exact"
