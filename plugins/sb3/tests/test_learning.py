"""Updates give SB3's own weights; nothing global moves; a resumed run is the uninterrupted one."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from zoo_sb3.build import build as build_model
from zoo_sb3.vecenv import GymnasiumVecEnv

from zoo import Algorithm, RingBuffer

Build = Callable[..., Algorithm[Any]]
ALL = ["ppo", "a2c", "trpo", "recurrent-ppo", "dqn", "qrdqn", "sac", "tqc", "crossq", "td3", "ddpg"]


def weights(algorithm: Any) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in algorithm.model.policy.state_dict().items()}


@pytest.mark.parametrize("name", ["ppo", "a2c", "dqn", "sac", "recurrent-ppo", "td3"])
def test_equals_learn(name: str, build: Build, make_env: Any, same: Any) -> None:
    budget = 900 if name == "sac" else 400
    ours: Any = build(name, budget=budget)
    while ours.env_steps < budget:
        ours.update()
    env = GymnasiumVecEnv(make_env(ours.ctx.env.spec.id))
    theirs = build_model(ours.learner, ours.config, env, ours.ctx.seed, "cpu").learn(budget)
    assert ours.env_steps == theirs.num_timesteps
    same(weights(ours), dict(theirs.policy.state_dict()))
    untrained: Any = build(name, budget=budget)
    assert any(not torch.equal(value, weights(untrained)[key]) for key, value in weights(ours).items())


def plain(value: Any) -> Any:
    """The state with its tensors and arrays left out: what has to be JSON."""
    if isinstance(value, (torch.Tensor, np.ndarray, RingBuffer)):
        return []
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def without_buffers(value: Any) -> Any:
    """The state with its ring buffers left out."""
    if isinstance(value, RingBuffer):
        return value.written
    return {key: without_buffers(item) for key, item in value.items()} if isinstance(value, dict) else value


def global_state() -> tuple[Any, ...]:
    kind, key, *rest = np.random.get_state()  # noqa: NPY002
    return (torch.get_rng_state().tolist(), kind, key.tolist(), *rest, random.getstate())


@pytest.mark.parametrize("name", ALL)
def test_global_streams_are_left_alone(name: str, build: Build) -> None:
    before = global_state()
    algorithm = build(name)
    algorithm.update()
    obs = algorithm.ctx.env.single_observation_space.sample()[None]
    algorithm.act(obs, greedy=False)
    algorithm.load_state(algorithm.state())
    assert global_state() == before


@pytest.mark.parametrize("name", ALL)
def test_resume_is_exact(name: str, build: Build, same: Any) -> None:
    straight = build(name)
    for _ in range(5):
        straight.update()
    saved = straight.state()
    frozen = copy.deepcopy(saved)
    assert json.loads(json.dumps(plain(saved), allow_nan=False)) == plain(saved)
    resumed = build(name, seed=99, env=copy.deepcopy(straight.ctx.env))
    resumed.load_state(saved)
    same(resumed.state(), frozen)
    for _ in range(5):
        assert straight.update() == resumed.update()
    same(without_buffers(saved), without_buffers(frozen))  # buffers are not copied into a state
    same(straight.state(), resumed.state())
    obs = np.stack([straight.ctx.env.single_observation_space.sample() for _ in range(6)])
    assert np.array_equal(straight.act(obs, greedy=False), resumed.act(obs, greedy=False))


@pytest.mark.parametrize("name", ["ppo", "sac", "dqn"])
def test_interleaved_equals_alone(name: str, build: Build, same: Any) -> None:
    alone = [build(name, seed=seed) for seed in (1, 2)]
    for algorithm in alone:
        for _ in range(6):
            algorithm.update()
    mixed = [build(name, seed=seed) for seed in (1, 2)]
    for _ in range(6):
        for algorithm in mixed:
            algorithm.update()
    for one, other in zip(alone, mixed, strict=True):
        same(one.state(), other.state())


@pytest.mark.parametrize("name", ["ppo", "dqn", "sac"])
def test_acting_does_not_change_learning(name: str, build: Build, same: Any) -> None:
    quiet, asked = build(name), build(name)
    space = quiet.ctx.env.single_observation_space
    for _ in range(4):
        quiet.update()
        asked.update()
        for _ in range(3):
            obs = np.stack([space.sample() for _ in range(3)])
            asked.act(obs, greedy=False)
            asked.act(obs, greedy=True)
    same(quiet.state()["model"], asked.state()["model"])
    same(quiet.state()["streams"], asked.state()["streams"])


@pytest.mark.parametrize("name", ALL)
def test_metrics_and_steps(name: str, build: Build) -> None:
    budget = 900 if name == "sac" else 400
    algorithm: Any = build(name, budget=budget)
    seen: set[str] = set()
    sizes = []
    while algorithm.env_steps < budget:
        before = algorithm.env_steps
        metrics = algorithm.update()
        sizes.append(algorithm.env_steps - before)
        seen |= set(metrics)
        assert all(np.isfinite(value) for value in metrics.values())
        assert all(type(value) is float for value in metrics.values())
    assert any(key.startswith("loss/") for key in seen)
    assert all(key.startswith(("loss/", "train/")) for key in seen)
    assert min(sizes[:-1]) >= 128
    rollout = max(getattr(algorithm.config, "n_steps", 1), 8) * 2
    assert algorithm.env_steps < budget + rollout


def test_fresh_state_round_trips(build: Build, same: Any) -> None:
    algorithm = build("sac")
    other = build("sac", seed=8)
    other.load_state(algorithm.state())
    same(algorithm.state(), other.state())
    other.update()
    assert other.env_steps >= 128


def test_restart_begins_fresh_episodes(build: Build) -> None:
    algorithm: Any = build("ppo")
    algorithm.update()
    algorithm.restart()
    resets = []
    reset = algorithm.ctx.env.reset
    algorithm.ctx.env.reset = lambda **kwargs: resets.append(kwargs) or reset(**kwargs)
    algorithm.update()
    assert resets == [{}]


@pytest.mark.parametrize("name", ["a2c", "dqn"])
def test_nothing_is_printed_or_written(
    name: str, build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    algorithm = build(name)
    for _ in range(3):
        algorithm.update()
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
