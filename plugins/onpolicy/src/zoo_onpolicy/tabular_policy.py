"""Tabular actor and critic: a row of outputs and values for each state, whose entries are the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Array
from zoo_onpolicy.backend import add_rows, compact, namespace, on_device, take_rows
from zoo_onpolicy.config import NetworkConfig
from zoo_onpolicy.distributions import Distribution
from zoo_onpolicy.networks import ALL_MEMBERS, Floats, Network, Parameters


class Table(Network):
    """Outputs of the actor [W] and values [H] of each of n states; 0 at first, so that all actions are equally likely.

    Args:
        members: S.
        states: n.
        heads: H.
        distribution: the family of action distributions; here the log standard deviations depend on the state too.
        config: options, of which ``log_std_init`` is used.
        device: the device of the parameters.
    """

    def __init__(
        self, members: int, states: int, heads: int, distribution: Distribution, config: NetworkConfig, device: str
    ) -> None:
        self._states, self._width = states, distribution.outputs + heads
        self._outputs, self._learned = distribution.outputs, distribution.learned
        self._config = config
        self.parameters = Parameters(members, {"table": (states, self._width)}, device)
        self._offset_host = np.arange(members)[:, None] * states
        self._offset = on_device(self._offset_host, device)
        self._rows: Array = self._offset[:0, 0]

    def initialise(self, member: int, rng: np.random.Generator) -> None:
        """See Network; nothing is random."""
        table = np.zeros((self._states, self._width), np.float32)
        table[:, self._learned : self._outputs] = self._config.log_std_init
        self.parameters.assign("table", member, table)

    def act(self, obs: NDArray[Any], members: slice = ALL_MEMBERS) -> Floats:
        """See Network."""
        table = self.parameters.host()["table"][members]
        rows = obs + self._offset_host[: len(table)]
        outputs: Floats = table.reshape(-1, self._width).take(rows, axis=0)[..., : self._outputs]
        return outputs

    def _look_up(self, obs: Array, flat: Array | None = None) -> Array:
        """The rows of the states, [S, W + H, M]; their numbers are kept for ``backward``."""
        table = self.parameters.flat if flat is None else flat
        self._rows = (obs + self._offset).reshape(-1)
        values = take_rows(table.reshape(-1, self._width), self._rows)
        return compact(values.reshape(*obs.shape, self._width).mT)

    def policy(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        return self._look_up(obs, flat)[:, : self._outputs]

    def values(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        return self._look_up(obs, flat)[:, self._outputs :]

    def forward(self, obs: Array) -> tuple[Array, Array]:
        """See Network."""
        rows = self._look_up(obs)
        return rows[:, : self._outputs], rows[:, self._outputs :]

    def backward(self, d_policy: Array, d_values: Array) -> None:
        """See Network."""
        d = compact(namespace(d_policy).concat([d_policy, d_values], 1).mT)
        gradient = self.parameters.gradient
        gradient[:] = 0.0
        add_rows(gradient.reshape(-1, self._width), self._rows, d.reshape(-1, self._width))
