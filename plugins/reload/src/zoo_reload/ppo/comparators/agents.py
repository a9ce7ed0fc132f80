"""``ppo-pid``, ``crpo``, ``focops`` and ``cpo`` as algorithms of the core; they differ in objective and learner."""

from __future__ import annotations

from collections.abc import Sequence

from zoo_onpolicy.learner import Learner

from zoo import Context
from zoo_reload.ppo.agent import Constrained, Lagrangian, constraints_of
from zoo_reload.ppo.comparators.config import CPOConfig, CRPOConfig, FOCOPSConfig, PPOPIDConfig
from zoo_reload.ppo.comparators.cpo import CPOLearner, CPOObjective
from zoo_reload.ppo.comparators.crpo import CRPOObjective
from zoo_reload.ppo.comparators.focops import FOCOPSLearner, FOCOPSObjective
from zoo_reload.ppo.comparators.pid import PIDObjective


class PPOPID(Lagrangian[PPOPIDConfig]):
    """PPO whose multipliers are set by a PID controller (arXiv:2007.03964)."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: PPOPIDConfig) -> PIDObjective:
        """See Constrained."""
        return PIDObjective(len(contexts), constraints_of(contexts, config), config)


class CRPO(Constrained[CRPOConfig]):
    """PPO on the reward or on one violated constraint, never on both (arXiv:2011.05869)."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: CRPOConfig) -> CRPOObjective:
        """See Constrained."""
        return CRPOObjective(len(contexts), constraints_of(contexts, config), config)


class FOCOPS(Lagrangian[FOCOPSConfig]):
    """First-order constrained optimisation in policy space (arXiv:2002.06506)."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: FOCOPSConfig) -> FOCOPSObjective:
        """See Constrained."""
        return FOCOPSObjective(len(contexts), constraints_of(contexts, config), config)

    @classmethod
    def make_learner(cls, contexts: Sequence[Context], config: FOCOPSConfig) -> Learner:
        """See OnPolicy."""
        return FOCOPSLearner(contexts, config, cls.make_objective(contexts, config))


class CPO(Constrained[CPOConfig]):
    """Constrained policy optimisation (arXiv:1705.10528)."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: CPOConfig) -> CPOObjective:
        """See Constrained."""
        return CPOObjective(len(contexts), constraints_of(contexts, config), config)

    @classmethod
    def make_learner(cls, contexts: Sequence[Context], config: CPOConfig) -> Learner:
        """See OnPolicy."""
        return CPOLearner(contexts, config, cls.make_objective(contexts, config))
