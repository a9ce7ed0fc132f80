"""Many seeds of one algorithm advanced together: their arrays stacked, their judgement and checkpoints apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import Batch, Metrics
from zoo_reload.rules import Iterate
from zoo_reload.trajectory import Trajectory

if TYPE_CHECKING:
    from zoo_reload.agent import PrimalDualRun

STACKED_STATES = 500
"""Above this many states one dense stacked solve costs more than sparse single ones."""


class StackedRuns(Batch):
    """Members are ordinary runs; only the arithmetic between two checks is shared.

    Args:
        members: runs of one algorithm with one configuration on one environment, at least one.
    """

    def __init__(self, members: Sequence[PrimalDualRun[Any]]) -> None:
        self._members = tuple(members)

    def __len__(self) -> int:
        return len(self._members)

    def member(self, index: int) -> PrimalDualRun[Any]:
        """Run ``index``, to look at, save or restore."""
        return self._members[index]

    def update(self) -> Sequence[Metrics]:
        """One update of every member."""
        lengths = [member.begin_update() for member in self._members]
        trajectories = [member.trajectory for member in self._members]
        game = trajectories[0].game
        if len(set(lengths)) == 1 and game.cmdp.num_states <= STACKED_STATES and trajectories[0].rule.stacks:
            advance_together(trajectories, lengths[0])
        else:
            for trajectory, iterations in zip(trajectories, lengths, strict=True):
                trajectory.advance(iterations)
        return [member.end_update(n) for member, n in zip(self._members, lengths, strict=True)]


def advance_together(trajectories: Sequence[Trajectory], iterations: int) -> None:
    """``advance`` for trajectories of one game and one rule, each with its own step sizes."""
    game, rule = trajectories[0].game, trajectories[0].rule
    each = [trajectory.x for trajectory in trajectories]
    x = Iterate(
        np.stack([one.z for one in each]),
        np.stack([one.mu for one in each]),
        {name: np.stack([one.memory[name] for one in each]) for name in each[0].memory},
    )
    eta = np.array([trajectory.eta for trajectory in trajectories])[:, None, None]
    eta_mu = np.array([trajectory.eta_mu for trajectory in trajectories])[:, None]
    # Computed afresh from the logits, so that a batch resumed from its members' checkpoints goes on bit for bit.
    point = game.evaluate_many(x.z)
    for _ in range(iterations):
        x, point = rule.step(x, point, eta, eta_mu, game.evaluate_many)
    for i, trajectory in enumerate(trajectories):
        memory = {name: value[i] for name, value in x.memory.items()}
        trajectory.moved_to(Iterate(x.z[i], x.mu[i], memory), iterations)
