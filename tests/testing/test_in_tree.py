"""Every plugin of this tree passes the conformance kit, as an external one would have to."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from zoo import ConstraintSpec
from zoo.tabular import TabularCMDP
from zoo.testing import check_plugin

SMALL: dict[str, Any] = {"network": {"net_arch": [16]}}
ON = {"n_steps": 64, "batch_size": 64, **SMALL}
OFF = {"buffer_size": 400, "learning_starts": 50, "batch_size": 8, "train_freq": 32, **SMALL}
RECURRENT = {**ON, "n_epochs": 1, "network": {"net_arch": [16], "lstm_hidden_size": 16}}
SB3: dict[str, dict[str, Any]] = {
    "ppo": {"steps": 400, "config": {**ON, "n_epochs": 2}},
    "a2c": {"steps": 400, "config": SMALL},
    "trpo": {"steps": 400, "config": ON},
    "recurrent-ppo": {"steps": 400, "config": RECURRENT, "env": "CartPole-v1"},
    **{name: {"steps": 400, "config": OFF, "env": "CartPole-v1"} for name in ("dqn", "qrdqn")},
    **{name: {"steps": 400, "config": OFF} for name in ("sac", "tqc", "td3", "ddpg", "crossq")},
}


def check(distribution: str, options: dict[str, dict[str, Any]]) -> None:
    try:
        version(distribution)
    except PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed")
    check_plugin(distribution, options=options)


def test_zoo_envs(tmp_path: Path) -> None:
    file = tmp_path / "model.npz"
    half, cost = np.full((2, 2, 2), 0.5), np.ones((1, 2, 2))
    TabularCMDP(half, np.eye(2), 0.9, np.array([1.0, 0.0]), cost, np.array([1.0]), ("<=",), ("use",)).save(file)
    options: dict[str, dict[str, Any]] = {"tabular": {"path": str(file)}, "envpool": {"task": "CartPole-v1"}}
    if find_spec("transformers"):  # else text-composite is not registered
        from zoo_envs.text.training import Training, train_or_load

        brief = Training(steps=2, batch=4, corpus=300, turns=3, width=16, heads=2, positions=40)
        model = str(train_or_load(tmp_path, brief))
        options["text-composite"] = {"language_model": model, "context": 2, "context_tokens": 16, "new_tokens": 5}
    check("zoo-envs", options)


def test_zoo_tensorboard() -> None:
    check("zoo-tensorboard", {})


def test_zoo_reload() -> None:
    brief = {"steps": 400, "config": {"n_steps": 64, "batch_size": 64, "n_epochs": 2}}
    spends = {"steps": 400, "config": OFF, "env": "test/Spendthrift-v0"}
    options = {"reload-sac": spends, "sac-lagrangian": spends}
    for name in ("reload-ppo", "ppo-lagrangian", "ppo-pid", "crpo", "focops", "cpo"):
        options[name] = brief
    gymnasium.register("test/Spendthrift-v0", entry_point=Spendthrift, max_episode_steps=20)
    check("zoo-reload", options)


class Spendthrift(gymnasium.Env[Any, Any]):
    """A reward equal to what is spent, with a limit of its mean."""

    observation_space, action_space = gymnasium.spaces.Box(0, 20, (1,)), gymnasium.spaces.Box(0, 1, (1,))
    constraint_spec = ConstraintSpec(
        names=("spent",), thresholds=np.array([0.3]), senses=("<=",), unit="step", discounted=False
    )

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.t = np.zeros(1, np.float32)
        return self.t.copy(), {}

    def step(self, action: Any) -> Any:
        self.t += 1
        spent = np.asarray(action, np.float32)
        return self.t.copy(), float(spent[0]), False, False, {"constraints": spent}


def test_the_evaluators_of_the_core() -> None:
    pytest.importorskip("zoo_reload")
    subject = ("reload", "two-state")
    check("zoo-core", {"return": {"subject": subject, "config": {"episodes": 5}}, "constraints": {"subject": subject}})


def test_zoo_sb3() -> None:
    check("zoo-sb3", SB3)
