"""When the off-policy forms train."""

from __future__ import annotations

from typing import Any

import pytest
from zoo_envs.goals.four_rooms import FourRoomsGoalsVector
from zoo_mdl_c.offpolicy.config import DiscreteSACConfig
from zoo_mdl_c.offpolicy.discrete_sac import DiscreteSAC

from zoo import Context, Problem
from zoo.seeding import stream

REPLAY: dict[str, Any] = {"replay_steps": 1, "replay_states": 20, "default_batch": 8}


def context(env: Any, budget: int) -> Context:
    env.reset(seed=0)
    return Context(env=env, seed=0, rng=stream(0, "algo"), budget=budget, problem=Problem(tasks=env.tasks))


def discrete(**options: Any) -> DiscreteSAC:
    config = DiscreteSACConfig(learning_starts=0, batch_size=4, net_arch=(4,), **REPLAY, **options)
    return DiscreteSAC(context(FourRoomsGoalsVector(2, max_episode_steps=20), 400), config)


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
