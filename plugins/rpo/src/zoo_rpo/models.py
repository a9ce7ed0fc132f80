"""Models of learned default policies: maps from observations to the parameters of distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zoo import Array

__all__ = ["Model", "Table", "TorchModel"]


class Model(Protocol):
    """A map with parameters of its own."""

    def outputs(self, obs: Array) -> Array:
        """Parameters of distributions [..., W] for observations [..., *shape]."""

    def step(self, obs: Array, gradient: Array) -> None:
        """One step against derivatives [..., W] of a loss by ``outputs(obs)``."""

    def state(self) -> Mapping[str, Any]:
        """All that is needed to go on."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""


class Table:
    """One row of outputs for each state, zero at first; plain gradient steps.

    Args:
        states: S.
        outputs: W; the number of actions, for logits.
        learning_rate: step size.
    """

    def __init__(self, states: int, outputs: int, learning_rate: float) -> None:
        self.rows: NDArray[np.float64] = np.zeros((states, outputs))
        self.learning_rate = learning_rate

    @classmethod
    def joined(cls, tables: Sequence[Table]) -> Table:
        """One table of M * S states whose parts are those of the M given, in memory as well."""
        whole = cls(0, 1, tables[0].learning_rate)
        whole.rows = np.concatenate([table.rows for table in tables])
        for table, rows in zip(tables, np.split(whole.rows, len(tables)), strict=True):
            table.rows = rows
        return whole

    def outputs(self, obs: Array) -> Array:
        """Rows [..., W] of states int64[...]."""
        return self.rows[obs]

    def step(self, obs: Array, gradient: Array) -> None:
        """A state that stands in ``obs`` several times takes the sum."""
        np.subtract.at(self.rows, obs, self.learning_rate * gradient)

    def state(self) -> Mapping[str, Any]:
        """The rows."""
        return {"rows": self.rows.copy()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.rows[:] = state["rows"]


class TorchModel:
    """A module of torch with its optimiser.

    Args:
        module: observations [B, ...] to outputs [B, W].
        optimiser: over its parameters.
    """

    def __init__(self, module: Any, optimiser: Any) -> None:
        self.module, self.optimiser = module, optimiser

    def outputs(self, obs: Array) -> Array:
        """A tensor without a graph."""
        import torch

        with torch.no_grad():
            return self.module(torch.as_tensor(obs))

    def step(self, obs: Array, gradient: Array) -> None:
        """One step of the optimiser."""
        import torch

        self.optimiser.zero_grad()
        outputs = self.module(torch.as_tensor(obs))
        outputs.backward(gradient=torch.as_tensor(gradient, dtype=outputs.dtype))
        self.optimiser.step()

    def state(self) -> Mapping[str, Any]:
        """Of the module, and of the optimiser with its numbers as text."""
        moments = self.optimiser.state_dict()["state"]
        return {
            "module": _copied(self.module.state_dict()),
            "optimiser": {str(index): _copied(moment) for index, moment in moments.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.module.load_state_dict(_copied(state["module"]))
        whole = self.optimiser.state_dict()
        whole["state"] = {int(index): _copied(moment) for index, moment in state["optimiser"].items()}
        self.optimiser.load_state_dict(whole)


def _copied(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors of their own: torch hands out and takes in those that it goes on to change."""
    return {name: value.detach().clone() if hasattr(value, "detach") else value for name, value in tensors.items()}
