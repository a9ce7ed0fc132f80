"""Models of learned default policies: maps from observations to the parameters of distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zoo import Array

__all__ = ["Model", "Table", "TorchModel"]


class Model(Protocol):
    """A parametric map from observations to the parameters of action distributions."""

    def outputs(self, obs: Array) -> Array:
        """Parameters of distributions [..., W] for observations [..., *shape]."""

    def step(self, obs: Array, gradient: Array) -> None:
        """Take one gradient step, given the derivatives [..., W] of a loss with respect to ``outputs(obs)``."""

    def state(self) -> Mapping[str, Any]:
        """Everything needed to continue."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""


class Table:
    """One row of outputs for each state, initially 0, with plain gradient steps.

    Args:
        states: S, the number of states.
        outputs: W, the number of outputs; for logits the number of actions.
        learning_rate: step size.
    """

    def __init__(self, states: int, outputs: int, learning_rate: float) -> None:
        self.rows: NDArray[np.float64] = np.zeros((states, outputs))
        self.learning_rate = learning_rate

    @classmethod
    def stacked(cls, tables: Sequence[Table]) -> Table:
        """One table on M * S states that shares its memory with the M given tables."""
        whole = cls(0, 1, tables[0].learning_rate)
        whole.rows = np.concatenate([table.rows for table in tables])
        for table, rows in zip(tables, np.split(whole.rows, len(tables)), strict=True):
            table.rows = rows
        return whole

    def outputs(self, obs: Array) -> Array:
        """Rows [..., W] of states int64[...]."""
        return self.rows[obs]

    def step(self, obs: Array, gradient: Array) -> None:
        """Take one gradient step; the gradients of a state that occurs several times in ``obs`` are summed."""
        np.subtract.at(self.rows, obs, self.learning_rate * gradient)

    def state(self) -> Mapping[str, Any]:
        """The rows."""
        return {"rows": self.rows.copy()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.rows[:] = state["rows"]


class TorchModel:
    """A torch module with its optimiser.

    Args:
        module: maps observations [B, ...] to outputs [B, W].
        optimiser: a torch optimiser of its parameters.
    """

    def __init__(self, module: Any, optimiser: Any) -> None:
        self.module, self.optimiser = module, optimiser

    def outputs(self, obs: Array) -> Array:
        """Outputs [B, W], without gradients."""
        import torch

        with torch.no_grad():
            return self.module(torch.as_tensor(obs))

    def step(self, obs: Array, gradient: Array) -> None:
        """Take one step of the optimiser, given the derivatives [B, W] of a loss with respect to the outputs."""
        import torch

        self.optimiser.zero_grad()
        outputs = self.module(torch.as_tensor(obs))
        outputs.backward(gradient=torch.as_tensor(gradient, dtype=outputs.dtype))
        self.optimiser.step()

    def state(self) -> Mapping[str, Any]:
        """The state of the module, and that of the optimiser by parameter number, as text."""
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
    """Copies of the tensors: torch returns and accepts tensors that it later changes in place."""
    return {name: value.detach().clone() if hasattr(value, "detach") else value for name, value in tensors.items()}
