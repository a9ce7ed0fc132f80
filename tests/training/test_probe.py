"""The grade "exact" is earned: an environment is tried out, and what cannot be restored resumes with fresh episodes."""

from __future__ import annotations

import random
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from tests.rows import logged
from tests.training.conftest import Trainer
from zoo import ConstraintSpec
from zoo.discovery.names import EnvName
from zoo.training.environments.make_env import Recorder, make_env
from zoo.training.environments.probe import grade
from zoo.training.stop import Stop
from zoo.training.storage.run_dir import RunDir


class Base(gymnasium.Env[Any, Any]):
    """Draws a number at every step, from wherever ``draw`` says."""

    observation_space: ClassVar[Any] = Box(-10, 10, (1,), np.float64)
    action_space: ClassVar[Any] = Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.t = 0

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.t = 0
        self.begin()
        return np.zeros(1), {}

    def begin(self) -> None: ...

    def step(self, action: Any) -> Any:
        self.t += 1
        x = self.draw()
        return np.full(1, x), float(x), False, self.t >= 20, {}

    def draw(self) -> float:
        return float(self.np_random.random())


class Sound(Base): ...


class Declared(Base):
    """Keeps a frozen dataclass in an attribute, as a declared constraint spec or its options are."""

    def begin(self) -> None:
        self.limits = ConstraintSpec(("cost",), np.array([1.0]), ("<=",))


class Alias(Base):
    def begin(self) -> None:
        self.rng = self.np_random

    def draw(self) -> float:
        return float((self.rng if self.t % 2 else self.np_random).random())


class AliasedArray(Base):
    def begin(self) -> None:
        self.x = np.zeros(1)
        self.view = self.x[:]

    def draw(self) -> float:
        self.x += 0.01
        return float(self.view[0])


class InAList(Base):
    def begin(self) -> None:
        self.rngs = [self.np_random]

    def draw(self) -> float:
        return float((self.rngs[0] if self.t % 2 else self.np_random).random())


class ClassState(Base):
    count: ClassVar[int] = 0

    def draw(self) -> float:
        type(self).count += 1
        return (type(self).count % 97) / 97


class ClassGenerator(Base):
    rng: ClassVar[Any] = np.random.default_rng(0)

    def draw(self) -> float:
        return float(self.rng.random())


_MODULE = {"count": 0}


class ModuleState(Base):
    def draw(self) -> float:
        _MODULE["count"] += 1
        return (_MODULE["count"] % 97) / 97


class GlobalNumpy(Base):
    def draw(self) -> float:
        return float(np.random.random())  # noqa: NPY002


class GlobalRandom(Base):
    def draw(self) -> float:
        return random.random()


class GlobalAtReset(Base):
    def begin(self) -> None:
        self.start = random.random()

    def draw(self) -> float:
        return self.start


class GlobalSeeded(Base):
    """Seeds the generator of the process at every reset, as many do."""

    def begin(self) -> None:
        np.random.seed(int(self.np_random.integers(2**31)))  # noqa: NPY002

    def draw(self) -> float:
        return float(np.random.random())  # noqa: NPY002


class Hidden(Base):
    def begin(self) -> None:
        self.handle = iter(range(100))


class Closure(Base):
    def begin(self) -> None:
        kept = [0.0]

        def draw() -> float:
            kept[0] += 0.01
            return kept[0]

        self.drawn = draw

    def draw(self) -> float:
        return self.drawn()


class OwnLies(Base):
    """Offers its state, and forgets half of it."""

    def get_state(self) -> dict[str, Any]:
        return {"t": self.t}

    def set_state(self, state: Any) -> None:
        self.t = state["t"]


class Broken(Base):
    def draw(self) -> float:
        raise RuntimeError("broken")


for _cls in [*globals().values()]:
    if isinstance(_cls, type) and issubclass(_cls, Base):
        gymnasium.register(f"Probe{_cls.__name__}-v0", entry_point=_cls)

EXACT = [
    "ProbeSound-v0",
    "ProbeDeclared-v0",
    "CartPole-v1",
    "Pendulum-v1",
    "FrozenLake-v1",
    "Taxi-v4",
    "Blackjack-v1",
    "CliffWalking-v1",
]
STATISTICAL = [
    "Alias", "AliasedArray", "InAList", "ClassState", "ClassGenerator", "ModuleState", "GlobalNumpy", "GlobalRandom",
    "GlobalAtReset", "GlobalSeeded", "Hidden", "Closure", "OwnLies", "Broken",
]  # fmt: skip


def maker(env_id: str, copies: int) -> Any:
    def make(seed: int) -> Recorder:
        env = make_env(EnvName(gym_id=env_id), {}, copies)
        env.reset(seed=seed)
        return env

    return make


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("env_id", EXACT)
def test_what_can_be_put_back_is_exact(env_id: str, copies: int) -> None:
    found = grade(maker(env_id, copies), "it")
    assert (found.exact, found.notice) == (True, "")


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("name", STATISTICAL)
def test_what_differs_is_statistical(name: str, copies: int) -> None:
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    found = grade(maker(f"Probe{name}-v0", copies), "environment it")
    assert not found.exact
    assert before == (random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index]  # noqa: NPY002
    if "Global" in name:
        where = "random" if name in ("GlobalRandom", "GlobalAtReset") else "np.random"
        assert found.notice.startswith(f"environment it draws from {where}, which is of the whole process")
    else:
        assert found.notice == ""


def test_the_run_says_so_and_resumes_with_fresh_episodes(
    run: Trainer, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (whole,) = run(env="gym:ProbeGlobalNumpy-v0", seeds=(0,))
    assert RunDir.open(whole.path).status()["resume"] == "statistical"
    assert "ProbeGlobalNumpy-v0 draws from np.random" in capsys.readouterr().err
    assert "draws from np.random" in (whole.path / "log.txt").read_text()
    (aliased,) = run(env="gym:ProbeAlias-v0", steps=20, settings={"time_limit": 0.0})
    assert RunDir.open(aliased.path).status()["resume"] == "statistical"

    class After:
        left = 9

        def updated(self, *_: Any) -> None:
            self.left -= 1
            if self.left == 0:
                stop.reason = "SIGTERM"

        def started(self, *_: Any) -> None: ...

        checkpointed = finished = started

    stop = Stop()
    (half,) = run(env="gym:ProbeAlias-v0", root=tmp_path / "b", stop=stop, watch=After())
    assert half.status == "interrupted"
    (rest,) = run(env="gym:ProbeAlias-v0", root=tmp_path / "b")
    assert "fresh episodes (it cannot be restored exactly)" in rest.resumed
    assert rest.status == "finished"


def test_grading_changes_nothing_that_is_learned(run: Trainer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.training.build import Components
    from zoo.training.environments.probe import Grade

    (graded,) = run(env="gym:ProbeSound-v0")
    assert RunDir.open(graded.path).status()["resume"] == "exact"
    monkeypatch.setattr(Components, "graded", lambda self, env: Grade(exact=True))
    (trusted,) = run(env="gym:ProbeSound-v0", root=tmp_path / "b")
    assert logged(graded.path) == logged(trusted.path)
