"""The four interfaces of the zoo: Algorithm, Representation, Evaluator, and Environment by structure.

Nothing here imports numpy or gymnasium at run time, so that a plugin's registration module may import
this one and stay light. ``Array`` stands for a numpy array or a torch tensor. In the shapes, B is the
batch of environments, K the number of constraints, S and A the numbers of states and actions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

from zoo.environment import Constrained as Constrained
from zoo.environment import Multitask as Multitask
from zoo.environment import Snapshot as Snapshot
from zoo.environment import Stackable as Stackable
from zoo.environment import Stacked as Stacked
from zoo.environment import Tabular as Tabular
from zoo.environment import Task as Task
from zoo.environment import TaskDistribution as TaskDistribution
from zoo.environment import lookup as lookup
from zoo.errors import InterfaceError
from zoo.traits import ConstraintSpec as ConstraintSpec
from zoo.traits import DiminishingRewards as DiminishingRewards
from zoo.traits import Grid as Grid
from zoo.types import Array as Array
from zoo.types import Metrics as Metrics
from zoo.types import Space as Space
from zoo.types import State as State
from zoo.types import Subject as Subject

if TYPE_CHECKING:
    import gymnasium
    import numpy as np

    from zoo.tabular import TabularCMDP

ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What an algorithm requires of an environment; by default nothing."""

    action: Space | None = None
    observation: Space | None = None
    constraints: bool = False
    tabular: bool = False
    tasks: bool = False


@dataclass(frozen=True, kw_only=True)
class Offers:
    """What an environment has. ``None`` for a space means: not declared, look at the environment."""

    action: Space | None = None
    observation: Space | None = None
    constraints: bool = False
    tabular: bool = False
    tasks: bool = False
    snapshot: bool = False
    batched: bool = False


def unmet(needs: Needs, offers: Offers) -> list[str]:
    """The needs that ``offers`` does not fill, each as a noun phrase ("constraints"); empty if all are."""
    missing = [
        f"{needed} {name}s"
        for name, needed, offered in (
            ("action", needs.action, offers.action),
            ("observation", needs.observation, offers.observation),
        )
        if needed and offered and needed != offered
    ]
    phrases = {"constraints": "constraints", "tabular": "an exact tabular model", "tasks": "a task distribution"}
    return missing + [text for name, text in phrases.items() if getattr(needs, name) and not getattr(offers, name)]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What the environment offers beyond gymnasium's interface."""

    constraints: ConstraintSpec | None = None
    model: Callable[[], TabularCMDP] | None = None
    """builds the exact model; use ``tabular``, which caches it"""
    tasks: TaskDistribution | None = None
    """distribution of the environment's tasks; ``env.reset(options={"task": task})`` poses one"""
    diminishing: DiminishingRewards | None = None
    """rewards that shrink with each visit"""
    grid: Grid | None = None
    """where the states lie, for plots and for options that name a cell"""

    @cached_property
    def tabular(self) -> TabularCMDP:
        """The exact model.

        Raises:
            InterfaceError: the environment has none.
        """
        if self.model is None:
            raise InterfaceError("this environment has no exact tabular model.")
        return self.model()


@dataclass(frozen=True, kw_only=True)
class Context:
    """What an algorithm or representation is given, and all it is given."""

    env: gymnasium.vector.VectorEnv[Any, Any, Any]
    """seeded, SAME_STEP autoreset, episode statistics recorded; begin with ``env.reset()``"""
    seed: int
    """a ready-made child seed"""
    rng: np.random.Generator
    """the only numpy randomness allowed beside ``stream``; the core saves and restores both"""
    budget: int = 0
    """how many ``env_steps`` the whole run will have, for schedules"""
    device: str = "cpu"
    representation: Representation[Any] | None = None
    problem: Problem = field(default_factory=Problem)

    def stream(self, name: str) -> np.random.Generator:
        """A fresh generator that depends only on the seed and ``name``, never on the order of the calls."""
        from zoo.seeding import stream

        return stream(self.seed, name)

    @property
    def obs_dim(self) -> int:
        """Length of one flattened observation (of its one-hot code, if discrete)."""
        from gymnasium.spaces.utils import flatdim

        return int(flatdim(self.env.single_observation_space))

    @property
    def num_actions(self) -> int:
        """Number of discrete actions.

        Raises:
            InterfaceError: the actions are not discrete.
        """
        space = self.env.single_action_space
        count = getattr(space, "n", None)
        if count is None:
            raise InterfaceError(f"the actions are {space}: expected a Discrete space.")
        return int(count)

    def episode_return(self, policy: Callable[[Array], Array]) -> tuple[float, int]:
        """Run each of the B environments for one fresh episode.

        Args:
            policy: observations [B, ...] to actions [B, ...].

        Returns:
            The mean undiscounted return of the B episodes, and the environment steps taken (idle copies
            included: they are stepped too).
        """
        import numpy as np

        obs, _ = self.env.reset()
        total = np.zeros(self.env.num_envs)
        running = np.ones(self.env.num_envs, dtype=bool)
        steps = 0
        while running.any():
            obs, reward, terminated, truncated, _ = self.env.step(policy(obs))
            total += np.where(running, reward, 0.0)
            running &= ~(terminated | truncated)
            steps += self.env.num_envs
        return float(total.mean()), steps


@dataclass(frozen=True)
class Outcome:
    """An algorithm's verdict on its own run, beyond having used its budget.

    Attributes:
        status: "converged", "not_converged" or "infeasible_suspected".
        message: one sentence for the user.
        final: whether going on gains nothing: the loop then ends the run.
    """

    status: Literal["converged", "not_converged", "infeasible_suspected"]
    message: str
    final: bool = False


class Algorithm(ABC, Generic[ConfigT]):
    """A learner or solver: a state machine with one verb, ``update``; the core has the training loop.

    ``env_steps`` counts what the budget counts: transitions consumed, or, for a planner, its iterations,
    or sequences for a supervised learner. A class may further offer a class method
    ``batch(contexts: Sequence[Context], config) -> Batch`` that advances many seeds at once.
    """

    env_steps: int = 0
    outcome: Outcome | None = None
    milestone: bool = False
    """whether the checkpoint after the last update is kept permanently"""

    def __init__(self, ctx: Context, config: ConfigT) -> None:
        self.ctx = ctx
        self.config = config

    @abstractmethod
    def update(self) -> Metrics:
        """One iteration of collecting and learning; the state is consistent on return."""

    @abstractmethod
    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Actions [B, ...] for observations [B, ...], without learning.

        ``greedy`` asks for the policy to be deployed, without exploration; where the solution itself is
        stochastic (a constrained optimum), actions are sampled from it.
        """

    @abstractmethod
    def state(self) -> State:
        """Everything needed to continue bit for bit; tensors and plain data only."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Continue from ``state``, as ``state()`` returned it."""

    def restart(self) -> None:
        """Called after ``load_state`` where the environment could not be restored and begins fresh episodes.

        An algorithm that keeps the last observation between updates fetches a new one with ``env.reset()``.
        """

    def forget(self, ended: Array | None = None) -> None:
        """Drop what ``act`` remembers of the episodes of the copies in ``ended`` (bool[B]; None: of all).

        Only policies with a memory, such as recurrent ones, have anything to do here.
        """


class Batch(ABC):
    """Several seeds of one algorithm advanced together; each member is an ordinary Algorithm to look at."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def update(self) -> Sequence[Metrics]:
        """One iteration of every member; one mapping of metrics for each."""

    @abstractmethod
    def member(self, index: int) -> Algorithm[Any]:
        """A view of one member with its own ``state``, ``load_state``, ``act``, ``env_steps``, ``outcome``."""


@dataclass(frozen=True, kw_only=True)
class Transitions:
    """B transitions, as arrays whose first axis is B. Constraints are float32[B, K] where there are any."""

    obs: Array
    action: Array
    reward: Array
    next_obs: Array
    terminated: Array
    truncated: Array
    constraints: Array | None = None


class Representation(ABC, Generic[ConfigT]):
    """A learned or exact description of states (and actions), ``dim`` numbers long.

    A class may further offer a class method ``batch(contexts, config) -> RepresentationBatch``.
    """

    dim: int

    def __init__(self, ctx: Context, config: ConfigT) -> None:
        self.ctx = ctx
        self.config = config

    @abstractmethod
    def update(self, batch: Transitions) -> Metrics:
        """Learn from one batch of transitions."""

    @abstractmethod
    def features(self, obs: Array, action: Array | None = None) -> Array:
        """Features [B, dim] of observations [B, ...] (and actions [B, ...], where supported)."""

    @abstractmethod
    def state(self) -> State:
        """See ``Algorithm``."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """See ``Algorithm``."""


class RepresentationBatch(ABC):
    """Several seeds of one representation that learn together; each member is an ordinary Representation.

    A representation class offers it by a class method ``batch(contexts: Sequence[Context], config)``. The core
    collects for all members at once, each with its own environment and random streams.
    """

    @abstractmethod
    def __len__(self) -> int:
        """S, the number of members."""

    @abstractmethod
    def update(self, batch: Transitions) -> Sequence[Metrics]:
        """Learn from arrays [S, B, ...], row i for member i; one mapping of metrics for each.

        Every member must learn what its own ``update(batch[i])`` would have taught it, and report the same.
        """

    @abstractmethod
    def member(self, index: int) -> Representation[Any]:
        """A view of one member with its own ``features``, ``state``, ``load_state`` and, if offered, ``table``."""


@runtime_checkable
class Solvable(Protocol):
    """A representation with an exact solution on a tabular environment, for ``zoo train REP ENV --exact``."""

    def solve(self, model: TabularCMDP, policy: np.ndarray) -> np.ndarray:
        """The exact table of the policy float64[S, A]; shape as ``table()``."""

    def table(self) -> np.ndarray:
        """What has been learned so far."""

    def set_table(self, table: np.ndarray) -> None:
        """Replace what has been learned."""


@dataclass(frozen=True, kw_only=True)
class EvalContext:
    """What an evaluator is given beside its subject."""

    seed: int
    rng: np.random.Generator
    device: str = "cpu"
    make_env: Callable[[int], gymnasium.vector.VectorEnv[Any, Any, Any]] | None = None
    """builds that many copies of the subject's environment, seeded from this context; None for files"""
    problem: Problem = field(default_factory=Problem)
    spec: Mapping[str, Any] = field(default_factory=dict)
    """the spec of the run that the subject comes from; empty for files"""
    path: Path | None = None
    """the run directory, or the file to be judged"""


@dataclass(frozen=True, kw_only=True)
class Report:
    """An evaluator's judgement: scores to tabulate, rows per item to audit them, notes for the reader.

    ``sampled`` has the scores that were estimated from random draws, such as episodes: each with its 95 % interval, or
    None where it has none. Any other score would be the same with another seed.
    """

    scores: Mapping[str, float]
    rows: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()
    sampled: Mapping[str, tuple[float, float] | None] = field(default_factory=dict)


class Evaluator(ABC, Generic[ConfigT]):
    """Judges a subject: an Algorithm, a Representation, or the Path of a file, as it was registered."""

    def __init__(self, config: ConfigT) -> None:
        self.config = config

    @abstractmethod
    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Judge ``subject`` without changing it."""


@runtime_checkable
class Explicit(Protocol):
    """An algorithm whose policy on a tabular environment is a table, so that it can be judged exactly."""

    def policy(self) -> np.ndarray:
        """Action probabilities float64[S, A]."""


@runtime_checkable
class PrimalDual(Protocol):
    """An algorithm that keeps one multiplier for each constraint."""

    def multipliers(self) -> Mapping[str, float]:
        """Constraint name to multiplier, in the environment's original unit."""
