"""When the off-policy forms train, what the row says that ends a task, and that control learns its task."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from zoo_envs.goals.env import GoalVectorEnv
from zoo_envs.goals.four_rooms import FourRooms, FourRoomsGoalsVector
from zoo_envs.goals.pendulum import Pendulum, PendulumGoalsVector
from zoo_envs_plugin.options.goals import FourRoomsGoalsConfig, PendulumGoalsConfig
from zoo_mdl_c.offpolicy.config import DiscreteSACConfig
from zoo_mdl_c.offpolicy.discrete_sac import DiscreteSAC
from zoo_mdl_c.offpolicy.sac import MDLCSAC
from zoo_mdl_c.offpolicy.sac_config import MDLCSACConfig

from zoo import Context, Problem
from zoo.seeding import stream

REPLAY: dict[str, Any] = {"replay_steps": 1, "replay_states": 20, "default_batch": 8}


def context(env: Any, budget: int) -> Context:
    env.reset(seed=0)
    return Context(env=env, seed=0, rng=stream(0, "algo"), budget=budget, problem=Problem(tasks=env.tasks))


def discrete(**options: Any) -> DiscreteSAC:
    config = DiscreteSACConfig(learning_starts=0, batch_size=4, net_arch=(4,), **REPLAY, **options)
    return DiscreteSAC(context(FourRoomsGoalsVector(2, max_episode_steps=20), 400), config)


def box(**options: Any) -> MDLCSAC:
    config = MDLCSACConfig(learning_starts=20, batch_size=4, default_arch=(4,), **REPLAY, **options)
    return MDLCSAC(context(PendulumGoalsVector(2, max_episode_steps=20), 400), config)


@pytest.mark.parametrize(("train_freq", "expected"), [(1, 100), (3, 32), (20, 4), (50, 2)])
def test_training_phases_are_counted_in_vector_steps_of_the_task(
    train_freq: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tasks of 50 vector steps each."""
    agent = discrete(task_steps=100, train_freq=train_freq)
    learn, phases = agent._learn, 0

    def counted() -> dict[str, float]:
        nonlocal phases
        phases += 1
        return learn()

    monkeypatch.setattr(agent, "_learn", counted)
    while agent.env_steps < 200:
        agent.update()
    assert phases == expected


@pytest.mark.parametrize("make", [discrete, box])
def test_the_row_that_ends_a_task_is_of_that_task(make: Any) -> None:
    """Tasks of 80 steps by 2 copies and episodes of 20: an episode of each copy ends with the task."""
    agent = make(task_steps=80)
    rows = []
    while agent.env_steps < 240:
        rows.append(agent.update())
    ends = [row for row in rows if row["task/steps"] == 80]
    assert [row["task/number"] for row in ends] == [0, 1, 2]
    assert all("return/episode" in row for row in ends)
    assert len({row["task/index"] for row in ends}) > 1
    assert [row["task/number"] for row in rows] == sorted(row["task/number"] for row in rows)


TASK = 800
"""environment steps of a task"""


class Corners(FourRooms):
    """Nothing moves; each goal has one right action, worth 1."""

    def move(self, physics: Any, goals: Any, actions: Any) -> Any:
        return physics, (actions == goals % 4).astype(np.float64), np.zeros(len(goals), dtype=np.bool_)


class Torques(Pendulum):
    """Nothing moves; each goal has one best torque, half its angle."""

    def move(self, physics: Any, goals: Any, actions: Any) -> Any:
        off = actions[:, 0] - self.angles[goals] / 2
        return physics, -np.square(off, dtype=np.float64), np.zeros(len(goals), dtype=np.bool_)


class CornersVector(GoalVectorEnv, config=FourRoomsGoalsConfig, family=Corners):
    """Copies of it."""


class TorquesVector(GoalVectorEnv, config=PendulumGoalsConfig, family=Torques):
    """Copies of it."""


def test_control_learns_the_right_action_of_each_task() -> None:
    """A uniform policy is worth 1/4 a step, the best 1."""
    env = CornersVector(4, max_episode_steps=10, features=1)
    config = DiscreteSACConfig(task_steps=TASK, learning_starts=40, batch_size=64, learning_rate=3e-3, **REPLAY)
    assert learned(DiscreteSAC(context(env, 2 * TASK), config)) > 0.9


def test_control_learns_the_best_torque_of_each_task() -> None:
    """A uniform policy is worth -4/3 a step at the least, the best 0."""
    env = TorquesVector(4, max_episode_steps=10, features=1)
    config = MDLCSACConfig(
        task_steps=TASK, learning_starts=40, batch_size=64, learning_rate=3e-3, train_freq=2, gradient_steps=2,
        **REPLAY,
    )  # fmt: skip
    assert learned(MDLCSAC(context(env, 2 * TASK), config)) > -0.2


def learned(agent: Any) -> float:
    """The reward of a step at the end of each of two tasks, of the worse of them."""
    returns: dict[float, list[float]] = {}
    while agent.env_steps < 2 * TASK:
        row = agent.update()
        if "return/episode" in row:
            returns.setdefault(row["task/number"], []).append(row["return/episode"] / 10)
    assert len(returns) == 2
    assert all(np.mean(values[:2]) < np.mean(values[-5:]) for values in returns.values())
    return float(min(np.mean(values[-5:]) for values in returns.values()))
