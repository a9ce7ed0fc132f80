"""What an environment may offer beyond gymnasium's interface, by structure: nothing of zoo need be subclassed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import gymnasium
    import numpy as np

    from zoo.types import Array, State


@runtime_checkable
class Constrained(Protocol):
    """An environment whose ``info["constraints"]`` holds float32[K] at every step, none at reset."""

    constraint_spec: Any
    """a ConstraintSpec, or any object with its attributes"""


@runtime_checkable
class Tabular(Protocol):
    """An environment that knows its exact model."""

    def model(self) -> Any:
        """An object with P, r [S, A], gamma, rho [S], c [K, S, A], b [K], senses, names (float64), terminal bool[S].

        P is dense [S, A, S] or scipy-sparse [S*A, S] with row s*A + a. ``terminal`` may be left out. A terminal
        state is absorbing and pays nothing: P[s, a, s] = 1, r = 0, c = 0; the environment ends there instead.
        """


class Stacked(Protocol):
    """What ``Stackable.stacked`` returns: M member environments of B copies, stepped by one array operation."""

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, Mapping[str, Any]]:
        """One step of every copy of every member; row m*B + b is copy b of member m.

        Args:
            actions: [M*B, ...].

        Returns:
            As ``step`` of a vector environment of M*B copies with SAME_STEP autoreset: observations (already the
            first ones of the next episode, where one ended), rewards, terminated, truncated, and infos that hold
            "arrived" [M*B, ...], the observations before any reset, and "constraints" float32[M*B, K], of the
            step just taken, where there are any. No "final_obs" or masks. The caller owns what is returned.
        """


class Stackable(Protocol):
    """A class of vector environments whose members step together; looked for by ``zoo.stack``, never required.

    The members stay what they are: each keeps its own random stream, and stepping them together gives bit for bit
    what stepping each alone would. So the arrays of a member become views into those of the whole, and ``step``,
    ``reset`` and ``set_state`` of a member write into them in place from then on; what such a call replaces (as
    ``set_state`` and ``reset(seed=...)`` may replace a generator) the handle looks up in the member at every step.
    A member drawn into a later stack belongs to that one.
    """

    @classmethod
    def stacked(cls, members: Sequence[Any]) -> Stacked | None:
        """Bind members of this class with equal numbers of copies, each reset at least once or not at all.

        Returns:
            None where these members differ in more than their seeds, so that they have to be stepped one by one.
        """


@runtime_checkable
class Snapshot(Protocol):
    """An environment that can be restored exactly where it was; a run on it resumes bit for bit."""

    def get_state(self) -> State:
        """Everything that decides what the next steps return, its random generators included."""

    def set_state(self, state: State) -> None:
        """Undo everything since ``get_state`` returned ``state``."""


@runtime_checkable
class Task(Protocol):
    """One task of a distribution. Tasks are hashable; equal tasks make environments with the same dynamics."""

    @property
    def id(self) -> str:
        """A short name, unique within the distribution, such as "goals-21-24"; in ``info["task"]`` of each reset."""

    def to_dict(self) -> Mapping[str, Any]:
        """Plain JSON data from which ``TaskDistribution.from_dict`` makes an equal task."""

    def make(self) -> gymnasium.Env[Any, Any]:
        """An environment of this task alone; all tasks of a distribution have the same two spaces."""


@runtime_checkable
class TaskDistribution(Protocol):
    """The distribution of an environment's tasks; all randomness comes from the generator passed in."""

    def sample(self, rng: np.random.Generator) -> Task:
        """Draw one task."""

    def sample_many(self, rng: np.random.Generator, n: int) -> Sequence[Task]:
        """Draw n tasks, n >= 0."""

    def tasks(self) -> Iterator[Task] | None:
        """Every task once, in a fixed order, where there are finitely many; None otherwise."""

    def from_dict(self, data: Mapping[str, Any]) -> Task:
        """The task that ``to_dict`` described.

        Raises:
            ValueError: there is no such task.
        """


class Multitask(Protocol):
    """An environment whose episodes may each be of another task; found by ``lookup(env, "tasks")``, never required.

    ``reset(options={"task": task})`` poses ``task`` in this episode and in those that follow (autoreset included),
    until another is given; ``{"task": None}`` goes back to drawing a task for each episode from the environment's
    own generator, which is how it begins. ``info`` of ``reset`` holds "task", the id, and "task_index", the position
    in ``tasks.tasks()`` (-1 where there is none). A vector environment takes the same options, for all its copies.
    """

    tasks: TaskDistribution


def lookup(env: gymnasium.vector.VectorEnv[Any, Any, Any], attribute: str) -> Any:
    """An optional attribute of a vector environment or of its first copy, through all wrappers; None if absent."""
    layer: Any = env
    while layer is not None:
        if hasattr(layer, attribute):
            return getattr(layer, attribute)
        layer = layer.__dict__.get("env")
    copies = getattr(env.unwrapped, "envs", None)
    if copies:
        try:
            return copies[0].get_wrapper_attr(attribute)
        except AttributeError:
            return None
    return None
