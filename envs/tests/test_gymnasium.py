"""The single form keeps gymnasium's promises and the constrained-environment interface."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import zoo_envs  # noqa: F401  (registers the ids)
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from zoo_envs.cmdps.constrained_catch import ConstrainedCatch
from zoo_envs.cmdps.hazard_grid import HazardGrid
from zoo_envs.cmdps.three_state import ThreeState
from zoo_envs.cmdps.two_state import TwoState
from zoo_envs.tabular.constraints import ConstraintSpec

CASES: list[tuple[str, dict[str, Any]]] = [
    ("zoo/TwoState-v0", {}),
    ("zoo/TwoState-v0", {"theta": 0.2, "gamma": 0.0}),
    ("zoo/ThreeState-v0", {}),
    ("zoo/Garnet-v0", {}),
    ("zoo/Garnet-v0", {"S": 1, "A": 1, "branching": 1, "N": 0}),
    ("zoo/HazardGrid-v0", {}),
    ("zoo/HazardGrid-v0", {"n": 2, "slip": 1.0}),
    ("zoo/ConstrainedCatch-v0", {}),
    ("zoo/ConstrainedCatch-v0", {"observation": "grid", "rows": 4, "columns": 3}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_check_env_has_nothing_to_say(name: str, options: dict[str, Any]) -> None:
    # Warnings are errors in this suite, so any remark of the checker fails here.
    check_env(gymnasium.make(name, disable_env_checker=True, **options).unwrapped)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_info_follows_the_interface(name: str, options: dict[str, Any]) -> None:
    env = gymnasium.make(name, **options)
    spec = env.get_wrapper_attr("constraint_spec")
    model = env.get_wrapper_attr("model")()
    _, info = env.reset(seed=3)
    assert info == {}
    for _ in range(20):
        action = env.action_space.sample()
        before = env.unwrapped.get_state()["state"]  # type: ignore[attr-defined]
        _, reward, terminated, truncated, info = env.step(action)
        assert info["constraints"].dtype == np.float32
        np.testing.assert_array_equal(info["constraints"], model.c[:, before, action].astype(np.float32))
        assert reward == model.r[before, action]
        assert not terminated and not truncated
        assert ("cost" in info) == (spec.senses == ("<=",))
        if "cost" in info:
            assert type(info["cost"]) is float and info["cost"] == info["constraints"][0]


def test_cost_alias_by_environment() -> None:
    keys = {}
    for cls in (TwoState, ThreeState, HazardGrid, ConstrainedCatch):
        env = cls()
        env.reset(seed=0)
        keys[cls.__name__] = "cost" in env.step(0)[4]
    assert keys == {"TwoState": False, "ThreeState": False, "HazardGrid": True, "ConstrainedCatch": False}


def test_constraint_spec_of_three_state() -> None:
    spec = ThreeState(heat=0.1).constraint_spec
    assert spec.names == ("heat", "energy") and spec.senses == ("<=", "<=")
    np.testing.assert_array_equal(spec.thresholds, [0.1, 0.3])
    assert spec.thresholds.dtype == np.float64 and not spec.thresholds.flags.writeable
    assert (spec.unit, spec.discounted) == ("step", True)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((("a",), [1.0, 2.0], ("<=",)), "one entry per constraint"),
        ((("a", "a"), [1.0, 2.0], ("<=", "<=")), "distinct"),
        ((("a",), [np.nan], ("<=",)), "'a' must be finite"),
        ((("a",), [1.0], ("<",)), "one of <=, >=, ==, got '<'"),
        ((("a",), [1.0], ("<=",), "week"), "'step' or 'episode', got 'week'"),
    ],
)
def test_constraint_spec_refuses(fields: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ConstraintSpec(*fields)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_truncation_counts_steps_and_starts_anew(limit: int) -> None:
    env = HazardGrid(max_episode_steps=limit)
    for _ in range(2):
        env.reset(seed=0)
        assert [env.step(1)[3] for _ in range(limit)] == [False] * (limit - 1) + [True]


def test_none_never_truncates_and_default_is_200() -> None:
    never, default = TwoState(max_episode_steps=None), TwoState()
    never.reset(seed=0)
    default.reset(seed=0)
    assert not any(never.step(0)[3] for _ in range(300))
    assert [default.step(0)[3] for _ in range(200)].index(True) == 199


def test_limit_of_make_can_only_shorten() -> None:
    env = gymnasium.make("zoo/TwoState-v0", max_episode_steps=3)
    env.reset(seed=0)
    assert [env.step(0)[3] for _ in range(3)] == [False, False, True]


def test_same_seed_same_trajectory_other_seed_another() -> None:
    def trajectory(seed: int) -> list[Any]:
        env = HazardGrid(slip=0.5)
        start = env.reset(seed=seed)[0]
        return [start, *(env.step(k % 4)[0] for k in range(50))]

    assert trajectory(1) == trajectory(1)
    assert trajectory(1) != trajectory(2)


@pytest.mark.parametrize("action", [-1, 4, 1.5, "up", None, True])
def test_bad_action_is_named(action: object) -> None:
    env = HazardGrid()
    env.reset(seed=0)
    before = env.get_state()
    with pytest.raises(ValueError, match=r"action must be an integer in \[0, 3\], got"):
        env.step(action)  # type: ignore[arg-type]
    assert env.get_state() == before


def test_step_before_reset() -> None:
    env = TwoState(render_mode="ansi")
    with pytest.raises(ResetNeeded, match="reset"):
        env.step(0)
    with pytest.raises(ResetNeeded, match="reset"):
        env.render()
    with pytest.raises(ResetNeeded, match="reset"):
        env.get_state()


def test_text_rendering() -> None:
    state = TwoState(render_mode="ansi")
    state.reset(seed=0)
    assert state.render() == "state 0 of 2\n"
    grid = HazardGrid(n=4, render_mode="ansi")
    grid.reset(seed=0)
    assert grid.render() == "@..." + "\n" + "..x." + "\n" + ".x.." + "\n" + "...G" + "\n"
    catch = ConstrainedCatch(rows=2, columns=3, render_mode="ansi")
    catch.reset(seed=0)
    catch.set_state(catch.get_state() | {"state": (0 * 3 + 2) * 3 + 1})
    assert catch.render() == "..o\n._.\n"
    catch.set_state(catch.get_state() | {"state": (1 * 3 + 1) * 3 + 1})
    assert catch.render() == "...\n.U.\n"
    assert TwoState().render_mode is None


def test_picture_shows_where_the_agent_is() -> None:
    env = HazardGrid(n=8, render_mode="rgb_array")
    env.reset(seed=0)
    first = env.render()
    assert first.shape == (384, 384, 3) and first.dtype == np.uint8
    agent, goal, hazard, free = (first[48 * i + 24, 48 * j + 24].tolist() for i, j in ((0, 0), (7, 7), (4, 3), (0, 1)))
    assert (agent, goal) == ([31, 119, 180], [44, 160, 44])
    assert (hazard, free) == ([214, 39, 40], [240, 240, 240])
    env.set_state(env.get_state() | {"state": 4 * 8 + 3})
    second = env.render()
    changed = (first != second).any(-1).reshape(8, 48, 8, 48).any(axis=(1, 3))
    assert np.argwhere(changed).tolist() == [[0, 0], [4, 3]]
    assert second[48 * 4 + 4, 48 * 3 + 4].tolist() == [214, 39, 40]  # what is under the agent stays to be seen


def test_unknown_render_mode() -> None:
    with pytest.raises(ValueError, match="render_mode must be None or one of ansi, got 'rgb_array'"):
        TwoState(render_mode="rgb_array")


def test_grid_observation_shows_ball_and_paddle() -> None:
    env = ConstrainedCatch(rows=4, columns=3, observation="grid")
    obs, _ = env.reset(seed=0)
    assert isinstance(obs, np.ndarray) and obs.shape == (4, 3, 2) and obs.dtype == np.float32
    assert obs[0, :, 0].sum() == obs[3, 1, 1] == 1 and obs.sum() == 2
    ball = int(obs[0, :, 0].argmax())
    after = env.step(0)[0]
    assert isinstance(after, np.ndarray)
    assert after[1, ball, 0] == after[3, 0, 1] == 1 and after.sum() == 2
