"""A stack of environments gives what its members give alone, bit for bit, by one array operation or without."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

import zoo
from tests.training.walks import Alone, Declines, Together, recorders
from zoo.errors import EnvironmentFailed, InterfaceError
from zoo.training.environments.episode_statistics import Episode
from zoo.training.environments.make_env import Recorder

S, B = 4, 3


def steps(count: int, seed: int = 0) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(2, size=(count, S, B))


def told(episodes: list[Episode]) -> list[tuple[Any, ...]]:
    return [(episode.total, episode.length, episode.constraints.tolist()) for episode in episodes]


def solo(env: Recorder, actions: NDArray[np.int64]) -> dict[str, Any]:
    """What one member gives alone: arrays [T, B, ...] and the finished episodes."""
    rows: dict[str, list[Any]] = {name: [] for name in ("obs", "reward", "terminated", "truncated", "arrived", "c")}
    for action in actions:
        obs, reward, terminated, truncated, infos = env.step(action)
        last = np.array(obs)
        for copy in np.flatnonzero(terminated | truncated):
            last[copy] = infos["final_obs"][copy]
        for name, value in zip(
            rows, (obs, reward, terminated, truncated, last, infos.get("constraints", 0)), strict=True
        ):
            rows[name].append(np.array(value))
    return {**{name: np.stack(values) for name, values in rows.items()}, "episodes": told(env.drain())}


def stacked(stack: zoo.Stack, actions: NDArray[np.int64]) -> list[dict[str, Any]]:
    """The same for each member, stepped together."""
    rows: list[tuple[Any, ...]] = []
    for action in actions:
        obs, reward, terminated, truncated, infos = stack.step(action)
        constraints = infos.get("constraints", np.zeros(S))
        rows.append((obs, reward, terminated, truncated, infos["arrived"], constraints))
    names = ("obs", "reward", "terminated", "truncated", "arrived", "c")
    columns = {name: np.stack(values, axis=1) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    return [
        {**{name: column[index] for name, column in columns.items()}, "episodes": told(env.drain())}
        for index, env in enumerate(stack.envs)
        if isinstance(env, Recorder)
    ]


def equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["episodes"] == other["episodes"]
    for name in one.keys() - {"episodes"}:
        assert one[name].dtype == other[name].dtype, name
        assert np.array_equal(one[name], other[name]), name


@pytest.mark.parametrize("cls", [Together, Alone, Declines])
def test_members_step_together_as_they_do_alone(cls: type[Alone]) -> None:
    actions = steps(40)
    expected = [solo(env, actions[:, index]) for index, env in enumerate(recorders(cls, S, B))]
    stack = zoo.stack(recorders(cls, S, B))
    assert (len(stack), stack.num_envs, stack.together) == (S, B, cls is Together)
    found = stacked(stack, actions)
    for one, other in zip(expected, found, strict=True):
        equal(one, other)
        assert len(one["episodes"]) > 5
    assert any(row["terminated"].any() for row in found) and any(row["truncated"].any() for row in found)
    assert any((row["arrived"] != row["obs"]).any() for row in found)


@pytest.mark.parametrize("cls", [Together, Alone])
def test_a_member_is_put_back_in_the_middle(cls: type[Alone]) -> None:
    actions = steps(30)
    stack = zoo.stack(recorders(cls, S, B))
    stacked(stack, actions[:10])
    saved = [env.capture() for env in stack.envs if isinstance(env, Recorder)]
    expected = stacked(stack, actions[10:])
    stacked(stack, steps(7, seed=1))
    for env, state in zip(stack.envs, saved, strict=True):
        assert isinstance(env, Recorder) and env.restore(state)
    again = stacked(stack, actions[10:])
    for one, other in zip(expected, again, strict=True):
        equal(one, other)
    fresh = recorders(cls, S, B)  # and what a stack saved is right for an environment alone
    for index, (env, state) in enumerate(zip(fresh, saved, strict=True)):
        assert env.restore(state)
        equal(expected[index], solo(env, actions[10:, index]))


@pytest.mark.parametrize("cls", [Together, Alone])
def test_one_member_may_step_and_reset_alone_in_between(cls: type[Alone]) -> None:
    actions = steps(30)
    references = recorders(cls, S, B)
    stack = zoo.stack(recorders(cls, S, B))
    member = stack.envs[2]
    assert isinstance(member, Recorder)
    for part in (slice(0, 7), slice(7, 14), slice(14, 30)):
        found = stacked(stack, actions[part])
        for index, reference in enumerate(references):
            equal(solo(reference, actions[part, index]), found[index])
        equal(solo(references[2], actions[3:9, 0]), solo(member, actions[3:9, 0]))
        if part.start:
            assert np.array_equal(references[2].reset(seed=91)[0], member.reset(seed=91)[0])
    assert np.array_equal(stack.reset(), np.stack([reference.reset()[0] for reference in references]))


def test_environments_of_gymnasium_are_stepped_one_by_one() -> None:
    def made() -> list[Recorder]:
        envs = []
        for seed in range(S):
            sync = SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * B, autoreset_mode=AutoresetMode.SAME_STEP)
            envs.append(Recorder(sync, None))
            envs[-1].reset(seed=seed)
        return envs

    actions = steps(60)
    expected = [solo(env, actions[:, index]) for index, env in enumerate(made())]
    stack = zoo.stack(made())
    assert not stack.together
    for one, other in zip(expected, stacked(stack, actions), strict=True):
        equal({name: one[name] for name in one if name != "c"}, {name: other[name] for name in other if name != "c"})
        assert one["episodes"]


def test_a_step_together_is_one_operation() -> None:
    stack = zoo.stack(recorders(Together, S, B))
    handle: Any = stack._handle
    stacked(stack, steps(5))
    assert handle.steps == 5


def test_signals_are_checked_in_a_stack_too() -> None:
    stack = zoo.stack(recorders(Together, S, B))
    handle: Any = stack._handle
    whole = handle.step

    def spoiled(actions: Any) -> Any:
        *rest, infos = whole(actions)
        infos["constraints"][7, 1] = np.nan
        return *rest, infos

    handle.step = spoiled
    with pytest.raises(EnvironmentFailed, match=r"gave NaN as constraint 'far' \(copy 1 of member 2, step 1"):
        stack.step(steps(1)[0])


class Place(gymnasium.Env[Any, Any]):
    """Counts to two and ends; its infos tell the count as an array."""

    observation_space = gymnasium.spaces.Discrete(3)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        self.place = 0
        return 0, {}

    def step(self, action: Any) -> Any:
        self.place += 1
        return self.place, 0.0, self.place == 2, False, {"told": np.array([self.place, action], np.float32)}


@pytest.mark.parametrize("members", [1, 2])
def test_infos_are_passed_on_where_asked_for_also_at_the_end_of_an_episode(members: int) -> None:
    def made() -> list[Recorder]:
        envs = [
            Recorder(SyncVectorEnv([Place] * B, autoreset_mode=AutoresetMode.SAME_STEP), None) for _ in range(members)
        ]
        for env in envs:
            env.reset(seed=0)
        return envs

    stack, silent = zoo.stack(made(), infos=["told"]), zoo.stack(made())
    actions = steps(4)[:, :members]
    for place, action in zip((1, 2, 1, 2), actions, strict=True):
        infos = stack.step(action)[4]
        assert np.array_equal(infos["told"], np.stack([np.full((members, B), place), action], axis=-1))
        assert "told" not in silent.step(action)[4]
    with pytest.raises(InterfaceError, match=r"copy 0 of the environment gave no info\['missing'\]"):
        zoo.stack(made(), infos=["missing"]).step(actions[0])


def test_infos_of_members_stepped_together_are_passed_on() -> None:
    stack = zoo.stack(recorders(Together, S, B), infos=["signals"])
    handle: Any = stack._handle
    whole = handle.step

    def telling(actions: Any) -> Any:
        *rest, infos = whole(actions)
        return *rest, infos | {"signals": np.arange(S * B)}

    handle.step = telling
    assert stack.step(steps(1)[0])[4]["signals"].tolist() == np.arange(S * B).reshape(S, B).tolist()


def test_what_cannot_be_stacked_is_refused() -> None:
    with pytest.raises(InterfaceError, match="no environment to stack"):
        zoo.stack([])
    with pytest.raises(InterfaceError, match="environment 1 of a stack differs from the first in copies"):
        zoo.stack([*recorders(Together, 1, 2), *recorders(Together, 1, 3)])
    slow = SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")])
    with pytest.raises(InterfaceError, match="environment 0 of a stack is not SAME_STEP"):
        zoo.stack([slow])
    stack = zoo.stack(recorders(Together, S, B))
    with pytest.raises(InterfaceError, match=r"shape \(3, 4\): expected 4 members of 3 copies"):
        stack.step(np.zeros((B, S), dtype=int))


def test_different_classes_are_stepped_one_by_one() -> None:
    assert not zoo.stack([*recorders(Together, 1, B), *recorders(Alone, 1, B)]).together
