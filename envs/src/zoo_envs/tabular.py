"""Gymnasium environments sampled from the exact arrays of a CMDP, one copy or many at once.

Both forms follow the constrained-environment interface: a five-tuple step, ``info["constraints"]`` float32[N]
at every step and never at reset, ``info["cost"]`` as an alias where there is exactly one constraint and its
sense is "<=". Where the model has no terminal state they are continuing: `terminated` is always False,
`truncated` comes after `max_episode_steps`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_envs.constraints import ConstraintSpec
from zoo_envs.copies import Info
from zoo_envs.sampled import SampledEnv
from zoo_envs.sampled_vector import SampledVectorEnv

__all__ = ["TabularEnv", "TabularVectorEnv"]


class TabularEnv(SampledEnv):
    """`SampledEnv` with constraint signals."""

    @property
    def constraint_spec(self) -> ConstraintSpec:
        """Names, thresholds and senses of the N constraints."""
        return self._core.spec

    def _signals(self, row: int) -> dict[str, Any]:
        constraints = self._core.c[row].copy()
        signals: dict[str, Any] = {"constraints": constraints}
        if self._core.has_cost:
            signals["cost"] = constraints.item(0)
        return signals


class TabularVectorEnv(SampledVectorEnv):
    """`SampledVectorEnv` with constraint signals: ``infos["constraints"]`` float32[n,N], and perhaps "cost"."""

    @property
    def constraint_spec(self) -> ConstraintSpec:
        """Names, thresholds and senses of the N constraints."""
        return self._core.spec

    def _signals(self, rows: NDArray[np.int64]) -> Info:
        constraints = self._core.c.take(rows, axis=0)
        signals: Info = {"constraints": constraints}
        if self._core.has_cost:
            signals["cost"] = constraints[:, 0].astype(np.float64)
        return signals
