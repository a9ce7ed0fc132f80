"""Rules of ``grammar`` on one environment: their parts found, their names distinct, their signals computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from zoo_envs.tabular.constraints import ConstraintSpec
from zoo_envs.wrapping import grammar, parts

__all__ = ["Rules", "row"]

_TAKEN = ("reward", "return", "length", "count")
"""what metrics of the reward and of episodes are called"""
_SUFFIX = {"<=": "-max", ">=": "-min", "==": "-is"}


class RuleError(ValueError):
    """A rule has no value at a step; it is the user's, and not the environment's."""

    names_owner = True


@dataclass(frozen=True, eq=False)
class Rules:
    """The constraints of an environment: its own, and K more by rules.

    Attributes:
        texts: the K rules as typed.
        signals: K expressions, all parts found.
        own: how many constraints the environment itself has.
        keys: of the info that are read.
        slices: named columns of the observation, where it is one array.
        spec: of all constraints, the environment's own first.
    """

    texts: tuple[str, ...]
    signals: tuple[grammar.Expression, ...]
    own: int
    keys: tuple[str, ...]
    slices: Mapping[str, tuple[int, int]]
    spec: ConstraintSpec

    @classmethod
    def of(
        cls, given: str | Sequence[str], space: spaces.Space[Any], own: Any, slices: Mapping[str, tuple[int, int]],
        probe: Callable[[], parts.Step],
    ) -> Self:  # fmt: skip
        """Find what the rules speak of.

        Args:
            given: rules, with ";" between those in one text.
            space: of one observation.
            own: the environment's own ``constraint_spec``, or None.
            slices: named columns of its observation.
            probe: takes one step, and returns it.

        Raises:
            ValueError: a rule cannot be read, a part is not there, or the rules do not go together.
        """
        rules = [rule for text in _texts(given) for rule in grammar.parse(text)]
        for rule in rules:
            if not _names_a_part(rule.expression):
                raise ValueError(f"constraint {rule.text!r} is about nothing that a step gives: expected a part in it")
        known = own if own is not None and len(own.names) else None
        unit, discounted = _unit(rules, known)
        own_names = tuple(known.names) if known is not None else ()
        spec = ConstraintSpec.of(
            (*own_names, *_names(rules, own_names)),
            [*(known.thresholds if known is not None else ()), *(rule.threshold for rule in rules)],
            (*(known.senses if known is not None else ()), *(rule.sense for rule in rules)),
            unit=unit, discounted=discounted,
        )  # fmt: skip
        step, observed = probe(), parts.observation_names(space, slices)
        signals = []
        for rule in rules:
            try:
                expression = parts.bind(rule.expression, observed, step.info)
                parts.signal(expression, step)
            except ValueError as error:
                raise ValueError(f"constraint {rule.text!r}: {error}") from None
            signals.append(expression)
        keys = tuple(dict.fromkeys(key for expression in signals for key in _info_keys(expression)))
        return cls(tuple(rule.text for rule in rules), tuple(signals), len(own_names), keys, dict(slices), spec)

    def all_signals(self, step: parts.Step, own: NDArray[Any] | None) -> NDArray[np.float32]:
        """Return the signals of a step, float32[n, own + K].

        Args:
            step: what was taken, and what came of it.
            own: the environment's own signals [n, own], if it has any.

        Raises:
            RuleError: a rule gives no finite number, as the root of a negative one.
        """
        columns = [parts.signal(expression, step) for expression in self.signals]
        for text, column in zip(self.texts, columns, strict=True):
            if not np.isfinite(column).all():
                value = column[~np.isfinite(column)][0]
                raise RuleError(f"constraint {text!r} is {value} at this step: expected a finite number")
        given = [] if own is None else list(np.asarray(own).T)
        return np.stack([*given, *columns], axis=1).astype(np.float32)

    def read(self, info: Mapping[str, Any], value: Callable[[str], Any]) -> dict[str, Any]:
        """Return what the rules read of an info, by key; `value` returns it for a key of `info`.

        Raises:
            ValueError: something is missing that was there in the first step.
        """
        for key in self.keys:
            if key not in info:
                raise ValueError(f"info has no {key!r} at this step, and a constraint reads it at every step")
        return {key: value(key) for key in self.keys}

    def put(self, info: dict[str, Any], signals: NDArray[np.float32]) -> dict[str, Any]:
        """Put signals, [K] or [n, K], into `info`, and ``info["cost"]`` exactly where the interface wants it."""
        info["constraints"] = signals
        info.pop("cost", None)
        if self.spec.has_cost:
            info["cost"] = signals[..., 0].copy() if signals.ndim > 1 else signals.item(0)
        return info


def row(value: Any) -> Any:
    """Return a value of one copy as that of a batch of one."""
    if isinstance(value, Mapping):
        return {key: row(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(row, value))
    return value if value is None or isinstance(value, str) else np.asarray(value)[None]


def _texts(given: str | Sequence[str]) -> list[str]:
    texts = [given] if isinstance(given, str) else list(given)
    for text in texts:
        if not isinstance(text, str):
            raise ValueError(f'a constraint is {text!r}: expected text, such as "abs(action[0]) <= 0.5"')
    return texts or [""]


def _unit(rules: Sequence[grammar.Rule], own: Any) -> tuple[str, bool]:
    """Return the unit of all constraints, and whether they are discounted: those of the environment's own, if any.

    Raises:
        ValueError: they are of two units.
    """
    default = own.unit if own is not None else "step"
    for rule in rules:
        first = default if own is not None else rules[0].unit or default
        unit = rule.unit or default
        if unit != first:
            what = "the environment's own are" if own is not None else f"{rules[0].text!r} is"
            raise ValueError(
                f"constraint {rule.text!r} is per {unit}, and {what} per {first}: expected one unit for all of them"
            )
    return (rules[0].unit or default, False) if own is None else (default, bool(own.discounted))


def _names(rules: Sequence[grammar.Rule], taken: Iterable[str]) -> list[str]:
    """Return distinct names: where two rules bound one signal from both sides, "-min" and "-max" tell them apart.

    Raises:
        ValueError: two are the same all the same, or one is the name of another metric.
    """
    counts = Counter([*taken, *(rule.name for rule in rules)])
    names = [
        rule.name if rule.labelled or counts[rule.name] == 1 else rule.name + _SUFFIX[rule.sense] for rule in rules
    ]
    for name, count in Counter([*taken, *names]).items():
        if count > 1:
            raise ValueError(f'two constraints are called {name!r}: expected labels, as in "mine: {rules[-1].text}"')
    for name, rule in zip(names, rules, strict=True):
        if name in _TAKEN:
            raise ValueError(f'constraint {rule.text!r} cannot be called {name!r}: expected a label, as in "mine: ..."')
    return names


def _info_keys(expression: grammar.Expression) -> list[str]:
    if isinstance(expression, grammar.Part) and expression.path[0] == "info":
        return [str(key) for key in expression.path[1:2]]
    if isinstance(expression, grammar.Apply):
        return [key for argument in expression.arguments for key in _info_keys(argument)]
    return []


def _names_a_part(expression: grammar.Expression) -> bool:
    if isinstance(expression, grammar.Apply):
        return any(map(_names_a_part, expression.arguments))
    return isinstance(expression, grammar.Part)
