"""Default policies pi_0: what a policy is regularised towards, and what is kept from task to task.

Observations are state numbers int64[...] or vectors [..., D]. A policy is a function of observations to a
``Distribution``. The rules are those of Moskovitz et al. (arXiv:2111.02994); each class shows a use of it.
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
    """One default policy. What it does not learn from, it lets pass."""

    @abstractmethod
    def distribution(self, obs: Array) -> Distribution:
        """pi_0(. | obs); discrete actions have probabilities of at least ``FLOOR`` before normalisation."""

    def begin_task(self, task: Any) -> None:  # noqa: B027
        """A task begins; ``task`` is what the algorithm knows of it: a ``zoo_rpo.tabular.TaskModel``, or None."""

    def update(self, obs: Array, policy: Distribution, weights: Array | None = None) -> Mapping[str, float]:
        """Learn from the policy of the running task, taken as given.

        Args:
            obs: visited, [B, ...].
            policy: of the task, at these observations.
            weights: [B], of the observations; none: 1 / B each.

        Returns:
            Metrics.
        """
        return {}

    def observe_task(self, policy: Policy, obs: Array, visits: Array | None = None) -> None:  # noqa: B027
        """Learn from a task that has ended.

        Args:
            policy: the best found.
            obs: observations where the task asks for a decision, [n, ...].
            visits: how often ``policy`` is expected there, [n]; none: unknown.
        """

    @classmethod
    def joined(cls, members: Sequence[Any]) -> DefaultPolicy | None:
        """M defaults of this class on S states each, as one on M * S: state s of member m is m * S + s.

        ``update`` and ``distribution`` of the whole are those of the members, which stay in use: what is learned here
        is theirs. None: they are asked one by one, which is slower and no different.
        """
        return None

    def state(self) -> Mapping[str, Any]:
        """All that is needed to go on bit for bit: arrays, tensors and plain data."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:  # noqa: B027
        """Continue from ``state``."""


def _at_least_1(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} = {size}: expected at least 1.")


class Uniform(DefaultPolicy):
    """Every action alike.

    Example:
        >>> Uniform(actions=4).distribution(np.array([0, 7])).p.tolist()
        [[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]]

    Args:
        actions: A.
        dims: of an observation; 0 for state numbers, 1 for vectors.

    Raises:
        ValueError: ``actions`` is below 1.
    """

    def __init__(self, actions: int, dims: int = 0) -> None:
        _at_least_1(actions=actions)
        self._actions, self._dims = actions, dims

    def distribution(self, obs: Array) -> Distribution:
        """1 / A."""
        shape = tuple(obs.shape)[: len(obs.shape) - self._dims]
        return Categorical(np.zeros((*shape, self._actions)))


class Frozen(DefaultPolicy):
    """A policy that is given and never changes.

    Example:
        >>> pi_0 = Frozen(np.array([[0.9, 0.1], [0.5, 0.5]]))  # probabilities [S, A], or any policy
        >>> pi_0.distribution(np.array([0, 0, 1])).p.round(6).tolist()
        [[0.9, 0.1], [0.9, 0.1], [0.5, 0.5]]

    Args:
        policy: a function of observations, or numpy's probabilities [S, A] by state.

    Raises:
        ValueError: it is neither; an entry is negative or NaN, or a row's sum is off 1 by more than 1e-4.
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
                f"policy is a {type(policy).__name__}{shape}: expected a function, or numpy's probabilities [S, A]."
            )

    def _tabular(self, obs: Array) -> Distribution:
        assert self._logits is not None  # noqa: S101  given, or loaded
        return Categorical(self._logits[obs])

    def distribution(self, obs: Array) -> Distribution:
        """As given, floored."""
        return self._policy(obs).floored()

    def state(self) -> Mapping[str, Any]:
        """Logits [S, A], where probabilities were given: a run needs its source no more. A function is its owner's."""
        return {} if self._logits is None else {"logits": np.array(self._logits)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        if "logits" in state:
            self._logits, self._policy = np.array(state["logits"]), self._tabular


class MajorityVote(DefaultPolicy):
    """The default of TVPO: in each state a softmax of the shares of tasks whose policy preferred each action.

    With m tasks counted, ``mean`` the running mean of one-hot votes and beta_m = max(exp(-m / tau), 1e-3),
    pi_0 = softmax(mean / beta_m); its limit is the majority, which minimises the expected total variation to
    deterministic policies.

    Example:
        >>> vote = MajorityVote(states=2, actions=2)
        >>> for best in (0, 0, 1):
        ...     vote.observe_task(lambda s, a=best: Categorical.of(np.eye(2)[np.full(len(s), a)]), np.array([0]))
        >>> vote.mean.round(3).tolist(), vote.count.tolist()
        ([[0.667, 0.333], [0.5, 0.5]], [3, 0])

    Args:
        states: S.
        actions: A.
        tau: how many tasks it takes for the temperature to fall by a factor e.
        count: "state": m is the number of tasks that asked for a decision in this state; "global": of all tasks.
        visited_only: leave out states that the policy visits less than ``min_visits`` times.
        min_visits: see there.

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
        """shares of the votes [S, A]; uniform where there was none"""
        self.count: NDArray[np.int64] = np.zeros(states, dtype=np.int64)
        """m, the votes of each state"""
        self.tasks = 0

    def observe_task(self, policy: Policy, obs: Array, visits: Array | None = None) -> None:
        """Add (onehot(argmax pi) - mean) / m to the mean, in the states ``obs`` int64[n], each named once.

        Raises:
            ValueError: a state is named twice, or ``visits`` are not [n].
        """
        if visits is not None and np.shape(visits) != np.shape(obs):
            raise ValueError(f"visits have shape {list(np.shape(visits))}: expected {list(np.shape(obs))}, as obs has.")
        states, times = np.unique(obs, return_counts=True)
        if (times > 1).any():
            raise ValueError(f"obs names state {states[times.argmax()]} {times.max()} times: expected each state once.")
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
        """Softmax(mean / beta_m), floored."""
        return Categorical(self.mean[obs] / self.beta[obs][..., None]).floored()

    def state(self) -> Mapping[str, Any]:
        """Votes and counts."""
        return {"mean": self.mean.copy(), "count": self.count.copy(), "tasks": self.tasks}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.mean[:], self.count[:], self.tasks = state["mean"], state["count"], int(state["tasks"])


class Distilled(DefaultPolicy):
    """A default that descends the same penalty as the policies that are regularised towards it.

    Example:
        >>> from zoo_rpo.models import Table
        >>> pi_0 = Distilled(Table(states=3, outputs=2, learning_rate=1.0))
        >>> teacher = Categorical.of(np.array([[0.8, 0.2]]))
        >>> for _ in range(200):
        ...     _ = pi_0.update(np.array([1]), teacher)
        >>> pi_0.distribution(np.array([1, 2])).p.round(3).tolist()
        [[0.8, 0.2], [0.5, 0.5]]

    Args:
        model: puts out the parameters of pi_0.
        family: of distributions.
        regulariser: the penalty; KL(pi, pi_0) unless another is named.
        scale: factor on its gradient.
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
    def joined(cls, members: Sequence[Distilled]) -> DefaultPolicy | None:
        """Where all have tables."""
        tables = [member.model for member in members if isinstance(member.model, Table)]
        if cls is not Distilled or len(tables) < len(members):
            return None
        first = members[0]
        return cls(Table.joined(tables), first._family, first._regulariser, first._scale)

    def distribution(self, obs: Array) -> Distribution:
        """What the model puts out, floored."""
        return self._family(self.model.outputs(obs)).floored()

    def update(self, obs: Array, policy: Distribution, weights: Array | None = None) -> Mapping[str, float]:
        """One step of the model on the weighted penalty."""
        pi_0 = self._family(self.model.outputs(obs))
        _, gradient = self._regulariser.gradients(policy, pi_0)
        share = 1 / len(obs) if weights is None else weights[:, None]
        self.model.step(obs, gradient * (self._scale * share))
        return {}

    def state(self) -> Mapping[str, Any]:
        """Of the model."""
        return self.model.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.model.load_state(state)


class MaskedInput(DefaultPolicy):
    """Another default that sees a part of each observation: information asymmetry by hand.

    Of vectors it sees the features ``keep``. State numbers are read as one-hot: the states of ``keep`` are told
    apart, and all others look alike (as the first of them).

    Example:
        >>> from zoo_rpo.models import Table
        >>> pi_0 = MaskedInput(Distilled(Table(4, 2, learning_rate=1.0)), keep=[0], states=4)
        >>> _ = pi_0.update(np.array([1]), Categorical.of(np.array([[0.9, 0.1]])))
        >>> pi_0.distribution(np.array([1, 2, 3])).p.round(3)[:, 0].tolist()
        [0.69, 0.69, 0.69]

    Args:
        default: of the observations that are left.
        keep: which features or states: numbers, a mask, or a slice.
        states: S, where observations are state numbers.

    Raises:
        UsageError: there are no such features or states.
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
        """Of what is left."""
        return self.default.distribution(self._masked(obs))

    def begin_task(self, task: Any) -> None:
        """Passed on."""
        self.default.begin_task(task)

    def update(self, obs: Array, policy: Distribution, weights: Array | None = None) -> Mapping[str, float]:
        """Passed on, of what is left."""
        return self.default.update(self._masked(obs), policy, weights)

    def observe_task(self, policy: Policy, obs: Array, visits: Array | None = None) -> None:
        """Passed on, of what is left: each of the masked observations once, with the visits of all that look like it.

        The policy there is the mean of theirs, by visits (all alike where there are none, or visits are unknown).

        Raises:
            ValueError: actions are continuous, whose mean has no family.
        """
        if type(self.default).observe_task is DefaultPolicy.observe_task:
            return
        pi = policy(obs)
        if not isinstance(pi, Categorical):
            raise UsageError(
                "a default that learns from whole tasks needs discrete actions to see a part of the input."
            )
        seen, alike = np.unique(np.asarray(self._masked(obs)), axis=0, return_inverse=True)
        weights = np.ones(len(obs)) if visits is None else np.asarray(visits, dtype=np.float64)
        total = np.bincount(alike, weights, len(seen))
        weights = np.where(total[alike] > 0, weights, 1.0)
        mean = np.zeros((len(seen), pi.p.shape[-1]))
        np.add.at(mean, alike, weights[:, None] * np.asarray(pi.p))
        mean /= np.bincount(alike, weights, len(seen))[:, None]

        def merged(states: Array) -> Distribution:
            same = np.equal(np.asarray(states)[:, None], seen).reshape(len(states), len(seen), -1).all(-1)
            return Categorical.of(mean[same.argmax(-1)])

        self.default.observe_task(merged, seen, None if visits is None else total)

    def state(self) -> Mapping[str, Any]:
        """Of the other default."""
        return self.default.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self.default.load_state(state)
