"""Constraints by rules around any environment, one or a vector of them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import concatenate, create_empty_array

from zoo_envs.tabular.constraints import ConstraintSpec
from zoo_envs.wrapping.parts import Step
from zoo_envs.wrapping.rules import Rules, row

__all__ = ["Constrained", "ConstrainedVector", "CostIntoInfo", "RestorableConstrainedVector"]

_Env = gymnasium.Env[Any, Any]


class CostIntoInfo(gymnasium.Wrapper[Any, Any, Any, Any]):
    """safety-gymnasium's step of six, its cost third, as the usual five with ``info["cost"]``; others as they are."""

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step."""
        result: tuple[Any, ...] = self.env.step(action)
        if type(result) is not tuple or len(result) != 6:
            return result
        obs, reward, cost, terminated, truncated, info = result
        return obs, reward, terminated, truncated, {**info, "cost": float(cost)}


class Constrained(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """An environment with further constraints by rules, such as ``abs(action[0]) <= 0.5``; see ``grammar``.

    Each step's info has "constraints" float32[K], the environment's own first, then one for each rule; "cost" is there
    exactly where there is one constraint, of sense "<=". What an exact model would say of the constraints is not known.
    """

    model = None

    def __init__(self, env: _Env, rules: str | Sequence[str]) -> None:
        """Find what the rules speak of; for keys of the info, one step is taken.

        Args:
            env: any environment; also one whose steps have six values, with the cost third.
            rules: one text or several.

        Raises:
            ValueError: a rule cannot be read, a part is not there (the nearest are named), or the rules do not go
                together.
        """
        RecordConstructorArgs.__init__(self, rules=rules)
        super().__init__(_with_cost_in_info(env))
        self.rules = Rules.of(
            rules, env.observation_space, _attribute(env, "constraint_spec"),
            _attribute(env, "observation_parts") or {}, self._probe,
        )  # fmt: skip

    @property
    def constraint_spec(self) -> ConstraintSpec:
        """All constraints."""
        return self.rules.spec

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step.

        Raises:
            ValueError: the info lacks what a rule reads.
        """
        obs, reward, terminated, truncated, given = self.env.step(action)
        info, rules = dict(given), self.rules
        own = np.asarray(info["constraints"])[None] if rules.own else None
        read = rules.read(info, lambda key: row(info[key]))
        step = Step(row(obs), row(action), np.array([reward], dtype=np.float64), read, rules.slices)
        return obs, reward, terminated, truncated, rules.put(info, rules.all_signals(step, own)[0])

    def _probe(self) -> Step:
        self.env.reset(seed=0)
        action = _some_action(self.env.action_space)
        obs, reward, _, _, info = self.env.step(action)
        slices = _attribute(self.env, "observation_parts") or {}
        return Step(row(obs), row(action), np.array([reward], dtype=np.float64), row(dict(info)), slices)


class ConstrainedVector(VectorWrapper[Any, Any, Any, Any, Any]):
    """As ``Constrained``, around a SAME_STEP vector environment of n copies: infos["constraints"] is float32[n, K]."""

    model = None

    def __init__(self, env: VectorEnv[Any, Any, Any], rules: str | Sequence[str]) -> None:
        """Find what the rules speak of, as ``Constrained`` does."""
        super().__init__(env)
        base = env.unwrapped
        self._slices: Mapping[str, tuple[int, int]] = getattr(base, "observation_parts", None) or {}
        self.rules = Rules.of(
            rules, env.single_observation_space, getattr(env, "constraint_spec", None), self._slices, self._probe
        )

    @property
    def constraint_spec(self) -> ConstraintSpec:
        """All constraints."""
        return self.rules.spec

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take a step in every copy.

        Raises:
            ValueError: the infos lack what a rule reads.
        """
        obs, reward, terminated, truncated, given = self.env.step(actions)
        rules = self.rules
        whole = _whole(given, self.num_envs, (*rules.keys, *(["constraints"] if rules.own else [])))
        read = rules.read(whole, whole.__getitem__)
        step = Step(_arrived(obs, given), actions, reward, read, rules.slices)
        infos = _without(given)
        if "final_info" in infos:
            infos["final_info"] = _without(infos["final_info"])
        return obs, reward, terminated, truncated, rules.put(infos, rules.all_signals(step, whole.get("constraints")))

    @classmethod
    def stacked(cls, members: Sequence[ConstrainedVector]) -> _StackedRules | None:
        """Return all members as one array operation, where what is inside offers that."""
        inner = [member.env for member in members]
        kind: Any = type(inner[0])
        bind = getattr(kind, "stacked", None)
        same = all(type(env) is kind for env in inner) and len({member.rules.texts for member in members}) == 1
        read = any(member.rules.keys for member in members)  # a stack has only the infos after resets
        handle = bind(inner) if callable(bind) and same and not read else None
        return None if handle is None else _StackedRules(handle, members[0].rules)

    def _probe(self) -> Step:
        n, space = self.num_envs, self.env.single_action_space
        self.env.reset(seed=0)
        empty: Any = create_empty_array(space, n=n)
        actions: Any = concatenate(space, [_some_action(space)] * n, empty)
        obs, reward, _, _, given = self.env.step(actions)
        return Step(_arrived(obs, given), actions, reward, _whole(given, n, None), self._slices)


class RestorableConstrainedVector(ConstrainedVector):
    """Around a vector environment that can be put back exactly: the rules themselves remember nothing."""

    def get_state(self) -> Mapping[str, Any]:
        """Return the state of what is inside."""
        state: Mapping[str, Any] = self.env.get_state()  # type: ignore[attr-defined]
        return state

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what ``get_state`` returned."""
        self.env.set_state(state)  # type: ignore[attr-defined]


class _StackedRules:
    """Members stepped together by `handle`, with the signals of the rules added."""

    def __init__(self, handle: Any, rules: Rules) -> None:
        self._handle, self._rules = handle, rules

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        obs, reward, terminated, truncated, given = self._handle.step(actions)
        infos, rules = dict(given), self._rules
        step = Step(infos["arrived"], actions, reward, {}, rules.slices)
        own = infos["constraints"] if rules.own else None
        return obs, reward, terminated, truncated, rules.put(infos, rules.all_signals(step, own))


def _with_cost_in_info(env: _Env) -> _Env:
    """Return `env` with ``CostIntoInfo`` directly around what was registered, inside gymnasium's own wrappers."""
    outer: Any = None
    layer: Any = env
    while isinstance(layer, gymnasium.Wrapper) and (
        type(layer).__module__.startswith("gymnasium.") or getattr(type(layer), "changes_nothing", False)
    ):
        outer, layer = layer, layer.env
    if outer is None:
        return CostIntoInfo(env)
    outer.env = CostIntoInfo(layer)
    return env


def _attribute(env: _Env, name: str) -> Any:
    try:
        return env.get_wrapper_attr(name)
    except AttributeError:
        return None


def _some_action(space: spaces.Space[Any]) -> Any:
    own = copy.deepcopy(space)  # so that the environment's own stays where it is
    own.seed(0)
    return own.sample()


def _whole(infos: Mapping[str, Any], n: int, keys: Sequence[str] | None) -> dict[str, Any]:
    """Return the infos [n, ...] of the step just taken, also of copies that were reset in it, by key.

    Args:
        infos: as a SAME_STEP vector environment gives them.
        n: number of copies.
        keys: which; None: all. What not every copy gave is left out.
    """
    final = infos.get("final_info", {})
    if keys is None:
        keys = [key for key in dict.fromkeys((*infos, *final)) if key[:1] != "_" and key[:6] != "final_"]
    whole = {}
    for key in keys:
        values, present = None, np.zeros(n, dtype=np.bool_)
        for source in (infos, final):
            if key in source and not isinstance(source[key], Mapping):
                array, rows = np.asarray(source[key]), np.asarray(source.get(f"_{key}", np.ones(n, dtype=np.bool_)))
                values = np.array(array) if values is None else values
                values[rows] = array[rows]
                present |= rows
        if present.all():
            whole[key] = values
    return whole


def _without(infos: Mapping[str, Any]) -> dict[str, Any]:
    """Return infos without the signals, and their masks."""
    return {key: value for key, value in infos.items() if key not in ("constraints", "_constraints", "cost", "_cost")}


def _arrived(obs: Any, infos: Mapping[str, Any]) -> Any:
    """Return the observations arrived in: of copies that were reset in the same step, their last ones."""
    ended = np.flatnonzero(infos.get("_final_obs", ()))
    if not ended.size:
        return obs
    arrived = np.array(obs)
    arrived[ended] = np.stack(list(infos["final_obs"][ended]))
    return arrived
