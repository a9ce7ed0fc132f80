"""Building vector environments, and recording their episodes and constraint signals."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

from zoo.api import (
    Constrained,
    ConstraintSpec,
    DiminishingRewards,
    Grid,
    Offers,
    Problem,
    Snapshot,
    Space,
    State,
    TaskDistribution,
)
from zoo.discovery.names import EnvName
from zoo.discovery.registration import Entry, describe
from zoo.environment import lookup
from zoo.errors import EnvironmentFailed, InterfaceError, PluginError, UsageError, ZooError
from zoo.terminal.streams import brief
from zoo.training.environments.boundary import BadActionError, copied, with_boundary
from zoo.training.environments.copies import Copies
from zoo.training.environments.env_state import capture_env, restore_env
from zoo.training.environments.episode_statistics import Episode, Tally
from zoo.training.environments.step import check_finite, check_step, constraint_signals, environment_failed, owned

if TYPE_CHECKING:
    from zoo.tabular import TabularCMDP

VectorEnv = gymnasium.vector.VectorEnv[Any, Any, Any]


class Recorder(gymnasium.vector.VectorWrapper[Any, Any, Any, Any, Any]):
    """Adds up each copy's episode, and checks what every step returns.

    ``infos["constraints"]`` is float32[B, K], always of the step just taken, also where a copy was reset.

    Args:
        env: the copies.
        constraints: those that the environment announces.
        name: of the environment in messages.

    Raises:
        EnvironmentFailed: the environment raised, broke its interface, or gave a number that is not finite; the
            message names it, the copy and the step of its episode.
        InterfaceError: an environment with a ``constraint_spec`` leaves the signals out, or changes their number.
    """

    def __init__(self, env: VectorEnv, constraints: ConstraintSpec | None, name: str = "the environment") -> None:
        super().__init__(env)
        self.constraints = constraints
        self.name = name
        self.restorable = True
        """whether its state is worth capturing: a probe may have shown that it cannot be restored exactly"""
        self.finished: list[Episode] = []
        self.tally = Tally.of(self.num_envs, len(constraints.names) if constraints else 0)
        self._copies_results = not isinstance(env, gymnasium.vector.SyncVectorEnv)  # that one copies what it returns

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As gymnasium's; what was gathered of unfinished episodes is dropped."""
        self.tally.clear()
        try:
            obs, infos = self.env.reset(seed=seed, options=options)
        except (ZooError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise self._failed(error, "reset()", ()) from error
        check_finite({"observation": obs}, self.name, self.tally.lengths, self.num_envs)
        return copied(obs) if self._copies_results else obs, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """As gymnasium's, with ``infos["constraints"]`` complete."""
        try:
            obs, reward, terminated, truncated, infos = self.env.step(actions)
        except (ZooError, BadActionError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise self._failed(error, "step()", np.shape(actions)) from error
        if self._copies_results:
            obs, reward, terminated, truncated = owned(obs), owned(reward), owned(terminated), owned(truncated)
            infos = infos.copy()
            for name in _OBSERVED:
                if name in infos:
                    infos[name] = owned(infos[name])
        signals = None
        if self.constraints:
            signals = constraint_signals(infos, self.num_envs, self.constraints.names, self.name)
            infos["constraints"] = signals
        done = terminated | truncated
        check_step(obs, reward, infos, self.name, self.tally.lengths, self.num_envs, self.constraints, signals, done)
        self.finished += [episode for _, episode in self.tally.add(reward, signals, done)]
        return obs, reward, terminated, truncated, infos

    def close(self, **kwargs: Any) -> None:
        """As gymnasium's; an environment that raises is named, and spoils nothing."""
        faults = []
        try:
            super().close(**kwargs)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            faults.append(f"raised in close(): {describe(error)}")
        for what in [*faults, *dict.fromkeys(getattr(self.env, "faults", ()))]:
            if (self.name, what) not in _REPORTED:
                _REPORTED.add((self.name, what))
                sys.stderr.write(f"zoo: {self.name} {what}. Nothing is lost by that.\n")

    def _failed(self, error: BaseException, where: str, shape: tuple[int, ...]) -> BaseException:
        """What to raise for an error of the environment, or of an action that does not fit it."""
        space = self.env.single_action_space
        if shape and space.shape is not None and shape != (self.num_envs, *space.shape):
            expected = (self.num_envs, *space.shape)
            return BadActionError(f"the actions have shape {shape}: expected {expected} for {self.num_envs} copies")
        return environment_failed(error, self.name, where, self.tally.lengths)

    def drain(self) -> list[Episode]:
        """The episodes finished since the last call."""
        finished, self.finished = self.finished, []
        return finished

    def capture(self) -> State:
        """Everything needed to continue, including the environment where it can be captured (else "env" is None)."""
        return {
            "env": capture_env(self.env) if self.restorable else None,
            "returns": self.tally.returns.copy(),
            "lengths": self.tally.lengths.copy(),
            "signals": self.tally.signals.copy(),
        }

    def restore(self, state: State) -> bool:
        """Continue from ``state``; False if the environment could not be captured, and was left as it is."""
        if state["env"] is None or not self.restorable:
            return False
        restore_env(self.env, state["env"])
        self.tally.put(Tally(state["returns"], state["lengths"], state["signals"]))
        return True


_OBSERVED = ("final_obs", "_final_obs", "arrived")
"""infos that algorithms keep beyond the step"""
_REPORTED: set[tuple[str, str]] = set()
"""Reports of environments that raised in ``close``: of twenty copies, one."""


def make_env(name: EnvName, kwargs: Mapping[str, Any], num_envs: int, render_mode: str | None = None) -> Recorder:
    """Build ``num_envs`` copies, SAME_STEP autoreset, in one array step where the environment offers that.

    With a ``render_mode`` they are stepped one by one: whoever draws wants each copy's last state before its reset.

    Raises:
        UsageError: the environment refuses the arguments, or needs a package that is missing.
        EnvironmentFailed: it fails in another way.
    """
    try:
        env = _build(name, {**kwargs, **name.arguments}, num_envs, {"render_mode": render_mode} if render_mode else {})
    except (TypeError, ValueError, AssertionError, ImportError, gymnasium.error.Error) as error:
        needed = re.search(r"missing \d+ required .*?arguments?: (.*)", str(error))
        options = re.findall(r"'(\w+)'", needed[1]) if needed else []
        hint = f"Expected {' and '.join(f'--env.{option}' for option in options)}." if options else ""
        raise UsageError(f"environment {name.short} cannot be built: {brief(error).rstrip('.')}.", hint) from error
    except (EnvironmentFailed, PluginError, KeyboardInterrupt):
        raise
    except ZooError as error:  # of the model that it builds, say: it does not know whose it is
        raise UsageError(f"environment {name.short} cannot be built: {error.message}", error.hint) from error
    except BaseException as error:
        raise EnvironmentFailed(f"{name.owner} cannot be built: {describe(error)}.", "--debug shows where.") from error
    mode = env.metadata.get("autoreset_mode")
    if mode != AutoresetMode.SAME_STEP:
        raise InterfaceError(f"vector environment {name.short} has autoreset mode {mode}: expected SAME_STEP.")
    spec = lookup(env, "constraint_spec")
    return Recorder(
        env, ConstraintSpec.of(spec) if spec is not None and len(getattr(spec, "names", "?")) else None, name.owner
    )


def _build(name: EnvName, kwargs: dict[str, Any], num_envs: int, drawn: dict[str, Any]) -> VectorEnv:
    entry = name.entry
    wrappers = name.wrappers.values()
    if entry is not None and entry.vector and not drawn and all(wrapper.vector for wrapper, _ in wrappers):
        built: VectorEnv = entry.load(entry.vector)(num_envs=num_envs, **kwargs)
        for wrapper, value in wrappers:
            built = _put_on(wrapper, wrapper.load(wrapper.vector), built, value)
        return built

    def make(copy: int) -> gymnasium.Env[Any, Any]:
        if entry is None:
            env = with_boundary(gymnasium.make(name.gym_id, disable_env_checker=False, **kwargs | drawn), copy)
        else:
            env = with_boundary(entry.resolve()(**kwargs | drawn), copy)
        for wrapper, value in wrappers:
            env = _put_on(wrapper, wrapper.resolve(), env, value)
        return env

    makers = [partial(make, copy) for copy in range(num_envs)]
    return Copies(makers)


def _put_on(wrapper: Entry, function: Callable[[Any, Any], Any], env: Any, value: Any) -> Any:
    """``env`` in a wrapper; what it refuses is told with its option.

    Raises:
        UsageError: it refuses the value or the environment.
    """
    try:
        return function(env, value)
    except (TypeError, ValueError, AssertionError, gymnasium.error.Error) as error:
        raise UsageError(f"--env.{wrapper.name}: {brief(error).rstrip('.')}.") from error


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
        tabular=_model(env) is not None,
        tasks=_tasks(env) is not None,
        snapshot=isinstance(base, Snapshot),
        batched=not isinstance(base, gymnasium.vector.SyncVectorEnv),
    )


def _model(env: Recorder) -> Callable[[], TabularCMDP] | None:
    """What builds the exact model: the environment's own, or that of the transitions which it lists."""
    model = lookup(env.env, "model")

    def own() -> TabularCMDP:
        from zoo.tabular import TabularCMDP  # brings scipy: only for those who ask

        exact = TabularCMDP.from_model(model())
        _check_agreement(env.constraints, exact)
        return exact

    if callable(model):
        return own
    copies = getattr(env.env.unwrapped, "envs", None)
    # Without a table there is none to read, and scipy need not be imported.
    if not copies or not hasattr(copies[0].unwrapped, "initial_state_distrib"):
        return None
    from zoo.tabular import listed_model

    return listed_model(copies[0])


def _check_agreement(spec: ConstraintSpec | None, model: TabularCMDP) -> None:
    """Require that ``constraint_spec`` and the exact model have the same constraints, in the model's unit.

    Raises:
        InterfaceError: naming the first difference: values of the one would be held against thresholds of the other.
    """
    names = spec.names if spec is not None else ()
    if names != model.names:
        raise InterfaceError(
            f"constraint_spec has the constraints {', '.join(names) or '(none)'}, and model() "
            f"{', '.join(model.names) or '(none)'}: expected the same, in the same order."
        )
    if spec is None:
        return
    if spec.unit != "step" or not spec.discounted:
        raise InterfaceError(
            f"constraint_spec has unit={spec.unit!r} and discounted={spec.discounted}: expected unit='step' and "
            "discounted=True beside model(), whose thresholds bound normalised discounted values."
        )
    for name, sense, threshold, other, b in zip(
        spec.names, spec.senses, spec.thresholds, model.senses, model.b, strict=True
    ):
        if sense != other or not math.isclose(threshold, b, rel_tol=1e-6):
            raise InterfaceError(
                f"constraint {name!r} is {sense} {threshold:g} in constraint_spec and {other} {b:g} in model(): "
                "expected the same."
            )


def _tasks(env: Recorder) -> TaskDistribution | None:
    """The environment's task distribution; attributes ``tasks`` of another kind, as in other libraries, are ignored."""
    tasks = lookup(env.env, "tasks")
    return tasks if isinstance(tasks, TaskDistribution) else None


def space_kind(space: Any) -> Space:
    """How ``Needs`` and ``Offers`` call a space."""
    if isinstance(space, gymnasium.spaces.Discrete):
        return "discrete"
    return "box" if isinstance(space, gymnasium.spaces.Box) else "other"
