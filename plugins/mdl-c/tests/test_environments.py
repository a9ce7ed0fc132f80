"""The goal families by the conformance kit: same task, same dynamics; restored, the same tasks follow."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from zoo.testing import check_environment


@pytest.mark.parametrize("name", ["four-rooms-goals", "pendulum-goals", "cart-pole-goals"])
def test_conformance(name: str) -> None:
    check_environment(name)


@pytest.mark.parametrize(
    "options",
    [
        {"observation": "cell"},
        {"observation": "coordinates", "goals": (12, 108), "common": 0.8, "reward": "published", "features": 0},
        {"observe_goal": False, "features": 3},
    ],
)
def test_conformance_of_other_observations(options: dict[str, Any]) -> None:
    check_environment("four-rooms-goals", **options)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("dm_control") is None, reason="the extra dmc is not installed")
@pytest.mark.parametrize("domain", ["cartpole", "walker"])
def test_conformance_of_the_control_suite(domain: str) -> None:
    check_environment(f"dmc-{domain}-family", max_episode_steps=30)
