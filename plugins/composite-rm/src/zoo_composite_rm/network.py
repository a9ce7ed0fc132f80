"""The policy for small observations: the reference's logits plus an MLP that starts as 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.backend import on_device, on_host
from zoo_onpolicy.config import NetworkConfig
from zoo_onpolicy.distributions import Distribution
from zoo_onpolicy.networks import ALL_MEMBERS, MLP

from zoo import Array
from zoo_composite_rm.environment import Singles


class ReferenceMLP(MLP):
    """An MLP whose actor's outputs are added to the logits of a reference policy.

    With ``policy_gain = 0`` the policy at the start is the reference exactly.

    Args:
        members: S.
        inputs: length D of an observation.
        heads: H.
        distribution: of the actions.
        config: layers and initial scales.
        device: of the parameters.
        reference_logits: observations [..., D] to logits [..., A].
    """

    def __init__(
        self,
        members: int,
        inputs: int,
        heads: int,
        distribution: Distribution,
        config: NetworkConfig,
        device: str,
        reference_logits: Callable[[NDArray[Any]], NDArray[Any]],
    ) -> None:
        super().__init__(members, inputs, heads, distribution, config, device)
        self._reference_logits, self._device = reference_logits, device

    def _reference(self, obs: NDArray[Any]) -> Singles:
        return np.asarray(self._reference_logits(obs), dtype=np.float32)

    def _reference_logits_feature_major(self, obs: Array) -> Array:
        """The reference's logits for observations [S, M, D], in the learner's layout [S, A, M]."""
        return on_device(np.ascontiguousarray(self._reference(on_host(obs)).mT), self._device)

    def act(self, obs: NDArray[Any], members: slice = ALL_MEMBERS) -> Singles:
        """See Network."""
        return super().act(obs, members) + self._reference(obs)

    def policy(self, obs: Array, flat: Array | None = None) -> Array:
        """See Network."""
        return super().policy(obs, flat) + self._reference_logits_feature_major(obs)

    def forward(self, obs: Array) -> tuple[Array, Array]:
        """See Network; the derivatives are those of the MLP, since the reference is constant."""
        outputs, values = super().forward(obs)
        return outputs + self._reference_logits_feature_major(obs), values
