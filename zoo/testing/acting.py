"""Checks of ``act``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.vector.utils import batch_space

from zoo.api import Explicit, Metrics
from zoo.seeding import child_seed
from zoo.testing.compare import copied, difference
from zoo.testing.global_generators import global_generators_unused
from zoo.testing.harness import Harness, metrics_difference
from zoo.testing.updates import advance
from zoo.training.build import Member

SIZES = (1, 3)
REPEATS = 40
"""greedy actions in each state: a sampled action that is not a likeliest one is as good as never that often in a row"""


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
        _check_policy(harness, busy)
    problem = metrics_difference(expected, rows)
    harness.contract.require(
        not problem,
        f"act() changed what is learned afterwards ({problem}): acting must draw from a stream of its own, such as "
        'ctx.stream("act")',
    )


def _check_policy(harness: Harness, member: Member) -> None:
    """``policy()``, where it is offered on states, is a table of probabilities that agrees with greedy actions.

    Greedy actions may be sampled, but have a positive probability; one that is chosen every time is a likeliest one.
    """
    algorithm, contract, space = member.algorithm, harness.contract, member.env.single_observation_space
    if not (isinstance(algorithm, Explicit) and isinstance(space, Discrete) and member.ctx.problem.model is not None):
        return
    with contract.during("policy()"):
        table = np.asarray(algorithm.policy(), dtype=np.float64)
    S, A = member.ctx.problem.tabular.r.shape
    contract.require(
        table.shape == (S, A), f"policy() has shape {table.shape}, expected {(S, A)}, a row for each state"
    )
    good = (table >= 0).all(axis=1) & (np.abs(table.sum(axis=1) - 1) <= 1e-6)
    contract.require(
        good.all(), f"policy() has the row {table[good.argmin()]} for state {good.argmin()}, expected probabilities"
    )
    states = np.arange(S)
    with contract.during("act()"):
        actions = np.stack([np.asarray(algorithm.act(states, greedy=True)) for _ in range(REPEATS)])
    chosen = table[states, actions]
    fixed = (actions == actions[0]).all(axis=0)
    wrong = (chosen <= 0).any(axis=0) | (fixed & (chosen[0] < table.max(axis=1) - 1e-6))
    s = int(wrong.argmax())
    contract.require(
        not wrong.any(),
        f"act() takes action {actions[chosen[:, s].argmin(), s]} in state {s}, and policy() has {table[s]}",
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
