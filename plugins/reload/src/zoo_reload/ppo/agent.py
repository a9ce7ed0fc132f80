"""``reload-ppo``: ReLOAD with function approximation (arXiv:2302.01275); the policy player is PPO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from numpy.typing import NDArray
from zoo_onpolicy.agent import OnPolicy
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.objective import Objective

from zoo import Array, Context, Outcome
from zoo_reload.ppo.config import ReloadPPOConfig
from zoo_reload.ppo.constraints import Constraints
from zoo_reload.ppo.objective import LagrangianObjective


class ReloadPPO(OnPolicy[ReloadPPOConfig]):
    """PPO on a weighted sum of reward and constraints, whose multipliers are learned too; both may be optimistic.

    Offers ``multipliers()`` (``zoo.api.PrimalDual``) and, on discrete observations, ``policy()``.

    Raises:
        InterfaceError: the spaces of the environment are not supported.
        UsageError: an option does not fit the environment.
    """

    def __init__(
        self, ctx: Context, config: ReloadPPOConfig, *, learner: Learner | None = None, index: int = 0
    ) -> None:
        super().__init__(ctx, config, learner=learner, index=index)
        self.objective = cast(LagrangianObjective, self.learner.objective)

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: ReloadPPOConfig) -> Objective:
        """The objective of all members: the weighted advantages, and the updates of the multipliers."""
        return LagrangianObjective(len(contexts), Constraints.of(contexts[0].problem, config), config)

    @property
    def outcome(self) -> Outcome | None:  # type: ignore[override]
        """A threshold out of reach, a multiplier at its cap, a constraint that stays violated; else None."""
        objective = self.objective
        return objective.histories[self.index].outcome(
            objective.constraints, self.config.tol, objective.multipliers.high
        )

    def multipliers(self) -> Mapping[str, float]:
        """Constraint name to mu_i, in reward per unit of the signal, for the policy of the next rollout.

        With ``adv_norm = "each"`` they weigh standardised advantages, and have no unit.
        """
        mu = self.objective.multipliers.effective(self.objective.x)[self.index]
        return dict(zip(self.objective.constraints.names, mu.tolist(), strict=True))

    def act(self, obs: Array, *, greedy: bool = True) -> NDArray[Any]:
        """Actions [B, ...] for observations [B, ...], always sampled: a constrained optimum is stochastic."""
        return super().act(obs, greedy=False)

    def restart(self) -> None:
        """The next update begins with ``env.reset()``; unfinished episodes are discarded."""
        super().restart()
        self.objective.episodes.forget(self.index)
