"""Constraints by rules around environments, one or many copies, and gymnasium's own wrappers by option."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from zoo_envs.cmdps.hazard_grid import HazardGrid, HazardGridVector
from zoo_envs.control.cart_pole import CartPole, CartPoleVector
from zoo_envs.grids.four_rooms import FourRoomsVector
from zoo_envs.wrapping import options
from zoo_envs.wrapping.constraint import Constrained, ConstrainedVector, RestorableConstrainedVector


class Named(gymnasium.Env[Any, Any]):
    """A mapping as observation, an info, episodes of three steps; the number of the step is everywhere."""

    observation_space = spaces.Dict({"time": spaces.Box(-1, 9, (1,)), "pair": spaces.Box(-9, 9, (2,))})
    action_space = spaces.Box(-1.0, 1.0, (2,))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self._obs(), {"at_reset": 1}

    def _obs(self) -> dict[str, Any]:
        return {"time": np.array([self.t], np.float32), "pair": np.array([self.t, -2 * self.t], np.float32)}

    def step(self, action: Any) -> Any:
        self.t += 1
        return self._obs(), float(action[0]), self.t == 3, False, {"cost": 2.0 * self.t, "speed": self.t + 0.5}


class Six(Named):
    """safety-gymnasium's convention."""

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = super().step(action)
        return obs, reward, 5.0, terminated, truncated, info


def signals(env: Any, count: int = 3) -> list[list[float]]:
    env.reset(seed=1)
    return [env.step(np.array([0.5, -1.0], np.float32))[4]["constraints"].tolist() for _ in range(count)]


def test_parts_of_observation_action_and_info() -> None:
    rules = ["time <= 2; abs(action[1]) <= 0.5", "max(pair) >= 0; sum(obs.pair) <= 0", "speed <= 2; 2 * info.cost <= 1"]
    env = Constrained(Named(), rules)
    spec = env.constraint_spec
    assert spec.names == ("time", "abs-action-1", "max-pair", "sum-pair", "speed", "2-cost")
    assert (spec.senses, spec.unit, spec.discounted) == (("<=", "<=", ">=", "<=", "<=", "<="), "step", False)
    assert signals(env) == [[t, 1.0, t, -t, t + 0.5, 4.0 * t] for t in (1.0, 2.0, 3.0)]
    assert "cost" not in env.step(np.zeros(2))[4]


def test_one_limit_is_the_cost() -> None:
    env = Constrained(Named(), "cost <= 25 per episode")
    spec = env.constraint_spec
    assert (spec.names, spec.thresholds.tolist(), spec.unit) == (("cost",), [25.0], "episode")
    env.reset(seed=0)
    info = env.step(np.zeros(2))[4]
    assert info["cost"] == info["constraints"][0] == 2.0 and info["constraints"].dtype == np.float32


@pytest.mark.parametrize("made", [Six, lambda: gymnasium.wrappers.TimeLimit(Six(), 2)])
def test_a_step_of_six_has_its_cost_in_the_info(made: Any) -> None:
    env = Constrained(made(), "cost <= 25 per episode")
    assert signals(env, 2) == [[5.0], [5.0]]


def test_a_share_of_time_is_a_constraint() -> None:
    assert signals(Constrained(Named(), "late: (time >= 2) <= 0.5")) == [[0.0], [1.0], [1.0]]


def test_a_signal_may_be_bounded_from_both_sides() -> None:
    env = Constrained(Named(), "time >= 1; time <= 2")
    assert (env.constraint_spec.names, env.constraint_spec.senses) == (("time-min", "time-max"), (">=", "<="))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("tmie <= 1", "constraint 'tmie <= 1': there is no part called 'tmie'; the nearest: time"),
        ("at_reset <= 1", "there is no part called 'at_reset'"),
        ("pair <= 1", "pair is 2 numbers, not one"),
        ("time <= 1; time <= 2", "two constraints are called 'time-max': expected labels, as in \"mine: time <= 2\""),
        ("a: time <= 1; a: cost <= 2", "two constraints are called 'a'"),
        (
            "time <= 1 per step; cost <= 2 per episode",
            "is per episode, and 'time <= 1 per step' is per step: expected one",
        ),
        ("reward >= 1", "constraint 'reward >= 1' cannot be called 'reward': expected a label"),
        (["time <= 1", 3], "a constraint is 3: expected text"),
        ([], "a constraint is empty"),
        ("3 <= 1", "about nothing that a step gives"),
    ],
)
def test_what_cannot_be_a_constraint_is_one_sentence(rules: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Constrained(Named(), rules)


def test_an_info_that_is_left_out_later_is_told() -> None:
    class Forgets(Named):
        def step(self, action: Any) -> Any:
            *rest, info = super().step(action)
            return *rest, {} if self.t == 2 else info

    env = Constrained(Forgets(), "speed <= 1")
    env.reset(seed=0)
    env.step(np.zeros(2))
    with pytest.raises(ValueError, match="info has no 'speed' at this step, and a constraint reads it at every step"):
        env.step(np.zeros(2))


def test_its_own_constraints_come_first_and_decide_the_unit() -> None:
    env = Constrained(HazardGrid(n=3), "late: (obs >= 4) <= 0.1")
    spec = env.constraint_spec
    assert (spec.names[-1], spec.unit, spec.discounted, len(spec.names)) == ("late", "step", True, 2)
    with pytest.raises(ValueError, match="is per episode, and the environment's own are per step"):
        Constrained(HazardGrid(n=3), "obs <= 1 per episode")
    assert env.get_wrapper_attr("model") is None


def sync(make: Any, rules: Any, copies: int) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: Constrained(make(), rules)] * copies, autoreset_mode=AutoresetMode.SAME_STEP)


def step_signals(infos: dict[str, Any]) -> Any:
    """Of the step just taken: those of copies that were reset lie in their final infos."""
    values = np.array(infos["constraints"]) if "constraints" in infos else None
    final = infos.get("final_info")
    if final is not None and "_constraints" in final:
        where = final["_constraints"]
        values = np.array(final["constraints"]) if values is None else values
        values[where] = final["constraints"][where]
    return values


RULES = "tilt: abs(obs[2]) <= 0.1; far: (abs(obs[0]) > 0.05) <= 0.5; action <= 0.5"


@pytest.mark.parametrize(
    "make",
    [lambda: options.constraint_vector(CartPoleVector(3), RULES), lambda: sync(CartPole, RULES, 3)],
    ids=["one array", "copy by copy"],
)
def test_the_state_arrived_in_counts_not_the_first_of_the_next_episode(make: Any) -> None:
    env, g, ended = make(), np.random.default_rng(0), 0
    env.reset(seed=3)
    for _ in range(60):
        actions = g.integers(2, size=3)
        obs, _, terminated, _, infos = env.step(actions)
        arrived = np.array(obs)
        for copy in np.flatnonzero(terminated):
            arrived[copy] = infos["final_obs"][copy]
        ended += int(terminated.sum())
        expected = [np.abs(arrived[:, 2]), np.abs(arrived[:, 0]) > 0.05, actions]
        np.testing.assert_allclose(step_signals(infos), np.stack(expected, axis=1), rtol=1e-6)
    assert ended >= 3
    assert isinstance(options.constraint_vector(CartPoleVector(1), RULES), RestorableConstrainedVector)


def test_own_signals_and_rules_of_many_copies() -> None:
    vector = options.constraint_vector(HazardGridVector(3, n=3), "late: (obs >= 4) <= 0.5")
    plain = HazardGridVector(3, n=3)
    vector.reset(seed=0)
    plain.reset(seed=0)
    g = np.random.default_rng(0)
    for _ in range(50):
        actions = g.integers(4, size=3)
        obs, *_, infos = vector.step(actions)
        expected_obs, *_, expected = plain.step(actions)
        np.testing.assert_array_equal(obs, expected_obs)
        np.testing.assert_array_equal(infos["constraints"][:, :1], expected["constraints"])
        np.testing.assert_array_equal(infos["constraints"][:, 1], obs >= 4)
    assert infos["constraints"].dtype == np.float32 and "cost" not in infos


def test_infos_of_many_copies() -> None:
    vector = ConstrainedVector(FourRoomsVector(2, task="diminishing", max_episode_steps=4), "left: sum(remaining) <= 1")
    vector.reset(seed=0)
    seen = [vector.step(np.zeros(2, np.int64))[4]["constraints"] for _ in range(9)]
    assert all(values.shape == (2, 1) and (values > 0).all() for values in seen)


def test_members_step_together_as_each_alone() -> None:
    members = [options.constraint_vector(CartPoleVector(2), RULES) for _ in range(3)]
    alone = [options.constraint_vector(CartPoleVector(2), RULES) for _ in range(3)]
    for seed, (member, other) in enumerate(zip(members, alone, strict=True)):
        member.reset(seed=seed)
        other.reset(seed=seed)
    handle = ConstrainedVector.stacked(members)
    assert handle is not None
    g = np.random.default_rng(0)
    for _ in range(80):
        actions = g.integers(2, size=(3, 2))
        found = handle.step(actions.ravel())[4]["constraints"]
        expected = [step_signals(env.step(action)[4]) for env, action in zip(alone, actions, strict=True)]
        np.testing.assert_array_equal(found, np.concatenate(expected))
    reads = [options.constraint_vector(FourRoomsVector(2, task="diminishing"), "sum(remaining) <= 1") for _ in range(2)]
    assert ConstrainedVector.stacked(reads) is None


def test_many_copies_are_put_back_exactly() -> None:
    a, b = (options.constraint_vector(CartPoleVector(2), RULES) for _ in range(2))
    a.reset(seed=0)
    b.reset(seed=9)
    a.step(np.array([0, 1]))
    b.set_state(a.get_state())
    for _ in range(40):
        first, second = a.step(np.array([1, 1])), b.step(np.array([1, 1]))
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(step_signals(first[4]), step_signals(second[4]))


def test_wrappers_of_gymnasium_by_option() -> None:
    env = options.time_limit(options.rescale_action(options.flatten_observation(Named(), True), 3.0), 2)
    assert env.observation_space.shape == (3,) and env.action_space.high.tolist() == [3.0, 3.0]
    env.reset(seed=0)
    obs, reward, *_ = env.step(np.array([1.5, -3.0], np.float32))
    assert reward == 0.5 and obs.shape == (3,)
    assert env.step(np.zeros(2, np.float32))[2:4] == (False, True)
    named = Named()
    assert options.flatten_observation(named, False) is named


def test_a_stack_of_frames_is_what_was_seen_last() -> None:
    env = options.frame_stack(CartPole(), 3)
    seen = [env.reset(seed=0)[0][-1]] * 3
    assert env.observation_space.shape == (3, 4)
    for action in (0, 1, 1, 0):
        obs = env.step(action)[0]
        seen.append(obs[-1])
        np.testing.assert_array_equal(obs, seen[-3:])
    np.testing.assert_array_equal(env.reset(seed=0)[0], seen[:3])


@pytest.mark.parametrize(
    ("wrap", "message"),
    [
        (lambda env: options.frame_stack(env, 0), "frames must be an integer of at least 1, got 0"),
        (lambda env: options.time_limit(env, 0), "steps must be an integer of at least 1, got 0"),
        (lambda env: options.rescale_action(env, 1.0), "its actions are Discrete.* can be rescaled"),
        (lambda env: options.rescale_action(Named(), 0.0), "bound must be above 0"),
    ],
)
def test_wrappers_refuse_in_one_sentence(wrap: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrap(CartPole())


@pytest.mark.parametrize("rule", ["sqrt(1.5 - info.speed) <= 1", "1 / (info.speed - 2.5) <= 1"])
def test_a_rule_without_a_finite_value_is_told_by_its_text(rule: str) -> None:
    env = Constrained(Named(), rule)
    env.reset(seed=0)
    env.step(np.zeros(2, np.float32))
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=r"constraint '.*' is (nan|inf) at this step"):
        env.step(np.zeros(2, np.float32))
