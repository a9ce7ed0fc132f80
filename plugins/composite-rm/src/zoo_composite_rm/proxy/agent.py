"""``nm-ppo`` as the core knows it."""

from __future__ import annotations

from collections.abc import Sequence

from zoo import Context
from zoo_composite_rm.agent import Lagrangian
from zoo_composite_rm.environment import Task
from zoo_composite_rm.proxy.config import NMConfig
from zoo_composite_rm.proxy.objective import NMObjective


class NMPPO(Lagrangian[NMConfig]):
    """Thresholds by Nelder and Mead's simplex search, with ``xi-ppo`` inside; the policy is never reset."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: NMConfig) -> NMObjective:
        """See Composite."""
        return NMObjective(contexts, Task.of(contexts[0]), config)
