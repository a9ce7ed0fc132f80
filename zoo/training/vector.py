"""Building vector environments, and recording their episodes and constraint signals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from zoo.api import (
    Array,
    Constrained,
    ConstraintSpec,
    DiminishingRewards,
    Grid,
    Offers,
    Problem,
    Snapshot,
    Space,
    State,
    Tabular,
    TaskDistribution,
)
from zoo.discovery.names import EnvName
from zoo.errors import InterfaceError, UsageError
from zoo.offered import lookup
from zoo.training.snapshot import capture_env, restore_env
from zoo.training.tally import Episode, Tally

if TYPE_CHECKING:
    from zoo.tabular import TabularCMDP

VectorEnv = gymnasium.vector.VectorEnv[Any, Any, Any]


class Recorder(gymnasium.vector.VectorWrapper[Any, Any, Any, Any, Any]):
    """Adds up each copy's episode, and checks the constraint signals of every step.

    ``infos["constraints"]`` is float32[B, K], always of the step just taken, also where a copy was reset.

    Raises:
        InterfaceError: an environment with a ``constraint_spec`` leaves the signals out, changes their
            number, or gives a NaN; the message has the copy's index and the constraint's name.
    """

    def __init__(self, env: VectorEnv, constraints: ConstraintSpec | None) -> None:
        super().__init__(env)
        self.constraints = constraints
        self.finished: list[Episode] = []
        self.tally = Tally.of(self.num_envs, len(constraints.names) if constraints else 0)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As gymnasium's; what was gathered of unfinished episodes is dropped."""
        self.tally.clear()
        return self.env.reset(seed=seed, options=options)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """As gymnasium's, with ``infos["constraints"]`` complete."""
        obs, reward, terminated, truncated, infos = self.env.step(actions)
        signals = None
        if self.constraints:
            signals = constraint_signals(infos, self.num_envs, self.constraints.names)
            infos["constraints"] = signals
        self.finished += [episode for _, episode in self.tally.add(reward, signals, terminated | truncated)]
        return obs, reward, terminated, truncated, infos

    def drain(self) -> list[Episode]:
        """The episodes finished since the last call."""
        finished, self.finished = self.finished, []
        return finished

    def capture(self) -> State:
        """Everything needed to continue, including the environment where it can be captured (else "env" is None)."""
        return {
            "env": capture_env(self.env),
            "returns": self.tally.returns.copy(),
            "lengths": self.tally.lengths.copy(),
            "signals": self.tally.signals.copy(),
        }

    def restore(self, state: State) -> bool:
        """Continue from ``state``; False if the environment could not be captured, and was left as it is."""
        if state["env"] is None:
            return False
        restore_env(self.env, state["env"])
        self.tally.put(Tally(state["returns"], state["lengths"], state["signals"]))
        return True


def constraint_signals(infos: Mapping[str, Any], copies: int, names: Sequence[str]) -> NDArray[np.float32]:
    """The constraint signals float32[n, K] of the step whose ``infos`` these are, resets or not.

    Raises:
        InterfaceError: they are missing, of another shape, or hold a NaN.
    """
    signals = np.full((copies, len(names)), np.nan, dtype=np.float32)
    present = np.zeros(copies, dtype=bool)
    for values, rows in _told(infos, "constraints", copies):
        if values.shape != signals.shape:
            raise InterfaceError(
                f'info["constraints"] has shape {values.shape}: expected {signals.shape}, one column for each '
                f"of {', '.join(names)}."
            )
        signals[rows] = values[rows]
        present |= rows
    if not present.all():
        raise InterfaceError(
            f'copy {int(np.argmin(present))} of the environment gave no info["constraints"]: expected '
            f"{len(names)} numbers at every step, for {', '.join(names)}."
        )
    bad = np.argwhere(np.isnan(signals))
    if bad.size:
        raise InterfaceError(f"copy {bad[0][0]} of the environment gave NaN for constraint {names[bad[0][1]]!r}.")
    return signals


def step_info(infos: Mapping[str, Any], name: str, copies: int) -> NDArray[Any]:
    """The array [n, ...] called ``name`` of the step whose ``infos`` these are, resets or not.

    Raises:
        InterfaceError: some copy does not give it.
    """
    values: NDArray[Any] | None = None
    present = np.zeros(copies, dtype=bool)
    for found, rows in _told(infos, name, copies):
        if values is None:
            values = np.zeros_like(found)
        values[rows] = found[rows]
        present |= rows
    if values is None or not present.all():
        raise InterfaceError(f"copy {int(np.argmin(present))} of the environment gave no info[{name!r}] at this step.")
    return values


def _told(infos: Mapping[str, Any], name: str, copies: int) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
    """What the infos and the final infos hold under ``name``, each with the copies it is of."""
    for source in (infos, infos.get("final_info", {})):
        if name in source:
            yield np.asarray(source[name]), np.asarray(source.get(f"_{name}", np.ones(copies, dtype=bool)))


def arrived(following: Array, infos: Mapping[str, Any]) -> Array:
    """The states really arrived in: where a copy was reset in the same step, its final observation."""
    if "final_obs" not in infos:
        return following
    states = np.array(following)
    ended = np.asarray(infos.get("_final_obs", np.ones(len(states), dtype=bool)))
    if ended.any():
        states[ended] = np.stack(list(infos["final_obs"][ended]))
    return states


def make_env(name: EnvName, kwargs: Mapping[str, Any], num_envs: int) -> Recorder:
    """Build ``num_envs`` copies, SAME_STEP autoreset, in one array step where the environment offers that.

    Raises:
        UsageError: the environment refuses the arguments, or needs a package that is missing.
    """
    try:
        env = _build(name, dict(kwargs), num_envs)
    except (TypeError, ValueError, ImportError, gymnasium.error.Error) as error:
        raise UsageError(
            f"environment {name.short} cannot be built: {' '.join(str(error).split()).rstrip('.')}."
        ) from error
    mode = env.metadata.get("autoreset_mode")
    if mode != AutoresetMode.SAME_STEP:
        raise InterfaceError(f"vector environment {name.short} has autoreset mode {mode}: expected SAME_STEP.")
    spec = lookup(env, "constraint_spec")
    return Recorder(env, ConstraintSpec.of(spec) if spec is not None and len(spec.names) else None)


def _build(name: EnvName, kwargs: dict[str, Any], num_envs: int) -> VectorEnv:
    entry = name.entry
    if entry is not None and entry.vector:
        built: VectorEnv = entry.load(entry.vector)(num_envs=num_envs, **kwargs)
        return built

    def make() -> gymnasium.Env[Any, Any]:
        if entry is None:
            return gymnasium.make(name.gym_id, disable_env_checker=True, **kwargs)
        env: gymnasium.Env[Any, Any] = entry.resolve()(**kwargs)
        return env

    return gymnasium.vector.SyncVectorEnv([make] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)


def problem_of(env: Recorder) -> Problem:
    """What the environment offers beyond gymnasium's interface.

    Raises:
        InterfaceError: ``diminishing`` or ``grid`` is not what it should be, or of another number of states.
    """
    model = _model(env)
    diminishing, grid = lookup(env.env, "diminishing"), lookup(env.env, "grid")
    problem = Problem(
        constraints=env.constraints,
        model=model,
        tasks=_tasks(env),
        diminishing=DiminishingRewards.of(diminishing) if diminishing is not None else None,
        grid=Grid.of(grid) if grid is not None else None,
    )
    space = env.single_observation_space
    if isinstance(space, gymnasium.spaces.Discrete):
        for name, offered in (("diminishing", problem.diminishing), ("grid", problem.grid)):
            if offered is not None and offered.num_states != space.n:
                raise InterfaceError(f"{name} speaks of {offered.num_states} states, and the observations are {space}.")
    return problem


def offers_of(env: Recorder) -> Offers:
    """What a built environment turns out to offer."""
    base = env.env.unwrapped
    return Offers(
        action=space_kind(env.single_action_space),
        observation=space_kind(env.single_observation_space),
        constraints=env.constraints is not None or isinstance(base, Constrained),
        tabular=isinstance(base, Tabular) or _model(env) is not None,
        tasks=_tasks(env) is not None,
        snapshot=isinstance(base, Snapshot),
        batched=not isinstance(base, gymnasium.vector.SyncVectorEnv),
    )


def _model(env: Recorder) -> Callable[[], TabularCMDP] | None:
    """What builds the exact model: the environment's own, or that of the transitions which it lists."""
    model = lookup(env.env, "model")

    def own() -> TabularCMDP:
        from zoo.tabular import TabularCMDP  # brings scipy: only for those who ask

        return TabularCMDP.from_model(model())

    if callable(model):
        return own
    copies = getattr(env.env.unwrapped, "envs", None)
    # Without a table there is none to read, and scipy need not be imported.
    if not copies or not hasattr(copies[0].unwrapped, "initial_state_distrib"):
        return None
    from zoo.tabular import listed_model

    return listed_model(copies[0])


def _tasks(env: Recorder) -> TaskDistribution | None:
    """What is called ``tasks`` and is none, as other libraries' environments may have, is not offered."""
    tasks = lookup(env.env, "tasks")
    return tasks if isinstance(tasks, TaskDistribution) else None


def space_kind(space: Any) -> Space:
    """How ``Needs`` and ``Offers`` call a space."""
    if isinstance(space, gymnasium.spaces.Discrete):
        return "discrete"
    return "box" if isinstance(space, gymnasium.spaces.Box) else "other"
