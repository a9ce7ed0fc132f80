"""Tables: one row of actor's outputs and values for each state, learned as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo_onpolicy.config import NetworkConfig
from zoo_onpolicy.distributions import Distribution
from zoo_onpolicy.networks import EVERY, Floats, Network, Parameters


class Table(Network):
    """Actor's outputs [W] and values [H] of each of n states; zero at the start, so that all actions are as likely.

    Args:
        members: S.
        states: n.
        heads: H.
        distribution: of the actions; the spread of box actions depends on the state here.
        config: its ``log_std_init`` is read.
        device: of the parameters.
    """

    def __init__(
        self, members: int, states: int, heads: int, distribution: Distribution, config: NetworkConfig, device: str
    ) -> None:
        self._width = distribution.outputs + heads
        self._outputs, self._learned = distribution.outputs, distribution.learned
        self._config = config
        self.parameters = Parameters(members, {"table": (states, self._width)}, device)
        self._offset = torch.arange(members, device=device)[:, None] * states
        self._offset_host = np.arange(members)[:, None] * states
        self._rows = torch.zeros(0, dtype=torch.int64, device=device)

    def initialise(self, member: int, generator: torch.Generator) -> None:
        """See Network; nothing is random."""
        table = self.parameters.views["table"][member]
        table.zero_()
        table[:, self._learned : self._outputs] = self._config.log_std_init
        self.parameters.changed()

    def act(self, obs: NDArray[Any], members: slice = EVERY) -> Floats:
        """See Network."""
        table = self.parameters.host()["table"][members]
        rows = obs + self._offset_host[: len(table)]
        found: Floats = table.reshape(-1, self._width).take(rows, axis=0)[..., : self._outputs]
        return found

    def _look_up(self, obs: Tensor, flat: Tensor) -> Tensor:
        """Rows [S, W + H, M], remembering where they were."""
        self._rows = (obs + self._offset).reshape(-1)
        found = flat.view(-1, self._width).index_select(0, self._rows)
        return found.view(*obs.shape, self._width).mT.contiguous()

    def policy(self, obs: Tensor, flat: Tensor) -> Tensor:
        """See Network."""
        return self._look_up(obs, flat)[:, : self._outputs]

    def values(self, obs: Tensor) -> Tensor:
        """See Network."""
        return self._look_up(obs, self.parameters.flat)[:, self._outputs :]

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """See Network."""
        found = self._look_up(obs, self.parameters.flat)
        return found[:, : self._outputs], found[:, self._outputs :]

    def backward(self, d_policy: Tensor, d_values: Tensor) -> None:
        """See Network."""
        d = torch.cat([d_policy, d_values], dim=1).mT.reshape(-1, self._width)
        gradient = self.parameters.gradient.zero_().view(-1, self._width)
        gradient.index_add_(0, self._rows, d)
