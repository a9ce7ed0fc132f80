"""What can be wrong with a constrained Markov decision process."""

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
        min_violation: the least achievable largest violation ``min_pi max_i violation_i``, in the unit of ``b``.
        policy_min_violation: a policy that attains it, ``[S, A]``.
        context: where it happened, put before the sentence; may be empty.
    """

    def __init__(
        self,
        constraints: Sequence[str],
        min_violation: float,
        policy_min_violation: NDArray[np.float64],
        context: str = "",
    ) -> None:
        quoted = [repr(name) for name in constraints]
        which = f"constraint {quoted[0]}" if len(quoted) == 1 else f"the constraints {', '.join(quoted)} together"
        super().__init__(
            f"{context}no policy satisfies {which}: the least achievable violation is {min_violation:.6g}.",
            f"Relax the threshold of {quoted[0]} by at least {min_violation:.6g}.",
        )
        self.constraints = tuple(constraints)
        self.constraint = self.constraints[0]
        self.min_violation = min_violation
        self.policy_min_violation = policy_min_violation
