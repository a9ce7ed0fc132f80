"""The loss of PPO (Schulman et al. 2017, arXiv:1707.06347, eq. 9) and its derivatives, for S members at once."""

from __future__ import annotations

from dataclasses import dataclass

from zoo import Array
from zoo_onpolicy.backend import namespace
from zoo_onpolicy.distributions import Distribution


@dataclass(frozen=True, eq=False)
class Minibatch:
    """M transitions of each of S members; the transitions are the last axis, except in observations."""

    index: Array
    """numbers of the transitions in the rollout, t * B + b, int64[S, M]"""
    obs: Array
    """encoded observations, [S, M, ...]"""
    actions: Array
    """encoded actions, [S, E, M]"""
    log_prob: Array
    """log probabilities of the actions under the policy that took them, [S, M]"""
    advantages: Array
    """advantages, [S, K, M]; K is the number of value heads unless the objective says otherwise"""
    returns: Array
    """regression targets of the value heads, [S, H, M]"""
    values: Array
    """predictions of the value heads when the rollout was collected, [S, H, M]"""
    reference: Array | None = None
    """outputs of the reference policy, [S, W, M]"""


@dataclass(frozen=True, eq=False)
class Coefficients:
    """The weights of the terms of the loss."""

    low: Array
    """lower clipping bound 1 - epsilon of the ratio, [S, 1]"""
    high: Array
    """upper clipping bound 1 + epsilon of the ratio, [S, 1]"""
    clip_values: Array | None
    """largest change of a value, [S, 1, 1]; None: values are not clipped"""
    entropy: Array
    """weight of the entropy bonus, [S, 1]"""
    values: Array
    """weight of each head's value loss, [H, 1]"""
    reference: Array
    """weight of the KL divergence from the reference policy, [S, 1]"""


@dataclass(frozen=True, eq=False)
class Loss:
    """Derivatives of the loss by the outputs of the networks, and means over the minibatch to report."""

    d_policy: Array
    """derivative by the outputs of the actor, [S, W, M]"""
    d_values: Array
    """derivative by the outputs of the critic, [S, H, M]"""
    means: Array
    """[S, n], in this order: the clipped surrogate loss, the entropy, the estimate (ratio - 1) - log ratio of the KL
    divergence from the policy that acted, the share of ratios outside 1 +- clip, the squared errors of the heads, and
    the KL divergence from the reference policy if there is one"""

    @property
    def approx_kl(self) -> Array:
        """The estimated KL divergence from the policy that acted, [S], in nats."""
        return self.means[:, 2]


def standardised(advantages: Array) -> Array:
    """``advantages`` with mean 0 and standard deviation 1 along the last axis; a single transition is left as it is."""
    count = advantages.shape[-1]
    if count < 2:
        return advantages
    centred = advantages - (advantages.sum(-1) / count)[..., None]
    std = ((centred * centred).sum(-1) / (count - 1)) ** 0.5
    centred /= std[..., None] + 1e-8
    return centred


def ppo_loss(
    distribution: Distribution,
    outputs: Array,
    values: Array,
    batch: Minibatch,
    advantage: Array,
    weights: Coefficients,
) -> Loss:
    """The derivatives of the loss: the negative clipped surrogate, plus weighted value errors, minus weighted entropy.

    Args:
        distribution: the family of action distributions.
        outputs: present outputs of the actor, [S, W, M].
        values: present outputs of the critic, [S, H, M].
        batch: the transitions.
        advantage: the advantage that the policy follows, [S, M].
        weights: the weights of the terms.
    """
    count, xp = advantage.shape[-1], namespace(advantage)
    scored = distribution.score(outputs, batch.actions, batch.reference)
    log_ratio = scored.log_prob - batch.log_prob
    ratio = xp.exp(log_ratio)
    surrogate = advantage * ratio
    clipped = xp.minimum(xp.maximum(ratio, weights.low), weights.high)
    pessimistic = xp.minimum(surrogate, advantage * clipped)
    # Where the clipped term is the smaller one it is constant; d ratio / d log_prob = ratio.
    d_log_prob = surrogate * (surrogate <= pessimistic) * (-1 / count)
    kl = scored.kl
    d_kl = weights.reference / count if kl is not None else None
    d_policy = distribution.gradient(scored, d_log_prob, weights.entropy / -count, d_kl)

    if weights.clip_values is None:
        error = values - batch.returns
        d_values = error * (weights.values * (2 / count))
    else:
        change = values - batch.values
        clipped = xp.minimum(xp.maximum(change, -weights.clip_values), weights.clip_values)
        error = batch.values + clipped - batch.returns
        d_values = error * (weights.values * (2 / count)) * (abs(change) <= weights.clip_values)

    excess = ratio - 1
    outside = ((ratio < weights.low) | (ratio > weights.high)) * xp.ones_like(ratio)
    statistics = xp.stack([-pessimistic, scored.entropy, excess - log_ratio, outside], 1)
    parts = [statistics, error * error] if kl is None else [statistics, error * error, kl[:, None]]
    return Loss(d_policy, d_values, xp.concat(parts, 1).sum(-1) / count)
