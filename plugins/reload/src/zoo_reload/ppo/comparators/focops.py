"""FOCOPS (Zhang, Vuong and Ross 2020, arXiv:2002.06506): towards the optimal policy near the one that acted.

Of all policies within the trust region that meet the constraints to first order, the optimal one is (theorem 1)

    pi*(a|s) = pi_k(a|s) exp((A(s, a) - sum_i nu_i A_i(s, a)) / lambda) / Z(s).

The parametrised policy minimises E_s KL(pi_theta || pi*)[s], whose gradient is (corollary 1)

    E_s[ grad KL(pi_theta || pi_k)[s] - 1/lambda E_{a ~ pi_k}[ grad pi_theta / pi_k (A - sum_i nu_i A_i) ] ],

over the states with KL(pi_theta || pi_k)[s] <= delta. The multipliers follow nu <- proj(nu - lr (b - J_C)) before it.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from zoo_onpolicy.backend import namespace
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.loss import Coefficients, Loss, Minibatch, standardised
from zoo_onpolicy.objective import LearnerView
from zoo_onpolicy.rollout import Floats as Singles
from zoo_onpolicy.rollout import Rollout

from zoo import Array
from zoo_reload.core import Floats
from zoo_reload.ppo.comparators.config import FOCOPSConfig
from zoo_reload.ppo.objective import ConstrainedObjective
from zoo_reload.sampling.constraints import Constraints
from zoo_reload.sampling.multipliers import Projected


class FOCOPSObjective(ConstrainedObjective):
    """Algorithm 1 of the paper for N constraints and S members: the multipliers nu, and A - sum nu_i A_i."""

    def __init__(self, members: int, constraints: Constraints, config: FOCOPSConfig) -> None:
        super().__init__(members, constraints, config)
        self._lr_nu = config.lr_nu
        self._kind = Projected(constraints.sign, constraints.equality, config.nu_max)
        self.bounds = self._kind.high

    def bind(self, learner: LearnerView) -> None:
        """See Objective."""
        super().bind(learner)
        self._mixture = self.on_device(self.weights())

    def weights(self) -> Floats:
        """(1, -s nu), not divided by anything."""
        return np.concatenate([np.ones((len(self.x), 1)), -self.constraints.sign * self.x], axis=1)

    def multipliers(self) -> Floats:
        """nu_i in reward per unit of the signal, [S, N]."""
        return np.asarray(self.x / self.measurements.scale.unit)

    def advantages(self, rollout: Rollout) -> Singles:
        """Take the multipliers' step by the values of this rollout, before the policy's."""
        values = self.measure(rollout)
        g, known = values.g, values.known
        moved = self._kind.clip(self.x + self.scheduled(self._lr_nu) * g)
        self.x = np.where(known[:, None], moved, self.x)
        self._mixture = self.on_device(self.weights())
        return rollout.advantages

    def mix(self, advantages: Array, index: Array) -> Array:
        """A - sum_i nu_i A_i, [S, M]."""
        return (self._mixture * advantages).sum(1)

    def reference(self, rollout: Rollout) -> Singles:
        """pi_k, the policy that acted."""
        return rollout.outputs


class FOCOPSLearner(Learner):
    """The learner whose policy descends the gradient of corollary 1."""

    config: FOCOPSConfig

    def gradient(self, batch: Minibatch, weights: Coefficients) -> Loss:
        """Compute the loss on one minibatch, and write its gradient into the parameters' gradient."""
        each, mixed = self.config.adv_norm == "each", self.config.adv_norm == "mixed"
        A = self.objective.mix(standardised(batch.advantages) if each else batch.advantages, batch.index)
        A = standardised(A) if mixed else A
        count, xp = A.shape[-1], namespace(A)
        outputs, values = self.network.forward(batch.obs)
        scored = self.distribution.score(outputs, batch.actions, batch.reference)
        ratio = xp.exp(scored.log_prob - batch.log_prob)
        kl = cast(Array, scored.kl)
        near = (kl <= self.config.target_kl) * xp.ones_like(kl)
        loss = near * (kl - ratio * A / self.config.temperature)
        d_ratio = near * ratio * A * (-1 / (self.config.temperature * count))
        d_policy = self.distribution.gradient(scored, d_ratio, weights.entropy / -count, near / count)
        error = values - batch.returns
        self.network.backward(d_policy, error * (weights.values * (2 / count)))
        statistics = xp.stack([loss, scored.entropy, kl, 1 - near], 1)
        return Loss(d_policy, error, xp.concat([statistics, error * error, kl[:, None]], 1).sum(-1) / count)

    def improve(self, rollout: Rollout) -> list[dict[str, float]]:
        """See Learner; also the share of transitions in states beyond the trust region."""
        rows = super().improve(rollout)
        for row in rows:
            row["train/beyond_trust_region"] = row.pop("train/clip_fraction")
        return rows
