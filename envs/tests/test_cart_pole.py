"""The array form is gymnasium's CartPole-v1, number by number, and keeps what all batched environments promise."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import zoo_envs  # noqa: F401  (registers the ids)
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from zoo_envs.control.cart_pole import CartPole, CartPoleVector

B = 3


def balance(obs: Any) -> Any:
    """A policy that often lasts until the time limit."""
    return (np.asarray(obs) @ np.array([0.1, 0.5, 3.0, 1.0]) > 0).astype(np.int64)


def test_spaces_are_gymnasiums() -> None:
    theirs, ours = gymnasium.make("CartPole-v1"), CartPole()
    assert ours.observation_space == theirs.observation_space == CartPoleVector(2).single_observation_space
    assert ours.action_space == theirs.action_space == CartPoleVector(2).single_action_space
    spec = gymnasium.spec("CartPole-v1")
    assert spec.max_episode_steps == CartPole()._limit == CartPoleVector()._limit == 500


@pytest.mark.filterwarnings("ignore:.*A Box observation space m.*infinity")  # velocities, as in gymnasium's
def test_check_env_has_nothing_to_say() -> None:
    check_env(gymnasium.make("zoo/CartPole-v0", disable_env_checker=True).unwrapped)


@pytest.mark.parametrize("good", [False, True])
def test_each_step_equals_gymnasiums_bit_for_bit(good: bool) -> None:
    """With the same seed, through resets, for the single form and for one copy of the batched one."""
    theirs, single, batched = gymnasium.make("CartPole-v1"), CartPole(), CartPoleVector(1)
    expected = theirs.reset(seed=11)[0]
    obs, rows = single.reset(seed=11)[0], batched.reset(seed=11)[0]
    actions = np.random.default_rng(5).integers(0, 2, 1500)
    ends = [0, 0]
    for action in actions.tolist():
        np.testing.assert_array_equal(obs, expected)
        np.testing.assert_array_equal(rows[0], expected)
        if good:
            action = int(balance(expected))
        expected, reward, terminated, truncated, _ = theirs.step(action)
        obs, *rest = single.step(action)
        rows, *several, infos = batched.step(np.array([action]))
        assert tuple(rest) == (reward, terminated, truncated, {})
        assert [part.tolist() for part in several] == [[reward], [terminated], [truncated]]
        if terminated or truncated:
            ends[truncated] += 1
            np.testing.assert_array_equal(infos["final_obs"][0], expected)
            expected, obs = theirs.reset()[0], single.reset()[0]
    assert ends[0] > 20 or (good and ends[1] >= 2)


def test_copies_differ_and_equal_gymnasiums_physics() -> None:
    """Each of many copies, from states far from the start as well."""
    rng, env = np.random.default_rng(3), CartPoleVector(200)
    env.reset(seed=0)
    physics = rng.uniform(-1, 1, (200, 4)) * [2.7, 3.0, 0.23, 3.0]
    env.set_state(env.get_state() | {"state": physics})
    actions = rng.integers(0, 2, 200)
    _, reward, terminated, truncated, infos = env.step(actions)
    theirs: Any = gymnasium.make("CartPole-v1").unwrapped
    for copy in range(200):
        theirs.reset(seed=0)
        theirs.state = physics[copy]
        obs, pay, over, *_ = theirs.step(int(actions[copy]))
        assert (reward[copy], terminated[copy]) == (pay, over)
        np.testing.assert_array_equal(infos["final_obs"][copy] if over else env.get_state()["state"][copy], (
            obs if over else theirs.state
        ))  # fmt: skip
    assert 20 < terminated.sum() < 180
    assert not truncated.any()


def test_first_states_are_uniform_and_drawn_anew() -> None:
    env = CartPoleVector(4000)
    first = env.reset(seed=1)[0]
    assert np.abs(first).max() < 0.05 and first.dtype == np.float32
    # Standard error of a mean of 4,000 uniforms of width .1: .00046; of their variance: .0000098.
    np.testing.assert_allclose(first.mean(axis=0), 0, atol=0.002)
    np.testing.assert_allclose(first.var(axis=0), 0.1**2 / 12, atol=5e-5)
    assert len(np.unique(first[:, 0])) > 3900


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_autoreset_is_that_of_gymnasiums_sync_vector_env(limit: int) -> None:
    ours = CartPoleVector(B, max_episode_steps=limit)
    theirs = SyncVectorEnv(
        [lambda: CartPole(max_episode_steps=limit)] * B, autoreset_mode=AutoresetMode.SAME_STEP
    )  # fmt: skip
    ours.reset(seed=0)
    theirs.reset(seed=0)
    kept = ours.get_state()
    for copy, env in enumerate(theirs.envs):
        env.unwrapped.set_state({"state": kept["state"][copy], "elapsed": 0, "rng": kept["rng"]})
    for step in range(1, limit + 1):
        actions = np.arange(B) % 2
        obs, reward, terminated, truncated, infos = ours.step(actions)
        expected, *rest, their_infos = theirs.step(actions)
        assert [part.tolist() for part in rest] == [reward.tolist(), terminated.tolist(), truncated.tolist()]
        assert truncated.tolist() == [step == limit] * B
        if step < limit:
            np.testing.assert_array_equal(obs, expected)
    assert infos.keys() == their_infos.keys() == {"final_obs", "_final_obs", "final_info", "_final_info"}
    for copy in range(B):
        np.testing.assert_array_equal(infos["final_obs"][copy], their_infos["final_obs"][copy])
    np.testing.assert_array_equal(infos["_final_obs"], their_infos["_final_obs"])
    assert (np.abs(obs) < 0.05).all() and not np.array_equal(obs, np.stack(list(infos["final_obs"])))
    assert ours.get_state()["elapsed"].tolist() == [0] * B


def test_a_late_fall_is_no_time_limit() -> None:
    for env in (CartPole(max_episode_steps=1), CartPoleVector(1, max_episode_steps=1)):
        env.reset(seed=0)
        state = env.get_state()
        env.set_state(state | {"state": np.full_like(state["state"], 2.39) * [1, 1, 0, 0]})
        told = env.step(1 if isinstance(env, CartPole) else np.array([1]))
        assert (bool(told[2]), bool(told[3])) == (True, False)


def group(members: int = 4) -> list[CartPoleVector]:
    made = [CartPoleVector(B, max_episode_steps=40) for _ in range(members)]
    for seed, member in enumerate(made):
        member.reset(seed=seed)
    return made


def compare(alone: list[CartPoleVector], stack: Any, steps: int, seed: int) -> int:
    """Step both with the same actions, and return the number of episodes that ended."""
    ended = 0
    for actions in np.random.default_rng(seed).integers(0, 2, (steps, len(alone), B)):
        told = [member.step(row) for member, row in zip(alone, actions, strict=True)]
        obs, rewards, terminations, truncations, infos = stack.step(actions.ravel())
        for index, together in enumerate((obs, rewards, terminations, truncations)):
            np.testing.assert_array_equal(together, np.concatenate([step[index] for step in told]))
        for m, (after, *_, info) in enumerate(told):
            arrived = after.copy()
            for copy in np.flatnonzero(info.get("_final_obs", np.zeros(B, dtype=bool))):
                arrived[copy] = info["final_obs"][copy]
            np.testing.assert_array_equal(infos["arrived"][m * B : (m + 1) * B], arrived)
        assert infos.keys() == {"arrived"}
        ended += int((terminations | truncations).sum())
    return ended


def test_members_together_do_what_each_does_alone() -> None:
    alone, together = group(), group()
    stack = CartPoleVector.stacked(together)
    assert compare(alone, stack, 60, seed=1) > 15
    saved = [member.get_state() for member in together]
    for members in (alone, together):
        members[1].step(np.zeros(B, dtype=np.int64))
        members[2].reset()
        members[3].reset(seed=77)
    compare(alone, stack, 30, seed=2)
    for members in (alone, together):
        for member, state in zip(members, saved, strict=True):
            member.set_state(state)
    compare(alone, stack, 30, seed=3)


def test_members_that_differ_are_declined_and_one_never_reset_is_told() -> None:
    assert CartPoleVector.stacked([CartPoleVector(2), CartPoleVector(3)]) is None
    assert CartPoleVector.stacked([CartPoleVector(2), CartPoleVector(2, max_episode_steps=9)]) is None
    members = [CartPoleVector(2), CartPoleVector(2)]
    stack = CartPoleVector.stacked(members)
    members[0].reset(seed=0)
    with pytest.raises(ResetNeeded, match="every member"):
        stack.step(np.zeros(4, dtype=np.int64))


def test_what_is_returned_belongs_to_the_caller() -> None:
    first, second = CartPoleVector(B), CartPoleVector(B)
    for env in (first, second):
        env.reset(seed=2)
    for _ in range(40):
        spoilt = first.step(np.ones(B, dtype=np.int64))
        for array in spoilt[:4]:
            array[...] = 1
        clean = second.step(np.ones(B, dtype=np.int64))
    np.testing.assert_array_equal(first.get_state()["state"], second.get_state()["state"])
    assert not np.array_equal(spoilt[0], clean[0])


@pytest.mark.parametrize("batched", [False, True])
def test_a_snapshot_continues_bit_for_bit(batched: bool) -> None:
    def make() -> Any:
        return CartPoleVector(B, max_episode_steps=20) if batched else CartPole(max_episode_steps=20)

    def onwards(env: Any) -> list[Any]:
        seen = []
        for action in np.random.default_rng(4).integers(0, 2, 50):
            told = env.step(np.full(B, action) if batched else int(action))
            seen.append(told[:4])
            if not batched and (told[2] or told[3]):
                seen.append(env.reset()[0])
        return seen

    env = make()
    env.reset(seed=3)
    onwards(env)
    kept = env.get_state()
    expected = onwards(env)
    fresh = make()
    for other in (env, fresh):
        other.set_state(kept)
        for mine, its in zip(onwards(other), expected, strict=True):
            for x, y in zip(mine, its, strict=True):
                np.testing.assert_array_equal(x, y)


def test_mistakes_are_one_sentence() -> None:
    for env in (CartPole(render_mode="ansi"), CartPoleVector(2, render_mode="ansi")):
        action = 1 if isinstance(env, CartPole) else np.ones(2, dtype=np.int64)
        for call in (env.get_state, env.render, lambda env=env, action=action: env.step(action)):
            with pytest.raises(ResetNeeded, match="reset"):
                call()
        env.reset(seed=0)
        good = env.get_state()
        with pytest.raises(ValueError, match=r"'state' must hold finite numbers of shape"):
            env.set_state(good | {"state": np.full_like(good["state"], np.nan)})
        with pytest.raises(ValueError, match=r"'state' must hold finite numbers of shape"):
            env.set_state(good | {"state": [0.0, 0.0]})
        with pytest.raises(ValueError, match=r"'elapsed' must hold integers"):
            env.set_state(good | {"elapsed": 0.5})
        np.testing.assert_array_equal(env.get_state()["state"], good["state"])
    single = CartPole()
    single.reset(seed=0)
    with pytest.raises(ValueError, match=r"action must be an integer in \[0, 1\], got 2"):
        single.step(2)
    with pytest.raises(ValueError, match="max_episode_steps must be an integer of at least 1, got 0"):
        CartPole(max_episode_steps=0)
    with pytest.raises(ValueError, match="render_mode must be None or one of ansi"):
        CartPoleVector(render_mode="human")


def test_it_is_shown_as_a_line() -> None:
    env = CartPole(render_mode="ansi")
    env.reset(seed=0)
    env.set_state(env.get_state() | {"state": [0.0312, 0, np.pi / 180, 0]})
    assert env.render() == "cart +0.031 m, pole +1.0 degrees\n"
    assert CartPoleVector(2).render() is None
    never = CartPole(max_episode_steps=None)
    obs, _ = never.reset(seed=0)
    told: Any = (obs,)
    for _ in range(600):
        told = never.step(int(balance(told[0])))
    assert told[2:4] == (False, False)


def test_its_picture_is_that_of_gymnasium() -> None:
    pytest.importorskip("pygame")
    mine, theirs = (
        made(render_mode="rgb_array") for made in (CartPole, lambda **kw: gymnasium.make("CartPole-v1", **kw))
    )
    for env in (mine, theirs):
        env.reset(seed=4)
        for action in (1, 1, 1, 0):
            env.step(action)
    np.testing.assert_array_equal(mine.render(), theirs.render())
    mine.close()
    theirs.close()


def test_conformance() -> None:
    pytest.importorskip("zoo.testing").check_environment("cart-pole")
