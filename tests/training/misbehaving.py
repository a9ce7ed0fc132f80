"""Environments that break their interface, each in a way of its own; and good ones that reuse their buffers."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, Tuple


class Base(gymnasium.Env[Any, Any]):
    """Counts; its episodes have twenty steps, or as many as are asked for."""

    observation_space: Any = Box(-100, 100, (3,), np.float32)
    action_space: Any = Discrete(2)

    def __init__(self, length: int = 20, render_mode: str | None = None) -> None:
        self.t, self.length = 0, length

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.t = 0
        return self.see(), {}

    def step(self, action: Any) -> Any:
        self.t += 1
        return self.see(), self.pay(), False, self.t >= self.length, {}

    def see(self) -> Any:
        return np.full(3, self.t, np.float32)

    def pay(self) -> Any:
        return 1.0


class Array1(Base):
    def pay(self) -> Any:
        return np.array([1.0])


class Words(Base):
    def pay(self) -> Any:
        return "1.0"


class Nothing(Base):
    def pay(self) -> Any:
        return None


class Crash(Base):
    def pay(self) -> Any:
        if self.t == 3:
            raise RuntimeError("simulator lost connection")
        return 1.0


class CrashLate(Base):
    def pay(self) -> Any:
        if self.t == 9:
            raise OSError("gone")
        return 1.0


class Exits(Base):
    def pay(self) -> Any:
        sys.exit(0)


class Abandoned(BaseException):
    pass


class Abandons(Base):
    def pay(self) -> Any:
        raise Abandoned("for good")


class Six(Base):
    def step(self, action: Any) -> Any:
        obs, reward, *rest = super().step(action)
        return obs, reward, 0.5, *rest


class Four(Base):
    def step(self, action: Any) -> Any:
        obs, reward, done, cut, info = super().step(action)
        return obs, reward, done or cut, info


class CostThird(Base):
    def step(self, action: Any) -> Any:
        obs, reward, *rest = super().step(action)
        return obs, reward, 0.5, rest[1], {}


class NoTuple(Base):
    def step(self, action: Any) -> Any:
        return np.zeros(3, np.float32)


class OldReset(Base):
    def reset(self, **_: Any) -> Any:
        return np.zeros(3, np.float32)


class BareReset(Base):
    def reset(self) -> Any:  # type: ignore[override]
        return np.zeros(3, np.float32), {}


class SeedReset(Base):
    def reset(self, seed: Any = None) -> Any:  # type: ignore[override]
        return np.zeros(3, np.float32), {}


class CrashAtReset(Base):
    def reset(self, **_: Any) -> Any:
        raise OSError("no licence")


class CrashAtBuilding(Base):
    def __init__(self, render_mode: str | None = None) -> None:
        raise RuntimeError("no display")


class CrashAtClose(Base):
    def close(self) -> None:
        raise RuntimeError("already gone")


class NanReward(Base):
    def pay(self) -> Any:
        return float("nan") if self.t == 5 else 1.0


class InfReward(Base):
    def pay(self) -> Any:
        return float("-inf") if self.t == 5 else 1.0


class NanObs(Base):
    def see(self) -> Any:
        return np.array([0.0, np.nan if self.t == 4 else 0.0, 0.0], np.float32)


class InfLastObs(Base):
    def see(self) -> Any:
        return np.array([0.0, 0.0, np.inf if self.t == self.length else 0.0], np.float32)


class NanFirstObs(Base):
    def see(self) -> Any:
        return np.full(3, np.nan, np.float32)


class Signals:
    """Two constraints."""

    names, thresholds, senses, unit, discounted = ("heat", "noise"), np.ones(2), ("<=", "<="), "step", True


class InfConstraint(Base):
    constraint_spec = Signals()

    def step(self, action: Any) -> Any:
        return *super().step(action)[:4], {"constraints": np.array([0.0, np.inf if self.t == 2 else 0.0], np.float32)}


class WrongShape(Base):
    def see(self) -> Any:
        return np.zeros(4 if self.t == 2 else 3, np.float32)


class NoInfo(Base):
    def step(self, action: Any) -> Any:
        return *super().step(action)[:4], None


class SameBuffer(Base):
    """Returns one array forever, and its own state at that."""

    def __init__(self, length: int = 4, render_mode: str | None = None) -> None:
        super().__init__(length)
        self.buffer = np.zeros(3, np.float32)

    def see(self) -> Any:
        self.buffer[:] = self.t
        return self.buffer


_SHARED = np.zeros(3, np.float32)


class ClassBuffer(SameBuffer):
    """All copies write into one array."""

    def __init__(self, length: int = 4, render_mode: str | None = None) -> None:
        super().__init__(length)
        self.buffer = _SHARED


class ViewOfBuffer(SameBuffer):
    def see(self) -> Any:
        return super().see()[:]


class DictBuffer(SameBuffer):
    observation_space = Dict({"a": Box(-100, 100, (3,), np.float32)})

    def __init__(self, length: int = 4, render_mode: str | None = None) -> None:
        super().__init__(length)
        self.told = {"a": self.buffer}

    def see(self) -> Any:
        super().see()
        return self.told


class TupleBuffer(SameBuffer):
    observation_space = Tuple((Box(-100, 100, (3,), np.float32), Discrete(9)))

    def see(self) -> Any:
        return super().see(), self.t


class RewardBuffer(SameBuffer):
    """Its reward is an array of no dimension, and the same one forever; so are its signals."""

    constraint_spec = Signals()
    paid, signals = np.zeros(()), np.zeros(2, np.float32)

    def pay(self) -> Any:
        self.paid[...] = self.t
        return self.paid

    def step(self, action: Any) -> Any:
        told = super().step(action)
        self.signals[:] = self.t
        return *told[:4], {"constraints": self.signals}


class SpoilsActions(Base):
    action_space = Box(-1, 1, (2,), np.float32)

    def step(self, action: Any) -> Any:
        action *= 0.0
        return super().step(0)


class VectorBuffer(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """A batch of copies that always returns the same four arrays."""

    metadata: ClassVar = {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}

    def __init__(self, num_envs: int = 1, length: int = 4) -> None:
        self.num_envs, self.length = num_envs, length
        self.single_observation_space, self.single_action_space = Box(-100, 100, (3,), np.float32), Discrete(2)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, num_envs)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)
        self.obs = np.zeros((num_envs, 3), np.float32)
        self.reward, self.final = np.zeros(num_envs), np.zeros((num_envs, 3), np.float32)
        self.ends, self.cuts = np.zeros(num_envs, bool), np.zeros(num_envs, bool)
        self.infos: dict[str, Any] = {}

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        self.obs[:] = 0.0
        return self.obs, self.infos

    def step(self, actions: Any) -> Any:
        self.infos.clear()
        self.obs += 1.0
        self.reward[:] = self.obs[:, 0]
        self.cuts[:] = self.obs[:, 0] >= self.length
        if self.cuts.any():
            self.final[:] = self.obs
            self.infos |= {"final_obs": self.final, "_final_obs": self.cuts}
            self.obs[self.cuts] = 0.0
        return self.obs, self.reward, self.ends, self.cuts, self.infos


for _cls in [*globals().values()]:
    if isinstance(_cls, type) and issubclass(_cls, Base):
        gymnasium.register(f"{_cls.__name__}-v0", entry_point=_cls)
