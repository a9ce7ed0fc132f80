"""The loss of PPO (Schulman et al. 2017, arXiv:1707.06347, eq. 9) and its derivatives, for S members at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zoo_onpolicy.distributions import Distribution


@dataclass(frozen=True, eq=False)
class Minibatch:
    """M transitions of each of S members; the transitions come last, but for what a network reads."""

    index: Tensor
    """which transitions of the rollout, t * B + b, int64[S, M]"""
    obs: Tensor
    """[S, M, ...]"""
    actions: Tensor
    """int64[S, M] or float32[S, M, D]"""
    log_prob: Tensor
    """of the actions under the policy that took them, [S, M]"""
    advantages: Tensor
    """[S, K, M]; K is the number of heads unless the mixer made others"""
    returns: Tensor
    """targets of the values, [S, H, M]"""
    values: Tensor
    """the values when the rollout was made, [S, H, M]"""
    reference: Tensor | None = None
    """outputs of the reference policy, [S, W, M]"""


@dataclass(frozen=True, eq=False)
class Coefficients:
    """The weights of the terms of the loss."""

    clip: Tensor
    """epsilon of the ratio, [S, 1]"""
    clip_values: Tensor | None
    """the same for values, [S, 1, 1]"""
    entropy: Tensor
    """[S, 1]"""
    values: Tensor
    """one for each head, [H, 1]"""
    reference: Tensor
    """of the KL divergence from the reference policy, [S, 1]"""


@dataclass(frozen=True, eq=False)
class Loss:
    """Derivatives by the outputs of the networks, and means over the minibatch to report."""

    d_policy: Tensor
    """[S, W, M]"""
    d_values: Tensor
    """[S, H, M]"""
    means: Tensor
    """[S, n], in this order: the clipped surrogate loss, the entropy, the estimate (ratio - 1) - log ratio of the KL
    divergence from the policy that acted, the share of ratios outside 1 +- clip, the squared errors of the heads, and
    the KL divergence from the reference policy if there is one"""

    @property
    def approx_kl(self) -> Tensor:
        """[S]."""
        return self.means[:, 2]


def standardised(advantages: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 along the last axis; a single transition is left as it is."""
    if advantages.shape[-1] < 2:
        return advantages
    std, mean = torch.std_mean(advantages, dim=-1, keepdim=True)
    return (advantages - mean) / (std + 1e-8)


def ppo_loss(
    distribution: Distribution,
    outputs: Tensor,
    values: Tensor,
    batch: Minibatch,
    advantage: Tensor,
    weights: Coefficients,
) -> Loss:
    """The loss to be minimised is the clipped surrogate's negative, plus weighted errors of the values, minus entropy.

    Args:
        distribution: of the actions.
        outputs: of the actor now, [S, W, M].
        values: of the critic now, [S, H, M].
        batch: the transitions.
        advantage: mixed, [S, M].
        weights: of the terms.
    """
    count = advantage.shape[-1]
    scored = distribution.score(outputs, batch.actions, batch.reference)
    log_ratio = scored.log_prob - batch.log_prob
    ratio = log_ratio.exp()
    surrogate = advantage * ratio
    pessimistic = torch.minimum(surrogate, advantage * ratio.clamp(1 - weights.clip, 1 + weights.clip))
    # Where the clipped term is the smaller one it is constant; d ratio / d log_prob = ratio.
    d_log_prob = surrogate * (surrogate <= pessimistic) / -count
    kl = scored.kl
    d_kl = weights.reference / count if kl is not None else None
    d_policy = distribution.gradient(scored, d_log_prob, weights.entropy / -count, d_kl)

    if weights.clip_values is None:
        error = values - batch.returns
        d_values = error * (weights.values * (2 / count))
    else:
        change = values - batch.values
        error = batch.values + change.clamp(-weights.clip_values, weights.clip_values) - batch.returns
        d_values = error * (weights.values * (2 / count)) * (change.abs() <= weights.clip_values)

    outside = ((ratio - 1).abs_() > weights.clip).to(ratio.dtype)
    told = [-pessimistic, scored.entropy, ratio - 1 - log_ratio, outside]
    parts = [torch.stack(told, dim=1), error.square_()]
    if kl is not None:
        parts.append(kl[:, None])
    return Loss(d_policy, d_values, torch.cat(parts, dim=1).mean(dim=-1))
