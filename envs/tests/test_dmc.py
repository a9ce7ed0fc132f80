"""Tasks of the control suite: what is told without it, and that they are the suite's, with its physics' signal."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
import pytest
import zoo_envs  # noqa: F401  (registers the ids)
from gymnasium.error import ResetNeeded
from zoo_envs.control import dmc
from zoo_envs_plugin import TABLE

CLASSES = [dmc.WalkerWalkHeight, dmc.ReacherEasySpeed, dmc.QuadrupedWalkEffort, dmc.HumanoidWalkHeight]
SIZES = {"walker": (24, 6), "reacher": (6, 2), "quadruped": (78, 12), "humanoid": (67, 21)}
installed = pytest.mark.skipif(find_spec("dm_control") is None, reason="the extra dmc is not installed")


def test_without_the_extra_one_sentence_names_it() -> None:
    code = (
        "import sys; sys.modules['dm_control'] = None\n"
        "import gymnasium, zoo_envs.control.dmc\n"
        "for make in (lambda: gymnasium.make('zoo/DMC-walker-walk-height-v0', threshold=1.0),\n"
        "             lambda: zoo_envs.control.dmc.ReacherEasySpeed()):\n"
        "    try:\n"
        "        make()\n"
        "    except ImportError as error:\n"
        "        print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == 2
    for line in said:
        assert re.fullmatch(
            r"dm_control cannot be imported \(.*\): install it with pip install 'zoo-envs\[dmc\]'", line
        )


def test_ids_follow_domain_task_and_constraint() -> None:
    rows = [row for row in TABLE if row.needs == "dm_control" and "constraints" in row.offers]
    assert [row.target for row in rows] == [f"zoo_envs.control.dmc:{cls.__name__}" for cls in CLASSES]
    for row, cls in zip(rows, CLASSES, strict=True):
        parts = (cls.domain, cls.task, dmc.SIGNALS[cls.domain][0])
        assert row.gymnasium_id == "zoo/DMC-{}-{}-{}-v0".format(*parts)
        assert row.name == "dmc-{}-{}-{}".format(*parts)


def rollout(env: dmc.ControlSuite, steps: int, seed: int = 5) -> np.ndarray:
    """All that was seen, one row a step; random actions."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(steps):
        obs, reward, terminated, truncated, info = env.step(rng.uniform(-1, 1, env.action_space.shape))
        rows.append(np.concatenate([obs, [reward, terminated, truncated], info["constraints"]]))
        if truncated:
            rows[-1][: len(obs)] += env.reset()[0]
    return np.array(rows)


@installed
@pytest.mark.parametrize("cls", CLASSES)
def test_a_step_is_the_suites_and_its_signal_that_of_the_physics(cls: type[dmc.ControlSuite]) -> None:
    from dm_control import suite

    env = cls(threshold=1.0, max_episode_steps=4)
    assert (env.observation_space.shape, env.action_space.shape) == tuple((n,) for n in SIZES[cls.domain])
    first = env.reset(seed=3)[0]
    seed = int(np.random.default_rng(3).integers(2**31))
    theirs = suite.load(cls.domain, cls.task, task_kwargs={"random": 0})
    theirs.task.random.seed(seed)
    for episode in range(2):
        expected = np.concatenate([np.ravel(part) for part in theirs.reset().observation.values()])
        obs = first if episode == 0 else env.reset()[0]
        np.testing.assert_array_equal(obs, expected.astype(np.float32))
        for step, action in enumerate(np.random.default_rng(1).uniform(-1, 1, (4, *env.action_space.shape))):
            obs, reward, terminated, truncated, info = env.step(action)
            told, physics = theirs.step(action), theirs.physics
            expected = np.concatenate([np.ravel(part) for part in told.observation.values()])
            np.testing.assert_array_equal(obs, expected.astype(np.float32))
            assert (reward, terminated, truncated) == (told.reward, False, step == 3)
            signal = {
                "walker": lambda physics=physics: physics.named.data.xpos["torso", "z"],
                "reacher": lambda physics=physics: max(abs(speed) for speed in physics.data.qvel),
                "quadruped": lambda action=action: sum(abs(np.clip(action, -1, 1.1))) / 12,
                "humanoid": lambda physics=physics: physics.named.data.xpos["head", "z"],
            }[cls.domain]()
            assert info["constraints"].dtype == np.float32
            assert info["constraints"].tolist() == pytest.approx([signal], rel=1e-6)
            assert info["cost"] == info["constraints"][0]


@installed
@pytest.mark.parametrize("cls", CLASSES)
def test_a_snapshot_continues_bit_for_bit(cls: type[dmc.ControlSuite]) -> None:
    env = cls(threshold=1.0, max_episode_steps=30)
    env.reset(seed=1)
    rollout(env, 20)
    kept = env.get_state()
    expected = rollout(env, 25, seed=2)
    assert expected[:, -2].sum() == 1  # one episode ends on the way, and the next begins where the suite's stream is
    for other in (env, cls(threshold=1.0, max_episode_steps=30)):
        other.set_state(kept)
        np.testing.assert_array_equal(rollout(other, 25, seed=2), expected)


@installed
def test_the_constraint_is_as_asked_for() -> None:
    spec = dmc.WalkerWalkHeight(threshold=1.1, sense=">=").constraint_spec
    assert (spec.names, spec.thresholds.tolist(), spec.senses) == (("height",), [1.1], (">=",))
    assert (spec.unit, spec.discounted) == ("step", False)
    env = dmc.ReacherEasySpeed(threshold=2.0, sense=">=")
    env.reset(seed=0)
    assert "cost" not in env.step(np.zeros(2))[4]


@installed
def test_equal_seeds_agree_and_others_differ() -> None:
    def start(seed: int) -> Any:
        env = dmc.ReacherEasySpeed(threshold=1.0)
        return [env.reset(seed=seed)[0], env.reset()[0]]

    np.testing.assert_array_equal(start(1), start(1))
    assert not np.array_equal(start(1)[0], start(2)[0])
    assert not np.array_equal(*start(1))


@installed
def test_mistakes_are_one_sentence() -> None:
    with pytest.raises(
        ValueError, match="threshold must be given, the bound of the average speed: there is no default"
    ):
        gymnasium.make("zoo/DMC-reacher-easy-speed-v0")
    with pytest.raises(ValueError, match="threshold must be a finite number, got nan"):
        dmc.ReacherEasySpeed(threshold=float("nan"))
    with pytest.raises(ValueError, match="sense must be one of <=, >=, ==, got '<'"):
        dmc.ReacherEasySpeed(threshold=1.0, sense="<")  # type: ignore[arg-type]
    env = dmc.ReacherEasySpeed(threshold=1.0)
    for call in (env.get_state, lambda: env.step(np.zeros(2))):
        with pytest.raises(ResetNeeded, match="reset"):
            call()
    env.reset(seed=0)
    for action in (np.zeros(3), [np.nan, 0.0]):
        with pytest.raises(ValueError, match=r"action must be \(2,\) finite numbers"):
            env.step(action)  # type: ignore[arg-type]
    kept = env.get_state()
    with pytest.raises(ValueError, match="'physics' must hold numbers of shape"):
        env.set_state(kept | {"physics": [1.0]})
    with pytest.raises(ValueError, match="'rng' must be the state of a RandomState"):
        env.set_state(kept | {"rng": {}})


@installed
def test_conformance() -> None:
    pytest.importorskip("zoo.testing").check_environment("dmc-reacher-easy-speed", threshold=1.0)
