"""Products with the Fisher information of the policy, and with its inverse by conjugate gradients; S members at once.

The Fisher information is J' M J, with J the derivatives of the actor's outputs by the parameters and M that of the
action distribution by its outputs. J v is a central difference in double precision, which is exact to some ten digits;
J' is the network's own backward pass.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.backend import namespace, on_device, on_host
from zoo_onpolicy.distributions import Categorical, Distribution, MultiCategorical
from zoo_onpolicy.networks import Network

from zoo import Array
from zoo_reload.core import Floats

_STEP = 1e-5
"""size of the central difference relative to the parameters' size"""


class Fisher:
    """The Fisher information [S, P, P] of the policy on the states of one rollout, damped.

    Args:
        network: the networks; the policy is that of the present parameters.
        distribution: of the actions.
        obs: encoded observations, [S, N, ...].
        outputs: outputs of the actor for them, [S, W, N].
        damping: added to the diagonal, at least 0.
        device: of the learner.
    """

    def __init__(
        self, network: Network, distribution: Distribution, obs: Array, outputs: Array, damping: float, device: str
    ) -> None:
        self._network, self._distribution, self._obs, self._outputs = network, distribution, obs, outputs
        self._damping, self._device = damping, device
        self._at = _double(network.parameters.flat)
        self._seen = _double(obs) if "float" in str(obs.dtype) else obs

    def product(self, v: Floats) -> Floats:
        """H v, float64[S, P]."""
        size = np.abs(v).max(axis=1, keepdims=True)
        h = _STEP / np.where(size > 0, size, 1.0)
        step = self._like(h * v)
        ahead, behind = (self._network.policy(self._seen, self._at + side) for side in (step, -step))
        moved = (ahead - behind) / (2 * self._like(h))[:, :, None]
        single = on_device(on_host(moved).astype(np.float32), self._device)
        count = single.shape[-1]
        _, values = self._network.forward(self._obs)
        self._network.backward(metric(self._distribution, self._outputs, single) / count, values * 0.0)
        return np.asarray(on_host(self._network.parameters.gradient).astype(np.float64) + self._damping * v)

    def solve(self, b: Floats, steps: int) -> Floats:
        """H^-1 b for b float64[S, P] by at most ``steps`` steps of conjugate gradients."""
        x, residual = np.zeros_like(b), b.copy()
        direction, square = residual.copy(), np.square(b).sum(axis=1)
        enough = 1e-10 * square
        for _ in range(steps):
            if (square <= enough).all():
                break
            product = self.product(direction)
            curvature = (direction * product).sum(axis=1)
            length = np.where(
                (square > enough) & (curvature > 0), square / np.where(curvature > 0, curvature, 1.0), 0.0
            )
            x += length[:, None] * direction
            residual -= length[:, None] * product
            following = np.square(residual).sum(axis=1)
            direction = residual + (following / np.where(square > 0, square, 1.0))[:, None] * direction
            square = following
        return x

    def _like(self, array: NDArray[np.float64]) -> Array:
        return array if isinstance(self._at, np.ndarray) else self._at.new_tensor(array)


def metric(distribution: Distribution, outputs: Array, v: Array) -> Array:
    """M v for directions v [S, W, N] in the outputs of the actor: logits, or means and log standard deviations."""
    xp = namespace(v)
    if isinstance(distribution, Categorical):
        p = xp.exp(outputs - xp.amax(outputs, 1)[:, None])
        p = p / p.sum(1)[:, None]
        return p * (v - (p * v).sum(1)[:, None])
    if isinstance(distribution, MultiCategorical):
        parts = zip(distribution.parts, distribution.split(outputs), distribution.split(v), strict=True)
        return xp.concat([metric(part, *of_part) for part, *of_part in parts], 1)
    D = distribution.learned
    return xp.concat([v[:, :D] * xp.exp(-2 * outputs[:, D:]), 2 * v[:, D:]], 1)


def _double(array: Array) -> Any:
    return array.astype(np.float64) if isinstance(array, np.ndarray) else array.double()
