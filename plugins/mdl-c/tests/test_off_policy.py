"""When the off-policy forms train, and what the row says that ends a task."""

from __future__ import annotations

from typing import Any

import pytest
from zoo_envs.goals.four_rooms import FourRoomsGoalsVector
from zoo_envs.goals.pendulum import PendulumGoalsVector
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
