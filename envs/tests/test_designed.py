"""The environments of the representation papers in both forms: gymnasium's promises, equality, snapshots, pictures."""

from __future__ import annotations

import importlib
import json
from typing import Any

import gymnasium
import numpy as np
import pytest
import zoo_envs  # noqa: F401  (registers the ids)
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

CASES: list[tuple[str, dict[str, Any]]] = [
    ("FourRooms", {"noise": 0.2, "start": None, "max_episode_steps": 12}),
    ("FourRooms", {"task": "goals", "noise": 0.4, "goal": 89, "num_goals": 2}),
    ("FourRooms", {"task": "diminishing", "goals": (89,), "goal_rewards": (1.0,), "noise": 0.3}),
    ("BasicGrid", {"count_start": True, "max_episode_steps": 7}),
    ("TwoRooms", {"noise": 0.1, "max_episode_steps": 9}),
    ("Escape", {"size": 4, "barrier": False, "noise": 0.3}),
    ("Escape", {"size": 8, "moves": 4, "reward_noise": 0.5, "max_episode_steps": 9}),
    ("RiverSwim", {"max_episode_steps": 8}),
    ("SixArms", {"max_episode_steps": 8}),
    ("ForagingPatches", {"travel": 2, "max_episode_steps": 9}),
]
IDS = [f"{name}-{index}" for index, (name, _) in enumerate(CASES)]


def load(target: Any) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def single(name: str, **options: Any) -> Any:
    return load(gymnasium.spec(f"zoo/{name}-v0").entry_point)(**options)


def batched(name: str, copies: int, **options: Any) -> Any:
    return load(gymnasium.spec(f"zoo/{name}-v0").vector_entry_point)(copies, **options)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_check_env_has_nothing_to_say(name: str, options: dict[str, Any]) -> None:
    check_env(gymnasium.make(f"zoo/{name}-v0", disable_env_checker=True, **options).unwrapped)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_one_copy_is_the_single_form_bit_for_bit(name: str, options: dict[str, Any]) -> None:
    one, many = single(name, **options), batched(name, 1, **options)
    (obs, info), (their_obs, their_info) = one.reset(seed=9), many.reset(seed=9)
    ended = 0
    for k in range(150):
        assert their_obs[0] == obs
        assert set(their_info) - {"final_obs", "final_info"} >= set(info)
        for key in info:
            np.testing.assert_array_equal(their_info[key][0], info[key])
        action = (7 * k + k // 5) % one.action_space.n
        obs, *rest, info = one.step(action)
        their_obs, *their_rest, their_info = many.step(np.array([action]))
        assert [x[0] for x in their_rest] == rest
        if rest[1] or rest[2]:
            ended += 1
            assert their_info["final_obs"][0] == obs
            for key in info:
                np.testing.assert_array_equal(their_info["final_info"][key][0], info[key])
            obs, info = one.reset()
    assert ended >= 3
    assert many.np_random.bit_generator.state == one.np_random.bit_generator.state


def leaves(info: dict[str, Any]) -> dict[str, Any]:
    """An info with its nested mappings flattened."""
    flat: dict[str, Any] = {}
    for key, value in info.items():
        flat |= {f"{key}/{k}": v for k, v in leaves(value).items()} if isinstance(value, dict) else {key: value}
    return flat


@pytest.mark.parametrize("name", ["BasicGrid", "TwoRooms", "FourRooms"])
def test_layout_is_that_of_sync_vector_env(name: str) -> None:
    # Without noise and with one start nothing is random.
    options: dict[str, Any] = {"max_episode_steps": 6, "goals": (26,), "goal_rewards": (2.0,)}
    options |= {"TwoRooms": {"goals": (107,)}, "FourRooms": {"goals": (89,), "task": "diminishing"}}.get(name, {})
    ours = batched(name, 4, **options)
    theirs = SyncVectorEnv([lambda: single(name, **options)] * 4, autoreset_mode=AutoresetMode.SAME_STEP)
    mine, its = ours.reset(seed=0), theirs.reset(seed=0)
    A = ours.single_action_space.n
    for actions in [None, *np.random.default_rng(0).integers(0, A, (30, 4))]:
        if actions is not None:
            mine, its = ours.step(actions), theirs.step(actions)
        for x, y in zip(mine[:-1], its[:-1], strict=True):
            np.testing.assert_array_equal(x, y)
            assert x.dtype == y.dtype
        mine_info, its_info = leaves(mine[-1]), leaves(its[-1])
        assert mine_info.keys() == its_info.keys()
        for key in mine_info:
            assert mine_info[key].dtype == its_info[key].dtype
            np.testing.assert_array_equal(mine_info[key], its_info[key], err_msg=key)


def play(env: Any, steps: int, seed: int) -> list[Any]:
    seen: list[Any] = []
    copies = getattr(env, "num_envs", None)
    A = (env.action_space if copies is None else env.single_action_space).n
    for actions in np.random.default_rng(seed).integers(0, A, (steps, copies or 1)):
        obs, reward, terminated, truncated, info = env.step(actions[0] if copies is None else actions)
        seen += [obs, reward, terminated, truncated, info.get("remaining", 0)]
        if copies is None and (terminated or truncated):
            seen.append(env.reset()[0])
    return seen


@pytest.mark.parametrize("copies", [None, 3])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_snapshot_goes_on_bit_for_bit(name: str, options: dict[str, Any], copies: int | None) -> None:
    def build() -> Any:
        return single(name, **options) if copies is None else batched(name, copies, **options)

    env = build()
    env.reset(seed=5)
    play(env, 6, 1)
    snapshot = env.get_state()
    text = json.dumps(snapshot, default=lambda array: array.tolist())
    expected = play(env, 25, 2)
    fresh = build()
    for other, state in ((env, snapshot), (fresh, json.loads(text))):
        other.set_state(state)
        for x, y in zip(expected, play(other, 25, 2), strict=True):
            np.testing.assert_array_equal(x, y)


def frequencies(name: str, options: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return |z| of transition frequencies [S,A,S], and of the rewards of each action [A], against the model."""
    env = batched(name, 400, **options)
    model = env.model()
    S, A = model.r.shape
    counts, paid, squares = np.zeros((S, A, S)), np.zeros((S, A)), np.zeros((S, A))
    obs, _ = env.reset(seed=4)
    for actions in np.random.default_rng(6).integers(0, A, (60, 400)):
        after, rewards, terminations, truncations, infos = env.step(actions)
        arrived, done = after.copy(), terminations | truncations
        if done.any():
            arrived[done] = infos["final_obs"][done].astype(np.int64)
        np.add.at(counts, (obs, actions, arrived), 1)
        np.add.at(paid, (obs, actions), rewards)
        np.add.at(squares, (obs, actions), rewards**2)
        obs = after
    n = counts.sum(-1, keepdims=True)
    spread = np.sqrt(n * model.P * (1 - model.P))
    assert counts[model.P == 0].sum() == 0
    z = np.divide(counts - n * model.P, spread, out=np.zeros_like(spread), where=(spread > 0) & (n * model.P > 5))
    # Rewards are rare in some states, so they are judged by action.
    error = np.sqrt((squares - paid**2 / np.maximum(n[..., 0], 1)).sum(0))
    return np.abs(z), np.abs((paid - n[..., 0] * model.r).sum(0)) / (error + 1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [CASES[0], CASES[5], CASES[6], ("RiverSwim", {}), ("SixArms", {}), ("FourRooms", {"stay": True, "noise": 0.5})],
)
def test_sampled_as_the_model_says(name: str, options: dict[str, Any]) -> None:
    transitions, rewards = frequencies(name, options | ({"wall_penalty": 1.0} if name == "FourRooms" else {}))
    assert transitions.max() < 5 and rewards.max() < 5


def test_pictures() -> None:
    env: Any = single("FourRooms", render_mode="rgb_array", task="diminishing", start=79, lam=0.0)
    env.reset(seed=0)
    wall, agent, goal, free = ([90] * 3, [31, 119, 180], [44, 160, 44], [240] * 3)

    def colour(cell: int) -> list[int]:
        found: list[int] = env.render()[34 * (cell // 11) + 17, 34 * (cell % 11) + 17].tolist()
        return found

    assert env.render().shape == (374, 374, 3) and env.render().dtype == np.uint8
    assert [colour(cell) for cell in (0, 79, 80, 78)] == [wall, agent, goal, free]
    env.step(1)
    assert [colour(cell) for cell in (79, 80)] == [free, agent]
    env.step(3)
    assert colour(80) == free  # it pays no more
    text: Any = batched("FourRooms", 2, render_mode="ansi", task="goals", goal=89)
    text.reset(seed=0)
    first = text.render()[0].splitlines()
    assert (first[9][1], first[8][1], first[0]) == ("@", "G", "#" * 11)
    text.step(np.array([0, 1]))
    boards = [board.splitlines() for board in text.render()]
    assert boards[0][8][1] == "@" and sum(row.count("G") for row in boards[0]) == 1  # the goal has moved
    assert boards[1][8][1] == "G"


@pytest.mark.parametrize(
    "name", ["four-rooms", "basic-grid", "two-rooms", "escape", "riverswim", "sixarms", "foraging-patches"]
)
def test_conformance(name: str) -> None:
    pytest.importorskip("zoo.testing").check_environment(name)


def test_the_kit_raises_no_alarm_over_a_rare_reward():
    testing = pytest.importorskip("zoo.testing")
    testing.check_environment("four-rooms", noise=0.3, stay=True, wall_penalty=1.0)  # a penalty of probability .06
