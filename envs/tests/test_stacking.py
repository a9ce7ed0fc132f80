"""Members stepped together do, bit for bit, what each does alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from zoo_envs.cmdps.constrained_catch import ConstrainedCatchVector
from zoo_envs.cmdps.garnet import GarnetVector
from zoo_envs.cmdps.hazard_grid import HazardGridVector
from zoo_envs.exploration.riverswim import RiverSwimVector
from zoo_envs.grids.basic_grid import BasicGridVector
from zoo_envs.grids.escape import EscapeVector
from zoo_envs.grids.four_rooms import FourRoomsVector
from zoo_envs.tabular.vector_env import SampledVectorEnv

B, M = 3, 4
BUILDS: dict[str, Callable[[], SampledVectorEnv]] = {
    "hazard": lambda: HazardGridVector(B, n=3, slip=0.4, max_episode_steps=7),
    "pictures": lambda: ConstrainedCatchVector(B, rows=3, observation="grid", max_episode_steps=5),
    "garnet": lambda: GarnetVector(B, N=2, max_episode_steps=6),
    "goal": lambda: FourRoomsVector(B, noise=0.3, start=None, goal=89, max_episode_steps=9),
    "goals": lambda: FourRoomsVector(B, task="goals", noise=0.5, goal=89, num_goals=2, max_episode_steps=30),
    "diminishing": lambda: BasicGridVector(B, noise=0.5, start=None, count_start=True, end_below=0.3),
    "noisy": lambda: EscapeVector(B, size=5, barrier=False, noise=0.2, reward_noise=1.0),
    "river": lambda: RiverSwimVector(B, max_episode_steps=11),
}


def group(build: Callable[[], SampledVectorEnv]) -> list[SampledVectorEnv]:
    members = [build() for _ in range(M)]
    for seed, member in enumerate(members):
        member.reset(seed=seed)
    return members


def compare(alone: list[SampledVectorEnv], stack: Any, steps: int, seed: int) -> int:
    """Step both, and return the number of episodes that ended."""
    A = alone[0].single_action_space.n  # type: ignore[attr-defined]
    ended = 0
    for actions in np.random.default_rng(seed).integers(0, A, (steps, M, B)):
        steps_alone = [member.step(row) for member, row in zip(alone, actions, strict=True)]
        obs, rewards, terminations, truncations, infos = stack.step(actions.ravel())
        for index, together in enumerate((obs, rewards, terminations, truncations)):
            np.testing.assert_array_equal(together, np.concatenate([step[index] for step in steps_alone]))
            assert together.dtype == steps_alone[0][index].dtype
        for i, (after, *_, info) in enumerate(steps_alone):
            arrived = after.copy()
            for copy in np.flatnonzero(info.get("_final_obs", np.zeros(B, dtype=bool))):
                arrived[copy] = info["final_obs"][copy]
            np.testing.assert_array_equal(infos["arrived"][i * B : (i + 1) * B], arrived)
            for key in ("constraints", "cost", "remaining"):
                assert (key in infos) == (key in info)
                if key in info:
                    np.testing.assert_array_equal(infos[key][i * B : (i + 1) * B], info[key])
        assert not {"final_obs", "final_info"} & infos.keys()
        ended += int((terminations | truncations).sum())
    return ended


@pytest.mark.parametrize("name", BUILDS)
def test_equals_members_alone(name: str) -> None:
    alone, together = group(BUILDS[name]), group(BUILDS[name])
    stack = type(together[0]).stacked(together)
    assert compare(alone, stack, 60, seed=1) > 5
    # Some members go on alone, are reset, and restored; what they do is seen by the whole.
    saved = [member.get_state() for member in together]
    for members in (alone, together):
        members[1].step(np.zeros(B, dtype=np.int64))
        members[2].reset()
        members[3].reset(seed=77)
    compare(alone, stack, 20, seed=2)
    for members in (alone, together):
        for member, state in zip(members, saved, strict=True):
            member.set_state(state)
    compare(alone, stack, 20, seed=3)
    for one, other in zip(alone, together, strict=True):
        mine, its = one.get_state(), other.get_state()
        assert mine.keys() == its.keys()
        for key in mine:
            np.testing.assert_array_equal(mine[key], its[key])


def test_members_that_differ_are_declined() -> None:
    def stack(*members: Any) -> Any:
        return type(members[0]).stacked(members)

    assert stack(HazardGridVector(2), HazardGridVector(2)) is not None
    assert stack(HazardGridVector(2), HazardGridVector(3)) is None
    assert stack(HazardGridVector(2), HazardGridVector(2, slip=0.2)) is None
    assert stack(HazardGridVector(2), HazardGridVector(2, max_episode_steps=3)) is None
    assert stack(GarnetVector(2), GarnetVector(2, seed=2)) is None
    assert stack(BasicGridVector(2), BasicGridVector(2)) is not None
    assert stack(BasicGridVector(2), BasicGridVector(2, lam=0.4)) is None
    assert stack(BasicGridVector(2), BasicGridVector(2, count_start=True)) is None
    assert stack(FourRoomsVector(2, task="goals"), FourRoomsVector(2, task="goals", num_goals=4)) is None
    assert stack(EscapeVector(2, size=8), EscapeVector(2, size=8, reward_noise=1.0)) is None
    assert stack(RiverSwimVector(2), RiverSwimVector(2, right_reward=9.0)) is None


def test_members_reset_later() -> None:
    alone, together = [HazardGridVector(B) for _ in range(M)], [HazardGridVector(B) for _ in range(M)]
    stack = HazardGridVector.stacked(together)
    for k, members in enumerate(zip(alone, together, strict=True)):
        with pytest.raises(ResetNeeded, match="reset"):
            stack.step(np.zeros(M * B, dtype=np.int64))
        for member in members:
            member.reset(seed=k)
    compare(alone, stack, 10, seed=4)


def test_bad_actions_are_named_by_their_row() -> None:
    stack = HazardGridVector.stacked(group(BUILDS["hazard"]))
    with pytest.raises(ValueError, match=r"actions must be 12 integers, got int64 of shape \[3\]"):
        stack.step(np.zeros(B, dtype=np.int64))
    actions = np.zeros(M * B, dtype=np.int64)
    actions[7] = 4
    with pytest.raises(ValueError, match=r"got 4 for copy 7"):
        stack.step(actions)


def test_what_is_returned_belongs_to_the_caller() -> None:
    alone, together = group(BUILDS["diminishing"]), group(BUILDS["diminishing"])
    stack = BasicGridVector.stacked(together)
    for _ in range(3):
        for member in alone:
            member.step(np.ones(B, dtype=np.int64))
        obs, *rest, infos = stack.step(np.ones(M * B, dtype=np.int64))
        for array in (obs, *rest, *infos.values()):
            array[...] = 1
    compare(alone, stack, 10, seed=5)
