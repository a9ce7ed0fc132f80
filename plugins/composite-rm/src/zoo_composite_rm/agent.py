"""The five algorithms as the core knows them; they differ in their objectives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.agent import OnPolicy
from zoo_onpolicy.learner import Learner

from zoo import Array, Context, Outcome, lookup
from zoo_composite_rm.config import (
    AllConfig,
    CompositeConfig,
    LagrangianConfig,
    MuConfig,
    SatConfig,
    SumConfig,
    XiConfig,
)
from zoo_composite_rm.environment import Task
from zoo_composite_rm.lagrangian import AllObjective, LagrangianObjective, MuObjective, XiObjective
from zoo_composite_rm.learner import CompositeLearner
from zoo_composite_rm.objective import CompositeObjective, SatObjective, SumObjective

ConfigT = TypeVar("ConfigT", bound=CompositeConfig)
LagrangianT = TypeVar("LagrangianT", bound=LagrangianConfig)


class Composite(OnPolicy[ConfigT]):
    """PPO on a mixture of the advantages of several reward models and of KL to a reference policy.

    Raises:
        InterfaceError: the spaces of the environment are not supported.
        UsageError: the environment has no reference policy, or an option does not fit it.
    """

    always_samples = True  # the most likely text scores otherwise

    def __init__(self, ctx: Context, config: ConfigT, *, learner: Learner | None = None, index: int = 0) -> None:
        super().__init__(ctx, config, learner=learner, index=index)
        self.objective = cast(CompositeObjective, self.learner.objective)

    @classmethod
    @abstractmethod
    def make_objective(cls, contexts: Sequence[Context], config: ConfigT) -> CompositeObjective:
        """The objective: how the advantages of the heads are combined."""

    @classmethod
    def make_learner(cls, contexts: Sequence[Context], config: ConfigT) -> CompositeLearner:
        """See OnPolicy."""
        objective = cls.make_objective(contexts, config)
        if not isinstance(config.vf_coef, tuple):
            each = (config.vf_coef,) * len(objective.task.names)
            config = replace(config, vf_coef=(*each, config.vf_coef_kl))
        if lookup(contexts[0].env, "language_model") is not None:
            from zoo_composite_rm.language_learner import LanguageLearner  # needs torch

            return LanguageLearner(contexts, config, objective)
        return CompositeLearner(contexts, config, objective)

    @property
    def outcome(self) -> Outcome | None:  # type: ignore[override]
        """What the objective concludes about this member's run; None: nothing."""
        return self.objective.outcome(self.index)

    def logits(self, obs: Array) -> NDArray[np.float32]:
        """Logits [B, A] of the policy for observations [B, ...]."""
        return np.asarray(self.learner.outputs(obs, self.index))


class PPOSum(Composite[SumConfig]):
    """PPO on the weighted sum of the reward models and the KL reward."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: SumConfig) -> CompositeObjective:
        """See Composite."""
        return SumObjective(len(contexts), Task.of(contexts[0]), config)


class PPOSat(Composite[SatConfig]):
    """PPO on the squared distance of each sample's scores from the thresholds."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: SatConfig) -> CompositeObjective:
        """See Composite."""
        return SatObjective(len(contexts), Task.of(contexts[0]), config)


class Lagrangian(Composite[LagrangianT]):
    """PPO with multipliers that learn beside the policy. Offers ``multipliers()`` (``zoo.api.PrimalDual``)."""

    @property
    def _lagrangian(self) -> LagrangianObjective:
        return cast(LagrangianObjective, self.objective)

    def multipliers(self) -> Mapping[str, float]:
        """Reward model to mu_i, in the task's reward per unit of the score.

        Positive ones of ``mu-ppo`` and ``xi-ppo`` raise the score, those of ``all-ppo`` lower it. With
        ``adv_norm = "each"`` they weigh standardised advantages, and have no unit.
        """
        return dict(zip(self.objective.task.names, self._lagrangian.effective()[self.index].tolist(), strict=True))


class MuPPO(Lagrangian[MuConfig]):
    """Stay near the reference with mean scores of at least the thresholds."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: MuConfig) -> LagrangianObjective:
        """See Composite."""
        return MuObjective(contexts, Task.of(contexts[0]), config)


class XiPPO(Lagrangian[XiConfig]):
    """Stay near the reference with mean scores equal to the thresholds."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: XiConfig) -> LagrangianObjective:
        """See Composite."""
        return XiObjective(contexts, Task.of(contexts[0]), config)


class AllPPO(Lagrangian[AllConfig]):
    """Maximise the weighted sum with mean scores of at most the thresholds."""

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: AllConfig) -> LagrangianObjective:
        """See Composite."""
        return AllObjective(contexts, Task.of(contexts[0]), config)
