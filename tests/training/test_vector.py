from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from zoo import lookup
from zoo.api import ConstraintSpec, Offers, unmet
from zoo.discovery.names import EnvName
from zoo.errors import EnvironmentFailed, InterfaceError, UsageError
from zoo.training.environments.make_env import Recorder, make_env, offers_of, problem_of


class Ramp(gymnasium.Env[Any, Any]):
    """Step t pays t and costs (t, 10 t); an episode has ``length`` steps and is truncated."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, length: int = 2, fault: str = "") -> None:
        self.length, self.fault, self.t = length, fault, 0
        self.constraint_spec = SimpleNamespace(
            names=("near", "far"), thresholds=[1.0, 2.0], senses=("<=", ">="), unit="step", discounted=False
        )

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        signals = np.array([self.t, 10 * self.t], np.float32)
        if self.fault == "nan":
            signals[1] = np.nan
        info = {} if self.fault == "missing" else {"constraints": signals[: 1 if self.fault == "short" else 2]}
        return np.full(1, self.t, np.float32), float(self.t), False, self.t >= self.length, info


def recorder(copies: int, **kwargs: Any) -> Recorder:
    env = SyncVectorEnv([lambda: Ramp(**kwargs)] * copies, autoreset_mode=AutoresetMode.SAME_STEP)
    return Recorder(env, ConstraintSpec.of(lookup(env, "constraint_spec")))


@pytest.mark.parametrize("length", [1, 2, 5])
def test_episodes_and_signals_are_complete_across_resets(length: int) -> None:
    env = recorder(3, length=length)
    env.reset(seed=0)
    for t in range(1, 4 * length + 1):
        infos = env.step(np.zeros(3, int))[4]
        expected = (t - 1) % length + 1
        assert infos["constraints"].tolist() == [[expected, 10 * expected]] * 3
        assert infos["constraints"].dtype == np.float32
    episodes = env.drain()
    assert len(episodes) == 12
    total = length * (length + 1) / 2
    assert {(episode.total, episode.length, *episode.constraints) for episode in episodes} == {
        (total, length, total, 10 * total)
    }
    assert env.drain() == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("nan", r"the environment gave NaN as constraint 'far' \(copy 0, step 1 of its episode\)"),
        ("missing", r'copy 0 of the environment gave no info\["constraints"\]: expected 2 numbers'),
        ("short", r"shape \(2, 1\): expected \(2, 2\), one column for each of near, far"),
    ],
)
def test_bad_signals_are_named_at_the_first_step(fault: str, message: str) -> None:
    env = recorder(2, fault=fault)
    env.reset(seed=0)
    with pytest.raises((InterfaceError, EnvironmentFailed), match=message):
        env.step(np.zeros(2, int))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"senses": ("<=", "<")}, "sense '<'"),
        ({"thresholds": [1.0]}, "expected one threshold and one sense"),
        ({"thresholds": [1.0, np.inf]}, "'far' has threshold inf"),
        ({"names": ("near", "near")}, "twice"),
        ({"unit": "year"}, "unit 'year'"),
    ],
)
def test_a_bad_constraint_spec_is_refused(change: dict[str, Any], message: str) -> None:
    good = Ramp().constraint_spec
    with pytest.raises(InterfaceError, match=message):
        ConstraintSpec.of(SimpleNamespace(**{**vars(good), **change}))


def test_offers_are_read_off_the_environment() -> None:
    env = make_env(EnvName(gym_id="CartPole-v1"), {}, 2)
    assert offers_of(env) == Offers(action="discrete", observation="box")
    assert problem_of(env).constraints is None
    with pytest.raises(InterfaceError, match="no exact tabular model"):
        _ = problem_of(env).tabular
    assert offers_of(recorder(1)).constraints
    from zoo.api import Needs

    assert unmet(Needs(action="box", constraints=True), offers_of(env)) == ["box actions", "constraints"]


def test_refused_arguments_are_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"environment CartPole-v1 cannot be built: .*gravitas"):
        make_env(EnvName(gym_id="CartPole-v1"), {"gravitas": 3}, 1)


def test_a_recorder_is_put_back_exactly() -> None:
    env = recorder(2, length=5)
    env.reset(seed=0)
    for _ in range(3):
        env.step(np.zeros(2, int))
    saved = env.capture()
    for _ in range(2):
        env.step(np.zeros(2, int))
    first = env.drain()
    assert saved["env"] is None  # constraint_spec is an object of unknown kind here, so nothing is promised
    assert not env.restore(saved)
    assert [episode.total for episode in first] == [15.0, 15.0]
