"""A snapshot continues bit for bit, is plain data, and is refused whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.cmdps.constrained_catch import ConstrainedCatch, ConstrainedCatchVector
from zoo_envs.cmdps.garnet import Garnet, GarnetVector
from zoo_envs.cmdps.hazard_grid import HazardGrid, HazardGridVector
from zoo_envs.tabular.env import TabularEnv
from zoo_envs.tabular.vector_env import TabularVectorEnv

BUILDS: list[Callable[[int], TabularEnv | TabularVectorEnv]] = [
    lambda limit: Garnet(S=6, max_episode_steps=limit),
    lambda limit: HazardGrid(n=3, slip=0.5, max_episode_steps=limit),
    lambda limit: ConstrainedCatch(rows=3, observation="grid", max_episode_steps=limit),
    lambda limit: GarnetVector(3, S=6, max_episode_steps=limit),
    lambda limit: HazardGridVector(3, n=3, slip=0.5, max_episode_steps=limit),
    lambda limit: ConstrainedCatchVector(3, rows=3, observation="grid", max_episode_steps=limit),
]


def advance(env: Any, steps: int, seed: int) -> list[Any]:
    """Step with random actions, resetting a single environment where it ends; return all that was seen."""
    seen: list[Any] = []
    g = np.random.default_rng(seed)
    for _ in range(steps):
        n = getattr(env, "num_envs", None)
        A = (env.action_space if n is None else env.single_action_space).n
        obs, reward, _, truncated, info = env.step(g.integers(0, A, n))
        seen += [obs, reward, truncated, info["constraints"]]
        if n is None and truncated:
            seen.append(env.reset()[0])
    return seen


def plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(entry) for key, entry in value.items())
    return isinstance(value, np.ndarray) or type(value) in (int, float, str, bool)


@settings(max_examples=60, deadline=None)
@given(
    which=st.integers(0, len(BUILDS) - 1),
    limit=st.integers(1, 7),
    before=st.integers(0, 10),
    after=st.integers(1, 15),
    seed=st.integers(0, 2**32),
)
def test_round_trip(which: int, limit: int, before: int, after: int, seed: int) -> None:
    env = BUILDS[which](limit)
    env.reset(seed=seed)
    advance(env, before, 1)
    snapshot = env.get_state()
    assert plain(snapshot)
    expected = advance(env, after, 2)
    fresh = BUILDS[which](limit)  # never reset
    for other in (env, fresh):
        other.set_state(snapshot)
        again = advance(other, after, 2)
        assert len(again) == len(expected)
        for x, y in zip(expected, again, strict=True):
            np.testing.assert_array_equal(x, y)
        assert other.np_random.bit_generator.state == env.np_random.bit_generator.state


@pytest.mark.parametrize("which", [1, 4])
def test_snapshot_survives_json(which: int) -> None:
    env = BUILDS[which](5)
    env.reset(seed=0)
    advance(env, 3, 0)
    text = json.dumps(env.get_state(), default=lambda array: array.tolist())
    expected = advance(env, 10, 1)
    env.set_state(json.loads(text))
    for x, y in zip(expected, advance(env, 10, 1), strict=True):
        np.testing.assert_array_equal(x, y)


def test_snapshot_is_not_changed_by_stepping() -> None:
    env = HazardGridVector(3)
    env.reset(seed=0)
    snapshot = env.get_state()
    copy = {"state": snapshot["state"].copy(), "elapsed": snapshot["elapsed"].copy()}
    env.step(np.array([1, 1, 3]))
    env.set_state(snapshot)
    env.step(np.array([1, 1, 3]))
    np.testing.assert_array_equal(snapshot["state"], copy["state"])
    np.testing.assert_array_equal(snapshot["elapsed"], copy["elapsed"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"state": np.array([0, 99])}, r"'state' must be at least 0 and below 64, got \[0, 99\]"),
        ({"state": np.array([0, -1])}, "'state' must be at least 0"),
        ({"state": np.array([0, 1, 2])}, r"'state' must hold integers of shape \(2,\), got int64"),
        ({"state": 1}, r"'state' must hold integers of shape \(2,\)"),
        ({"elapsed": np.array([0.5, 1])}, r"'elapsed' must hold integers"),
        ({"elapsed": np.array([-1, 1])}, "'elapsed' must be at least 0"),
        ({"rng": {"bit_generator": "MT19937"}}, "'rng' must be the state of a PCG64 generator"),
        ({"rng": 3}, "'rng' must be the state of a PCG64 generator"),
    ],
)
def test_a_bad_snapshot_changes_nothing(change: dict[str, Any], sentence: str) -> None:
    env = HazardGridVector(2)
    env.reset(seed=0)
    env.step(np.array([1, 3]))
    good = env.get_state()
    other = HazardGridVector(2)
    other.reset(seed=5)
    with pytest.raises(ValueError, match=sentence):
        env.set_state(other.get_state() | change)
    now = env.get_state()
    np.testing.assert_array_equal(now["state"], good["state"])
    np.testing.assert_array_equal(now["elapsed"], good["elapsed"])
    assert now["rng"] == good["rng"]


@pytest.mark.parametrize("key", ["state", "elapsed", "rng"])
def test_a_missing_entry_is_named(key: str) -> None:
    env = HazardGrid()
    env.reset(seed=0)
    snapshot = env.get_state()
    del snapshot[key]
    with pytest.raises(ValueError, match=key):
        env.set_state(snapshot)


def test_no_snapshot_before_reset() -> None:
    with pytest.raises(ResetNeeded, match="reset"):
        HazardGridVector(2).get_state()
