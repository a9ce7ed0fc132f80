"""Adam (Kingma and Ba 2015, arXiv:1412.6980) on the stacked parameters of S members, each with its own step count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Array
from zoo_onpolicy.backend import namespace, on_device, on_host

BETA_1, BETA_2 = 0.9, 0.999
EPSILON = 1e-5
"""added to the root of the second moment; PPO implementations use 1e-5, torch's default is 1e-8"""


def clip_norm(gradient: Array, limit: float) -> Array:
    """Scale each member's gradient [S, P] in place so that its norm is at most ``limit``.

    Returns:
        The norms before scaling, [S].
    """
    norm = (gradient * gradient).sum(1) ** 0.5
    gradient *= (limit / (norm + 1e-6)).clip(0.0, 1.0)[:, None]
    return norm


class Adam:
    """The optimiser of S members, whose moments are arrays [S, P] like their parameters.

    Args:
        parameters: [S, P], changed in place by ``step``.
        device: the device on which they are.
    """

    def __init__(self, parameters: Array, device: str) -> None:
        self.parameters, self._device = parameters, device
        self.m = on_device(np.zeros(tuple(parameters.shape), np.float32), device)
        self.v = on_device(np.zeros(tuple(parameters.shape), np.float32), device)
        self._work = self.m + 0.0
        self.t: NDArray[np.int64] = np.zeros(len(parameters), dtype=np.int64)

    def step(self, gradient: Array, rate: NDArray[np.float64], active: NDArray[np.bool_] | None = None) -> None:
        """Take one step of gradient descent.

        Args:
            gradient: gradient of the loss, [S, P].
            rate: step size of each member, [S].
            active: members to update, bool[S]; the others keep their parameters, moments and step count. None: all.
        """
        if active is not None and not active.all():
            inactive = np.flatnonzero(~active)
            arrays = (self.parameters, self.m, self.v, self.t)
            before = [array[inactive] for array in arrays]
            self.step(gradient, rate)
            for array, rows in zip(arrays, before, strict=True):
                array[inactive] = rows
            return
        self.t += 1
        # m_hat / (sqrt(v_hat) + eps), both bias corrections moved out of the arrays (section 2, last paragraph).
        correction = np.sqrt(1 - BETA_2**self.t)
        epsilon = on_device((EPSILON * correction)[:, None], self._device)
        step = on_device((rate * correction / (1 - BETA_1**self.t))[:, None], self._device)
        m, v, work, xp = self.m, self.v, self._work, namespace(gradient)
        m *= BETA_1
        m += xp.multiply(gradient, 1 - BETA_1, out=work)
        v *= BETA_2
        xp.multiply(gradient, gradient, out=work)
        work *= 1 - BETA_2
        v += work
        xp.sqrt(v, out=work)
        work += epsilon
        xp.divide(m, work, out=work)
        work *= step
        self.parameters -= work

    def state(self, member: int) -> Mapping[str, Any]:
        """The moments and the step count of one member."""
        return {"m": on_host(self.m[member]).copy(), "v": on_host(self.v[member]).copy(), "t": int(self.t[member])}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
        self.m[member] = on_device(np.asarray(state["m"]), self._device)
        self.v[member] = on_device(np.asarray(state["v"]), self._device)
        self.t[member] = int(state["t"])
