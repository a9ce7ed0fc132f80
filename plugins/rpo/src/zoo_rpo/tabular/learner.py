"""Regularised policy optimisation of M members on one task after another.

Policies are reinitialised for each task; default policies are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo import Context, InterfaceError, State, Task
from zoo_rpo import pieces
from zoo_rpo.config import RPOConfig
from zoo_rpo.default_options import Setting
from zoo_rpo.defaults import DefaultPolicy
from zoo_rpo.distributions import Categorical
from zoo_rpo.models import Table
from zoo_rpo.regularisers import Regulariser
from zoo_rpo.tabular import core
from zoo_rpo.task_model import Floats, Stacked, TaskModel

__all__ = ["Learner", "Progress"]


@dataclass(eq=False)
class Progress:
    """One member's position in its tasks, and its figures on them.

    Attributes:
        default: its default policy.
        tasks: its tasks in order, learned ones and later ones.
        task: number of the task that is learned now, from 0.
        updates: updates on this task so far.
        best_value: exact value of the best policy for it so far.
        best: logits of that policy, [S, A].
        first_value: exact value of its policy after the first update.
        default_value: exact value of the default policy on it when it began.
        regret: sum of V* - V over all updates so far, on all tasks.
        transitions: transitions so far, on all tasks.
    """

    default: DefaultPolicy
    tasks: list[Task]
    task: int = 0
    updates: int = 0
    best_value: float = -np.inf
    best: Floats = field(default_factory=lambda: np.zeros(0))
    first_value: float = 0.0
    default_value: float = 0.0
    regret: float = 0.0
    transitions: float = 0.0


class Learner:
    """M members with their own tasks, logits theta [M, S, A], baselines V [M, S] and default policies.

    All members learn each task for the same number of updates. Each draws from its own random streams, and learns bit
    for bit what it would learn alone.

    Args:
        contexts: one for each member; they differ only in their seeds.
        config: the options.

    Raises:
        InterfaceError: a task has no exact model, or other states or actions than the environment.
        UsageError: an option does not fit the environment.
    """

    def __init__(self, contexts: Sequence[Context], config: RPOConfig) -> None:
        self.contexts, self.config = tuple(contexts), config
        self.S, self.A = self.contexts[0].obs_dim, self.contexts[0].num_actions
        self.regulariser: Regulariser = pieces.build("regulariser", config.regulariser, config.regulariser_options)
        self._models: dict[Task, TaskModel] = {}
        per_task = config.updates * config.episodes
        count = max(1, -(-self.contexts[0].budget // per_task))
        defaults = self._make_defaults()
        self._streams = [ctx.stream("tasks") for ctx in self.contexts]
        self.progress = [Progress(default, self._draw(member, count)) for member, default in enumerate(defaults)]
        self._learns = type(defaults[0]).update is not DefaultPolicy.update
        self._stacked_default = type(defaults[0]).stacked(defaults)
        M = len(self.contexts)
        self.theta: Floats = np.zeros((M, self.S, self.A))
        self.V: Floats = np.zeros((M, self.S))
        self.steps = np.zeros(M, dtype=np.int64)
        """episodes of each member so far, which is what the budget counts"""
        self._tables: Stacked | None = None
        self._optimum: Floats = np.zeros(M)
        self._pi_0: Categorical | None = None

    def __len__(self) -> int:
        """M."""
        return len(self.contexts)

    def _make_defaults(self) -> list[DefaultPolicy]:
        config = self.config
        name = self.regulariser.default if config.default == "auto" else config.default
        setting = Setting(
            states=self.S,
            features=self.S,
            actions=self.A,
            family=Categorical,
            regulariser=self.regulariser,
            lam=config.lam,
            model=lambda states, scale: Table(states, self.A, scale * config.learning_rate),
        )
        options = pieces.build("default", name, config.default_options)
        return [options.make(setting) for _ in self.contexts]

    def _draw(self, member: int, count: int) -> list[Task]:
        distribution = self.contexts[member].problem.tasks
        if distribution is None:
            raise InterfaceError("the environment has no tasks.")
        tasks = list(distribution.sample_many(self._streams[member], count))
        for task in tasks:
            self.model_of(task)
        return tasks

    def model_of(self, task: Task) -> TaskModel:
        """The exact model of a task.

        Raises:
            InterfaceError: it has another number of states or actions than the environment.
        """
        if task not in self._models:
            model = TaskModel.of(task, self.config.horizon)
            if model.reward.shape != (self.S, self.A):
                S, A = model.reward.shape
                raise InterfaceError(
                    f"task {model.name} has {S} states and {A} actions: expected {self.S} and {self.A} of all tasks."
                )
            self._models[task] = model
        return self._models[task]

    def task_model(self, member: int) -> TaskModel:
        """The model of the task that a member learns now."""
        progress = self.progress[member]
        return self.model_of(progress.tasks[min(progress.task, len(progress.tasks) - 1)])

    def update(self) -> list[dict[str, float]]:
        """Take up to ``log_every`` gradient steps of every member, without passing the end of a task.

        Returns:
            The metrics of each member.
        """
        remaining = self.config.updates - self.progress[0].updates
        steps = [self._step() for _ in range(min(self.config.log_every, remaining))]
        of_task = {
            "task": [progress.task + 1 for progress in self.progress],
            "value/optimum": self._optimum,
            "value/best": [progress.best_value for progress in self.progress],
            "value/first": [progress.first_value for progress in self.progress],
            "value/default": [progress.default_value for progress in self.progress],
            "regret": [progress.regret for progress in self.progress],
            "transitions": [progress.transitions for progress in self.progress],
        }
        if self.progress[0].updates == self.config.updates:
            self._end_task()
        means = {name: np.mean([step[name] for step in steps], axis=0) for name in steps[0]}
        metrics = {"value": means.pop("value"), "value/last": steps[-1]["value"], **of_task, **means}
        return [{name: float(values[member]) for name, values in metrics.items()} for member in range(len(self))]

    def _step(self) -> dict[str, Floats]:
        """Take one gradient step; its metrics, [M] each."""
        tables = self._begin_task()
        config, pi_0 = self.config, self._defaults()
        pi = Categorical(self.theta)
        if config.gradient == "exact":
            gradient = core.exact_gradient(tables, pi.p, config.gamma)
            transitions, returned = gradient.visits.sum(-1) * config.episodes, core.exact_value(tables, pi.p)
        else:
            shape = (2 * tables.horizon + 1, config.episodes)
            u = np.stack([ctx.rng.random(shape) for ctx in self.contexts])
            episodes = core.sample(tables, pi.p, u)
            gradient = core.sampled_gradient(tables, pi.p, self.V, episodes, config.gamma)
            transitions = episodes.active.sum(axis=(0, 2))
            returned = episodes.rewards.sum(axis=(0, 2)) / config.episodes
        by_theta, _ = self.regulariser.gradients(pi, pi_0)
        self._update_defaults(pi, gradient.visits)  # before the logits, which pi shares, are changed in place
        self.theta -= config.learning_rate * (gradient.theta + config.lam * gradient.visits[..., None] * by_theta)
        self.V -= config.value_learning_rate * gradient.value
        self.steps += config.episodes
        after = Categorical(self.theta)
        value = core.exact_value(tables, after.p)
        self._record(value, transitions)
        weight = gradient.visits / gradient.visits.sum(-1, keepdims=True)
        return {
            "value": value,
            "return": returned,
            "divergence/kl": (weight * after.kl(pi_0)).sum(-1),
            "divergence/tv": (weight * abs(after.p - pi_0.p).sum(-1) / 2).sum(-1),
            "omega": (weight * self.regulariser.omega(after, pi_0)).sum(-1),
        }

    def _begin_task(self) -> Stacked:
        """The models of the running tasks; at the start of a task, the policies are initialised."""
        if self._tables is not None:
            return self._tables
        models = [self.task_model(member) for member in range(len(self))]
        self._tables, self._optimum = Stacked(models), np.array([model.optimum for model in models])
        starting = [member for member, progress in enumerate(self.progress) if not progress.updates]
        for member in starting:  # the others were restored from a checkpoint in the middle of a task
            progress = self.progress[member]
            progress.default.begin_task(models[member])
            self.theta[member] = self.contexts[member].rng.standard_normal((self.S, self.A))
            self.V[member] = 0.0
            progress.best_value = -np.inf
        values = core.exact_value(self._tables, self._defaults().p)
        for member in starting:
            self.progress[member].default_value = float(values[member])
        return self._tables

    def _defaults(self) -> Categorical:
        """pi_0 of all members in all states, [M, S, A]."""
        if self._pi_0 is None:
            if self._stacked_default is not None:
                logits = np.asarray(self._stacked_default.distribution(np.arange(self.theta[..., 0].size)).parameters)
            else:
                states = np.arange(self.S)
                pi_0 = [progress.default.distribution(states) for progress in self.progress]
                logits = np.stack([np.asarray(distribution.parameters) for distribution in pi_0])
            self._pi_0 = Categorical(logits.reshape(self.theta.shape))
        return self._pi_0

    def _update_defaults(self, pi: Categorical, visits: Floats) -> None:
        """Update every default policy from ``pi`` [M, S, A], states weighted by their visits [M, S]."""
        if not self._learns:
            return
        if self._stacked_default is not None:
            rows = Categorical(pi.parameters.reshape(-1, self.A))
            self._stacked_default.update(np.arange(visits.size), rows, visits.reshape(-1))
        else:
            for member, progress in enumerate(self.progress):
                progress.default.update(np.arange(self.S), Categorical(pi.parameters[member]), visits[member])
        self._pi_0 = None

    def _record(self, value: Floats, transitions: Floats) -> None:
        """Record a step after which the policies have exact ``value`` [M], and which took ``transitions`` [M]."""
        for member, progress in enumerate(self.progress):
            value_now = float(value[member])
            if not progress.updates:
                progress.first_value = value_now
            if value_now > progress.best_value:
                progress.best_value, progress.best = value_now, self.theta[member].copy()
            progress.regret += float(self._optimum[member]) - value_now
            progress.transitions += float(transitions[member])
            progress.updates += 1

    def _end_task(self) -> None:
        """Update the default policies from the best policy of each task that ends, and go to the next tasks."""
        for member, progress in enumerate(self.progress):
            model, best = self.task_model(member), Categorical(progress.best)
            expected = core.visits(Stacked([model]), best.p[None])[0] * self.config.episodes
            decisions = model.decisions
            progress.default.observe_task(_policy_of(progress.best), decisions, expected[decisions])
            progress.task, progress.updates = progress.task + 1, 0
            if progress.task >= len(progress.tasks):
                progress.tasks += self._draw(member, 1)
        self._tables = self._pi_0 = None

    def pi_0(self, member: int) -> Floats:
        """Probabilities of one member's default policy, [S, A]."""
        distribution = self.progress[member].default.distribution(np.arange(self.S))
        return np.asarray(Categorical(np.asarray(distribution.parameters)).p)

    def state(self, member: int) -> State:
        """Everything one member needs to continue bit for bit, except its random streams."""
        progress = self.progress[member]
        return {
            "theta": self.theta[member].copy(),
            "V": self.V[member].copy(),
            "default": progress.default.state(),
            "pi_0": self.pi_0(member),
            "tasks": [dict(task.to_dict()) for task in progress.tasks],
            **{name: getattr(progress, name) for name in _PROGRESS_FIELDS},
            "best": progress.best.copy(),
        }

    def load_state(self, member: int, state: Mapping[str, Any]) -> None:
        """Continue one member from ``state``."""
        progress, distribution = self.progress[member], self.contexts[member].problem.tasks
        self.theta[member], self.V[member] = state["theta"], state["V"]
        progress.default.load_state(state["default"])
        progress.tasks = [distribution.from_dict(task) for task in state["tasks"]]  # type: ignore[union-attr]
        for name in _PROGRESS_FIELDS:
            setattr(progress, name, type(getattr(progress, name))(state[name]))
        progress.best = np.array(state["best"])
        self._tables = self._pi_0 = None


_PROGRESS_FIELDS = ("task", "updates", "best_value", "first_value", "default_value", "regret", "transitions")


def _policy_of(theta: Floats) -> Any:
    return lambda states: Categorical(theta[states])
