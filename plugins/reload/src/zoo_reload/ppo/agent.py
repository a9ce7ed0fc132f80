"""``reload-ppo`` and ``ppo-lagrangian`` as algorithms of the core: ReLOAD with function approximation, and without
optimism (arXiv:2302.01275); the policy player is PPO.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

from zoo_onpolicy.agent import OnPolicy
from zoo_onpolicy.learner import Learner

from zoo import Context, Outcome
from zoo_reload.core import Floats
from zoo_reload.ppo.config import ConstrainedConfig, PPOLagrangianConfig, ReloadPPOConfig
from zoo_reload.ppo.lagrangian import LagrangianObjective
from zoo_reload.ppo.objective import ConstrainedObjective
from zoo_reload.ppo.optimism import ReloadObjective
from zoo_reload.sampling.constraints import Constraints

ConfigT = TypeVar("ConfigT", bound=ConstrainedConfig)
LagrangianT = TypeVar("LagrangianT", bound=ConstrainedConfig)


def constraints_of(contexts: Sequence[Context], config: ConstrainedConfig) -> Constraints:
    """The constraints of all members, whose environments differ in nothing but their seeds."""
    return Constraints.of(contexts[0].problem, config.thresholds, config.gamma)


class Constrained(OnPolicy[ConfigT]):
    """A policy that earns reward under constraints; on discrete observations it offers ``policy()``.

    Raises:
        InterfaceError: the spaces of the environment are not supported.
        UsageError: an option does not fit the environment.
    """

    always_samples = True  # a constrained optimum is stochastic

    def __init__(self, ctx: Context, config: ConfigT, *, learner: Learner | None = None, index: int = 0) -> None:
        super().__init__(ctx, config, learner=learner, index=index)
        self.objective = cast(ConstrainedObjective, self.learner.objective)

    @classmethod
    @abstractmethod
    def make_objective(cls, contexts: Sequence[Context], config: ConfigT) -> ConstrainedObjective:
        """What the policies of all members follow."""

    @property
    def outcome(self) -> Outcome | None:  # type: ignore[override]
        """A threshold out of reach, a multiplier at its cap, a constraint that stays violated; else None."""
        return self.objective.outcome(self.index)

    def restart(self) -> None:
        """The next update begins with ``env.reset()``; unfinished episodes are discarded."""
        super().restart()
        self.objective.forget(self.index)


class Lagrangian(Constrained[LagrangianT]):
    """Constrained by multipliers that are learned too; offers ``multipliers()`` (``zoo.api.PrimalDual``)."""

    def multipliers(self) -> Mapping[str, float]:
        """Constraint name to mu_i, in reward per unit of the signal, for the policy of the next rollout.

        With ``adv_norm = "each"`` they weigh standardised advantages, and have no unit.
        """
        mu = cast(Floats, self.objective.multipliers())
        return dict(zip(self.objective.constraints.names, mu[self.index].tolist(), strict=True))


class PPOLagrangian(Lagrangian[PPOLagrangianConfig]):
    """PPO on a weighted sum of reward and constraints, whose multipliers descend by gradient steps."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: PPOLagrangianConfig) -> LagrangianObjective:
        """See Constrained."""
        return LagrangianObjective(len(contexts), constraints_of(contexts, config), config)


class ReloadPPO(Lagrangian[ReloadPPOConfig]):
    """PPO on a weighted sum of reward and constraints, whose multipliers are learned too; both may be optimistic."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: ReloadPPOConfig) -> ReloadObjective:
        """See Constrained."""
        return ReloadObjective(len(contexts), constraints_of(contexts, config), config)
