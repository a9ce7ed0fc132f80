"""The environment's side of these algorithms: a reference policy, reward models, and maybe the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Context, UnknownNameError, UsageError, lookup

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """N reward models, which score a sequence at its last step, and the policy that learning starts from.

    Attributes:
        names: of the reward models, N.
        thresholds: the environment's own, of the mean scores, [N].
        ranges: lowest and highest possible score, [N, 2]; None where the environment does not give it.
        reference_logits: observations [..., D] to logits [..., A] of the reference policy pi0.
        reference_log_prob: observations [..., D] and actions to log probabilities [...] under pi0, where its logits are
            too many to be kept.
        evaluate: mean scores [N], sequence KL in nats and mean statistics [k] to the true value of the policy;
            None where the environment does not give it.
        evaluation_names: of the statistics that ``info["evaluation"]`` holds at the last step, k, possibly none.
    """

    names: tuple[str, ...]
    thresholds: Floats
    ranges: Floats | None = None
    reference_logits: Callable[[NDArray[Any]], NDArray[Any]]
    reference_log_prob: Callable[[NDArray[Any], NDArray[np.int64]], Singles] | None = None
    evaluate: Callable[[Floats, float, Floats], float] | None = None
    evaluation_names: tuple[str, ...] = ()

    @classmethod
    def of(cls, ctx: Context) -> Task:
        """The task of ``ctx.env``.

        Raises:
            UsageError: the environment has no constraints (the reward models), no reference policy, or thresholds
                that are not of an episode's undiscounted score.
        """
        spec, env = ctx.problem.constraints, ctx.env
        if spec is None:
            raise UsageError("this environment has no constraints: expected one for each reward model.")
        reference = lookup(env, "reference_logits")
        if not callable(reference):
            raise UsageError(
                "this environment has no reference policy: expected a method reference_logits(observations), as "
                "tiny-composite has."
            )
        if spec.unit != "episode" or spec.discounted:
            raise UsageError(
                f"the thresholds of {', '.join(spec.names)} are not of an episode's undiscounted score: expected "
                'unit "episode", not discounted.'
            )
        log_prob = None
        if lookup(env, "language_model") is not None:
            from zoo_composite_rm.language import Reference  # needs torch

            log_prob = Reference.of(env).log_prob
        ranges = lookup(env, "constraint_ranges")
        return cls(
            names=spec.names,
            thresholds=np.array(spec.thresholds, dtype=np.float64),
            ranges=None if ranges is None else np.asarray(ranges, dtype=np.float64).reshape(-1, 2),
            reference_logits=reference,
            reference_log_prob=log_prob,
            evaluate=lookup(env, "evaluate"),
            evaluation_names=tuple(lookup(env, "evaluation_names") or ()),
        )

    def log_pi0(self, obs: Singles, actions: NDArray[np.int64]) -> Singles:
        """Log probabilities [S, T, B] of the actions of a rollout under the reference policy."""
        if self.reference_log_prob is not None:
            return self.reference_log_prob(obs, actions)
        logits = np.asarray(self.reference_logits(obs), dtype=np.float32)
        chosen = np.take_along_axis(logits, actions[..., None], axis=-1)[..., 0]
        top = logits.max(axis=-1)
        return np.asarray(chosen - top - np.log(np.exp(logits - top[..., None]).sum(axis=-1)))

    def named(self, values: Mapping[str, float], default: Floats) -> Floats:
        """Numbers [N] by name, ``default`` [N] where none is given.

        Raises:
            UnknownNameError: a name is of no reward model.
        """
        for name in values:
            if name not in self.names:
                raise UnknownNameError("reward model", name, self.names)
        return np.array([values.get(name, own) for name, own in zip(self.names, default.tolist(), strict=True)])
