"""Reward models by name, from the entry points of this and other packages."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from importlib.metadata import entry_points

from zoo_envs.text.samples import RewardModel

__all__ = ["GROUP", "reward_models"]

GROUP = "zoo_envs.reward_models"
"""group of the entry points that register reward models"""


def reward_models(names: Sequence[str], seed: int) -> list[RewardModel]:
    """Build the reward models called `names`, each the name of an entry point, or that and ":argument".

    Raises:
        ValueError: there is none of this name, a name repeats, there are none at all, or an argument is refused.
    """
    if not names or len(set(names)) != len(names):
        raise ValueError(f"reward_models must be distinct names, one at least, got {list(names)}")
    found = {point.name: point for point in entry_points(group=GROUP)}
    built: list[RewardModel] = []
    for name in names:
        kind, _, argument = name.partition(":")
        if kind not in found:
            near = difflib.get_close_matches(kind, found, n=1)
            hint = f": did you mean {near[0]!r}?" if near else f": known are {', '.join(sorted(found))}"
            raise ValueError(f"there is no reward model {kind!r}{hint}")
        built.append(found[kind].load()(argument, seed))
    return built
