"""The on-policy form: an actor-critic on whole episodes; the control policy is reset for each task, the default kept.

loss = -A log pi + alpha KL(pi_theta, pi_w) + c_v (V - G)^2, with the learner of zoo-onpolicy: one gradient step on each
batch of new episodes is plain policy gradient, several epochs are PPO.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy import distributions
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.loss import Coefficients, Loss, Minibatch
from zoo_onpolicy.networks import Network
from zoo_onpolicy.objective import Objective
from zoo_onpolicy.observations import ObservationEncoder
from zoo_onpolicy.rollout import Floats, Rollout
from zoo_rpo.distributions import Categorical, DiagonalGaussian

from zoo import Context, UsageError, lookup
from zoo_mdl_c.config import ActorCriticConfig, ManualIAConfig, RPOConfig, VDOPOConfig
from zoo_mdl_c.default_policy import make_default
from zoo_mdl_c.distillation import DefaultLearner
from zoo_mdl_c.forward_kl import ForwardCategorical, ForwardGaussian
from zoo_mdl_c.regret import DefaultRegret
from zoo_mdl_c.tasks import TaskSequence
from zoo_mdl_c.variational_control import VariationalMLP

__all__ = ["DefaultObjective", "MultitaskLearner"]


class TaskPosition(NamedTuple):
    """The position of an update in the sequence of tasks."""

    task: int
    """number of the task, from 0"""
    update: int
    """number of the update within it, from 0"""
    last: bool
    """whether it is the task's last one"""
    held_out: bool
    """whether the default does not learn from it"""


class MultitaskLearner(Learner):
    """A learner whose members learn one task after another, or all tasks at once.

    Raises:
        UsageError: there are no tasks, not enough of them, or they have different spaces.
    """

    reads_images = False
    objective: DefaultObjective
    config: ActorCriticConfig

    def __init__(self, contexts: Sequence[Context], config: ActorCriticConfig) -> None:
        super().__init__(contexts, config, DefaultObjective())
        updates = max(-(-contexts[0].budget // self.transitions), 1)
        self._training = max(updates - config.held_out * config.held_out_updates, 0)
        count = -(-self._training // config.task_updates) + config.held_out
        self.sequences = [TaskSequence(ctx, config, count) for ctx in contexts]
        self.objective.begin_run(self.sequences)
        for member in range(len(self)):
            self._values_from_zero(member)

    def make_distribution(self) -> distributions.Distribution:
        """The family of action distributions, with the divergence that the control policy minimises."""
        base = distributions.distribution_on(self.contexts[0].env.single_action_space, several=False)
        if getattr(self.config, "control_kl", "reverse") == "reverse":
            return base
        space: Any = self.contexts[0].env.single_action_space
        return (ForwardCategorical if isinstance(base, distributions.Categorical) else ForwardGaussian)(space)

    def make_network(self) -> Network:
        """The networks; with variational dropout where the control policy's description length is penalised."""
        if not isinstance(self.config, VDOPOConfig):
            return super().make_network()
        if self.encoder.as_indices:
            raise UsageError(
                "mdl-c-vdo-po penalises the weights of features: use network.kind = mlp on these observations."
            )
        return VariationalMLP(
            len(self), self.encoder.size, len(self.heads), self.distribution, self.config, self.contexts
        )

    def update(self) -> list[dict[str, float]]:
        """Collect new episodes of each member's present task, and learn from them."""
        for member, ctx in enumerate(self.contexts):
            number, within = self.position(member)[:2]
            sequence = self.sequences[member]
            if within == 0 and number and not sequence.parallel:
                self._reset_control(member, number)
            options = None if sequence.parallel else {"task": sequence[number]}
            self.collector.obs[member] = self.encoder(ctx.env.reset(options=options)[0])
            self.collector.started[member] = True
        if not isinstance(self.network, VariationalMLP):
            return super().update()
        steps = self.config.n_epochs * -(-self.transitions // self.config.batch_size)
        self.network.sample_weights([self.position(member).update * steps for member in range(len(self))])
        rows = super().update()
        self.network.use_means()
        return rows

    def gradient(self, batch: Minibatch, weights: Coefficients) -> Loss:
        """The gradient of the sum over the steps of an episode, as in REINFORCE, not of the mean.

        Adam's epsilon would otherwise damp the small gradients of rare rewards.
        """
        loss = super().gradient(batch, weights)
        self.network.parameters.gradient *= self.config.n_steps
        return loss

    def position(self, member: int, done: int | None = None) -> TaskPosition:
        """The position of a member in the sequence of tasks after ``done`` updates; None: at present."""
        done = int(self.steps[member]) // self.transitions if done is None else done
        sequence, config = self.sequences[member], self.config
        if sequence.parallel:
            return TaskPosition(0, done, False, False)
        held_out = done >= self._training and config.held_out > 0
        length = config.held_out_updates if held_out else config.task_updates
        number, within = divmod(done - self._training if held_out else done, length)
        last = within == length - 1 or done == self._training - 1
        return TaskPosition(number + sequence.held_out_from * held_out, within, last, held_out)

    def _reset_control(self, member: int, number: int) -> None:
        """Reinitialise the control policy, from a random stream that does not depend on what was learned before."""
        self.network.initialise(member, self.contexts[member].stream(f"weights of task {number}"))
        self._values_from_zero(member)
        self.adam.m[member], self.adam.v[member], self.adam.t[member] = 0.0, 0.0, 0

    def _values_from_zero(self, member: int) -> None:
        """Set V = 0: the updates of one task are too few to unlearn random initial values."""
        parameters = self.network.parameters
        critic = [name for name in parameters.views if name.startswith("critic.")]
        for name in critic[-2:]:
            parameters.assign(name, member, np.zeros(parameters.views[name].shape[1:]))


class DefaultObjective(Objective):
    """The default policies of the members: the reference of the penalty, their updates, and the metrics."""

    learner: MultitaskLearner

    def __init__(self) -> None:
        self.defaults: list[DefaultLearner] = []
        """one for each member; empty where there is no default policy"""
        self._regrets: list[DefaultRegret] = []
        self._before: list[Floats] = []  # for the regret: the default policy when the task began, [states, W]

    def begin_run(self, sequences: Sequence[TaskSequence]) -> None:
        """Build the default policies; called when the learner is complete."""
        learner, config = self.learner, self.learner.config
        self._sequences = sequences
        space = learner.contexts[0].env.single_observation_space
        self._vectors = ObservationEncoder(space, "mlp")
        groups = lookup(learner.contexts[0].env, "feature_groups") or {}
        if not isinstance(config, RPOConfig):
            return
        discrete = isinstance(learner.distribution, distributions.Categorical)
        family = Categorical if discrete else DiagonalGaussian
        for ctx in learner.contexts:
            rng = ctx.stream("default")
            seed = int(rng.integers(2**31))
            outputs = learner.distribution.outputs
            hidden = config.hidden if isinstance(config, ManualIAConfig) else ()
            default = make_default(config, self._vectors.size, outputs, family, groups, seed, hidden)
            self.defaults.append(DefaultLearner(default, family, config, groups, rng))
        if learner.explicit and config.setting == "sequential":
            actions = learner.contexts[0].num_actions
            self._regrets = [DefaultRegret(learner.encoder.size, actions) for _ in self.defaults]
            self._before = [self._on_states(default) for default in self.defaults]

    def default_inputs(self, obs: NDArray[Any]) -> Floats:
        """Encoded observations as the input of the default policy, vectors [n, D]; state numbers become one-hot."""
        encoder = self.learner.encoder
        if encoder.as_indices:
            return self._vectors(obs.reshape(-1) + encoder.start).astype(np.float32)
        return np.asarray(obs.reshape(-1, encoder.size), dtype=np.float32)

    def reference(self, rollout: Rollout) -> Floats | None:
        """Outputs of the default policies, [S, T, B, W]."""
        if not self.defaults:
            return None
        pairs = zip(self.defaults, rollout.obs, strict=True)
        outputs = np.stack([default.parameters(self.default_inputs(obs)) for default, obs in pairs])
        return outputs.reshape(rollout.outputs.shape)

    def finish(self, rollout: Rollout) -> Sequence[Mapping[str, float]]:
        """Update the default policies, and compute the metrics.

        Returns:
            ``task/number`` and ``task/update`` (from 0), ``task/index`` among all tasks, ``return/discounted`` and
            ``return/episode`` of the first episode of each copy, ``regret/task`` where the optimum is known exactly,
            ``default/...``, and at the end of a task ``regret/default`` where states are discrete.
        """
        return [self._finish(member, rollout) for member in range(len(rollout.obs))]

    def _finish(self, member: int, rollout: Rollout) -> dict[str, float]:
        learner, config = self.learner, self.learner.config
        done = int(learner.steps[member]) // learner.transitions - 1
        sequence = self._sequences[member]
        position = learner.position(member, done)
        number, within = position.task, position.update
        discounted, plain = first_episodes(rollout.signals[member, 0], rollout.done[member], config.gamma)
        row = {"task/number": float(number), "task/update": float(within)}
        row |= {"return/discounted": discounted, "return/episode": plain}
        if not sequence.parallel:
            row["task/index"] = float(sequence.position(sequence[number]))
            value = lookup(learner.contexts[member].env, "optimal_value")
            best = value(sequence[number], config.gamma) if callable(value) else None
            if best is not None:
                row["regret/task"] = best - discounted
        if self.defaults:
            row |= self._update_default(member, rollout, position.last, position.held_out)
        network = learner.network
        return row | (network.report(member) if isinstance(network, VariationalMLP) else {})

    def _update_default(self, member: int, rollout: Rollout, last: bool, held_out: bool) -> dict[str, float]:
        default = self.defaults[member]
        row: dict[str, float] = {}
        if not held_out:
            obs = self.default_inputs(rollout.obs[member])
            row |= default.observe(obs, rollout.outputs[member].reshape(len(obs), -1))
        if last and self._regrets:
            row |= self._count_regret(member, rollout)
        if last and held_out:
            default.forget_task()
        elif last:
            row |= default.end_task(lambda obs: self._control_outputs(member, obs))
        if last and self._regrets:
            self._before[member] = self._on_states(default)
        return row | default.report()

    def _control_outputs(self, member: int, obs: Floats) -> Floats:
        """Outputs [n, W] of a member's control policy for the inputs [n, D] of its default policy."""
        encoder = self.learner.encoder
        encoded = obs.argmax(-1) if encoder.as_indices else obs
        outputs: Floats = self.learner.network.act(encoded[None], slice(member, member + 1))[0]
        return outputs

    def _on_states(self, default: DefaultLearner) -> Floats:
        return default.parameters(np.eye(self.learner.encoder.size, dtype=np.float32))

    def _count_regret(self, member: int, rollout: Rollout) -> dict[str, float]:
        regret, states = self._regrets[member], self.learner.encoder.size
        seen = rollout.obs[member]
        numbers = seen if self.learner.encoder.as_indices else seen.argmax(-1)
        visits = np.bincount(numbers.ravel(), minlength=states)
        before = Categorical(self._before[member].astype(np.float64)).p
        loss = regret.add(self.learner.policy(member), visits, before)
        return {"default/loss": loss, "default/best_loss": regret.best, "regret/default": regret.regret}

    def state(self, member: int) -> Mapping[str, Any]:
        """The state of the default policy, and that of its regret."""
        if not self.defaults:
            return {}
        own = {"default": self.defaults[member].state()}
        if not self._regrets:
            return own
        return {**own, "regret": self._regrets[member].state(), "before": self._before[member].copy()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
        if not self.defaults:
            return
        self.defaults[member].load_state(state["default"])
        if self._regrets:
            self._regrets[member].load_state(state["regret"])
            self._before[member] = np.asarray(state["before"]).copy()


def first_episodes(rewards: Floats, done: NDArray[np.bool_], gamma: float) -> tuple[float, float]:
    """Mean discounted and plain return of the first episode of each of B copies, up to the end of the rollout.

    Args:
        rewards: [T, B].
        done: where an episode ended, [T, B].
        gamma: discount.
    """
    running: NDArray[np.bool_] = np.cumsum(done, axis=0) - done == 0
    earned = np.where(running, rewards, 0.0).astype(np.float64)
    discounts = gamma ** np.arange(len(rewards), dtype=np.float64)
    return float((discounts @ earned).mean()), float(earned.sum(0).mean())
