"""Wrappers, on small environments written here."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from zoo_envs.cmdps.constrained_catch import ConstrainedCatch
from zoo_envs.cmdps.hazard_grid import HazardGrid
from zoo_envs.cmdps.three_state import ThreeState
from zoo_envs.cmdps.two_state import TwoState
from zoo_envs.wrappers import FromSafetyGymnasium, FromVectorReward, PenalisedReward, ToSafetyGymnasium


class Counter(gymnasium.Env[Any, Any]):
    """Observation: steps taken, five at most."""

    observation_space = spaces.Discrete(6)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return 0, {}


class SixTuple(Counter):
    """safety-gymnasium's convention, with a cost in the info that means something else."""

    def step(self, action: int) -> Any:
        self.t += 1
        return self.t, 0.5, 2.0 * action, self.t == 5, False, {"cost": -1.0, "cost_hazards": 2.0 * action}


class VectorReward(Counter):
    """mo-gymnasium's convention: reward vector (1, t, -action)."""

    reward_space = spaces.Box(-10.0, 10.0, (3,))

    def step(self, action: int) -> Any:
        self.t += 1
        return self.t, np.array([1.0, self.t, -float(action)]), self.t == 5, False, {"k": 1, "cost": 9.0}


def test_from_safety_gymnasium() -> None:
    env = FromSafetyGymnasium(SixTuple(), threshold=25.0)
    assert env.reset(seed=0) == (0, {})
    obs, reward, terminated, truncated, info = env.step(1)
    assert (obs, reward, terminated, truncated) == (1, 0.5, False, False)
    assert info["constraints"].tolist() == [2.0] and info["constraints"].dtype == np.float32
    assert info["cost"] == 2.0 and info["cost_hazards"] == 2.0
    spec = env.get_wrapper_attr("constraint_spec")
    assert (spec.names, spec.thresholds.tolist(), spec.senses) == (("cost",), [25.0], ("<=",))
    assert (spec.unit, spec.discounted) == ("episode", False)
    assert [env.step(0)[2] for _ in range(4)] == [False, False, False, True]


def test_from_safety_gymnasium_passes_ordinary_wrappers() -> None:
    env = gymnasium.wrappers.RecordEpisodeStatistics(FromSafetyGymnasium(SixTuple(), threshold=1.0))
    env.reset(seed=0)
    for _ in range(5):
        info = env.step(1)[4]
    assert info["episode"]["r"] == 2.5 and env.get_wrapper_attr("constraint_spec").names == ("cost",)


def test_from_safety_gymnasium_wants_six() -> None:
    env = FromSafetyGymnasium(TwoState(), threshold=1.0)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="six elements with the cost third, got 5"):
        env.step(0)


def test_to_safety_gymnasium_and_back() -> None:
    there = ToSafetyGymnasium(HazardGrid(n=2, slip=0.0))
    there.reset(seed=0)
    assert there.step(1)[:5] == (2, 0.0, 0.0, False, False)
    obs, reward, cost, terminated, truncated, _ = there.step(3)  # leaves a hazard cell
    assert (obs, reward, cost, terminated, truncated) == (3, 0.0, 1.0, False, False)
    back = FromSafetyGymnasium(
        ToSafetyGymnasium(HazardGrid(slip=0.5)), 0.001, name="hazard", unit="step", discounted=True
    )
    plain = HazardGrid(slip=0.5)
    back.reset(seed=3)
    plain.reset(seed=3)
    for k in range(60):
        ours, theirs = back.step(k % 4), plain.step(k % 4)
        assert ours[:4] == theirs[:4] and ours[4]["constraints"].tolist() == theirs[4]["constraints"].tolist()
        assert ours[4]["cost"] == theirs[4]["cost"]
    assert back.constraint_spec.names == plain.constraint_spec.names


def test_to_safety_gymnasium_picks_by_name() -> None:
    env = ToSafetyGymnasium(ThreeState(), constraint="energy")
    env.reset(seed=0)
    env.unwrapped.set_state(env.unwrapped.get_state() | {"state": 1})  # type: ignore[attr-defined]
    assert env.step(0)[2] == 1.0


@pytest.mark.parametrize(
    ("env", "constraint", "sentence"),
    [
        (ThreeState(), None, "constraint must name one of: heat, energy"),
        (ThreeState(), "hat", "one of: heat, energy; got 'hat'"),
        (TwoState(), None, "limited from above, but 'utility' has the sense '>='"),
        (Counter(), None, "announces no constraint_spec"),
    ],
)
def test_to_safety_gymnasium_refuses(env: Any, constraint: str | None, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ToSafetyGymnasium(env, constraint=constraint)


def test_from_vector_reward() -> None:
    env = FromVectorReward(
        VectorReward(), 0, [2, 1], thresholds=[-0.5, 3.0], names=["effort", "time"], senses=[">=", "<="]
    )
    env.reset(seed=0)
    obs, reward, _, _, info = env.step(1)
    assert (obs, reward, type(reward)) == (1, 1.0, float)
    assert info["constraints"].tolist() == [-1.0, 1.0] and info["constraints"].dtype == np.float32
    assert "cost" not in info and info["k"] == 1
    spec = env.constraint_spec
    assert (spec.names, spec.senses, spec.unit) == (("effort", "time"), (">=", "<="), "step")


def test_from_vector_reward_names_and_cost() -> None:
    env = FromVectorReward(VectorReward(), 1, [0], thresholds=[0.5])
    env.reset(seed=0)
    assert env.step(0)[4]["cost"] == 1.0 and env.constraint_spec.names == ("objective0",)


def test_from_vector_reward_without_constraints_is_an_ordinary_environment() -> None:
    env = FromVectorReward(VectorReward(), 1, [], thresholds=[])
    env.reset(seed=0)
    assert env.step(0)[4]["constraints"].shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((3, [1]), {"thresholds": [0.0]}, r"reward_index must be an integer in \[0, 2\], got 3"),
        ((0, [1, -1]), {"thresholds": [0.0, 0.0]}, r"constraint_indices\[1\] must be an integer in \[0, 2\], got -1"),
        ((0, [1]), {"thresholds": [0.0, 1.0]}, "one entry per constraint"),
        ((0, [1]), {"thresholds": [0.0], "names": ["a", "b"]}, "names must have one entry per constraint index"),
        ((0, [1]), {"thresholds": [0.0], "senses": ["<"]}, "got '<'"),
    ],
)
def test_from_vector_reward_refuses(arguments: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        FromVectorReward(VectorReward(), *arguments, **options)


def test_from_vector_reward_with_a_scalar_reward() -> None:
    env = FromVectorReward(TwoState(), 0, [1], thresholds=[0.0])
    env.reset(seed=0)
    with pytest.raises(ValueError, match="vector of at least 2 entries"):
        env.step(0)


@pytest.mark.parametrize("mu", [[2.0, 3.0], {"energy": 3.0, "heat": 2.0}])
def test_penalised_reward(mu: Any) -> None:
    env, plain = PenalisedReward(ThreeState(), mu), ThreeState()
    env.reset(seed=1)
    plain.reset(seed=1)
    g = np.random.default_rng(0)
    seen = set()
    for action in g.integers(0, 3, 200):
        ours, theirs = env.step(action), plain.step(action)
        heat, energy = theirs[4]["constraints"].tolist()
        assert ours[1] == pytest.approx(theirs[1] - 2.0 * heat - 3.0 * energy, abs=1e-12)
        assert ours[4]["constraints"].tolist() == [heat, energy]
        seen.add((heat, energy))
    assert len(seen) >= 3


def test_penalised_reward_rewards_what_must_be_large() -> None:
    env = PenalisedReward(ConstrainedCatch(), [0.5])
    env.reset(seed=0)
    assert env.step(0)[1] == 0.0
    assert env.step(0)[1] == 0.0
    assert env.step(0)[1] == 0.5  # the paddle has been in column 0 since the second step


def test_wrapped_environment_is_valid_and_can_be_made_again_from_its_spec() -> None:
    plain = gymnasium.make("zoo/ThreeState-v0", disable_env_checker=True).unwrapped
    env = PenalisedReward(plain, [1.0, 2.0])
    with pytest.warns(UserWarning, match="is different from the unwrapped version"):
        check_env(env, skip_render_check=True)
    assert env.spec is not None
    again = gymnasium.make(env.spec)
    again.reset(seed=0)
    assert again.step(0)[1] == 1.0 - 1.0  # reward 1, heat 1


@pytest.mark.parametrize(
    ("mu", "sentence"),
    [
        ([1.0], "one multiplier for each of: heat, energy"),
        ([1.0, -1.0], "'energy' must be finite and at least 0, got -1.0"),
        ([np.nan, 1.0], "'heat' must be finite"),
        ({"heat": 1.0, "enrgy": 1.0}, "exactly the names heat, energy; got heat, enrgy"),
    ],
)
def test_penalised_reward_refuses(mu: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        PenalisedReward(ThreeState(), mu)


class Forgetful(ThreeState):
    """Announces constraints but does not send what it announced."""

    sent: Any = None

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, _ = super().step(action)
        return obs, reward, terminated, truncated, {} if self.sent is None else {"constraints": self.sent}


@pytest.mark.parametrize(("sent", "sentence"), [(None, "is missing"), (np.zeros(3), r"got shape \[3\]")])
def test_signals_that_do_not_arrive(sent: Any, sentence: str) -> None:
    env = Forgetful()
    env.sent = sent
    wrapped = PenalisedReward(env, [1.0, 1.0])
    wrapped.reset(seed=0)
    with pytest.raises(ValueError, match=sentence):
        wrapped.step(0)
