"""The sequences as episodes of one step, alone and in copies."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import zoo_envs  # noqa: F401  (registers the ids)
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from zoo_envs.icl.environment import ICLExemplars, ICLExemplarsVector

from zoo.testing import check_environment

OPTIONS: dict[str, Any] = {"class_split": (6, 0, 2), "dim": 3}


@pytest.mark.parametrize(
    "options",
    [{}, {"labels": "mod", "num_labels": 4, "p_bursty": 0.5, "context": 4, "zipf_alpha": 1.0, "noise": 0.1} | OPTIONS],
    ids=["default", "mixture"],
)
def test_keeps_the_contract_of_environments(options: dict[str, Any]) -> None:
    check_environment("icl-exemplars", **options)


def test_an_observation_is_the_sequence_with_its_labels() -> None:
    env = ICLExemplars(**OPTIONS)
    obs, info = env.reset(seed=0)
    assert info == {} and obs.shape == (3, 8) and obs.dtype == np.float32
    batch = env.batch
    assert batch is not None
    np.testing.assert_array_equal(obs[:, :3], batch.x[0])
    np.testing.assert_array_equal(obs[:2, 3:].argmax(1), batch.y[0, :2])
    assert obs[:2, 3:].sum() == 2 and not obs[2, 3:].any()


@pytest.mark.parametrize("right", [True, False])
def test_only_the_right_label_pays(right: bool) -> None:
    env = ICLExemplars(**OPTIONS)
    obs, _ = env.reset(seed=0)
    assert env.batch is not None
    target = int(env.batch.y[0, -1])
    after, reward, terminated, truncated, info = env.step(target if right else (target + 1) % 5)
    assert (reward, terminated, truncated, info) == (float(right), True, False, {"target": target})
    np.testing.assert_array_equal(after, obs)


def test_copies_end_together_and_keep_what_they_ended_in() -> None:
    env = ICLExemplarsVector(4, **OPTIONS)
    assert env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    obs, _ = env.reset(seed=1)
    assert env.batch is not None
    target = env.batch.y[:, -1].copy()
    actions = target.copy()
    actions[0] = (actions[0] + 1) % 5
    following, reward, terminated, truncated, infos = env.step(actions)
    assert reward.tolist() == [0, 1, 1, 1] and terminated.all() and not truncated.any()
    np.testing.assert_array_equal(np.stack(list(infos["final_obs"])), obs)
    np.testing.assert_array_equal(infos["target"], target)
    assert (following != obs).any() and env.observation_space.contains(following)


def test_gymnasium_makes_both_forms() -> None:
    single = gymnasium.make("zoo/ICLExemplars-v0", **OPTIONS)
    assert single.reset(seed=0)[0].shape == (3, 8)
    many = gymnasium.make_vec("zoo/ICLExemplars-v0", num_envs=3, vectorization_mode="vector_entry_point")
    assert many.reset(seed=0)[0].shape == (3, 3, 69)


def test_rendering_names_classes_and_labels() -> None:
    env = ICLExemplars(render_mode="ansi", **OPTIONS)
    env.reset(seed=0)
    batch = env.batch
    assert batch is not None
    (a, b, q), (y, z, _) = batch.classes[0], batch.y[0]
    assert env.render() == f"{a}:{y} {b}:{z} {q}:?\n"


def test_misuse_is_refused() -> None:
    env, many = ICLExemplars(**OPTIONS), ICLExemplarsVector(2, **OPTIONS)
    with pytest.raises(ResetNeeded):
        env.step(0)
    with pytest.raises(ResetNeeded):
        many.get_state()
    env.reset(seed=0)
    many.reset(seed=0)
    with pytest.raises(ValueError, match=r"action must be an integer in \[0, 4\], got 5"):
        env.step(5)
    with pytest.raises(ValueError, match="actions must be 2 integers"):
        many.step(np.array([0]))
    with pytest.raises(ValueError, match=r"actions must lie in \[0, 4\], got 0 to 5"):
        many.step(np.array([0, 5]))
    with pytest.raises(ValueError, match=r"'x' must have shape \(1, 3, 3\), got \(2, 3, 3\)"):
        env.set_state(many.get_state())
    with pytest.raises(TypeError, match="burstines"):
        ICLExemplars(burstines=1)
