"""The PPO learner: collect a rollout, estimate advantages, improve the policy; for S members (seeds) at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoo import Array, Context, State, UsageError, stack
from zoo_onpolicy.adam import Adam, clip_norm
from zoo_onpolicy.backend import compact, namespace, on_device, on_host
from zoo_onpolicy.config import NativeConfig, NormalisedConfig, PPOConfig, Schedule, scheduled
from zoo_onpolicy.distributions import Categorical, Distribution, distribution_on
from zoo_onpolicy.gae import bootstrap_values, gae
from zoo_onpolicy.images.network import ConvNetwork
from zoo_onpolicy.loss import Coefficients, Loss, Minibatch, ppo_loss, standardised
from zoo_onpolicy.networks import MLP, Network
from zoo_onpolicy.normalisation.running import ObservationNorm, ReturnScale
from zoo_onpolicy.objective import Objective
from zoo_onpolicy.observations import ObservationEncoder
from zoo_onpolicy.rollout import Collector, Floats, Rollout
from zoo_onpolicy.tabular_policy import Table

_ROUNDING = 1e-12
"""variance of returns, relative to their mean square, that single precision cannot tell from 0"""


class Learner:
    """PPO for S members, each with its own environments, weights, optimiser and random streams.

    Each member learns what it would learn alone, up to rounding.

    Args:
        contexts: one for each member; they differ only in their seeds.
        config: the options.
        objective: how the advantages of several value heads are combined; None: the reward's alone.

    Raises:
        InterfaceError: the spaces of the environment are not supported.
        UsageError: an option does not fit the environment.
    """

    reads_images: ClassVar[bool] = True
    """whether ``make_network`` has convolutions for images; else they are flattened"""

    def __init__(self, contexts: Sequence[Context], config: PPOConfig, objective: Objective | None = None) -> None:
        self.contexts, self.config, self.objective = tuple(contexts), config, objective or Objective()
        first = self.contexts[0]
        self.heads = self.objective.heads(first.problem)
        self.device = first.device
        self.distribution = self.make_distribution()
        self.encoder = ObservationEncoder(
            first.env.single_observation_space, config.network.kind, images=self.reads_images
        )
        self.network = self.make_network()
        for member, ctx in enumerate(self.contexts):
            self.network.initialise(member, ctx.stream("weights"))
        self.adam = Adam(self.network.parameters.flat, self.device)
        self.initial = self.adam.parameters + 0.0 if config.reference_kl else None
        """parameters [S, P] of the reference policy"""
        constraints = first.problem.constraints
        signals = len(constraints.names) if constraints else 0
        env = stack([ctx.env for ctx in self.contexts], infos=self.objective.infos)
        self.norm = self._observation_norm()
        """normalises observations before the network sees them; None: it sees them as they are"""
        scaled = isinstance(config, NativeConfig) and config.norm_reward
        self.scale = ReturnScale(len(self), env.num_envs, config.gamma) if scaled else None
        self.collector = Collector(
            env, self.encoder, self.distribution, signals, config.n_steps, self.norm, infos=self.objective.infos
        )
        self.transitions = config.n_steps * env.num_envs
        """transitions of each member in one rollout, N = T * B"""
        self.steps: NDArray[np.int64] = np.zeros(len(self.contexts), dtype=np.int64)
        """environment steps of each member so far"""
        self._vf_coef = self._head_weights(config.vf_coef)
        self.objective.bind(self)

    def make_distribution(self) -> Distribution:
        """The family of action distributions; a subclass may use another divergence from the reference policy."""
        return distribution_on(self.contexts[0].env.single_action_space)

    def make_network(self) -> Network:
        """A table where observations are encoded as state numbers, convolutions on images, else a perceptron.

        A subclass may build another.
        """
        if self.encoder.image is not None:
            return ConvNetwork(
                len(self), self.encoder.image, len(self.heads), self.distribution, self.config.network, self.device
            )
        network = Table if self.encoder.as_indices else MLP
        return network(
            len(self), self.encoder.size, len(self.heads), self.distribution, self.config.network, self.device
        )

    def _observation_norm(self) -> ObservationNorm | None:
        if not (isinstance(self.config, NormalisedConfig) and self.config.norm_obs):
            return None
        if self.encoder.discrete:
            raise UsageError("norm_obs is for observations that are numbers, and these are states: leave it out.")
        if self.encoder.image is not None:
            raise UsageError("norm_obs is for vectors, and these are images, which are divided by 255: leave it out.")
        return ObservationNorm(len(self), self.encoder.size)

    def outputs(self, obs: Array, member: int) -> Floats:
        """Outputs of one member's actor [B, W] for observations [B, ...] as the environment gives them."""
        members, encoded = slice(member, member + 1), self.encoder(obs)[None]
        outputs: Floats = self.network.act(encoded if self.norm is None else self.norm(encoded, members), members)[0]
        return outputs

    def __len__(self) -> int:
        """The number of members, S."""
        return len(self.contexts)

    @property
    def explicit(self) -> bool:
        """Whether observations and actions are discrete, so that a policy is a table."""
        return self.encoder.discrete and isinstance(self.distribution, Categorical)

    def policy(self, member: int) -> NDArray[np.float64]:
        """Action probabilities float64[states, A] of one member in all states, if the policy is ``explicit``."""
        states = self.encoder(np.arange(self.encoder.size) + self.encoder.start)[None]
        logits = self.network.act(states, slice(member, member + 1))[0].astype(np.float64)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def _head_weights(self, vf_coef: float | tuple[float, ...]) -> Array:
        weights = vf_coef if isinstance(vf_coef, tuple) else (vf_coef,) * len(self.heads)
        if len(weights) != len(self.heads):
            raise UsageError(
                f"vf_coef has {len(weights)} numbers: expected one, or one for each of the value heads "
                f"{', '.join(self.heads)}."
            )
        return self._array(np.array(weights, np.float32)[:, None])

    def update(self) -> list[dict[str, float]]:
        """Collect one rollout and learn from it for the epochs of one update.

        Returns:
            The metrics of each member.
        """
        rollout = self.collector.collect(self.network, [ctx.rng for ctx in self.contexts])
        self.steps += self.transitions
        self.estimate(rollout)
        metrics = self.improve(rollout)
        for row, further in zip(metrics, self.objective.finish(rollout), strict=True):
            row.update(further)
        return metrics

    def estimate(self, rollout: Rollout) -> None:
        """Set the log probabilities, values and advantages of a collected rollout, each in one pass."""
        outputs = self._columns(rollout.outputs)
        rollout.encoded = self.distribution.encode(rollout.actions)
        scored = self.distribution.score(outputs, self._columns(rollout.encoded))
        rollout.log_prob = on_host(scored.log_prob).reshape(rollout.terminated.shape)
        rollout.signals = self.objective.signals(rollout)
        if self.scale is not None:
            rollout.signals = rollout.signals.copy()
            rollout.signals[:, 0] = self.scale(rollout.signals[:, 0], rollout.done)
        rollout.values, rollout.next_values = self.compute_values(rollout)
        rollout.advantages = self.gae(rollout.signals, rollout.values, rollout.next_values, rollout.done)

    def gae(self, signals: Floats, values: Floats, next_values: Floats, done: NDArray[np.bool_]) -> Floats:
        """Advantages [S, H, T, B] with the options' discount and lambda."""
        return gae(signals, values, next_values, done, self.config.gamma, self.config.gae_lambda)

    def compute_values(self, rollout: Rollout, flat: Array | None = None) -> tuple[Floats, Floats]:
        """The critic's values V(s_t) and V(s_{t+1}), the latter 0 where terminal; each [S, H, T, B].

        Args:
            rollout: as collected.
            flat: parameters [S, P] to use instead of the present ones, such as an earlier copy of them.
        """
        S, N = len(self), self.transitions
        T, B = rollout.obs.shape[1:3]
        member = np.nonzero(rollout.truncated & ~rollout.terminated)[0]
        count = np.bincount(member, minlength=S)
        # Members have different numbers of truncated episodes: their last observations are padded to the largest.
        position = np.arange(len(member)) - np.repeat(np.cumsum(count) - count, count)
        finals = np.zeros((S, count.max(), *self.encoder.shape), rollout.obs.dtype)
        finals[member, position] = rollout.final_obs
        parts = [rollout.obs.reshape(S, N, *self.encoder.shape), rollout.last_obs, finals]
        predicted = on_host(self.network.values(self._array(np.concatenate(parts, axis=1)), flat))
        values = predicted[:, :, :N].reshape(S, -1, T, B)
        last, final = predicted[:, :, N : N + B], predicted[member, :, N + B + position].T
        return values, bootstrap_values(values, last, rollout.terminated, rollout.truncated, final)

    def improve(self, rollout: Rollout) -> list[dict[str, float]]:
        """Take gradient steps on the minibatches of all epochs, until all members have exceeded their target KL."""
        config, weights = self.config, self._coefficients()
        rate = self._value_of(config.learning_rate)
        active = np.ones(len(self), dtype=bool)
        statistics: list[Array] = []
        active_members: list[NDArray[np.bool_]] = []
        for batch in self._minibatches(rollout):
            loss = self.gradient(batch, weights)
            norm = clip_norm(self.network.parameters.gradient, config.max_grad_norm)
            statistics.append(namespace(norm).concat([loss.means, norm[:, None]], 1))
            active_members.append(active)
            if config.target_kl is not None:
                active = active & (on_host(loss.approx_kl) <= 1.5 * config.target_kl)
                if not active.any():
                    break
            self.adam.step(self.network.parameters.gradient, rate, active)
            self.network.parameters.mark_changed()
            self.objective.after_minibatch(batch.index, active)
        means = np.stack([on_host(row) for row in statistics]).astype(np.float64)
        return self._metrics(rollout, means, np.stack(active_members), rate)

    def gradient(self, batch: Minibatch, weights: Coefficients) -> Loss:
        """Compute the loss on one minibatch, and write its gradient into the parameters' gradient."""
        each, mixed = self.config.adv_norm == "each", self.config.adv_norm == "mixed"
        advantage = self.objective.mix(standardised(batch.advantages) if each else batch.advantages, batch.index)
        outputs, values = self.forward(batch)
        loss = ppo_loss(
            self.distribution, outputs, values, batch, standardised(advantage) if mixed else advantage, weights
        )
        self.network.backward(loss.d_policy, loss.d_values)
        return loss

    def forward(self, batch: Minibatch) -> tuple[Array, Array]:
        """Outputs of the actor [S, W, M] and values [S, H, M]; a subclass may need more than the observations."""
        return self.network.forward(batch.obs)

    def _minibatches(self, rollout: Rollout) -> Iterator[Minibatch]:
        """Minibatches in a random order for each epoch.

        The numbers of a transition are joined in one row, so that shuffling copies memory once.
        """
        S, N = len(self), self.transitions
        parts = {
            "log_prob": rollout.log_prob[:, None],
            "advantages": self.objective.advantages(rollout),
            "returns": rollout.advantages + rollout.values,
            "values": rollout.values,
            "actions": np.moveaxis(rollout.encoded, -1, 1),
        }
        if (reference := self._reference(rollout)) is not None:
            parts["reference"] = reference
        slices, start = {}, 0
        for name, part in parts.items():
            slices[name] = slice(start, start := start + part.shape[1])
        columns = np.concatenate([part.reshape(S, -1, N) for part in parts.values()], axis=1)
        rows = np.ascontiguousarray(columns.mT).reshape(S * N, start)
        obs = rollout.obs.reshape(S * N, *self.encoder.shape)
        offset = np.arange(S)[:, None] * N
        for _ in range(self.config.n_epochs):
            order = np.stack([ctx.rng.permutation(N) for ctx in self.contexts])
            shuffled = self._array(rows.take(order + offset, axis=0))
            shuffled_obs = self._array(obs.take(order + offset, axis=0))
            index = self._array(order)
            for first in range(0, N, self.config.batch_size):
                batch = slice(first, first + self.config.batch_size)
                block = compact(shuffled[:, batch].mT)
                named = {name: block[:, part] for name, part in slices.items()}
                log_prob = named.pop("log_prob")[:, 0]
                yield Minibatch(index=index[:, batch], obs=shuffled_obs[:, batch], log_prob=log_prob, **named)

    def _reference(self, rollout: Rollout) -> Floats | None:
        """Outputs of the reference policy, [S, W, N]; None: the loss has no divergence from one."""
        if self.initial is None:
            return None
        S, N = len(self), self.transitions
        outputs = self.objective.reference(rollout)
        if outputs is None:
            obs = self._array(rollout.obs.reshape(S, N, *self.encoder.shape))
            return on_host(self.network.policy(obs, self.initial))
        columns: Floats = outputs.reshape(S, N, -1).mT
        return columns

    def _value_of(self, schedule: Schedule) -> NDArray[np.float64]:
        """The value of a schedule for each member, by the share of its budget that is used, [S]."""
        budgets = [max(ctx.budget, 1) for ctx in self.contexts]
        return np.array([scheduled(schedule, step / budget) for step, budget in zip(self.steps, budgets, strict=True)])

    def _coefficients(self) -> Coefficients:
        config = self.config

        def column(schedule: Schedule) -> Array:
            return self._array(self._value_of(schedule)[:, None])

        clip = column(config.clip_range)
        return Coefficients(
            low=1 - clip,
            high=1 + clip,
            clip_values=None if config.clip_range_vf is None else column(config.clip_range_vf)[:, None],
            entropy=column(config.ent_coef),
            values=self._vf_coef,
            reference=column(config.reference_kl),
        )

    def _metrics(
        self, rollout: Rollout, statistics: NDArray[np.float64], active: NDArray[np.bool_], rate: NDArray[np.float64]
    ) -> list[dict[str, float]]:
        """Means of ``statistics`` [G, S, n] over the G minibatches in which a member was ``active``, bool[G, S]."""
        weight = active / active.sum(axis=0)
        means = np.einsum("gs,gsn->sn", weight, statistics)
        names = ["loss/policy", "train/entropy", "train/approx_kl", "train/clip_fraction"]
        names += [f"loss/value/{head}" for head in self.heads]
        names += ["train/grad_norm"] if self.initial is None else ["train/reference_kl", "train/grad_norm"]
        rows = [dict(zip(names, row, strict=True)) for row in means.tolist()]
        shape = (len(self), len(self.heads), -1)
        residual = rollout.advantages.reshape(shape).var(axis=-1)
        returns = (rollout.advantages + rollout.values).reshape(shape)
        total, mean_square = returns.var(axis=-1), np.square(returns).mean(axis=-1)
        for member, row in enumerate(rows):
            row["train/learning_rate"] = float(rate[member])
            for head, *moments in zip(self.heads, residual[member], total[member], mean_square[member], strict=True):
                row[f"train/explained_variance/{head}"] = explained_variance(*map(float, moments))
        return rows

    def state(self, member: int) -> State:
        """Everything one member needs to continue bit for bit, except its environment and random streams."""
        state: dict[str, Any] = {
            "weights": on_host(self.adam.parameters[member]).copy(),
            "adam": self.adam.state(member),
            "obs": self.collector.obs[member].copy(),
            "fresh": bool(self.collector.started[member]),
            "mixer": self.objective.state(member),  # the key in stored runs
        }
        if self.initial is not None:
            state["initial"] = on_host(self.initial[member]).copy()
        for name, normaliser in self._normalisers():
            state[name] = normaliser.state(member)
        return state

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
        self.adam.parameters[member] = self._array(np.asarray(state["weights"]))
        self.network.parameters.mark_changed()
        self.adam.load_state(member, state["adam"])
        self.collector.obs[member] = state["obs"]
        self.collector.started[member] = bool(state["fresh"])
        self.objective.load_state(member, state["mixer"])
        if self.initial is not None:
            self.initial[member] = self._array(np.asarray(state["initial"]))
        for name, normaliser in self._normalisers():
            normaliser.load_state(member, state[name])

    def _normalisers(self) -> list[tuple[str, ObservationNorm | ReturnScale]]:
        pairs = (("norm_obs", self.norm), ("norm_reward", self.scale))
        return [(name, normaliser) for name, normaliser in pairs if normaliser is not None]

    def restart(self, member: int) -> None:
        """Let one member's next rollout begin with ``env.reset()``."""
        self.collector.started[member] = False
        if self.scale is not None:
            self.scale.forget(member)

    def _array(self, array: NDArray[Any]) -> Array:
        return on_device(array, self.device)

    def _columns(self, array: NDArray[Any]) -> Array:
        """An array [S, T, B, n] as [S, n, N] on the device, transitions last."""
        return self._array(np.ascontiguousarray(array.reshape(len(self), self.transitions, -1).mT))


def explained_variance(residual: float, total: float, mean_square: float = 1.0) -> float:
    """The share of the variance of returns that the values explain, ``1 - residual / total``; 0 if returns are equal.

    Args:
        residual: variance of the returns minus the values.
        total: variance of the returns.
        mean_square: mean square of the returns; a variance that is rounding error beside it counts as 0.
    """
    return 1.0 - residual / total if total > _ROUNDING * mean_square else 0.0
