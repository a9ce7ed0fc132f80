"""Playing environments with recorded actions, and comparing what happened bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import gymnasium
import numpy as np

from zoo.api import Snapshot
from zoo.testing.compare import difference
from zoo.testing.contract import Contract
from zoo.training.environments.make_env import Recorder
from zoo.training.storage import checkpoint

STEPS = 60
Env = gymnasium.Env[Any, Any]


def play(contract: Contract, env: Env, *, seed: int | None = None, steps: int = STEPS) -> dict[str, Any]:
    """What ``steps`` random, reproducible actions lead to, with a reset after each episode.

    Args:
        contract: names the owner in failures.
        env: one copy.
        seed: of the first reset; None to go on from where ``env`` is.
        steps: how many.
    """
    trace: list[Any] = []
    env.action_space.seed(11)
    with contract.during("playing it"):
        if seed is not None:
            trace.append(_plain(env.reset(seed=seed)[0]))
        for _ in range(steps):
            obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
            trace.append([_plain(obs), float(reward), bool(terminated), bool(truncated), _signals(info)])
            if terminated or truncated:
                trace.append(_plain(env.reset()[0]))
    return {"step": trace}


def check_same(contract: Contract, one: dict[str, Any], other: dict[str, Any]) -> None:
    """Require that two copies with the same seed did the same."""
    problem = difference(one, other)
    contract.require(not problem, f"two copies with the same seed and actions differ: {problem}")


def check_snapshot(contract: Contract, scalar: Callable[[], Env], vector: Callable[[int], Recorder]) -> None:
    """Save in the middle, load into a fresh copy that is elsewhere, and go on: bit for bit the same.

    The single form is checked where it offers ``get_state``; the vector form wherever the core can save it.
    """
    env = scalar()
    if isinstance(env.unwrapped, Snapshot):
        play(contract, env, seed=3, steps=7)
        with contract.during("get_state()"):
            saved = _through_json(env.unwrapped.get_state())
        expected = play(contract, env)
        fresh = scalar()
        play(contract, fresh, seed=4, steps=2)
        with contract.during("set_state()"):
            fresh.unwrapped.set_state(saved)  # type: ignore[attr-defined]
        problem = difference(expected, play(contract, fresh))
        contract.require(not problem, f"set_state(get_state()) does not go on exactly: {problem}")
    with closing(vector(3)) as first, closing(vector(3)) as second:
        play_vector(contract, first, seed=3, steps=7)
        captured = first.capture()
        if captured["env"] is None:
            return
        expected = play_vector(contract, first)
        play_vector(contract, second, seed=4, steps=2)
        with contract.during("set_state() of its vector form"):
            second.restore(_through_json(captured))
        problem = difference(expected, play_vector(contract, second))
        contract.require(not problem, f"its vector form, saved and restored, does not go on exactly: {problem}")


def play_vector(contract: Contract, env: Recorder, *, seed: int | None = None, steps: int = STEPS) -> dict[str, Any]:
    """As ``play`` for a vector environment, which resets its copies itself."""
    trace: list[Any] = []
    env.action_space.seed(11)
    with contract.during("playing its vector form"):
        if seed is not None:
            trace.append(_plain(env.reset(seed=seed)[0]))
        for _ in range(steps):
            obs, reward, terminated, truncated, infos = env.step(env.action_space.sample())
            row = [_plain(obs), np.array(reward), np.array(terminated), np.array(truncated), _signals(infos)]
            trace.append(row)
    env.drain()
    return {"step": trace}


def _plain(value: Any) -> Any:
    """A copy of an observation that ``pack`` takes."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return np.array(value) if isinstance(value, np.ndarray) else value


def _signals(info: dict[str, Any]) -> Any:
    return np.array(info["constraints"]) if "constraints" in info else None


def _through_json(state: Any) -> Any:
    tensors, skeleton = checkpoint.pack({"state": state})
    return checkpoint.unpack(tensors, skeleton)["state"]
