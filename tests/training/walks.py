"""Vector environments of random walks that can be stacked, as the protocol ``zoo.Stackable`` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from zoo.api import ConstraintSpec
from zoo.training.environments.make_env import Recorder

LENGTH, LIMIT = 8, 6


class Alone(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """Steps up or down on a line, one of them at random; it ends at both ends of the line and after 6 steps."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012
    single_observation_space = gymnasium.spaces.Discrete(LENGTH)
    single_action_space = gymnasium.spaces.Discrete(2)
    constraint_spec = SimpleNamespace(
        names=("near", "far"), thresholds=[1.0, 2.0], senses=("<=", ">="), unit="step", discounted=False
    )

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.place = np.zeros(num_envs, dtype=np.int64)
        self.elapsed = np.zeros(num_envs, dtype=np.int64)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.place[:] = self.np_random.integers(2, LENGTH - 2, size=self.num_envs)
        self.elapsed[:] = 0
        return self.place.copy(), {}

    def step(self, actions: Any) -> Any:
        obs, reward, terminated, truncated, infos = walk([self], self.place, self.elapsed, actions)
        last, done = infos.pop("arrived"), terminated | truncated
        infos["_constraints"] = np.ones(self.num_envs, dtype=bool)
        if done.any():
            infos["final_obs"] = np.full(self.num_envs, None, dtype=object)
            infos["final_obs"][done] = last[done]
            infos["_final_obs"] = done
        return obs, reward, terminated, truncated, infos

    def get_state(self) -> dict[str, Any]:
        return {
            "place": self.place.copy(),
            "elapsed": self.elapsed.copy(),
            "rng": self.np_random.bit_generator.state,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.place[:], self.elapsed[:] = state["place"], state["elapsed"]
        bits = np.random.PCG64()
        bits.state = state["rng"]
        self.np_random = np.random.Generator(bits)


class Together(Alone):
    """The same walk, whose members share one array."""

    @classmethod
    def stacked(cls, members: Sequence[Together]) -> Handle | None:
        return Handle(members)


class Declines(Alone):
    """Offers the class method, and refuses these members."""

    @classmethod
    def stacked(cls, members: Sequence[Declines]) -> None:
        return None


class Handle:
    def __init__(self, members: Sequence[Together]) -> None:
        self.members, B = members, members[0].num_envs
        self.place = np.concatenate([member.place for member in members])
        self.elapsed = np.concatenate([member.elapsed for member in members])
        self.steps = 0
        for index, member in enumerate(members):
            rows = slice(index * B, (index + 1) * B)
            member.place, member.elapsed = self.place[rows], self.elapsed[rows]

    def step(self, actions: Any) -> Any:
        self.steps += 1
        return walk(self.members, self.place, self.elapsed, actions)


def walk(members: Sequence[Alone], place: NDArray[np.int64], elapsed: NDArray[np.int64], actions: Any) -> Any:
    B = members[0].num_envs
    draws = np.concatenate([member.np_random.random(B) for member in members])
    place += np.where(draws < 0.7, 2 * actions - 1, 1 - 2 * actions)
    elapsed += 1
    terminated, truncated = (place == 0) | (place == LENGTH - 1), elapsed >= LIMIT
    signals = np.stack([place, 10 * elapsed], axis=1).astype(np.float32)
    reward, last, done = place + 0.1 * draws, place.copy(), terminated | truncated
    for index, member in enumerate(members):
        ended = np.flatnonzero(done[index * B : (index + 1) * B]) + index * B
        if ended.size:
            place[ended] = member.np_random.integers(2, LENGTH - 2, size=ended.size)
    elapsed[done] = 0
    return place.copy(), reward, terminated, truncated, {"arrived": last, "constraints": signals}


def recorders(cls: type[Alone], members: int, copies: int) -> list[Recorder]:
    made = [Recorder(cls(copies), ConstraintSpec.of(cls.constraint_spec)) for _ in range(members)]
    for seed, env in enumerate(made):
        env.reset(seed=seed)
    return made
