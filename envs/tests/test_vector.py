"""The batched form against gymnasium's SyncVectorEnv over the single form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import zoo_envs  # noqa: F401  (registers the ids)
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray
from zoo_envs.cmdps.constrained_catch import ConstrainedCatch, ConstrainedCatchVector
from zoo_envs.cmdps.garnet import Garnet, GarnetVector
from zoo_envs.cmdps.hazard_grid import HazardGrid, HazardGridVector
from zoo_envs.cmdps.three_state import ThreeState, ThreeStateVector
from zoo_envs.cmdps.two_state import TwoState, TwoStateVector
from zoo_envs.tabular.env import TabularEnv
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.vector_env import TabularVectorEnv

PAIRS: list[tuple[type[TabularEnv], type[TabularVectorEnv], dict[str, Any]]] = [
    (TwoState, TwoStateVector, {}),
    (ThreeState, ThreeStateVector, {}),
    (Garnet, GarnetVector, {}),
    (Garnet, GarnetVector, {"N": 0}),
    (HazardGrid, HazardGridVector, {"n": 3, "slip": 0.4}),
    (ConstrainedCatch, ConstrainedCatchVector, {"rows": 3, "columns": 3}),
    (ConstrainedCatch, ConstrainedCatchVector, {"rows": 3, "columns": 3, "observation": "grid"}),
]
IDS = [f"{single.__name__}-{'-'.join(map(str, options.values()))}" for single, _, options in PAIRS]


def same(a: Any, b: Any, where: str = "info") -> None:
    """Compare two infos: keys, dtypes, shapes and values, objects element by element."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            same(a[key], b[key], f"{where}[{key!r}]")
    elif isinstance(a, np.ndarray) and a.dtype == object:
        assert b.dtype == object and a.shape == b.shape, where
        for x, y in zip(a, b, strict=True):
            assert type(x) is type(y), (where, type(x), type(y))
            np.testing.assert_array_equal(x, y, err_msg=where)
    else:
        assert a.dtype == b.dtype, where
        np.testing.assert_array_equal(a, b, err_msg=where)


class Replay:
    """A generator that hands out given uniforms: one stream per copy, all copies advancing together."""

    def __init__(self, uniforms: NDArray[np.float64]) -> None:
        self.rows = iter(uniforms)

    def random(self, n: int | None = None) -> Any:
        row = next(self.rows)
        assert n is None or row.shape == (n,)
        return float(row) if n is None else row


def compare(
    single: Callable[..., TabularEnv],
    batched: Callable[..., TabularVectorEnv],
    options: dict[str, Any],
    n: int,
    limit: int | None,
) -> None:
    """Feed both forms the same uniforms; all copies end together, so their random streams stay aligned."""
    steps = 12
    uniforms = np.random.default_rng(n).random((3 * steps, n))
    ours = batched(n, max_episode_steps=limit, **options)
    theirs = SyncVectorEnv(
        [lambda: single(max_episode_steps=limit, **options)] * n, autoreset_mode=AutoresetMode.SAME_STEP
    )
    ours.np_random = Replay(uniforms)  # type: ignore[assignment]
    for i, env in enumerate(theirs.envs):
        env.unwrapped.np_random = Replay(uniforms[:, i])  # type: ignore[assignment]
    actions = np.random.default_rng(0).integers(0, ours.single_action_space.n, (steps, n))  # type: ignore[attr-defined]
    (obs, info), (their_obs, their_info) = ours.reset(), theirs.reset()
    assert info == their_info == {}
    np.testing.assert_array_equal(obs, their_obs)
    for k in range(steps):
        (obs, *rest, info), (their_obs, *their_rest, their_info) = ours.step(actions[k]), theirs.step(actions[k])
        assert obs.dtype == their_obs.dtype and obs in ours.observation_space
        np.testing.assert_array_equal(obs, their_obs)
        for x, y in zip(rest, their_rest, strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)
        ended = limit is not None and (k + 1) % limit == 0
        assert rest[2].tolist() == [ended] * n
        if ended:
            # gymnasium keeps the last signals in final_info alone; we also leave them in their usual place.
            assert "constraints" not in their_info
            same(info.pop("constraints"), their_info["final_info"]["constraints"])
            assert info.pop("_constraints").all()
            if "cost" in info:
                same(info.pop("cost"), their_info["final_info"]["cost"])
                assert info.pop("_cost").all()
        same(info, their_info)


@pytest.mark.parametrize("limit", [None, 1, 2, 5])
@pytest.mark.parametrize(("single", "batched", "options"), PAIRS, ids=IDS)
def test_equals_sync_vector_env_for_equal_uniforms(
    single: type[TabularEnv], batched: type[TabularVectorEnv], options: dict[str, Any], limit: int | None
) -> None:
    compare(single, batched, options, n=4, limit=limit)


@pytest.mark.parametrize("limit", [1, 2, 3, None])
def test_one_copy_is_the_single_form_bit_for_bit(limit: int | None) -> None:
    batched = HazardGridVector(1, slip=0.5, max_episode_steps=limit)
    single = HazardGrid(slip=0.5, max_episode_steps=limit)
    assert batched.reset(seed=9)[0][0] == single.reset(seed=9)[0]
    for k in range(40):
        obs, reward, _, truncated, _ = single.step(k % 4)
        if truncated:
            obs, _ = single.reset()
        both = batched.step(np.array([k % 4]))
        assert (both[0][0], both[1][0], both[3][0]) == (obs, reward, truncated)
    assert batched.np_random.bit_generator.state == single.np_random.bit_generator.state


@pytest.mark.parametrize("limit", [1, 2])
def test_last_signal_of_short_episodes_is_kept(random_model: Callable[..., TabularModel], limit: int) -> None:
    model = random_model(1, N=2)
    env = TabularVectorEnv(model, 5, max_episode_steps=limit)
    states, _ = env.reset(seed=0)
    for k in range(6):
        actions = np.arange(5) % 3
        after, _, _, truncations, infos = env.step(actions)
        expected = model.c[:, states, actions].T.astype(np.float32)
        np.testing.assert_array_equal(infos["constraints"], expected)
        assert infos["constraints"].dtype == np.float32 and infos["_constraints"].all()
        assert truncations.all() == ((k + 1) % limit == 0)
        if truncations.all():
            np.testing.assert_array_equal(infos["final_info"]["constraints"], expected)
        states = after


def test_copies_end_one_by_one_after_staggered_snapshots() -> None:
    env = HazardGridVector(3, max_episode_steps=4)
    env.reset(seed=0)
    env.set_state(env.get_state() | {"elapsed": np.array([3, 0, 2])})
    ends = []
    for _ in range(4):
        obs, _, _, truncations, infos = env.step(np.array([1, 1, 1]))
        ends.append(truncations.tolist())
        if truncations.any():
            assert infos["_final_obs"].tolist() == infos["_final_info"].tolist() == truncations.tolist()
            assert [x is not None for x in infos["final_obs"]] == truncations.tolist()
            assert (obs[truncations] == 0).all()
            assert infos["final_info"]["_cost"].tolist() == truncations.tolist()
        else:
            assert "final_obs" not in infos and "final_info" not in infos
    assert ends == [[True, False, False], [False, False, True], [False] * 3, [False, True, False]]


def test_final_info_is_zero_for_copies_that_go_on() -> None:
    env = GarnetVector(3, max_episode_steps=4)
    env.reset(seed=0)
    env.set_state(env.get_state() | {"elapsed": np.array([0, 3, 0])})
    infos = env.step(np.zeros(3, dtype=np.int64))[4]
    assert (infos["constraints"] > 0).all()
    np.testing.assert_array_equal(infos["final_info"]["constraints"][1], infos["constraints"][1])
    assert not infos["final_info"]["constraints"][[0, 2]].any()


def test_final_observation_is_the_state_before_the_reset() -> None:
    env = TwoStateVector(2, max_episode_steps=1)
    env.reset(seed=0)
    obs, _, _, _, infos = env.step(np.array([0, 1]))
    assert obs.tolist() == [0, 0] and infos["final_obs"].tolist() == [0, 1]


def test_copies_differ_and_a_seed_fixes_all() -> None:
    def trajectory(seed: int) -> NDArray[Any]:
        env = GarnetVector(3)
        return np.stack([env.reset(seed=seed)[0], *(env.step(np.zeros(3, dtype=int))[0] for _ in range(20))])

    first = trajectory(1)
    np.testing.assert_array_equal(first, trajectory(1))
    assert (first != trajectory(2)).any()
    assert (first[:, 0] != first[:, 1]).any() and (first[:, 1] != first[:, 2]).any()


def test_spaces_and_metadata() -> None:
    env = gymnasium.make_vec("zoo/HazardGrid-v0", num_envs=3, vectorization_mode="vector_entry_point", n=4)
    sync = gymnasium.make_vec("zoo/HazardGrid-v0", num_envs=3, vectorization_mode="sync", n=4)
    assert isinstance(env, HazardGridVector) and env.num_envs == 3
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    for name in ("single_observation_space", "single_action_space", "observation_space", "action_space"):
        assert getattr(env, name) == getattr(sync, name)
    assert env.constraint_spec.names == ("hazard",)
    assert env.model().num_states == 16


def test_returned_arrays_are_the_callers() -> None:
    env = HazardGridVector(3)
    first = env.reset(seed=0)[0]
    first[:] = 7
    second, rewards, terminations, truncations, infos = env.step(np.array([0, 0, 2]))
    # From the start, up and left stay within the first row and column; from state 7 they could not.
    assert set(second.tolist()) <= {0, 1, 8}
    kept = infos["constraints"].copy()
    for array in (second, rewards, terminations, truncations, infos["constraints"]):
        array[...] = 1
    env.set_state(env.get_state() | {"state": np.zeros(3, dtype=np.int64)})
    again = env.step(np.array([0, 0, 2]))
    np.testing.assert_array_equal(again[4]["constraints"], kept)
    assert not again[1].any() and not again[2].any() and not again[3].any()


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        (np.array([0, 4]), r"actions must lie in \[0, 3\], got 4 for copy 1"),
        (np.array([-1, 0]), r"actions must lie in \[0, 3\], got -1 for copy 0"),
        (np.array([0.0, 1.0]), r"actions must be 2 integers, got float64 of shape \[2\]"),
        (np.array([0]), r"actions must be 2 integers, got int64 of shape \[1\]"),
        (1, r"actions must be 2 integers, got int64 of shape \[\]"),
    ],
)
def test_bad_actions_are_named_and_change_nothing(actions: Any, sentence: str) -> None:
    env = HazardGridVector(2)
    env.reset(seed=0)
    before = env.get_state()
    with pytest.raises(ValueError, match=sentence):
        env.step(actions)
    after = env.get_state()
    np.testing.assert_array_equal(before["state"], after["state"])
    assert before["rng"] == after["rng"]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_any_integer_type_of_action(dtype: Any) -> None:
    env = HazardGridVector(2, slip=0.0)
    env.reset(seed=0)
    assert env.step(np.array([1, 3], dtype=dtype))[0].tolist() == [8, 1]


def test_vector_before_reset_and_bad_number_of_copies() -> None:
    with pytest.raises(ResetNeeded, match="reset"):
        TwoStateVector(2).step(np.array([0, 0]))
    with pytest.raises(ValueError, match="num_envs must be an integer of at least 1, got 0"):
        TwoStateVector(0)


def test_rendering_every_copy() -> None:
    text = HazardGridVector(2, n=2, render_mode="ansi")
    text.reset(seed=0)
    assert text.render() == ("@x\nxG\n", "@x\nxG\n")
    picture = ConstrainedCatchVector(2, render_mode="rgb_array")
    picture.reset(seed=0)
    frames = picture.render()
    assert frames is not None and [f.shape for f in frames] == [(380, 190, 3)] * 2
    silent = TwoStateVector(2)
    silent.reset(seed=0)
    assert silent.render() is None


def test_gymnasium_vector_wrapper_counts_episodes() -> None:
    env = gymnasium.wrappers.vector.RecordEpisodeStatistics(TwoStateVector(2, max_episode_steps=3))
    env.reset(seed=0)
    for _ in range(3):
        infos = env.step(np.array([0, 1]))[4]
    assert infos["episode"]["r"].tolist() == [3.0, 0.0]
    assert infos["episode"]["l"].tolist() == [3, 3]
