"""A goal family as a gymnasium environment, one copy and many."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from zoo_envs.batched import CopiesEnv, Move
from zoo_envs.goals.family import Floats, GoalFamily, GoalTask, GoalTasks
from zoo_envs.signatures import constructor_signature
from zoo_envs.tabular.lookup import batched_metadata, metadata, restored_generator, snapshot_entry
from zoo_envs.tasks import MultitaskEnv

__all__ = ["GoalEnv", "GoalVectorEnv"]


class GoalEnv(MultitaskEnv[GoalTask]):
    """A goal family as an environment of one copy.

    A subclass names the family, and its keyword arguments are the fields of `config`::

        class PendulumGoals(GoalEnv, config=PendulumGoalsConfig, family=Pendulum): ...

    Attributes:
        family: dynamics, goals and observations.
        tasks: the tasks that may be posed.
        feature_groups: name to slice of the observation.
    """

    metadata = metadata()
    tasks: GoalTasks
    _family: ClassVar[Callable[..., GoalFamily]]

    def __init_subclass__(cls, *, config: type[Any], family: Callable[[Any], GoalFamily]) -> None:
        """Show the options as the signature of the constructor."""
        super().__init_subclass__()
        cls._family = staticmethod(lambda **options: family(config(**options)))
        cls.__signature__ = _signature(config)  # type: ignore[attr-defined]

    def __init__(self, **options: Any) -> None:
        """Build the environment of `options`.

        Raises:
            TypeError: an option is unknown.
            ValueError: an option is outside its range.
        """
        self._use_family(self._family(**options))

    @classmethod
    def for_task(cls, task: GoalTask) -> Self:
        """Return an environment that poses `task` and no other, so that none is drawn."""
        env = cls.__new__(cls)
        env._use_family(task.family)
        env.tasks = GoalTasks((task,))
        env.task, env._posed = task, True
        return env

    def _use_family(self, family: GoalFamily) -> None:
        self.family, self.tasks = family, family.tasks
        self.feature_groups = family.feature_groups
        self.action_space, self.observation_space = family.action_space, family.observation_space
        self._row: Floats | None = None  # [1, W]
        self._elapsed = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; see `zoo_envs.tasks.MultitaskEnv` for `options`."""
        super().reset(seed=seed)
        info = self.next_task(options)
        goal, cue = (np.array([getattr(self.task, name)]) for name in ("goal", "cue"))
        self._row, self._elapsed = self.family.first_rows(self.np_random, goal, cue), 0
        return self.family.observe_rows(self._row)[0], info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one step.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `action` is not in the action space.
        """
        family, row = self.family, self._current_row()
        actions = np.asarray(action)[None]
        if actions.shape[1:] != family.action_space.shape or not np.isfinite(actions).all():
            raise ValueError(f"action must be in {family.action_space}, got {action!r}")
        goals = family.goals_of(row)
        arrived, rewards, over = family.move(row[:, : family.num_physics], goals, actions)
        noise = family.noise.draw(self.np_random, 1)
        self._row = family.rows(arrived, goals, family.cues_of(row), noise)
        self._elapsed += 1
        terminated = bool(over[0])
        truncated = self._elapsed >= family.limit and not terminated
        return family.observe_rows(self._row)[0], float(rewards[0]), terminated, truncated, {}

    def optimal_value(self, task: GoalTask, gamma: float) -> float | None:
        """Return the largest mean discounted return of an episode of `task`; None: not known exactly."""
        return self.family.optimal_value(task.goal, gamma)

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        row, rng = self._current_row()[0].copy(), self.np_random.bit_generator.state
        return {"row": row, "elapsed": self._elapsed, "rng": rng, **self.task_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment.
        """
        row, elapsed = _row_entry(state, (self.family.width,)), snapshot_entry(state, "elapsed", ())
        rng = restored_generator(state)
        self.set_task_state(state)
        self.np_random, self._row, self._elapsed = rng, row[None], elapsed.item()

    def _current_row(self) -> Floats:
        if self._row is None:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._row


class GoalVectorEnv(CopiesEnv):
    """`num_envs` copies from one random stream; see `GoalEnv` and `CopiesEnv`.

    A task given at `reset` is posed in all copies; otherwise each copy draws one for each episode.
    """

    STATE_ARRAYS = ("_state", "_elapsed")
    metadata = batched_metadata()
    _family: ClassVar[Callable[..., GoalFamily]]

    def __init_subclass__(cls, *, config: type[Any], family: Callable[[Any], GoalFamily]) -> None:
        """Show the options as the signature of the constructor."""
        super().__init_subclass__()
        cls._family = staticmethod(lambda **options: family(config(**options)))
        cls.__signature__ = _signature(config, num_envs=1)  # type: ignore[attr-defined]

    def __init__(self, num_envs: int = 1, **options: Any) -> None:
        """Build `num_envs` copies of the environment of `options`; errors as of `GoalEnv`."""
        self.family = family = self._family(**options)
        super().__init__(num_envs, family.observation_space, family.action_space)
        self.tasks, self.feature_groups = family.tasks, family.feature_groups
        self._posed: GoalTask | None = None
        self._state: Floats = np.full((self.num_envs, family.width), np.nan)
        self._elapsed = np.full(self.num_envs, -1, dtype=np.int64)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin an episode in every copy; `seed` starts the one random stream anew.

        Raises:
            ValueError: `options["task"]` is not a task of this environment.
        """
        super().reset(seed=seed)
        if options is not None and "task" in options:
            task = options["task"]
            if task is not None and not isinstance(task, GoalTask):
                raise ValueError(f"options['task'] must be a GoalTask or None, got {task!r}")
            self._posed = task
        self._begin(np.ones(self.num_envs, dtype=np.bool_))
        pairs = zip(self.family.goals_of(self._state), self.family.cues_of(self._state), strict=True)
        tasks = [GoalTask(int(goal), int(cue), self.family) for goal, cue in pairs]
        infos: dict[str, Any] = {}
        ids = np.array([task.id for task in tasks], dtype=object)
        self._put_info(infos, {"task": ids, "task_index": np.array([self.tasks.index(task) for task in tasks])})
        return self._observe(self._state), infos

    def optimal_value(self, task: GoalTask, gamma: float) -> float | None:
        """Return the largest mean discounted return of an episode of `task`; None: not known exactly."""
        return self.family.optimal_value(task.goal, gamma)

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        rows, elapsed = self._current().copy(), self._elapsed.copy()
        posed = None if self._posed is None else self._posed.to_dict()
        return {"row": rows, "elapsed": elapsed, "task": posed, "rng": self.np_random.bit_generator.state}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment with this number of copies.
        """
        n = self.num_envs
        rows, elapsed = _row_entry(state, (n, self.family.width)), snapshot_entry(state, "elapsed", (n,))
        rng, task = restored_generator(state), state.get("task")
        self._posed = None if task is None else self.tasks.from_dict(task)
        self.np_random = rng
        self._state[:], self._elapsed[:] = rows, elapsed

    def _advance(self, actions: NDArray[Any]) -> Move:
        family, rows = self.family, self._current()
        goals, cues = family.goals_of(rows), family.cues_of(rows)
        physics, rewards, terminations = family.move(rows[:, : family.num_physics], goals, self._checked(actions))
        counts = [self.num_envs // len(self._members)] * len(self._members)
        noise = np.concatenate([family.noise.draw(rng, n) for rng, n in zip(self._streams, counts, strict=True)])
        arrived = family.rows(physics, goals, cues, noise)
        self._state[:] = arrived
        self._elapsed += 1
        timed_out = self._elapsed >= family.limit
        ended = terminations | timed_out
        any_ended = bool(ended.any())
        if any_ended:
            self._begin(ended)
        return Move(
            arrived, rewards, terminations, truncations=timed_out & ~terminations, ended=ended if any_ended else None,
            signals={}, rule_info={},
        )  # fmt: skip

    @property
    def _members(self) -> Sequence[GoalVectorEnv]:
        return self._stacked or (self,)  # type: ignore[return-value]

    @property
    def _streams(self) -> list[np.random.Generator]:
        """The members' generators, looked up anew: resetting or restoring a member may have replaced its own."""
        return [member.np_random for member in self._members]

    def _begin(self, where: NDArray[np.bool_]) -> None:
        """Start a new episode in the copies `where` bool[n], each from the stream of the member it belongs to."""
        members = self._members
        counts = where.reshape(len(members), -1).sum(1).tolist()
        self._state[where] = np.concatenate([m._first_rows(k) for m, k in zip(members, counts, strict=True) if k])
        self._elapsed[where] = 0

    def _first_rows(self, count: int) -> Floats:
        posed = self._posed
        tasks = self.tasks.sample_many(self.np_random, count) if posed is None else [posed] * count
        goals, cues = (np.array([getattr(task, name) for task in tasks]) for name in ("goal", "cue"))
        return self.family.first_rows(self.np_random, goals, cues)

    def _never_reset(self) -> NDArray[np.bool_]:
        return self._elapsed < 0

    def _differs_only_in_seed(self, other: Any) -> bool:
        return type(self) is type(other) and self.num_envs == other.num_envs and self.family == other.family

    def _observe(self, state: NDArray[Any]) -> NDArray[Any]:
        return self.family.observe_rows(state)


def _row_entry(snapshot: Mapping[str, Any], shape: tuple[int, ...]) -> Floats:
    """Return the entry "row" of a snapshot as a new array."""
    value = snapshot.get("row") if isinstance(snapshot, Mapping) else None
    array = np.array(value)
    if array.dtype.kind not in "iuf" or array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"snapshot entry 'row' must hold finite numbers of shape {shape}, got {value!r}")
    return array.astype(np.float64)


def _signature(config: type[Any], **leading: object) -> inspect.Signature:
    return constructor_signature(leading, {field.name: field.default for field in dataclasses.fields(config)})
