"""EnvPool's tasks in the form of this package, beside EnvPool itself."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from zoo_envs.control.pool import EnvPool, EnvPoolVector
from zoo_envs.wrapping.constraint import ConstrainedVector

envpool = pytest.importorskip("envpool", reason="needs the extra zoo-envs[envpool], 0.75 GB with its assets")
SEEDS = np.random.default_rng(7).integers(2**31, size=3).tolist()


def policy(elapsed: Any) -> Any:
    """Something that depends on the step of the episode alone."""
    return (np.asarray(elapsed) // 3) % 2


def episodes_of_envpool(steps: int) -> list[list[list[float]]]:
    """Of each copy, the observations of each whole episode; EnvPool begins the next one in the next step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        envs = envpool.make("CartPole-v1", env_type="gymnasium", num_envs=3, seed=SEEDS)
        obs, info = envs.reset()
    done: list[Any] = [[] for _ in range(3)]
    under_way = [[row.tolist()] for row in obs]
    ended = np.zeros(3, bool)
    for _ in range(steps):
        obs, _, terminated, truncated, info = envs.step(policy(info["elapsed_step"]))
        for copy in range(3):
            if ended[copy]:
                done[copy].append(under_way[copy])
                under_way[copy] = []
            under_way[copy].append(obs[copy].tolist())
        ended = terminated | truncated
    return done


def test_episodes_are_those_of_envpool_reset_in_the_same_step() -> None:
    env = EnvPoolVector(3, task="CartPole-v1")
    obs, info = _with_seeds(env)
    done: list[Any] = [[] for _ in range(3)]
    under_way = [[row.tolist()] for row in obs]
    for _ in range(150):
        obs, reward, terminated, truncated, info = env.step(policy(info["elapsed_step"]))
        assert reward.tolist() == [1.0, 1.0, 1.0] and obs.dtype == np.float32
        for copy in range(3):
            if terminated[copy] or truncated[copy]:
                assert info["final_info"]["elapsed_step"][copy] == len(under_way[copy])
                done[copy].append([*under_way[copy], info["final_obs"][copy].tolist()])
                under_way[copy] = []
            under_way[copy].append(obs[copy].tolist())
    theirs = episodes_of_envpool(150)
    for copy in range(3):
        both = min(len(done[copy]), len(theirs[copy]))
        assert both >= 2 and done[copy][:both] == theirs[copy][:both]


def _with_seeds(env: EnvPoolVector) -> tuple[Any, dict[str, Any]]:
    """The first observations with the seeds that the other pool has."""

    class Drawn:
        def integers(self, high: int, size: int) -> Any:
            return np.array(SEEDS)

    env._pool.seed(Drawn())  # type: ignore[arg-type]
    obs, info = env._pool.reset()
    return obs, info


def test_a_mapping_is_one_array_with_names_and_sound_bounds() -> None:
    env = EnvPoolVector(2, task="WalkerWalk-v1", max_episode_steps=4)
    assert env.observation_parts == {"orientations": (0, 14), "height": (14, 15), "velocity": (15, 24)}
    space = env.single_observation_space
    assert space.shape == (24,) and space.dtype == np.float32 and np.isinf([space.low, space.high]).all()
    assert env.single_action_space.low.tolist() == [-1.0] * 6
    obs, _ = env.reset(seed=3)
    assert obs in env.observation_space
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        low = envpool.make("WalkerWalk-v1", env_type="gymnasium", num_envs=1).observation_space["height"].low
    assert low == np.finfo(np.float64).tiny, "EnvPool's bounds are sound by now: the repair can go"


def test_the_same_seed_is_the_same_run_and_time_limits_truncate() -> None:
    runs = []
    for _ in range(2):
        env = EnvPoolVector(2, task="WalkerWalk-v1", max_episode_steps=4)
        env.reset(seed=3)
        steps = [env.step(np.full((2, 6), 0.3)) for _ in range(9)]
        runs.append([step[0] for step in steps])
        assert [step[3].tolist() for step in steps] == [[number % 4 == 3] * 2 for number in range(9)]
        assert not any(step[2].any() for step in steps)
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0][0][0], runs[0][0][1])
    env.reset(seed=4)
    assert not np.array_equal(env.step(np.full((2, 6), 0.3))[0], runs[0][0])


def test_one_copy_is_a_plain_environment() -> None:
    env = gymnasium.make("zoo/EnvPool-v0", task="WalkerWalk-v1", max_episode_steps=3)
    assert isinstance(env.unwrapped, EnvPool)
    first = env.reset(seed=1)[0]
    for number in range(3):
        obs, reward, terminated, truncated, info = env.step(np.zeros(6, np.float32))
        assert (info["elapsed_step"], terminated, truncated) == (number + 1, False, number == 2)
    np.testing.assert_array_equal(env.reset(seed=1)[0], first)
    assert isinstance(reward, float) and obs in env.observation_space


def test_rules_know_the_names_of_the_parts() -> None:
    env = ConstrainedVector(
        EnvPoolVector(2, task="WalkerWalk-v1", max_episode_steps=3), "height <= 1; max(velocity) <= 2"
    )
    env.reset(seed=0)
    for _ in range(5):
        obs, _, _, truncated, infos = env.step(np.zeros((2, 6)))
        arrived = np.stack(list(infos["final_obs"])) if truncated.all() else obs
        expected = np.stack([arrived[:, 14], arrived[:, 15:].max(axis=1)], axis=1)
        np.testing.assert_array_equal(infos["constraints"], expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "WalkerWlak-v1"}, "EnvPool has no task called 'WalkerWlak-v1'; the nearest: WalkerWalk-v1"),
        ({"task": "WalkerWalk-v1", "options": {"frame_skp": 3}}, "refuses the options of WalkerWalk-v1: .*'frame_skp'"),
        ({"task": "WalkerWalk-v1", "max_episode_steps": 0}, "max_episode_steps must be an integer of at least 1"),
    ],
)
def test_what_is_not_there_is_one_sentence(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EnvPoolVector(1, **options)
