"""Adam (Kingma and Ba 2015, arXiv:1412.6980) on the stacked parameters of S members, each on its own clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BETA_1, BETA_2 = 0.9, 0.999
EPSILON = 1e-5
"""added to the root of the second moment; PPO implementations use 1e-5, torch's default is 1e-8"""


def clip_norm(gradient: Tensor, limit: float) -> Tensor:
    """Scale each member's gradient [S, P] in place so that its norm is at most ``limit``.

    Returns:
        The norms before, [S].
    """
    norm: Tensor = torch.linalg.vector_norm(gradient, dim=1)
    gradient.mul_((limit / (norm + 1e-6)).clamp_(max=1.0)[:, None])
    return norm


class Adam:
    """The moments of S members: one row each, as their parameters [S, P].

    Args:
        parameters: changed in place by ``step``.
    """

    def __init__(self, parameters: Tensor) -> None:
        self.parameters = parameters
        self.m = torch.zeros_like(parameters)
        self.v = torch.zeros_like(parameters)
        self.t: NDArray[np.int64] = np.zeros(len(parameters), dtype=np.int64)

    def step(self, gradient: Tensor, rate: NDArray[np.float64], active: NDArray[np.bool_] | None = None) -> None:
        """One step against ``gradient`` [S, P] with the members' step sizes ``rate`` [S].

        Args:
            gradient: of the loss.
            rate: step size of each member.
            active: members to move, bool[S]; the others keep parameters, moments and clock. None: all.
        """
        if active is not None and not active.all():
            resting = torch.from_numpy(np.flatnonzero(~active)).to(gradient.device)
            kept = [part[resting] for part in (self.parameters, self.m, self.v)]
            clock = self.t.copy()
            self.step(gradient, rate)
            for part, rows in zip((self.parameters, self.m, self.v), kept, strict=True):
                part[resting] = rows
            self.t = np.where(active, self.t, clock)
            return
        self.t += 1
        self.m.lerp_(gradient, 1 - BETA_1)
        self.v.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
        # m_hat / (sqrt(v_hat) + eps), both bias corrections moved out of the arrays (section 2, last paragraph).
        correction = np.sqrt(1 - BETA_2**self.t)
        epsilon = self._column(EPSILON * correction)
        step = self._column(rate * correction / (1 - BETA_1**self.t))
        self.parameters.sub_(self.v.sqrt().add_(epsilon).reciprocal_().mul_(self.m).mul_(step))

    def _column(self, numbers: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(numbers.astype(np.float32)[:, None]).to(self.parameters.device)

    def state(self, member: int) -> Mapping[str, Any]:
        """The moments and the clock of one member."""
        return {"m": self.m[member].cpu().clone(), "v": self.v[member].cpu().clone(), "t": int(self.t[member])}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
        self.m[member] = torch.as_tensor(state["m"])
        self.v[member] = torch.as_tensor(state["v"])
        self.t[member] = int(state["t"])
