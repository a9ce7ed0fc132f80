"""TinyComposite: sequences with two correlated reward models, where overoptimisation has a known answer.

A policy writes 8 tokens out of 5; the reference pi0 is a chain over them. r1 is the share of tokens in {1, 2}, r2 that
in {2, 3} (docs/methods/composite-rm.md, section 8). The true utility of a policy is computed by
`zoo_envs.composite.oracle`; no step reports it, but for the truth that is a mean over sequences.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray
from zoo_envs_plugin.options.composite import Truth

from zoo_envs.batched import CopiesEnv, Info, Move
from zoo_envs.composite.oracle import TinyOracle, quality, tiny_oracle, utility
from zoo_envs.composite.prefixes import (
    LENGTH,
    NUM_PREFIXES,
    NUM_SEQUENCES,
    VOCABULARY,
    Prefixes,
    prefixes,
    reference_logits,
    tokens,
)
from zoo_envs.tabular.constraints import ConstraintSpec
from zoo_envs.tabular.lookup import batched_metadata, checked_render_mode, metadata, snapshot_entry
from zoo_envs.validation import integer, real

__all__ = ["TinyComposite", "TinyCompositeVector"]

_NAMES = ("r1", "r2")
_JOINT_PROXY_POINT = (0.4555, 0.4429)


class _Task:
    """What the single and the batched environment share."""

    constraint_spec: ConstraintSpec
    """constraints on E r1 and E r2 of an episode, undiscounted"""
    constraint_ranges = ((0.0, 1.0), (0.0, 1.0))
    """lowest and highest r1 and r2 of a sequence"""
    evaluation_names: tuple[str, ...]
    """of what ``info["evaluation"]`` holds: "quality" with truth "sample", else nothing"""

    def _settle(self, theta: tuple[float, float], sense: str, truth: str, independent: bool) -> Prefixes:
        """Keep the options, checked, and return the tables."""
        self.constraint_spec = _constraints(theta, sense)
        if truth not in get_args(Truth):
            raise ValueError(f"truth must be one of {', '.join(map(repr, get_args(Truth)))}, got {truth!r}")
        self._truth, self._independent = truth, bool(independent)
        self.evaluation_names = ("quality",) if truth == "sample" else ()
        return prefixes(independent=self._independent)

    def oracle(self) -> TinyOracle:
        """Return the exact expectations and optima; built at the first call in the process."""
        return tiny_oracle(independent=self._independent)

    def reference_logits(self, observations: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return log pi0 of each next token, float64 [...,5], for `observations` [...,19]."""
        return reference_logits(observations, independent=self._independent)

    def evaluate(self, scores: NDArray[np.floating], kl: float, statistics: NDArray[np.floating]) -> float:
        """Return U of the mean `scores` float64[2] and the sequence KL in nats.

        With truth "sample" it is the mean of ``info["evaluation"]`` over episodes, `statistics` float64[1].
        """
        if self._truth == "sample":
            return float(statistics[0])
        return float(utility(scores[0], scores[1], kl, separable=self._truth == "separable"))


class TinyComposite(_Task, gymnasium.Env[Any, Any]):
    """``zoo/TinyComposite-v0``, one copy: eight tokens, scored by two correlated reward models.

    Actions: the next token, of 5. Observations float32[19]: see `Prefixes`. Rewards: r1 + r2 at the eighth token, 0
    before it. Ends: terminated by the eighth token. Each step's info has "constraints" float32[2], (r1, r2) at the last
    step and 0 before, and "ref_logprob", log pi0 of the token in nats; with truth "sample" "evaluation" float32[1] as
    well, the quality of the sequence. Nothing is random but the policy. Options: see `TinyCompositeConfig`. Optimum:
    exact, by `zoo_envs.composite.oracle`.
    """

    metadata = metadata("ansi")

    def __init__(
        self,
        *,
        theta: tuple[float, float] = _JOINT_PROXY_POINT,
        sense: Literal[">=", "=="] = ">=",
        truth: Truth = "policy",
        independent: bool = False,
        render_mode: str | None = None,
    ) -> None:
        """Make one copy.

        Args:
            theta: thresholds of E r1 and E r2, each in [0, 1]; by default the joint proxy point.
            sense: sense of both constraints.
            truth: what `evaluate` returns: see `TinyCompositeConfig`.
            independent: whether r1 and r2 are independent under the reference.
            render_mode: None or "ansi".

        Raises:
            ValueError: an argument is outside its range.
        """
        self._table = self._settle(theta, sense, truth, independent)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.observation_space, self.action_space = _spaces()
        self._prefix: int | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an empty sequence."""
        super().reset(seed=seed)
        self._prefix = 0
        return self._table.observations[0].copy(), {}

    def step(self, action: int | np.integer[Any]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Append the token `action`.

        Raises:
            ResetNeeded: `reset` was never called, or the sequence is complete.
            ValueError: `action` is not an integer in [0, 4].
        """
        table, before = self._table, self._current()
        if before >= NUM_PREFIXES:
            raise ResetNeeded(f"call reset() first: the sequence has its {LENGTH} tokens")
        token = integer("action", action, 0, VOCABULARY - 1)
        self._prefix = after = VOCABULARY * before + 1 + token
        kind = table.kind.item(after)
        scores = table.scores[kind]
        info = {
            "constraints": scores.astype(np.float32),
            "ref_logprob": table.reference.item(table.kind.item(before), token),
        }
        if self.evaluation_names:
            info["evaluation"] = _qualities(scores, np.bool_(after >= NUM_PREFIXES))
        return table.observations[kind].copy(), float(scores.sum()), after >= NUM_PREFIXES, False, info

    def render(self) -> Any:
        """Return the sequence so far as a line like "2 0 4 . . . . ." ("ansi"), or None where no mode was chosen."""
        return None if self.render_mode is None else _line(self._current())

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue: {"state": the number of the prefix}.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        return {"state": self._current()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment.
        """
        self._prefix = snapshot_entry(state, "state", (), NUM_PREFIXES + NUM_SEQUENCES).item()

    def _current(self) -> int:
        if self._prefix is None:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._prefix


class TinyCompositeVector(_Task, CopiesEnv):
    """``zoo/TinyComposite-v0``, `num_envs` copies; see `TinyComposite` and `CopiesEnv`.

    ``infos["constraints"]`` is float32[n,2], ``infos["ref_logprob"]`` float64[n].
    """

    metadata = batched_metadata("ansi")

    def __init__(
        self,
        num_envs: int = 1,
        *,
        theta: tuple[float, float] = _JOINT_PROXY_POINT,
        sense: Literal[">=", "=="] = ">=",
        truth: Truth = "policy",
        independent: bool = False,
        render_mode: str | None = None,
    ) -> None:
        """Make `num_envs` copies; arguments and errors as of `TinyComposite`."""
        super().__init__(num_envs, *_spaces())
        self._table = self._settle(theta, sense, truth, independent)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an empty sequence in every copy."""
        super().reset(seed=seed)
        self._state[:] = 0
        return self._observe(self._state), {}

    def render(self) -> tuple[Any, ...] | None:
        """Return every copy rendered as by `TinyComposite.render`, or None where no mode was chosen."""
        return None if self.render_mode is None else tuple(_line(prefix) for prefix in self._current().tolist())

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue: {"state": int64[n], the numbers of the prefixes}.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        return {"state": self._current().copy()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment with this number of copies.
        """
        self._state[:] = snapshot_entry(state, "state", (self.num_envs,), NUM_PREFIXES)

    def _advance(self, actions: NDArray[np.integer[Any]]) -> Move:
        table, before, chosen = self._table, self._current(), self._checked(actions)
        ref_logprob = table.reference.take(table.kind.take(before).astype(np.int64) * VOCABULARY + chosen)
        after = VOCABULARY * before + 1 + chosen
        scores = table.scores.take(table.kind.take(after), axis=0)
        complete = after >= NUM_PREFIXES
        self._state[:] = np.where(complete, 0, after)
        signals: Info = {"constraints": scores.astype(np.float32), "ref_logprob": ref_logprob}
        if self.evaluation_names:
            signals["evaluation"] = _qualities(scores, complete)
        ended = complete if complete.any() else None
        return Move(after, scores.sum(1), complete.copy(), np.zeros_like(complete), ended, signals, {})

    def _differs_only_in_seed(self, other: Any) -> bool:
        # Thresholds and sense decide nothing that a step returns.
        same = type(self) is type(other) and self.num_envs == other.num_envs
        return same and self._table is other._table and self.evaluation_names == other.evaluation_names

    def _observe(self, state: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._table.observations.take(self._table.kind.take(state), axis=0)


def _qualities(scores: NDArray[np.float64], complete: NDArray[np.bool_] | np.bool_) -> NDArray[np.float32]:
    """Return the quality float32 [...,1] of sequences with `scores` [...,2]; 0 where they are not `complete` [...]."""
    worth = np.where(complete, quality(scores[..., 0], scores[..., 1]), 0.0)
    return np.asarray(worth[..., None], dtype=np.float32)


def _spaces() -> tuple[spaces.Box, spaces.Discrete]:
    shape = (LENGTH + VOCABULARY + 1 + VOCABULARY,)
    return spaces.Box(0.0, 1.0, shape=shape, dtype=np.float32), spaces.Discrete(VOCABULARY)


def _constraints(theta: tuple[float, float], sense: str) -> ConstraintSpec:
    if not isinstance(theta, tuple | list) or len(theta) != len(_NAMES):
        raise ValueError(f"theta must be two numbers, the thresholds of r1 and r2, got {theta!r}")
    if sense not in (">=", "=="):
        raise ValueError(f"sense must be '>=' or '==', got {sense!r}")
    thresholds = [real(f"theta[{i}]", value, 0, 1) for i, value in enumerate(theta)]
    return ConstraintSpec.of(_NAMES, thresholds, (sense, sense), unit="episode", discounted=False)


def _line(prefix: int) -> str:
    shown = [str(token) for token in tokens(prefix)]
    return " ".join(shown + ["."] * (LENGTH - len(shown))) + "\n"
