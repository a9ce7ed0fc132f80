"""PPO for S members on one task after another, regularised towards default policies.

The networks are reinitialised for each task; the default policies are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.distributions import Distribution, distribution_on
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.objective import LearnerView, Objective
from zoo_onpolicy.rollout import Floats, Rollout

from zoo import Array, Context, InterfaceError, State, Task
from zoo_rpo import pieces
from zoo_rpo.deep.actions import Regularised
from zoo_rpo.deep.config import RPOPPOConfig
from zoo_rpo.deep.model import PerceptronModel
from zoo_rpo.default_options import Setting
from zoo_rpo.defaults import DefaultPolicy
from zoo_rpo.models import Model, Table
from zoo_rpo.regularisers import Regulariser

__all__ = ["Defaults", "TaskLearner"]


class Defaults(Objective):
    """The default policies of S members, towards which policies are regularised and which learn from each rollout.

    Args:
        members: S.
        config: the options.
    """

    learner: TaskLearner

    def __init__(self, members: int, config: RPOPPOConfig) -> None:
        self._config = config
        self.regulariser: Regulariser = pieces.build("regulariser", config.regulariser, config.regulariser_options)
        self.defaults: list[DefaultPolicy] = []
        self._returns: list[NDArray[np.float64]] = [np.zeros(0)] * members

    def bind(self, learner: LearnerView) -> None:
        """Make a default policy for each member."""
        super().bind(learner)
        config = self._config
        name = self.regulariser.default if config.default == "auto" else config.default
        example = self.learner.actions.family(np.zeros((1, self.learner.distribution.outputs)))
        self.regulariser.omega(example, example)  # raises now if the regulariser does not suit the actions
        options = pieces.build("default", name, config.default_options)
        self.defaults = [options.make(self._setting(ctx)) for ctx in self.learner.contexts]

    def _setting(self, ctx: Context) -> Setting:
        learner, config = self.learner, self._config
        distribution, rng = learner.actions, ctx.stream("default")
        rate = config.learning_rate[0] if isinstance(config.learning_rate, tuple) else config.learning_rate

        def model(features: int, scale: float) -> Model:
            if learner.encoder.as_indices:
                return Table(features, distribution.outputs, scale * rate)
            sizes = (features, *config.default_arch, distribution.outputs)
            return PerceptronModel(sizes, config.network.activation_fn, scale * rate, rng)

        return Setting(
            states=learner.encoder.size if learner.encoder.as_indices else None,
            features=learner.encoder.size,
            actions=distribution.outputs if learner.discrete else None,
            family=distribution.family,
            regulariser=self.regulariser,
            lam=config.lam,
            model=model,
        )

    def reference(self, rollout: Rollout) -> Floats | None:
        """Parameters of pi_0 at the states of a rollout, [S, T, B, W]."""
        pi_0 = [default.distribution(obs) for default, obs in zip(self.defaults, rollout.obs, strict=True)]
        return np.stack([np.asarray(distribution.parameters, dtype=np.float32) for distribution in pi_0])

    def finish(self, rollout: Rollout) -> Sequence[Mapping[str, float]]:
        """Update every default policy from the present policy, and at the end of a task from the task.

        Returns:
            For each member ``task``, ``divergence/kl``, ``omega``, and, where an episode ended, ``return``.
        """
        learner, family = self.learner, self.learner.actions.family
        outputs = learner.network.act(rollout.obs.reshape(len(learner), -1, *learner.encoder.shape))
        rows = []
        for member, default in enumerate(self.defaults):
            obs, policy = rollout.obs[member].reshape(-1, *learner.encoder.shape), outputs[member]
            pi_0 = default.distribution(obs)
            divergence = {
                "divergence/kl": float(np.mean(family(policy).kl(pi_0))),
                "omega": float(np.mean(self.regulariser.omega(family(policy), pi_0))),
            }
            if type(default).update is not DefaultPolicy.update:
                self._update_default(default, obs, policy, learner.contexts[member].rng)
            rows.append({"task": float(learner.task[member] + 1), **divergence, **self._episodes(member, rollout)})
            learner.advance(member, obs)
        return rows

    def _update_default(
        self, default: DefaultPolicy, obs: NDArray[Any], policy: Floats, rng: np.random.Generator
    ) -> None:
        size, family = self._config.batch_size, self.learner.actions.family
        for _ in range(self._config.default_epochs):
            order = rng.permutation(len(obs))
            for first in range(0, len(order), size):
                batch = order[first : first + size]
                default.update(obs[batch], family(policy[batch]))

    def _episodes(self, member: int, rollout: Rollout) -> dict[str, float]:
        """The mean return of the episodes that ended in this rollout, if one did."""
        reward, done = rollout.rewards[member, 0], rollout.done[member]
        running = self._returns[member] if self._returns[member].size else np.zeros(reward.shape[1])
        ended = []
        for t in range(len(reward)):
            running = running + reward[t]
            ended += running[done[t]].tolist()
            running = np.where(done[t], 0.0, running)
        self._returns[member] = running
        return {"return": float(np.mean(ended))} if ended else {}

    def forget(self, member: int) -> None:
        """Discard the returns of a member's unfinished episodes."""
        self._returns[member] = np.zeros(0)

    def state(self, member: int) -> Mapping[str, Any]:
        """The default policy, and the returns of unfinished episodes."""
        return {"default": self.defaults[member].state(), "returns": self._returns[member].copy()}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
        self.defaults[member].load_state(state["default"])
        self._returns[member] = np.array(state["returns"])


class TaskLearner(Learner):
    """PPO on one task after another.

    Args:
        contexts: one for each member.
        config: the options.
        objective: the default policies.

    Raises:
        InterfaceError: a task's observation or action space differs from the environment's.
        UsageError: an option does not fit the environment.
    """

    reads_images = False
    config: RPOPPOConfig
    objective: Defaults
    distribution: Distribution

    def __init__(self, contexts: Sequence[Context], config: RPOPPOConfig, objective: Defaults) -> None:
        self._regulariser = objective.regulariser
        super().__init__(contexts, replace(config, reference_kl=config.lam), objective)
        count = max(1, -(-contexts[0].budget // (config.updates * self.transitions)))
        self._streams = [ctx.stream("tasks") for ctx in self.contexts]
        self.tasks = [self._draw_tasks(member, count) for member in range(len(self))]
        self.task: NDArray[np.int64] = np.zeros(len(self), dtype=np.int64)
        """number of the task that each member learns now, from 0, int64[S]"""
        self.updates: NDArray[np.int64] = np.zeros(len(self), dtype=np.int64)
        """rollouts of each member on its present task, int64[S]"""

    def make_distribution(self) -> Distribution:
        """The family of distributions for the action space, with the regulariser as divergence."""
        return Regularised(distribution_on(self.contexts[0].env.single_action_space, several=False), self._regulariser)

    @property
    def actions(self) -> Regularised:
        """``distribution``, with its own type."""
        assert isinstance(self.distribution, Regularised)  # noqa: S101  built by make_distribution
        return self.distribution

    @property
    def discrete(self) -> bool:
        """Whether actions are discrete."""
        return self.actions.action_shape == ()

    def update(self) -> list[dict[str, float]]:
        """Collect one rollout on each member's task, and learn from it for the epochs of one update."""
        for member, ctx in enumerate(self.contexts):
            if not self.collector.started[member]:
                obs, _ = ctx.env.reset(options={"task": self.tasks[member][self.task[member]]})
                self.collector.obs[member] = self.encoder(obs)
                self.collector.started[member] = True
                self.objective.forget(member)
            if not self.updates[member]:
                self.objective.defaults[member].begin_task(None)
        return super().update()

    def advance(self, member: int, obs: Array) -> None:
        """Count a rollout with observations ``obs`` [N, ...]; after the last rollout of a task begin the next one."""
        self.updates[member] += 1
        if self.updates[member] < self.config.updates:
            return
        index = slice(member, member + 1)
        family, network = self.actions.family, self.network
        visited = np.unique(obs, axis=0)
        self.objective.defaults[member].observe_task(lambda o: family(network.act(o[None], index)[0]), visited)
        self.task[member], self.updates[member] = self.task[member] + 1, 0
        if self.task[member] >= len(self.tasks[member]):
            self.tasks[member] += self._draw_tasks(member, 1)
        # A new policy for the next task.
        network.initialise(member, self.contexts[member].rng)
        self.adam.m[member], self.adam.v[member], self.adam.t[member] = 0.0, 0.0, 0
        self.collector.started[member] = False

    def _draw_tasks(self, member: int, count: int) -> list[Task]:
        """The next tasks of a member, each with the spaces of the environment.

        Raises:
            InterfaceError: the environment has no tasks, or a task has another space.
        """
        ctx = self.contexts[member]
        if ctx.problem.tasks is None:
            raise InterfaceError("the environment has no tasks.")
        tasks = list(ctx.problem.tasks.sample_many(self._streams[member], count))
        for task in dict.fromkeys(tasks):
            env = task.make()
            for name, expected in (
                ("observation_space", ctx.env.single_observation_space),
                ("action_space", ctx.env.single_action_space),
            ):
                space = getattr(env, name)
                if space != expected:
                    raise InterfaceError(
                        f"task {task.id} has the {name} {space}: expected {expected}, as all tasks have."
                    )
        return tasks

    def state(self, member: int) -> State:
        """The state of ``Learner``, with the tasks and the present position in them."""
        tasks = [dict(task.to_dict()) for task in self.tasks[member]]
        position = {"task": int(self.task[member]), "updates": int(self.updates[member])}
        return {**super().state(member), "tasks": tasks, **position}

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
        distribution = self.contexts[member].problem.tasks
        self.tasks[member] = [distribution.from_dict(task) for task in state["tasks"]]  # type: ignore[union-attr]
        self.task[member], self.updates[member] = state["task"], state["updates"]
        super().load_state(member, state)
