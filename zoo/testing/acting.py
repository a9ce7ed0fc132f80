"""Checks of ``act``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector.utils import batch_space

from zoo.api import Metrics
from zoo.seeding import child_seed
from zoo.testing.compare import copied, difference
from zoo.testing.global_generators import global_generators_unused
from zoo.testing.harness import Harness, metrics_difference
from zoo.testing.updates import advance
from zoo.training.build import Member

SIZES = (1, 3)


def check_act(harness: Harness, expected: Sequence[Metrics], seed: int = 0) -> None:
    """Shape, dtype and validity of actions for 1 and 3 observations, and that acting changes nothing.

    Greedy actions must leave ``state()`` alone, generators apart, and must not change what is learned: a run
    that acts after every update has the metrics of one that does not.

    Args:
        harness: what is checked.
        expected: the metrics of a run that does not act.
        seed: of that run.

    Raises:
        AssertionError: naming the batch size and what is wrong.
    """
    observations = []
    for size in SIZES:
        env = harness.components.make_env(size, child_seed(seed, "eval"))
        observations.append(env.reset()[0])
        env.close()

    def act(member: Member) -> None:
        algorithm = member.algorithm
        before = copied({"algorithm": algorithm.state()})
        for obs in observations:
            with harness.contract.during("act()"), global_generators_unused(harness.contract, "act()"):
                actions = algorithm.act(obs, greedy=True)
            _check_actions(harness, member, actions, len(obs))
        problem = difference(before, {"algorithm": algorithm.state()}, generators=False)
        harness.contract.require(not problem, f"act() changed the state: {problem}")

    with harness.member(seed) as busy:
        act(busy)
        rows = advance(harness, busy, harness.limit, act)
        for obs in observations:
            with harness.contract.during("act(greedy=False)"):
                _check_actions(harness, busy, busy.algorithm.act(obs, greedy=False), len(obs))
    problem = metrics_difference(expected, rows)
    harness.contract.require(
        not problem,
        f"act() changed what is learned afterwards ({problem}): acting must draw from a stream of its own, such as "
        'ctx.stream("act")',
    )


def _check_actions(harness: Harness, member: Member, actions: Any, size: int) -> None:
    single = member.env.single_action_space
    space = batch_space(single, size)
    if space.shape is not None:
        if hasattr(actions, "detach"):
            actions = actions.detach().cpu().numpy()
        harness.contract.require(
            isinstance(actions, np.ndarray), f"act() returned a {type(actions).__name__}, expected an array"
        )
        harness.contract.require(
            actions.shape == space.shape,
            f"act() of {size} observations has shape {actions.shape}, expected {space.shape}",
        )
        harness.contract.require(
            space.dtype is None or np.can_cast(actions.dtype, space.dtype, casting="same_kind"),
            f"act() returned {actions.dtype}, expected {space.dtype}",
        )
        actions = actions.astype(space.dtype)
    harness.contract.require(space.contains(actions), f"act() returned {actions!r}, which is not in {single}")
