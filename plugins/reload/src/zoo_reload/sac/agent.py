"""``reload-sac`` and ``sac-lagrangian`` as algorithms of the core, around ``ConstrainedSAC``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray
from zoo_sb3.agent import OffPolicy

from zoo import Context, Metrics, Outcome, State
from zoo_reload.sac.config import SACLagrangianConfig
from zoo_reload.sac.learner import ConstrainedSAC
from zoo_reload.sac.signals import Signals
from zoo_reload.sampling.constraints import Constraints


class SACLagrangian(OffPolicy):
    """SAC on the Lagrangian, whose multipliers are learned too; offers ``multipliers()`` (``zoo.api.PrimalDual``).

    Raises:
        InterfaceError: the environment does not suit SAC.
        UsageError: an option does not fit the environment.
    """

    learner = ConstrainedSAC

    def __init__(self, ctx: Context, config: SACLagrangianConfig) -> None:
        constraints = Constraints.of(ctx.problem, config.thresholds, config.gamma)
        super().__init__(replace(ctx, env=Signals(ctx.env, constraints)), config)

    @property
    def _model(self) -> ConstrainedSAC:
        return cast(ConstrainedSAC, self.model)

    def update(self) -> Metrics:
        """As of SAC, and a step of the multipliers where episodes have ended.

        Returns:
            SAC's metrics; further ``weight/`` of the reward and each constraint in what the actor followed, and
            ``value/``, ``threshold/``, ``violation/`` and ``multiplier/`` of each constraint, as of ``reload-ppo``.
        """
        metrics, model = super().update(), self._model
        weights, mu = model.kind.weights(model.x), self._mu()
        values = model.measured()
        model.multiplier_step(values)
        return {**metrics, **model.measurements.report(values, weights, mu, model.x)[0]}

    def _mu(self) -> NDArray[np.float64]:
        return np.asarray(self._model.x / self._model.measurements.scale.unit)

    def multipliers(self) -> Mapping[str, float]:
        """Constraint name to mu_i, in reward per unit of the signal."""
        names = self._model.measurements.constraints.names
        return dict(zip(names, self._mu()[0].tolist(), strict=True))

    @property
    def outcome(self) -> Outcome | None:  # type: ignore[override]
        """A threshold out of reach, a multiplier at its cap, a constraint that stays violated; else None."""
        return self._model.measurements.outcome(0, self._model.kind.high)

    def restart(self) -> None:
        """The next update begins with ``env.reset()``; unfinished episodes are discarded."""
        super().restart()
        self._model.measurements.episodes.forget(0)

    def state(self) -> State:
        """As of SAC, and that of the constraints."""
        return {**super().state(), "constraints": self._model.constrained_state()}

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        super().load_state(state)
        self._model.load_constrained_state(state["constraints"])


class ReloadSAC(SACLagrangian):
    """ReLOAD off-policy: both players extrapolate, the actor from its target networks."""
