"""Default policies pi_0: what a policy is regularised towards, and what is kept from task to task.

Observations are state numbers int64[...] or vectors [..., D]. A policy is a function from observations to a
``Distribution``. The update rules are those of Moskovitz et al. (arXiv:2111.02994); each class has an example.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo import Array, UsageError
from zoo_rpo.distributions import Categorical, Distribution
from zoo_rpo.divergences import checked
from zoo_rpo.models import Model, Table
from zoo_rpo.regularisers import KLReverse, Regulariser

__all__ = ["DefaultPolicy", "Distilled", "Frozen", "MajorityVote", "MaskedInput", "Policy", "Uniform"]

Policy: TypeAlias = Callable[[Array], Distribution]
"""observations [..., *shape] to action distributions of the batch [...]"""
BETA_MIN = 1e-3
"""least temperature of the vote: exp(-m / tau) underflows to 0 after some thousand tasks"""


class DefaultPolicy(ABC):
    """The base of default policies; methods for events from which a subclass does not learn do nothing."""

    @abstractmethod
    def distribution(self, obs: Array) -> Distribution:
        """pi_0(. | obs); probabilities of discrete actions are at least ``FLOOR`` before normalisation."""

    def begin_task(self, task: Any) -> None:  # noqa: B027
        """Called when a task begins; ``task`` is its model (``zoo_rpo.task_model.TaskModel``), or None if unknown."""

    def update(self, obs: Array, policy: Distribution, weights: Array | None = None) -> Mapping[str, float]:
        """Learn from the policy of the running task, which is not differentiated.

        Args:
            obs: visited observations, [B, ...].
            policy: action distributions of the task's policy at these observations.
            weights: weights of the observations, [B]; None: 1 / B each.

        Returns:
            Metrics to be logged.
        """
        return {}

    def observe_task(self, policy: Policy, obs: Array, visits: Array | None = None) -> None:  # noqa: B027
        """Learn from a task that has ended.

        Args:
            policy: the best policy found for the task.
            obs: observations at which the task has a decision, [n, ...].
            visits: expected number of visits of ``policy``, [n]; None: unknown.
        """

    @classmethod
    def stacked(cls, members: Sequence[Any]) -> DefaultPolicy | None:
        """M default policies on S states each as one policy on M * S states: state s of member m is m * S + s.

        It shares its parameters with the members, so that its ``update`` updates them. None: not supported; the
        members are then called one by one, which is slower and has the same result.
        """
        return None

    def state(self) -> Mapping[str, Any]:
        """Everything needed to continue bit for bit: arrays, tensors and plain data."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:  # noqa: B027
        """Continue from ``state``."""


def _at_least_1(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} = {size}: expected at least 1.")


class Uniform(DefaultPolicy):
    """The uniform policy.

    Example:
        >>> Uniform(actions=4).distribution(np.array([0, 7])).p.tolist()
        [[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]]

    Args:
        actions: A, the number of actions.
        dims: number of axes of an observation; 0 for state numbers, 1 for vectors.

    Raises:
        ValueError: ``actions`` is below 1.
    """

    def __init__(self, actions: int, dims: int = 0) -> None:
        _at_least_1(actions=actions)
        self._actions, self._dims = actions, dims

    def distribution(self, obs: Array) -> Distribution:
        """Probabilities 1 / A."""
        shape = tuple(obs.shape)[: len(obs.shape) - self._dims]
        return Categorical(np.zeros((*shape, self._actions)))


class Frozen(DefaultPolicy):
    """A given policy that never changes.

    Example:
        >>> pi_0 = Frozen(np.array([[0.9, 0.1], [0.5, 0.5]]))  # probabilities [S, A], or any policy
        >>> pi_0.distribution(np.array([0, 0, 1])).p.round(6).tolist()
        [[0.9, 0.1], [0.9, 0.1], [0.5, 0.5]]

    Args:
        policy: a function of observations, or an array of probabilities [S, A] by state.

    Raises:
        ValueError: it is neither; an entry is negative or NaN, or a row's sum differs from 1 by more than 1e-4.
    """

    def __init__(self, policy: Policy | NDArray[np.floating[Any]]) -> None:
        self._policy: Policy = self._tabular
        self._logits: Array | None = None
        if callable(policy):
            self._policy = policy
        elif isinstance(policy, np.ndarray) and policy.ndim == 2:
            self._logits = Categorical.of(checked("policy", policy)).parameters
        else:
            shape = f" of shape {list(policy.shape)}" if hasattr(policy, "shape") else ""
            raise ValueError(
                f"policy is a {type(policy).__name__}{shape}: expected a function, or a numpy array of probabilities "
                "[S, A]."
            )

    def _tabular(self, obs: Array) -> Distribution:
        assert self._logits is not None  # noqa: S101  given, or loaded
        return Categorical(self._logits[obs])

    def distribution(self, obs: Array) -> Distribution:
        """The given policy, with probabilities of at least ``FLOOR``."""
        return self._policy(obs).floored()

    def state(self) -> Mapping[str, Any]:
        """Logits [S, A] where probabilities were given, so that a resumed run does not need the source; else empty."""
        return {} if self._logits is None else {"logits": np.array(self._logits)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        if "logits" in state:
            self._logits, self._policy = np.array(state["logits"]), self._tabular


class MajorityVote(DefaultPolicy):
    """The default of TVPO: in each state a softmax of the shares of tasks whose policy prefers each action.

    After m tasks, with ``mean`` the running mean of one-hot votes and beta_m = max(exp(-m / tau), 1e-3),
    pi_0 = softmax(mean / beta_m); its limit is the majority, which minimises the expected total variation to
    deterministic policies.

    Example:
        >>> vote = MajorityVote(states=2, actions=2)
        >>> for best in (0, 0, 1):
        ...     vote.observe_task(lambda s, a=best: Categorical.of(np.eye(2)[np.full(len(s), a)]), np.array([0]))
        >>> vote.mean.round(3).tolist(), vote.count.tolist()
        ([[0.667, 0.333], [0.5, 0.5]], [3, 0])

    Args:
        states: S, the number of states.
        actions: A, the number of actions.
        tau: number of tasks after which the temperature has fallen by a factor e, above 0.
        count: "state": m is the number of tasks with a decision in the state; "global": the number of all tasks.
        visited_only: ignore states that the policy is expected to visit less than ``min_visits`` times.
        min_visits: expected visits from which a state counts, at least 0.

    Raises:
        ValueError: an argument is outside its range.
    """

    def __init__(
        self,
        states: int,
        actions: int,
        *,
        tau: float = 10.0,
        count: str = "state",
        visited_only: bool = False,
        min_visits: float = 1.0,
    ) -> None:
        _at_least_1(states=states, actions=actions)
        if not (math.isfinite(tau) and tau > 0):
            raise ValueError(f"tau = {tau}: expected a number above 0.")
        if count not in ("state", "global"):
            raise ValueError(f"count is {count!r}: expected state or global.")
        if not (math.isfinite(min_visits) and min_visits >= 0):
            raise ValueError(f"min_visits = {min_visits}: expected a number of at least 0.")
        self.tau, self._count, self._visited_only, self._min_visits = tau, count, visited_only, min_visits
        self.mean: NDArray[np.float64] = np.full((states, actions), 1 / actions)
        """shares of the votes [S, A]; uniform where there are none"""
        self.count: NDArray[np.int64] = np.zeros(states, dtype=np.int64)
        """number of votes in each state, [S]"""
        self.tasks = 0
        """number of tasks"""

    def observe_task(self, policy: Policy, obs: Array, visits: Array | None = None) -> None:
        """Add (onehot(argmax pi) - mean) / m to the mean in the states ``obs`` int64[n], which must be distinct.

        Raises:
            ValueError: a state occurs twice, or ``visits`` are not [n].
        """
        if visits is not None and np.shape(visits) != np.shape(obs):
            raise ValueError(f"visits have shape {list(np.shape(visits))}: expected {list(np.shape(obs))}, as obs has.")
        states, times = np.unique(obs, return_counts=True)
        if (times > 1).any():
            raise ValueError(f"obs has state {states[times.argmax()]} {times.max()} times: expected each state once.")
        self.tasks += 1
        if self._visited_only and visits is not None:
            obs = obs[np.asarray(visits) >= self._min_visits]
        self.count[obs] += 1
        vote = np.eye(self.mean.shape[1])[np.asarray(policy(obs).mode())]
        self.mean[obs] += (vote - self.mean[obs]) / self.count[obs, None]

    @property
    def beta(self) -> NDArray[np.float64]:
        """beta_m of each state, in [1e-3, 1]."""
        m = np.full(len(self.count), self.tasks) if self._count == "global" else self.count
        return np.maximum(np.exp(-m / self.tau), BETA_MIN)

    def distribution(self, obs: Array) -> Distribution:
        """``softmax(mean / beta_m)``, with probabilities of at least ``FLOOR``."""
        return Categorical(self.mean[obs] / self.beta[obs][..., None]).floored()

    def state(self) -> Mapping[str, Any]:
        """Shares of votes, and counts."""
        return {"mean": self.mean.copy(), "count": self.count.copy(), "tasks": self.tasks}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.mean[:], self.count[:], self.tasks = state["mean"], state["count"], int(state["tasks"])


class Distilled(DefaultPolicy):
    """A learned default that minimises the same penalty as the policies that are regularised towards it.

    Example:
        >>> from zoo_rpo.models import Table
        >>> pi_0 = Distilled(Table(states=3, outputs=2, learning_rate=1.0))
        >>> teacher = Categorical.of(np.array([[0.8, 0.2]]))
        >>> for _ in range(200):
        ...     _ = pi_0.update(np.array([1]), teacher)
        >>> pi_0.distribution(np.array([1, 2])).p.round(3).tolist()
        [[0.8, 0.2], [0.5, 0.5]]

    Args:
        model: computes the parameters of pi_0.
        family: family of action distributions.
        regulariser: the penalty; None: KL(pi, pi_0).
        scale: factor on the gradient of the penalty.
    """

    def __init__(
        self,
        model: Model,
        family: type[Distribution] = Categorical,
        regulariser: Regulariser | None = None,
        scale: float = 1.0,
    ) -> None:
        self.model, self._family, self._scale = model, family, scale
        self._regulariser = KLReverse() if regulariser is None else regulariser

    @classmethod
    def stacked(cls, members: Sequence[Distilled]) -> DefaultPolicy | None:
        """See DefaultPolicy; None unless all models are tables."""
        tables = [member.model for member in members if isinstance(member.model, Table)]
        if cls is not Distilled or len(tables) < len(members):
            return None
        first = members[0]
        return cls(Table.stacked(tables), first._family, first._regulariser, first._scale)

    def distribution(self, obs: Array) -> Distribution:
        """The distribution with the model's outputs as parameters; probabilities are at least ``FLOOR``."""
        return self._family(self.model.outputs(obs)).floored()

    def update(self, obs: Array, policy: Distribution, weights: Array | None = None) -> Mapping[str, float]:
        """Take one step of the model on the weighted penalty."""
        pi_0 = self._family(self.model.outputs(obs))
        _, gradient = self._regulariser.gradients(policy, pi_0)
        share = 1 / len(obs) if weights is None else weights[:, None]
        self.model.step(obs, gradient * (self._scale * share))
        return {}

    def state(self) -> Mapping[str, Any]:
        """The state of the model."""
        return self.model.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.model.load_state(state)


class MaskedInput(DefaultPolicy):
    """Another default that sees only a part of each observation: information asymmetry chosen by hand.

    Of vectors it sees the features ``keep``. Of state numbers it distinguishes those in ``keep``; all others are
    replaced by the first of them.

    Example:
        >>> from zoo_rpo.models import Table
        >>> pi_0 = MaskedInput(Distilled(Table(4, 2, learning_rate=1.0)), keep=[0], states=4)
        >>> _ = pi_0.update(np.array([1]), Categorical.of(np.array([[0.9, 0.1]])))
        >>> pi_0.distribution(np.array([1, 2, 3])).p.round(3)[:, 0].tolist()
        [0.69, 0.69, 0.69]

    Args:
        default: the default policy on the masked observations.
        keep: the visible features or states: numbers, a mask, or a slice.
        states: S, where observations are state numbers.

    Raises:
        UsageError: ``keep`` names a state that does not exist.
    """

    def __init__(self, default: DefaultPolicy, keep: ArrayLike | slice, states: int | None = None) -> None:
        self.default, self._keep = default, keep if isinstance(keep, slice) else np.asarray(keep)
        self._seen: NDArray[np.int64] | None = None
        if states is not None:
            kept = np.zeros(states, dtype=bool)
            try:
                kept[self._keep if isinstance(keep, slice) or len(self._keep) else slice(0)] = True  # type: ignore[arg-type]
            except IndexError as error:
                raise UsageError(f"keep = {keep!r}: expected numbers of the {states} states ({error}).") from None
            self._seen = np.where(kept, np.arange(states), np.argmin(kept))

    def _masked(self, obs: Array) -> Array:
        return obs[..., self._keep] if self._seen is None else self._seen[obs]

    def distribution(self, obs: Array) -> Distribution:
        """The inner default's distribution at the masked observations."""
        return self.default.distribution(self._masked(obs))

    def begin_task(self, task: Any) -> None:
        """See DefaultPolicy; passed to the inner default."""
        self.default.begin_task(task)

    def update(self, obs: Array, policy: Distribution, weights: Array | None = None) -> Mapping[str, float]:
        """See DefaultPolicy; passed to the inner default with masked observations."""
        return self.default.update(self._masked(obs), policy, weights)

    def observe_task(self, policy: Policy, obs: Array, visits: Array | None = None) -> None:
        """Pass the task to the inner default, observations that are equal after masking merged into one.

        Its visits are the sum of theirs, and its policy is the mean of theirs, weighted by visits (equally where there
        are none or they are unknown).

        Raises:
            UsageError: actions are continuous, so that a mean of policies has no parameters.
        """
        if type(self.default).observe_task is DefaultPolicy.observe_task:
            return
        pi = policy(obs)
        if not isinstance(pi, Categorical):
            raise UsageError("masked-input around a default that learns at the end of a task needs discrete actions.")
        distinct, group = np.unique(np.asarray(self._masked(obs)), axis=0, return_inverse=True)
        weights = np.ones(len(obs)) if visits is None else np.asarray(visits, dtype=np.float64)
        total = np.bincount(group, weights, len(distinct))
        weights = np.where(total[group] > 0, weights, 1.0)
        mean = np.zeros((len(distinct), pi.p.shape[-1]))
        np.add.at(mean, group, weights[:, None] * np.asarray(pi.p))
        mean /= np.bincount(group, weights, len(distinct))[:, None]

        def mean_policy(states: Array) -> Distribution:
            equal = np.equal(np.asarray(states)[:, None], distinct).reshape(len(states), len(distinct), -1).all(-1)
            return Categorical.of(mean[equal.argmax(-1)])

        self.default.observe_task(mean_policy, distinct, None if visits is None else total)

    def state(self) -> Mapping[str, Any]:
        """The state of the inner default."""
        return self.default.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.default.load_state(state)
