"""Adapters between the constrained five-tuple interface and the conventions of other libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from zoo_envs.tabular.constraints import ConstraintSpec
from zoo_envs.validation import integer

__all__ = ["FromSafetyGymnasium", "FromVectorReward", "PenalisedReward", "ToSafetyGymnasium"]

_Env = gymnasium.Env[Any, Any]
_FiveTuple = tuple[Any, float, bool, bool, dict[str, Any]]


def _announced_spec(env: _Env) -> ConstraintSpec:
    """Return the spec of `env`, or raise ValueError saying that it has none."""
    try:
        spec: ConstraintSpec = env.get_wrapper_attr("constraint_spec")
    except AttributeError:
        raise ValueError(f"{env} announces no constraint_spec, so it has no constraints") from None
    return spec


def _signals(info: Mapping[str, Any], spec: ConstraintSpec) -> NDArray[np.float32]:
    """Return ``info["constraints"]`` float32[N], or raise ValueError if it is absent or of another length."""
    if "constraints" not in info:
        raise ValueError(f'info["constraints"] is missing; expected the signals of {", ".join(spec.names)}')
    signals = np.asarray(info["constraints"], dtype=np.float32)
    if signals.shape != (len(spec.names),):
        raise ValueError(
            f'info["constraints"] must have one signal for each of {", ".join(spec.names)}, '
            f"got shape {list(signals.shape)}"
        )
    return signals


class _Announcing(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """A wrapper with constraints of its own."""

    def __init__(self, env: _Env, spec: ConstraintSpec) -> None:
        gymnasium.Wrapper.__init__(self, env)
        self._constraint_spec = spec

    @property
    def constraint_spec(self) -> ConstraintSpec:
        """Names, thresholds and senses of the N constraints."""
        return self._constraint_spec

    def _with_signals(self, info: Mapping[str, Any], signals: NDArray[np.float32]) -> dict[str, Any]:
        """Return `info` with "constraints", and with "cost" exactly where the interface wants it."""
        info = {key: value for key, value in info.items() if key != "cost"}
        info["constraints"] = signals
        if self._constraint_spec.has_cost:
            info["cost"] = signals.item(0)
        return info


class FromSafetyGymnasium(_Announcing):
    """A safety-gymnasium environment (six-tuple step) behind the five-tuple interface."""

    def __init__(
        self,
        env: _Env,
        threshold: float,
        *,
        name: str = "cost",
        unit: str = "episode",
        discounted: bool = False,
    ) -> None:
        """Read the third element of `env`'s step as the one constraint, `name` <= `threshold`.

        Args:
            env: its step returns (obs, reward, cost, terminated, truncated, info).
            threshold: largest cost, in `unit`; there is no default, because it belongs to the problem.
            name: name of the constraint.
            unit: "episode" (as the library's papers state it) or "step".
            discounted: whether the cost is discounted.

        Raises:
            ValueError: the threshold is not finite or the unit is unknown.
        """
        RecordConstructorArgs.__init__(self, threshold=threshold, name=name, unit=unit, discounted=discounted)
        super().__init__(env, ConstraintSpec.of([name], [threshold], unit=unit, discounted=discounted))

    def step(self, action: Any) -> _FiveTuple:
        """Step, with the cost moved into the info.

        Raises:
            ValueError: the wrapped step does not return six elements.
        """
        result: tuple[Any, ...] = self.env.step(action)
        if len(result) != 6:
            raise ValueError(f"expected a step of six elements with the cost third, got {len(result)} elements")
        obs, reward, cost, terminated, truncated, info = result
        signals = np.array([cost], dtype=np.float32)
        return obs, float(reward), bool(terminated), bool(truncated), self._with_signals(info, signals)


class ToSafetyGymnasium(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """A constrained environment as safety-gymnasium's agents expect it: a six-tuple step with one cost."""

    def __init__(self, env: _Env, *, constraint: str | None = None) -> None:
        """Export one constraint of sense "<=".

        Args:
            env: an environment with a `constraint_spec`.
            constraint: its name; may be omitted where there is only one.

        Raises:
            ValueError: there is no such constraint, several to choose from, or its sense is not "<=".
        """
        RecordConstructorArgs.__init__(self, constraint=constraint)
        gymnasium.Wrapper.__init__(self, env)
        spec = _announced_spec(env)
        known = ", ".join(spec.names) or "none"
        if constraint is None and len(spec.names) != 1:
            raise ValueError(f"constraint must name one of: {known}")
        if constraint is not None and constraint not in spec.names:
            raise ValueError(f"constraint must name one of: {known}; got {constraint!r}")
        self._index = 0 if constraint is None else spec.names.index(constraint)
        if spec.senses[self._index] != "<=":
            raise ValueError(
                f"a cost can only be limited from above, but {spec.names[self._index]!r} has the sense "
                f"{spec.senses[self._index]!r}"
            )
        self._spec_of_env = spec

    def step(self, action: Any) -> tuple[Any, float, float, bool, bool, dict[str, Any]]:  # type: ignore[override]
        """Step, with the cost as third element: (obs, reward, cost, terminated, truncated, info)."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        cost = _signals(info, self._spec_of_env).item(self._index)
        return obs, float(reward), cost, terminated, truncated, info


class FromVectorReward(_Announcing):
    """A multi-objective environment (mo-gymnasium): one entry of its reward is the task, others are signals."""

    def __init__(
        self,
        env: _Env,
        reward_index: int,
        constraint_indices: Sequence[int],
        *,
        thresholds: Sequence[float],
        names: Sequence[str] | None = None,
        senses: Sequence[str] | None = None,
        unit: str = "step",
        discounted: bool = True,
    ) -> None:
        """Split the reward vector [d].

        Args:
            env: its step returns a reward vector of length d.
            reward_index: entry that becomes the reward, in [0, d-1].
            constraint_indices: N entries that become ``info["constraints"]``, in this order.
            thresholds: one per constraint, in `unit`.
            names: one per constraint; objective<index> if None.
            senses: one per constraint; "<=" throughout if None.
            unit: "step" or "episode".
            discounted: whether the averages are discounted.

        Raises:
            ValueError: an index is negative or beyond the environment's `reward_space`, or lengths differ.
        """
        RecordConstructorArgs.__init__(
            self,
            reward_index=reward_index,
            constraint_indices=constraint_indices,
            thresholds=thresholds,
            names=names,
            senses=senses,
            unit=unit,
            discounted=discounted,
        )
        space = getattr(env.unwrapped, "reward_space", None)
        last = None if space is None else int(space.shape[0]) - 1
        self._reward_index = integer("reward_index", reward_index, 0, last)
        self._indices = [integer(f"constraint_indices[{i}]", j, 0, last) for i, j in enumerate(constraint_indices)]
        names = [f"objective{i}" for i in self._indices] if names is None else names
        if len(names) != len(self._indices):
            raise ValueError(
                f"names must have one entry per constraint index, got {len(names)} for {len(self._indices)}"
            )
        super().__init__(env, ConstraintSpec.of(names, thresholds, senses, unit=unit, discounted=discounted))

    def step(self, action: Any) -> _FiveTuple:
        """Step, with the reward vector split into reward and signals.

        Raises:
            ValueError: the reward is not a vector, or too short for the indices.
        """
        obs, vector, terminated, truncated, info = self.env.step(action)
        rewards = np.asarray(vector, dtype=np.float64)
        needed = max([self._reward_index, *self._indices]) + 1
        if rewards.ndim != 1 or rewards.size < needed:
            raise ValueError(
                f"the reward must be a vector of at least {needed} entries, got shape {list(rewards.shape)}"
            )
        signals = rewards[self._indices].astype(np.float32)
        return obs, rewards.item(self._reward_index), terminated, truncated, self._with_signals(info, signals)


class PenalisedReward(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Reward r - sum_i mu_i s_i c_i with fixed multipliers mu: the Lagrangian baseline for any ordinary
    agent.

    The constant sum_i mu_i s_i b_i of the Lagrangian is left out: it changes no policy of a continuing
    problem. Signs s_i are -1 for ">=", else +1.
    """

    def __init__(self, env: _Env, mu: Sequence[float] | Mapping[str, float]) -> None:
        """Penalise by `mu`: N numbers in the order of the constraints, or a mapping that names every
        constraint.

        Raises:
            ValueError: a name is unknown or missing, the length is not N, or a multiplier is not finite, or
                negative although its constraint is an inequality.
        """
        RecordConstructorArgs.__init__(self, mu=mu)
        gymnasium.Wrapper.__init__(self, env)
        spec = _announced_spec(env)
        known = ", ".join(spec.names) or "none"
        if isinstance(mu, Mapping):
            if set(mu) != set(spec.names):
                raise ValueError(f"mu must have exactly the names {known}; got {', '.join(map(str, mu)) or 'none'}")
            mu = [mu[name] for name in spec.names]
        multipliers = np.asarray(mu, dtype=np.float64)
        if multipliers.shape != (len(spec.names),):
            raise ValueError(f"mu must have one multiplier for each of: {known}; got shape {list(multipliers.shape)}")
        for name, sense, value in zip(spec.names, spec.senses, multipliers, strict=True):
            if not np.isfinite(value) or (value < 0 and sense != "=="):
                raise ValueError(f"the multiplier of {name!r} must be finite and at least 0, got {value}")
        self._weights = multipliers * spec.signs
        self._spec_of_env = spec

    def step(self, action: Any) -> _FiveTuple:
        """Step, with the penalised reward; the info keeps the signals.

        Raises:
            ValueError: ``info["constraints"]`` is missing or of another length.
        """
        obs, reward, terminated, truncated, info = self.env.step(action)
        penalty = float(self._weights @ _signals(info, self._spec_of_env))
        return obs, float(reward) - penalty, terminated, truncated, info
