"""Terminal states: what a model may say of them, and episodes that end in them, in both forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray
from zoo_envs.tabular.env import TabularEnv
from zoo_envs.tabular.io import load_model
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.vector_env import TabularVectorEnv

Models = Callable[..., TabularModel]


def ending(model: TabularModel, states: list[int]) -> dict[str, Any]:
    """Arrays of `model` with `states` made absorbing, and the mask."""
    P, r, c = model.P.copy(), model.r.copy(), model.c.copy()
    terminal = np.zeros(model.num_states, dtype=np.bool_)
    terminal[states] = True
    P[states] = np.eye(model.num_states)[states][:, None]
    r[states] = 0.0
    c[:, states] = 0.0
    rho = np.where(terminal, 0.0, model.rho)
    kept = {"gamma": model.gamma, "b": model.b, "senses": model.senses, "names": model.names}
    return {"P": P, "r": r, "c": c, "rho": rho / rho.sum(), "terminal": terminal, **kept}


def test_no_state_is_terminal_unless_said(random_model: Models) -> None:
    model = random_model(0)
    assert model.terminal.shape == (4,) and model.terminal.dtype == np.bool_ and not model.terminal.any()
    with pytest.raises(ValueError, match="read-only"):
        model.terminal[0] = True


@pytest.mark.parametrize(
    ("key", "index", "value", "sentence"),
    [
        ("P", (2, 1), [0.0, 0.5, 0.5, 0.0], "terminal state 2 must lead to itself under every action"),
        ("r", (2, 0), 1.0, "terminal state 2 must have r = 0 and c = 0"),
        ("c", (0, 2, 1), 0.1, "terminal state 2 must have r = 0 and c = 0"),
        ("terminal", slice(None), None, r"terminal must be bool of shape \[4\], got float64"),
    ],
)
def test_a_terminal_state_that_is_none_is_named(
    random_model: Models, key: str, index: Any, value: Any, sentence: str
) -> None:
    arrays = ending(random_model(0), [2])
    if value is None:
        arrays["terminal"] = np.zeros(4)
    else:
        arrays[key][index] = value
    with pytest.raises(ValueError, match=sentence):
        TabularModel(**arrays)


def test_mask_of_the_wrong_length(random_model: Models) -> None:
    arrays = ending(random_model(0), [2]) | {"terminal": np.zeros(3, dtype=np.bool_)}
    with pytest.raises(ValueError, match=r"terminal must be bool of shape \[4\], got bool of shape \[3\]"):
        TabularModel(**arrays)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_files_and_objects_keep_the_mask(tmp_path: Path, random_model: Models, suffix: str) -> None:
    import json

    arrays = ending(random_model(0), [1, 3])
    source = SimpleNamespace(**arrays)
    np.testing.assert_array_equal(TabularModel.of(source).terminal, arrays["terminal"])
    del source.terminal
    arrays["P"], arrays["r"], arrays["c"] = random_model(0).P, random_model(0).r, random_model(0).c
    assert not TabularModel.of(SimpleNamespace(**arrays | {"terminal": None})).terminal.any()
    stored: dict[str, Any] = {key: value for key, value in ending(random_model(0), [1, 3]).items() if key != "senses"}
    stored |= {"sense": np.array([1.0]), "eq": np.array([False])}
    path = tmp_path / f"model{suffix}"
    if suffix == ".npz":
        np.savez(path, **stored)
    else:
        path.write_text(json.dumps({key: np.asarray(value).tolist() for key, value in stored.items()}))
    assert load_model(path).terminal.tolist() == [False, True, False, True]


def test_arriving_ends_the_episode_in_both_forms(random_model: Models) -> None:
    model = TabularModel(**ending(random_model(3, S=6), [0, 4]))
    single, batched = TabularEnv(model, max_episode_steps=3), TabularVectorEnv(model, 1, max_episode_steps=3)
    assert batched.reset(seed=9)[0][0] == single.reset(seed=9)[0]
    lengths, elapsed = {True: 0, False: 0}, 0
    for k in range(300):
        obs, reward, terminated, truncated, info = single.step(k % 3)
        elapsed += 1
        assert terminated == (obs in (0, 4)) and truncated == (not terminated and elapsed == 3)
        theirs = batched.step(np.array([k % 3]))
        assert (theirs[1][0], theirs[2][0], theirs[3][0]) == (reward, terminated, truncated)
        np.testing.assert_array_equal(theirs[4]["constraints"][0], info["constraints"])
        if terminated or truncated:
            assert theirs[4]["final_obs"][0] == obs
            lengths[terminated] += 1
            obs, elapsed = single.reset()[0], 0
        assert theirs[0][0] == obs
    assert min(lengths.values()) > 10
    assert batched.np_random.bit_generator.state == single.np_random.bit_generator.state


def test_layout_is_that_of_sync_vector_env(random_model: Models) -> None:
    # Deterministic dynamics, so that the random streams of the two need not be aligned.
    succ = np.array([[1, 2], [2, 3], [3, 0], [3, 3]])
    r = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [0.0, 0.0]])
    model = TabularModel(np.eye(4)[succ], r, 0.9, np.eye(4)[0], terminal=np.arange(4) == 3)
    ours = TabularVectorEnv(model, 3, max_episode_steps=5)
    theirs = SyncVectorEnv([lambda: TabularEnv(model, max_episode_steps=5)] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    ours.reset(seed=0)
    theirs.reset(seed=0)
    ends = 0
    for actions in np.random.default_rng(1).integers(0, 2, (40, 3)):
        mine, its = ours.step(actions), theirs.step(actions)
        for x, y in zip(mine[:4], its[:4], strict=True):
            np.testing.assert_array_equal(x, y)
        assert ("final_obs" in mine[4]) == ("final_obs" in its[4])
        if "final_obs" in mine[4]:
            ends += 1
            for key in ("final_obs", "_final_obs", "_final_info"):
                np.testing.assert_array_equal(mine[4][key], its[4][key])
    assert ends > 5


def episode_lengths(env: TabularVectorEnv, steps: int) -> NDArray[np.int64]:
    """Lengths of the episodes that ended in `steps` steps."""
    env.reset(seed=1)
    lengths, elapsed = [], np.zeros(env.num_envs, dtype=np.int64)
    for _ in range(steps):
        terminations = env.step(np.zeros(env.num_envs, dtype=np.int64))[2]
        elapsed += 1
        lengths.append(elapsed[terminations])
        elapsed[terminations] = 0
    return np.concatenate(lengths)


def test_lengths_of_episodes_follow_the_model() -> None:
    # From state 0 the end comes with probability 1/4 a step, so lengths are geometric with mean 4, variance 12.
    P = np.array([[[0.75, 0.25]], [[0.0, 1.0]]])
    model = TabularModel(P, np.zeros((2, 1)), 0.9, np.array([1.0, 0.0]), terminal=np.array([False, True]))
    lengths = episode_lengths(TabularVectorEnv(model, 500, max_episode_steps=None), 200)
    assert abs(lengths.mean() - 4) < 4 * np.sqrt(12 / lengths.size) + 0.05  # episodes still running are left out
