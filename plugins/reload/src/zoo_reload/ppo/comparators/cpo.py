"""CPO (Achiam, Held, Tamar and Abbeel 2017, arXiv:1705.10528): the best step in a trust region under the constraints.

Algorithm 1. With pi_k the policy that acted and A, A_i its advantages,

    g   = grad E[ pi_theta / pi_k A ],   b_i = grad E[ pi_theta / pi_k s_i A_i ],   c_i = s_i (J_i - b_i)
    H   = the Fisher information of pi_k
    x   = argmax g.x  subject to  c_i + b_i.x <= 0,  x.Hx / 2 <= delta                       (equations 10 to 14)

and theta_{k+1} = theta_k + beta x, beta the first of 1, .8, .64, ... that keeps to the trust region, does not lose
reward, and does not violate a constraint more than pi_k does, as estimated from the samples (section 6.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from zoo_onpolicy.adam import clip_norm
from zoo_onpolicy.backend import namespace, on_device, on_host
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.rollout import Rollout

from zoo import Array, Context, UsageError
from zoo_reload.core import Floats
from zoo_reload.ppo.comparators.config import CPOConfig
from zoo_reload.ppo.comparators.natural_gradient import Fisher
from zoo_reload.ppo.comparators.trust_region import constrained_step
from zoo_reload.ppo.objective import ConstrainedObjective
from zoo_reload.sampling.constraints import Constraints

_SHORTER = 0.8
"""factor between the step lengths of the line search"""
_MOST_CONSTRAINTS = 8
"""constraints at most: every set of them is tried as the one that holds with equality"""


class CPOObjective(ConstrainedObjective):
    """The violations c of S members, as CPO's step needs them.

    Raises:
        UsageError: there are equalities, or more constraints than ``_MOST_CONSTRAINTS``.
    """

    def __init__(self, members: int, constraints: Constraints, config: CPOConfig) -> None:
        super().__init__(members, constraints, config)
        if constraints.equality.any():
            name = constraints.names[int(constraints.equality.argmax())]
            raise UsageError(f"constraint {name!r} is an equality: expected <= or >=, which are what cpo can do.")
        if len(constraints.names) > _MOST_CONSTRAINTS:
            raise UsageError(f"{len(constraints.names)} constraints: cpo expects at most {_MOST_CONSTRAINTS}.")
        self.c: Floats = np.zeros_like(self.x)
        """violations per step where they were measured last, [S, N]"""
        self.delta = config.delta
        self._shares: Floats = np.zeros((members, 1 + self.x.shape[1]))
        self._shares[:, 0] = 1.0

    def weights(self) -> Floats:
        """The weights of H^-1 g and of each H^-1 b_i in the last step, in absolute value summing to 1, [S, 1 + N]."""
        return self._shares

    def look(self, rollout: Rollout) -> tuple[Floats, Floats]:
        """Violations c [S, N] and trust region delta [S] of this iteration."""
        values = self.measure(rollout)
        g, known = values.g, values.known
        self.c = np.where(known[:, None], g, self.c)
        return self.c, self.scheduled(self.delta)[:, 0]

    def took(self, weights: Floats) -> None:
        """Keep the weights of a step, for the log."""
        total = np.abs(weights).sum(axis=1, keepdims=True)
        self._shares = weights / np.where(total > 0, total, 1.0)

    def state(self, member: int) -> Mapping[str, Any]:
        """See Objective."""
        return {**super().state(member), "c": self.c[member].copy()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """See Objective."""
        super().load_state(member, state)
        self.c[member] = state["c"]


class CPOLearner(Learner):
    """One step of the policy by CPO, then epochs of the critic's regression."""

    config: CPOConfig

    def __init__(self, contexts: Sequence[Context], config: CPOConfig, objective: CPOObjective) -> None:
        super().__init__(contexts, config, objective)
        self.cpo = objective

    def improve(self, rollout: Rollout) -> list[dict[str, float]]:
        """The policy's step, and the critic's; the metrics are those of Learner without what CPO lacks."""
        further = self._policy_step(rollout)
        rows = self._fit_critic(rollout)
        return [{**row, **more} for row, more in zip(rows, further, strict=True)]

    def _policy_step(self, rollout: Rollout) -> list[dict[str, float]]:
        parameters, c, delta = self.network.parameters, *self.cpo.look(rollout)
        S, N = len(self), self.transitions
        obs = self._array(rollout.obs.reshape(S, N, *self.encoder.shape))
        actions, old = self._columns(rollout.encoded), self._columns(rollout.outputs)
        advantages = rollout.advantages.reshape(S, -1, N).astype(np.float64)
        # Centred, which changes nothing in expectation; positive is bad for the constraints.
        advantages -= advantages.mean(axis=2, keepdims=True)
        advantages[:, 1:] *= self.cpo.constraints.sign[:, None]
        log_prob = self._array(rollout.log_prob.reshape(S, N))
        gradients = [self._surrogate_gradient(obs, actions, advantages[:, head]) for head in range(advantages.shape[1])]
        fisher = Fisher(self.network, self.distribution, obs, old, self.config.damping, self.device)
        inverse = np.stack([fisher.solve(v, self.config.cg_steps) for v in gradients], axis=1)
        gram = np.einsum("sip,sjp->sij", np.stack(gradients, axis=1), inverse)
        weights, lost = constrained_step((gram + gram.mT) / 2, c, delta)
        self.cpo.took(weights)
        x = np.einsum("si,sip->sp", weights, inverse)

        start, pending, length = parameters.flat + 0.0, np.ones(S, dtype=bool), np.zeros(S)
        kl = np.zeros(S)
        for attempt in range(self.config.line_search_steps):
            beta = _SHORTER**attempt
            trial = np.where(pending, beta, length)
            parameters.flat[:] = start + on_device((trial[:, None] * x).astype(np.float32), self.device)
            parameters.mark_changed()
            change, moved = self._surrogates(obs, actions, old, log_prob, advantages)
            holds = (c + change[:, 1:] <= np.maximum(c, 0.0)).all(axis=1)
            accepted = pending & (moved <= delta) & holds & ((change[:, 0] >= 0) | lost)
            length, kl = np.where(accepted, beta, length), np.where(accepted, moved, kl)
            pending &= ~accepted
            if not pending.any():
                break
        parameters.flat[:] = start + on_device((length[:, None] * x).astype(np.float32), self.device)
        parameters.mark_changed()
        return [
            {"train/approx_kl": float(kl[i]), "train/step_length": float(length[i]), "train/recovery": float(lost[i])}
            for i in range(S)
        ]

    def _surrogate_gradient(self, obs: Array, actions: Array, advantage: Floats) -> Floats:
        """Grad E[pi_theta / pi_k A] at pi_k, float64[S, P]."""
        outputs, values = self.network.forward(obs)
        scored = self.distribution.score(outputs, actions)
        d_log_prob = on_device((advantage / advantage.shape[-1]).astype(np.float32), self.device)
        self.network.backward(self.distribution.gradient(scored, d_log_prob, d_log_prob * 0.0, None), values * 0.0)
        return np.array(on_host(self.network.parameters.gradient), dtype=np.float64)

    def _surrogates(
        self, obs: Array, actions: Array, old: Array, log_prob: Array, advantages: Floats
    ) -> tuple[Floats, Floats]:
        """E[pi_theta / pi_k A] of each head, [S, 1 + N], and the mean KL(pi_theta || pi_k), [S]; theta as it is now."""
        scored = self.distribution.score(self.network.policy(obs), actions, old)
        ratio = on_host(namespace(log_prob).exp(scored.log_prob - log_prob)).astype(np.float64)
        kl = on_host(cast(Array, scored.kl)).astype(np.float64).mean(axis=1)
        return np.einsum("sn,shn->sh", ratio, advantages) / ratio.shape[1], kl

    def _fit_critic(self, rollout: Rollout) -> list[dict[str, float]]:
        rate = self._value_of(self.config.learning_rate)
        statistics = []
        for batch in self._minibatches(rollout):
            outputs, values = self.network.forward(batch.obs)
            scored, error = self.distribution.score(outputs, batch.actions), values - batch.returns
            count = error.shape[-1]
            self.network.backward(outputs * 0.0, error * (self._vf_coef * (2 / count)))
            norm = clip_norm(self.network.parameters.gradient, self.config.max_grad_norm)
            self.adam.step(self.network.parameters.gradient, rate)
            self.network.parameters.mark_changed()
            means = [scored.entropy.sum(1)[:, None] * 0.0, scored.entropy.sum(1)[:, None] / count]
            parts = [means[0], means[1], means[0], means[0], (error * error).sum(2) / count, norm[:, None]]
            statistics.append(on_host(namespace(norm).concat(parts, 1)))
        active = np.ones((len(statistics), len(self)), dtype=bool)
        rows = self._metrics(rollout, np.stack(statistics).astype(np.float64), active, rate)
        return [{key: row[key] for key in row if key not in ("loss/policy", "train/clip_fraction")} for row in rows]
