"""Errors of constrained Markov decision processes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError


class InvalidCMDPError(ZooError):
    """The arrays do not describe a constrained Markov decision process; the message gives the first bad index."""


class InfeasibleCMDPError(ZooError):
    """No policy satisfies every constraint.

    Args:
        constraints: the names of the constraints that cannot hold together, the worst first.
        violations: of each of these under the policy whose largest violation is least, every constraint being measured
            by the range of its own values over all policies; in the unit of its threshold.
        policy_min_violation: that policy, ``[S, A]``.
        context: where it happened, put before the sentence; may be empty.
    """

    def __init__(
        self,
        constraints: Sequence[str],
        violations: Sequence[float],
        policy_min_violation: NDArray[np.float64],
        context: str = "",
    ) -> None:
        quoted = [repr(name) for name in constraints]
        which = f"constraint {quoted[0]}" if len(quoted) == 1 else f"the constraints {', '.join(quoted)} together"
        least = ", ".join(f"{violation:.6g}" for violation in violations)
        super().__init__(
            f"{context}no policy satisfies {which}: the least achievable violation is {least}.",
            f"Relax the threshold of {quoted[0]} by at least {violations[0]:.6g}.",
        )
        self.constraints = tuple(constraints)
        self.constraint = self.constraints[0]
        self.violations = tuple(violations)
        self.min_violation = self.violations[0]
        """of ``constraint``"""
        self.policy_min_violation = policy_min_violation
