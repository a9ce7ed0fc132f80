"""``rpo`` and ``tvpo`` with tabular policies, as algorithms of the core; each is one member of a learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.seeds import SeedBatch, explain_mismatch

from zoo import Algorithm, Array, Context, InterfaceError, Metrics, State
from zoo_rpo.config import RPOConfig, TVPOConfig
from zoo_rpo.distributions import Categorical
from zoo_rpo.tabular.learner import Learner
from zoo_rpo.task_model import Floats, TaskModel

ConfigT = TypeVar("ConfigT", bound=RPOConfig)


class TabularRPO(Algorithm[ConfigT]):
    """One member of a ``Learner``, its own or one shared by the seeds of a batch. ``env_steps`` counts episodes.

    Raises:
        InterfaceError: a task of the environment has no exact model.
        UsageError: an option does not fit the environment.
    """

    def __init__(self, ctx: Context, config: ConfigT, *, learner: Learner | None = None, index: int = 0) -> None:
        super().__init__(ctx, config)
        self.learner = learner if learner is not None else Learner([ctx], config)
        self.index = index
        self._act_rng = ctx.stream("act")

    @classmethod
    def batch(cls, contexts: Sequence[Context], config: ConfigT) -> SeedBatch[Any]:
        """Many seeds that learn together."""
        learner = Learner(contexts, config)
        return SeedBatch(
            [cls(ctx, config, learner=learner, index=index) for index, ctx in enumerate(contexts)], learner
        )

    @property
    def env_steps(self) -> int:
        """Episodes so far."""
        return int(self.learner.steps[self.index])

    @env_steps.setter
    def env_steps(self, steps: int) -> None:
        self.learner.steps[self.index] = steps

    def update(self) -> Metrics:
        """Take ``log_every`` gradient steps on the running task.

        Returns:
            Exact undiscounted values of the policies after each step: ``value`` (the mean), ``value/last``; on the task
            ``value/first`` (after its first update), ``value/best``, ``value/optimum``, and ``value/default`` of pi_0
            when the task began; ``regret``, the sum of optimum - value since the run began. Means over the steps of
            ``divergence/kl`` KL(pi, pi_0), ``divergence/tv`` and the penalty ``omega``, each over the visited states,
            and of the episodes' ``return``. ``task`` counts from 1, ``transitions`` since the run began.

        Raises:
            InterfaceError: this is a member of a batch, which is updated as a whole.
        """
        if len(self.learner) > 1:
            raise InterfaceError("this is one member of a batch: update the batch, which advances all of them.")
        return self.learner.update()[0]

    def act(self, obs: Array, *, greedy: bool = True) -> NDArray[np.int64]:
        """Actions int64[B] for states [B], of the policy of the task that is being learned."""
        policy = Categorical(self.learner.theta[self.index][np.asarray(obs)])
        return np.asarray(policy.mode() if greedy else policy.sample(self._act_rng))

    def policy(self) -> Floats:
        """Action probabilities float64[S, A] on the task that is being learned."""
        return np.asarray(Categorical(self.learner.theta[self.index]).p)

    def default_policy(self) -> Floats:
        """Action probabilities float64[S, A] of pi_0."""
        return self.learner.pi_0(self.index)

    def task_models(self) -> list[TaskModel]:
        """The exact models of all tasks of the run, in order."""
        learner = self.learner
        return [learner.model_of(task) for task in learner.progress[self.index].tasks]

    def state(self) -> State:
        """Policy, baseline, default policy, tasks, and the stream of ``act``."""
        return {**self.learner.state(self.index), "act": self._act_rng.bit_generator.state}

    def load_state(self, state: State) -> None:
        """Continue from ``state``.

        Raises:
            InterfaceError: it was saved with other options or in another environment.
        """
        with explain_mismatch(self):
            self.learner.load_state(self.index, state)
            self._act_rng.bit_generator.state = state["act"]


class RPO(TabularRPO[RPOConfig]):
    """Regularised policy optimisation (arXiv:2111.02994)."""


class TVPO(TabularRPO[TVPOConfig]):
    """RPO with the majority vote as default policy."""
