"""An environment that fails is named, with copy and step; an array that it returned is the receiver's."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st

import tests.training.misbehaving as bad
from tests.cli.command import zoo
from tests.training.conftest import Trainer
from zoo.discovery.names import EnvName
from zoo.errors import EnvironmentFailed, InterfaceError, UsageError
from zoo.training.environments import step as steps
from zoo.training.environments.boundary import BadActionError, finite, first_bad
from zoo.training.environments.copies import Copies
from zoo.training.environments.make_env import Recorder, make_env
from zoo.training.environments.stack import stack

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # what gymnasium's checker says


def play(name: str, copies: int = 2, rounds: int = 30) -> None:
    env = make_env(EnvName(gym_id=f"{name}-v0"), {}, copies)
    env.reset(seed=0)
    for _ in range(rounds):
        env.step(np.zeros((copies, *env.single_action_space.shape), env.single_action_space.dtype))
    env.close()


CASES = [
    ("Array1", ["an array of shape (1,) as reward", "expected one number", "copy 0, step 1"]),
    ("Words", ["a str as reward", "expected one number"]),
    ("Nothing", ["None as reward", "expected one number"]),
    ("Crash", ["raised in step(): RuntimeError: simulator lost connection", "copy 0, step 3"]),
    ("Exits", ["raised in step(): SystemExit: 0"]),
    ("Abandons", ["raised in step(): Abandoned: for good"]),
    ("Six", ["six values from step()", "cost third", "FromSafetyGymnasium"]),
    ("Four", ["four values from step()", "gym before 0.26"]),
    ("CostThird", ["gave 0.5 as terminated", "True or False", "FromSafetyGymnasium"]),
    ("NoTuple", ["returned an array from step()"]),
    ("NoInfo", ["None as the info of step()"]),
    ("OldReset", ["returned an array from reset()", "gym before 0.26"]),
    ("BareReset", ["reset() without seed and options", "seed=None, options=None"]),
    ("SeedReset", ["reset() without options"]),
    ("CrashAtReset", ["raised in reset(): OSError: no licence"]),
    ("CrashAtBuilding", ["cannot be built: RuntimeError: no display"]),
    ("NanReward", ["gave NaN as reward", "copy 0, step 5"]),
    ("InfReward", ["gave -inf as reward", "copy 0, step 5"]),
    ("NanObs", ["gave NaN as observation[1]", "copy 0, step 4"]),
    ("InfLastObs", ["gave inf as observation[2]", "copy 0, step 20"]),
    ("NanFirstObs", ["gave NaN as observation[0]", "copy 0"]),
    ("InfConstraint", ["gave inf as constraint 'noise'", "copy 0, step 2"]),
    ("WrongShape", ["an observation of shape (4,) from step()", "expected (3,)", "copy 0, step 2"]),
]


@pytest.mark.parametrize(("name", "words"), CASES, ids=[name for name, _ in CASES])
def test_the_environment_is_named_and_what_it_did(name: str, words: list[str]) -> None:
    with pytest.raises(EnvironmentFailed) as caught:
        play(name)
    assert caught.value.message.startswith(f"environment {name}-v0 ")
    for word in words:
        assert word in caught.value.message


def test_gymnasiums_checker_explains_an_old_api_and_says_nothing_of_a_sound_one() -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        play("Base", copies=3)
    assert not [str(w.message) for w in heard if "WARN" in str(w.message)]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with pytest.raises(EnvironmentFailed):
            play("OldReset", copies=3)
    assert any("`env.reset()`" in str(warning.message) for warning in heard)  # gymnasium's own words


@pytest.mark.parametrize("action", [5, -1, np.int64(2)])
def test_a_bad_action_is_not_the_environments_fault(action: Any) -> None:
    env = make_env(EnvName(gym_id="CartPole-v1"), {}, 1)
    env.reset(seed=0)
    with pytest.raises(BadActionError, match=r"is outside Discrete\(2\)"):
        env.step(np.array([action]))
    with pytest.raises(BadActionError, match=r"the actions have shape \(3,\): expected \(1,\)"):
        env.step(np.zeros(3, int))


def test_close_that_raises_is_said_once_and_spoils_nothing(
    run: Trainer, toys: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (result,) = run(env="gym:CrashAtClose-v0", num_envs=3)
    assert result.status == "finished"
    assert capsys.readouterr().err.count("environment CrashAtClose-v0 raised in close(): RuntimeError") == 1


@pytest.mark.parametrize("name", ["Crash", "Exits", "Abandons", "NanObs", "Six"])
def test_a_run_on_it_has_failed_and_says_why(run: Trainer, name: str) -> None:
    (result,) = run(env=f"gym:{name}-v0")
    assert result.status == "failed"
    assert result.message.startswith(f"environment {name}-v0 ")
    assert "walk" not in result.message


def test_evaluation_names_the_environment_too(run: Trainer) -> None:
    (result,) = run(env="gym:Crash-v0", steps=2)
    assert result.status == "failed"
    assert "environment Crash-v0 raised in step(): RuntimeError" in result.message


def test_the_command_line_says_one_sentence(tmp_path: Path) -> None:
    case = Path(bad.__file__).read_text()
    (tmp_path / "sims.py").write_text(case)
    done = zoo("train", "ppo-native", "sims:Crash-v0", "--steps", "64", "--n-steps", "32", "--quiet", cwd=tmp_path,
               PYTHONPATH=str(tmp_path))  # fmt: skip
    assert done.returncode == 1
    assert "environment sims:Crash-v0 raised in step(): RuntimeError: simulator lost connection" in done.stderr
    assert "plugin" not in done.stderr
    assert "Traceback" not in done.stderr


def first(obs: Any) -> Any:
    """The one array of an observation, or its first."""
    return obs["a"] if isinstance(obs, dict) else obs[0] if isinstance(obs, tuple) else obs


@pytest.mark.parametrize(
    "name", ["SameBuffer", "ClassBuffer", "ViewOfBuffer", "DictBuffer", "TupleBuffer", "RewardBuffer"]
)
def test_the_state_arrived_in_is_not_the_reset_state(name: str) -> None:
    env = make_env(EnvName(gym_id=f"{name}-v0"), {}, 2)
    env.reset(seed=0)
    kept = []
    for _ in range(8):
        obs, *_, infos = env.step(np.zeros(2, int))
        final = infos.get("final_obs")
        kept.append((first(obs), final))
    for t, (obs, final) in enumerate(kept, start=1):
        assert (obs == (0 if t % 4 == 0 else t % 4)).all()
        if t % 4 == 0:
            for row in final:
                assert (np.asarray(first(row)) == 4).all()


def test_a_reward_and_signals_that_are_reused_arrays_are_kept_apart() -> None:
    env = make_env(EnvName(gym_id="RewardBuffer-v0"), {}, 2)
    env.reset(seed=0)
    kept = [env.step(np.zeros(2, int)) for _ in range(6)]
    for t, (_, rewards, _, _, infos) in enumerate(kept):
        assert (rewards == t % 4 + 1).all()
        assert (np.asarray(infos["constraints"]) == t % 4 + 1).all()


def test_copies_that_share_a_buffer_are_told_apart() -> None:
    makers = [lambda length=length: bad.ClassBuffer(length) for length in (2, 5)]
    env = Recorder(Copies(makers), None)
    env.reset(seed=0)
    seen = [env.step(np.zeros(2, int))[0][:, 0].tolist() for _ in range(4)]
    assert seen == [[1, 1], [0, 2], [1, 3], [0, 4]]


def test_a_batch_that_reuses_its_arrays_is_copied() -> None:
    env = Recorder(bad.VectorBuffer(3), None)
    first, _ = env.reset(seed=0)
    kept = [env.step(np.zeros(3, int)) for _ in range(8)]
    assert (first == 0).all()
    for t, (obs, reward, _, truncated, infos) in enumerate(kept, start=1):
        assert (obs == t % 4).all()
        assert (reward == ((t - 1) % 4) + 1).all()
        assert (truncated == (t % 4 == 0)).all()
        assert ("final_obs" in infos) == (t % 4 == 0)
        if t % 4 == 0:
            assert (infos["final_obs"] == 4).all()
    arrived = stack([Recorder(bad.VectorBuffer(3), None)])
    arrived.reset()
    told = [arrived.step(np.zeros((1, 3), int))[4]["arrived"] for _ in range(5)]
    assert [int(states.max()) for states in told] == [1, 2, 3, 4, 1]


def test_an_environment_cannot_change_the_actions_it_was_given() -> None:
    env = make_env(EnvName(gym_id="SpoilsActions-v0"), {}, 2)
    env.reset(seed=0)
    actions = np.ones((2, 2), np.float32)
    env.step(actions)
    assert (actions == 1).all()


NUMBERS = st.floats(width=32) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 3e38, -3e38])


@pytest.mark.filterwarnings("ignore:overflow")
@given(st.lists(NUMBERS, min_size=1, max_size=24))
def test_finite_is_what_numpy_says(values: list[float]) -> None:
    array = np.array(values, np.float32).reshape(1, -1)
    assert finite(array) == np.isfinite(array).all()
    found = first_bad(array)
    if found is None:
        assert np.isfinite(array).all()
    else:
        assert found[0] == tuple(np.argwhere(~np.isfinite(array))[0])


@pytest.mark.parametrize("fault", ["observation", "reward", "constraint"])
def test_every_number_of_a_batch_is_looked_at(fault: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        parts = {"observation": np.zeros((4, 3), np.float32), "reward": np.zeros(4), "constraint": np.zeros((4, 2))}
        row = int(rng.integers(4))
        parts[fault][row, ...] = rng.choice([np.nan, np.inf, -np.inf])
        with pytest.raises(EnvironmentFailed, match=rf"as {fault}.*copy {row}, step 8"):
            steps.check_finite(parts, "environment it", np.full(4, 7), 4, ("near", "far"))


def test_options_the_constructor_refuses_are_the_users_affair() -> None:
    with pytest.raises(UsageError, match="cannot be built"):
        make_env(EnvName(gym_id="CartPole-v1"), {"gravitas": 3}, 1)


IDS = [
    "CartPole-v1", "Pendulum-v1", "MountainCarContinuous-v0", "FrozenLake-v1", "Taxi-v4", "Blackjack-v1",
    "DictBuffer-v0",
]  # fmt: skip


def same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, tuple) or (isinstance(a, np.ndarray) and a.dtype == object):
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    else:
        assert a == b


@pytest.mark.parametrize("env_id", IDS)
def test_copies_are_gymnasiums_synchronous_ones_to_the_bit(env_id: str) -> None:
    ours = make_env(EnvName(gym_id=env_id), {}, 3)
    theirs: Any = SyncVectorEnv([lambda: gymnasium.make(env_id)] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    same(ours.reset(seed=3), theirs.reset(seed=3))
    theirs.action_space.seed(1)
    for _ in range(250):
        actions = theirs.action_space.sample()
        mine, reference = ours.step(actions), theirs.step(actions)
        if env_id != "DictBuffer-v0":  # whose final observation gymnasium gets wrong
            same(mine, reference)
        same(mine[:4], reference[:4])
    same(ours.reset(), theirs.reset())


def test_the_boundary_is_taken_away_after_the_first_steps_and_errors_are_named_all_the_same() -> None:
    env: Any = make_env(EnvName(gym_id="CrashLate-v0"), {}, 2)
    env.reset(seed=0)
    layers = str(env.env.envs[0])
    assert "Boundary" in layers
    for _ in range(8):
        env.step(np.zeros(2, int))
    assert "Boundary" not in str(env.env.envs[0])
    with pytest.raises(EnvironmentFailed, match=r"CrashLate-v0 raised in step\(\): OSError: gone \(copy 0, step 9"):
        env.step(np.zeros(2, int))


class PartError(RuntimeError):
    """Of a part that a user brought to an environment."""

    names_owner = True


@pytest.mark.parametrize("late", [0, 8])
def test_what_names_its_owner_stands_as_it_is(late: int) -> None:
    class Judged(bad.Base):
        def step(self, action: Any) -> Any:
            if self.t >= late:
                raise PartError("the judge 'mine' (rules.py, line 3) is out")
            return super().step(action)

    gymnasium.register(f"Judged{late}-v0", entry_point=Judged)
    with pytest.raises(EnvironmentFailed) as caught:
        play(f"Judged{late}")
    assert caught.value.message == "the judge 'mine' (rules.py, line 3) is out."


def test_a_constraint_spec_without_names_is_the_fault_of_the_environment() -> None:
    class Named(gymnasium.Env):
        observation_space = action_space = gymnasium.spaces.Discrete(2)
        constraint_spec = frozenset()

    gymnasium.register("MappingSpec-v0", entry_point=Named)
    with pytest.raises(InterfaceError, match="constraint_spec lacks the attribute 'names'"):
        make_env(EnvName(gym_id="MappingSpec-v0"), {}, 1)
