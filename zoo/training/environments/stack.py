"""Several vector environments stepped together: one array operation for all of them where their class allows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from zoo.api import Array, Stacked
from zoo.errors import InterfaceError, ZooError
from zoo.training.environments.episode_statistics import Tally
from zoo.training.environments.make_env import Recorder, VectorEnv
from zoo.training.environments.step import arrived, check_step, constraint_signals, environment_failed, step_info

Step = tuple[Array, Array, Array, Array, dict[str, Any]]


class Stack:
    """S vector environments of B copies each; every step is, bit for bit, the step of each on its own.

    The members stay usable: their episodes are recorded, ``get_state``/``set_state`` and stepping one alone work.
    """

    def __init__(self, envs: Sequence[VectorEnv], infos: Sequence[str] = ()) -> None:
        self.envs, self._info_names = tuple(envs), tuple(infos)
        _check(self.envs)
        self.num_envs = int(self.envs[0].num_envs)
        recorders = [env for env in self.envs if isinstance(env, Recorder)]
        self._recorders = recorders if len(recorders) == len(self.envs) else []
        self._handle = _bind(self.envs)
        if self._handle is not None and self._recorders:
            self._tally = Tally.joined([recorder.tally for recorder in self._recorders])
            for index, recorder in enumerate(self._recorders):
                recorder.tally = self._tally.part(index * self.num_envs, (index + 1) * self.num_envs)

    def __len__(self) -> int:
        """S, the number of members."""
        return len(self.envs)

    @property
    def _name(self) -> str:
        return self._recorders[0].name if self._recorders else "the environment"

    @property
    def _lengths(self) -> Array:
        """Steps so far in the episode of each copy of each member, [S*B]."""
        return self._tally.lengths if self._recorders else np.zeros(len(self) * self.num_envs, dtype=np.int64)

    @property
    def together(self) -> bool:
        """Whether a step is one array operation; if not, the members are stepped one by one."""
        return self._handle is not None

    def reset(self) -> Array:
        """Fresh episodes in every copy of every member, each from the member's own random stream.

        Returns:
            Observations [S, B, ...].
        """
        return np.stack([env.reset()[0] for env in self.envs])

    def step(self, actions: Array) -> Step:
        """One step of every copy of every member.

        Args:
            actions: [S, B, ...].

        Returns:
            Observations [S, B, ...] (the first ones of the next episode, where one ended), rewards [S, B],
            terminated [S, B], truncated [S, B], and infos: "arrived" [S, B, ...], the observations before any
            reset, "constraints" float32[S, B, K] of the step just taken, where there are any, and the infos
            asked for, [S, B, ...].

        Raises:
            InterfaceError: the actions are not [S, B, ...], an environment breaks its constraint interface, or does
                not give an info asked for.
        """
        actions = np.asarray(actions)
        if actions.shape[:2] != (len(self), self.num_envs):
            raise InterfaceError(
                f"the actions have shape {actions.shape}: expected {len(self)} members of {self.num_envs} copies first."
            )
        if len(self) == 1:
            return self._alone(actions[0])
        return self._separately(actions) if self._handle is None else self._together(self._handle, actions)

    def _alone(self, actions: Array) -> Step:
        """A stack of one adds nothing but an axis: this is every step of a solo run."""
        obs, reward, terminated, truncated, raw_infos = self.envs[0].step(actions)
        infos = {"arrived": arrived(obs, raw_infos)[None]}
        if "constraints" in raw_infos:
            infos["constraints"] = raw_infos["constraints"][None]
        infos |= {name: step_info(raw_infos, name, self.num_envs)[None] for name in self._info_names}
        return obs[None], reward[None], terminated[None], truncated[None], infos

    def _together(self, handle: Stacked, actions: Array) -> Step:
        S, B = len(self), self.num_envs
        try:
            obs, reward, terminated, truncated, raw_infos = handle.step(actions.reshape(S * B, *actions.shape[2:]))
        except (ZooError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise environment_failed(error, self._name, "step()", self._lengths) from error
        infos = {name: raw_infos[name] for name in ("arrived", "constraints") if name in raw_infos}
        infos |= {name: step_info(raw_infos, name, S * B) for name in self._info_names}
        if self._recorders:
            constraints = self._recorders[0].constraints
            signals = constraint_signals(raw_infos, S * B, constraints.names, self._name) if constraints else None
            if signals is not None:
                infos["constraints"] = signals
            done = terminated | truncated
            check_step(obs, reward, raw_infos, self._name, self._lengths, B, constraints, signals, done)
            for copy, episode in self._tally.add(reward, signals, done):
                self._recorders[copy // B].finished.append(episode)
        parts = [array.reshape(S, B, *array.shape[1:]) for array in (obs, reward, terminated, truncated)]
        shaped = {name: array.reshape(S, B, *array.shape[1:]) for name, array in infos.items()}
        return parts[0], parts[1], parts[2], parts[3], shaped

    def _separately(self, actions: Array) -> Step:
        steps = [env.step(action) for env, action in zip(self.envs, actions, strict=True)]
        obs, reward, terminated, truncated = (np.stack([np.asarray(step[part]) for step in steps]) for part in range(4))
        infos = {"arrived": np.stack([arrived(step[0], step[4]) for step in steps])}
        if all("constraints" in step[4] for step in steps):
            infos["constraints"] = np.stack([step[4]["constraints"] for step in steps])
        infos |= {
            name: np.stack([step_info(step[4], name, self.num_envs) for step in steps]) for name in self._info_names
        }
        return obs, reward, terminated, truncated, infos


def stack(envs: Sequence[VectorEnv], *, infos: Sequence[str] = ()) -> Stack:
    """Step several vector environments together, such as the ``ctx.env`` of the contexts given to ``batch``.

    Args:
        envs: one or more environments built with the same options, as ``Context.env`` is; their seeds may differ.
        infos: names of further arrays [B, ...] that their infos hold at every step, to be passed on.

    Raises:
        InterfaceError: they differ in copies, spaces or constraints, are not SAME_STEP, or observe no arrays.
    """
    return Stack(envs, infos)


def _check(envs: Sequence[VectorEnv]) -> None:
    if not envs:
        raise InterfaceError("there is no environment to stack: expected one or more.")
    for index, env in enumerate(envs):
        if env.metadata.get("autoreset_mode") != AutoresetMode.SAME_STEP:
            raise InterfaceError(f"environment {index} of a stack is not SAME_STEP, as Context.env is.")
        if env.single_observation_space.shape is None or env.single_action_space.shape is None:
            raise InterfaceError("a stack needs observations and actions that are arrays, not mappings or tuples.")
        if _kind(env) != _kind(envs[0]):
            raise InterfaceError(
                f"environment {index} of a stack differs from the first in copies, spaces or constraints: expected "
                "environments built with the same options."
            )


def _kind(env: VectorEnv) -> tuple[Any, ...]:
    constraints = env.constraints.names if isinstance(env, Recorder) and env.constraints else ()
    return env.num_envs, env.single_observation_space, env.single_action_space, constraints


def _bind(envs: Sequence[VectorEnv]) -> Stacked | None:
    """The handle of the members' class, or None: no such class, other wrappers around it, or it declines.

    A single member has nothing to gain, and may be in a larger stack already: it is left alone.
    """
    if len(envs) == 1:
        return None
    members = [env.env if isinstance(env, Recorder) else env for env in envs]
    cls: Any = type(members[0])
    bind = getattr(cls, "stacked", None)
    if not callable(bind) or any(type(member) is not cls for member in members) or len(members) != len(set(members)):
        return None
    handle: Stacked | None = bind(members)
    return handle
