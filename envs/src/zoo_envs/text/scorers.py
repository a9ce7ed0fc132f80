"""Reward models by name: functions that were registered, and the entry points of this and other packages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from importlib.metadata import entry_points

from zoo_envs.text.rewards.functions import FunctionModel, registered
from zoo_envs.text.samples import RewardModel

__all__ = ["GROUP", "reward_models"]

GROUP = "zoo_envs.reward_models"
"""group of the entry points that register reward models"""
_NAMED = re.compile(r"([A-Za-z][\w-]*)=(.+)")


def reward_models(names: Sequence[str], seed: int) -> dict[str, RewardModel]:
    """Build reward models, by the name of each.

    Args:
        names: each that of a registered function or an entry point, or that and ":argument"; "NAME=" before it gives it
            another name.
        seed: of the grammar.

    Raises:
        ValueError: there is none of this name, a name repeats, there are none at all, or an argument is refused.
    """
    split = [named.groups() if (named := _NAMED.fullmatch(name)) else (name, name) for name in names]
    called = [name for name, _ in split]
    if not names or len(set(called)) != len(called):
        raise ValueError(f"reward_models must be distinct names, one at least, got {list(names)}")
    return {name: _built(what, seed) for name, what in split}


def _built(name: str, seed: int) -> RewardModel:
    kind, _, argument = name.partition(":")
    points = {point.name: point for point in entry_points(group=GROUP)}
    functions = registered()
    known = {**points, **functions}
    if kind not in known:
        near = difflib.get_close_matches(kind, known, n=1)
        hint = f": did you mean {near[0]!r}?" if near else f": known are {', '.join(sorted(known))}"
        raise ValueError(f"there is no reward model {kind!r}{hint}; a file with reward functions is given by --plugin")
    if kind in points and kind in functions:
        raise ValueError(f"{functions[kind].owner} has the name of a reward model that is installed: give it another")
    found = functions[kind] if kind in functions else points[kind].load()
    if isinstance(found, type):
        made: RewardModel = found(argument, seed)
        return made
    if argument:
        raise ValueError(f"the reward model {kind!r} is a function, which takes no argument, got {argument!r}")
    return found if isinstance(found, FunctionModel) else FunctionModel(found, kind)
